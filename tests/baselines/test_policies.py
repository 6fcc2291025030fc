"""Every policy against sets worked out by hand, and its cache against masked attention over the whole sequence."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
import torch

from baselines.policies.anchored_window import AnchoredWindow
from baselines.policies.deep_sink import DeepSink
from baselines.policies.ema_sink import EmaSink
from baselines.policies.feature_retrieval import FeatureRetrieval
from baselines.policies.flow_cache import FlowCache
from baselines.policies.geometric import Geometric
from baselines.policies.heavy_hitters import HeavyHitters
from baselines.policies.mag_deep import MagDeep
from baselines.policies.mag_ring import MagRing
from baselines.policies.mag_sparse import MagSparse
from baselines.policies.memory_bank import MemoryBank
from baselines.policies.merged_frames import MergedFrames
from baselines.policies.pose_retrieval import PoseRetrieval
from baselines.policies.quantised import Quantised
from baselines.policies.relative_window import RelativeWindow
from baselines.policies.rolling_sink import RollingSink
from baselines.policies.snap_kv import SnapKv
from baselines.policies.strided import Strided
from baselines.policies.window_sink import WindowSink
from mag_model.flow import add_noise, sampling_sigmas
from mag_model.memory.cache import Memory
from mag_model.memory.frame_kv import Cameras, FrameKV
from mag_model.memory.masks import block_masks, caches, kept_frames
from mag_model.memory.policy import CachePolicy, FullHistory, Mag, Window
from mag_model.nano.backbone import Posed
from mag_model.nano.spec import BackboneSpec
from mag_model.rollout import rollout, seeded
from mag_model.training.loss import predict, write_sequence
from magbench.core.plugins import POLICIES as POLICIES_GROUP
from magbench.core.plugins import plugins
from tests.mag_model.plain import plain_rollout
from tests.tiny import SPEC, clip_of, random_backbone

# policy, frames held after 5 blocks of 3; None where each layer chooses by its contents
MATRIX: list[tuple[CachePolicy, list[int] | None]] = [
    (FullHistory(), list(range(15))),
    (Window(), [9, 10, 11, 12, 13, 14]),
    (Window(frames=4), [11, 12, 13, 14]),
    (WindowSink(), [0, 1, 2, 12, 13, 14]),
    (WindowSink(frames=4, sink=1), [0, 11, 12, 13, 14]),
    (Strided(), [0, 1, 2, 5, 8, 11, 14]),
    (Strided(stride=4, sink=0), [3, 7, 11]),
    (Mag(), [0, 1, 2, 5, 8, 11, 14]),
    (Mag(first_block_whole=False), [2, 5, 8, 11, 14]),
    (Mag(recent=1), [0, 1, 2, 5, 8, 11, 12, 13, 14]),
    (Mag(first_block_whole=False, recent=2), [2, 5, 8, 9, 10, 11, 12, 13, 14]),
    (MagRing(), [0, 1, 2, 5, 8, 11, 14]),
    (MagRing(ring=2, sink=2), [0, 1, 11, 14]),
    (RelativeWindow(), [0, 1, 2, 9, 10, 11, 12, 13, 14]),
    (RelativeWindow(frames=4, sink=1), [0, 11, 12, 13, 14]),
    (AnchoredWindow(), list(range(15))),
    (AnchoredWindow(frames=7, sink=2), [0, 1, 8, 9, 10, 11, 12, 13, 14]),
    (EmaSink(), [0, 1, 2, 12, 13, 14]),
    (EmaSink(frames=4, sink=2, decay=0.6), [0, 1, 11, 12, 13, 14]),
    (PoseRetrieval(frames=3, recent=2), list(range(15))),
    (MagSparse(frames=1, newest=1), [2, 5, 8, 11, 14]),
    (MagDeep(near=1, group=2), [5, 11, 14]),
    (RollingSink(frames=3, sink=4, replayed=6), [0, 1, 2, 3, 12, 13, 14]),
    (FeatureRetrieval(frames=3, sink=1, recent=2), list(range(15))),
    (MemoryBank(frames=2, bank=2, every=1), None),
    (MemoryBank(frames=4, bank=1, every=2), [6, 11, 12, 13, 14]),
    (DeepSink(sink=2, middle=3, recent=4), [0, 1, 8, 9, 10, 11, 12, 13, 14]),
    (FlowCache(frames=4, recent=2), None),
    (Geometric(whole=3, each=1), [0, 4, 8, 10, 12, 13, 14]),
    (HeavyHitters(frames=4, recent=2), [9, 10, 11, 12, 13, 14]),
    (SnapKv(frames=4, recent=2), [9, 10, 11, 12, 13, 14]),
    (MergedFrames(frames=4, recent=2), None),
    (Quantised(), list(range(15))),
    (Quantised(4, Mag()), [0, 1, 2, 5, 8, 11, 14]),
    (Quantised(4, EmaSink(decay=0.6)), [0, 1, 2, 12, 13, 14]),
    (Quantised(8, HeavyHitters(frames=4, recent=2)), [9, 10, 11, 12, 13, 14]),
    (Quantised(8, PoseRetrieval(frames=2, recent=2)), list(range(15))),
]
POLICIES = [policy for policy, _ in MATRIX]
MASKED = [policy for policy in POLICIES if not (policy.reindexes or policy.uses_content or policy.bits)]
"""Those that choose frames by index or camera; the others look at contents, move or round frames: they have no mask."""
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=str)


@pytest.mark.parametrize(("policy", "held"), MATRIX, ids=lambda value: str(value) if "(" in str(value) else "")
def test_holds_the_frames_that_its_rule_says(policy: CachePolicy, held: list[int] | None) -> None:
    assert held is None or kept_frames(policy, blocks=5, size=3).tolist() == held


@every_policy
def test_what_is_held_can_be_said_without_walking_there(policy: CachePolicy) -> None:
    for size in (1, 2, 3):
        for number, past in enumerate(islice(caches(policy, size), 20)):
            at_once = policy.held_at(number * size, size)
            if chosen_by_contents(policy):
                assert len(at_once) == len(past.frame)
            else:
                assert torch.equal(at_once, past.frame)


def chosen_by_contents(policy: CachePolicy) -> bool:
    """Whether frame indices alone cannot say which frames stay."""
    plain = policy.of if isinstance(policy, Quantised) else policy
    return isinstance(plain, FlowCache | MemoryBank | MergedFrames)


@every_policy
def test_only_policies_that_say_so_read_otherwise_to_write(policy: CachePolicy) -> None:
    frame, block = kept_frames(policy, blocks=8, size=3), torch.arange(24, 27)
    past = FrameKV.numbered(frame, frame, Cameras(torch.zeros(1, 1, 3), torch.zeros(1)))
    made, written = policy.read(past, block), policy.read_to_write(past, block)
    alike = torch.equal(made.frame, written.frame) and torch.equal(made.numbers, written.numbers)
    assert alike == policy.reads_once


def test_every_registered_policy_is_in_the_matrix() -> None:
    registered = {policy.load() for policy in plugins(POLICIES_GROUP).values()}
    assert registered == {type(policy) for policy, _ in MATRIX}


@pytest.mark.parametrize(
    "spec", [SPEC, replace(SPEC, block=2), replace(SPEC, block=1)], ids=lambda s: f"block{s.block}"
)
@pytest.mark.parametrize("policy", MASKED, ids=str)
def test_cached_rollout_equals_masked_attention_over_the_whole_sequence(
    policy: CachePolicy, spec: BackboneSpec
) -> None:
    """The independent path has no cache, no policy at run time and no loop over blocks: one mask, one sequence."""
    blocks, given, size = 6, 2, spec.block
    context, pose = clip_of(spec, given * size)[0], clip_of(spec, blocks * size)[1]
    generator, writer = (Posed.along(random_backbone(seed, spec), pose) for seed in (1, 2))
    made = torch.cat(list(rollout(generator, policy, context, blocks * size, seeded(7), writer=writer)), 1)

    whole = torch.cat([context, made], 1)
    frame = torch.arange(blocks * size)
    masks = block_masks(policy, blocks, size, generator.cameras)
    random = torch.Generator().manual_seed(7)
    noise = [
        [torch.randn(2, size, spec.channels, *spec.grid, generator=random) for _ in spec.steps]
        for _ in range(given, blocks)
    ]
    with torch.inference_mode():
        history = write_sequence(writer, whole, frame, masks)
        x0 = torch.zeros_like(whole)
        for step, sigma in enumerate(sampling_sigmas(spec.steps, spec.shift)):
            drawn = torch.cat([torch.zeros_like(context)] + [block[step] for block in noise], 1)
            level = torch.full(whole.shape[:2], sigma)
            x0 = predict(generator, add_noise(x0, drawn, level), level, frame, history, masks.before, masks)
    torch.testing.assert_close(made, x0[:, given * size :], atol=1e-4, rtol=0)


@pytest.mark.parametrize("policy", [policy for policy in POLICIES if policy not in MASKED], ids=str)
def test_policies_without_a_mask_against_plain_tensors(policy: CachePolicy) -> None:
    context, pose = clip_of(SPEC, 6)[0], clip_of(SPEC, 21)[1]
    generator, writer = (Posed.along(random_backbone(seed), pose) for seed in (1, 2))
    made = torch.cat(list(rollout(generator, policy, context, 21, seeded(0), writer=writer)), 1)
    wanted, _ = plain_rollout(generator, policy, context, 21, seeded(0), writer)
    torch.testing.assert_close(made, wanted, atol=1e-4, rtol=0)


@every_policy
def test_memory_counts_the_bytes_of_the_frames_it_holds(policy: CachePolicy) -> None:
    memory = Memory()
    context, pose = clip_of(SPEC, 15)
    list(rollout(Posed.along(random_backbone(1), pose), policy, context, 15, seeded(0), memory=memory))
    held = kept_frames(policy, blocks=5, size=3)
    assert len(memory.frame) == len(held)
    if not policy.uses_content:
        assert memory.frame.tolist() == held.tolist()
    if policy in MASKED:
        assert memory.bytes == 2 * 2 * SPEC.layers * len(held) * SPEC.tokens * SPEC.dim * 4
    frame = policy.frame_bytes(SPEC.tokens, SPEC.heads, SPEC.head_dim, itemsize=4)
    assert memory.bytes == 2 * SPEC.layers * len(held) * frame


def test_a_relative_window_counts_back_from_the_block() -> None:
    """As published: sink at 0, 1, 2, the newest at 3 to 8 and the block at 9 to 11; only differences count."""
    frame = torch.tensor([0, 1, 2, 24, 25, 26, 27, 28, 29])
    read = RelativeWindow().read(FrameKV.numbered(frame, frame), torch.tensor([30, 31, 32]))
    assert (read.frame - 30).tolist() == [place - 9 for place in range(9)]
    assert torch.equal(read.numbers, frame)


def test_an_anchor_comes_just_before_what_is_read_of_the_window() -> None:
    """Of 21 frames in all, those in the making leave room for 3, for 9 or for 15 of the window."""
    frame = torch.tensor([0, 1, 2, *range(12, 30)])
    past, policy = FrameKV.numbered(frame, frame), AnchoredWindow()
    for making in (15, 9, 3):
        read = policy.read(past, torch.arange(30, 30 + making))
        assert read.numbers.tolist() == [0, 1, 2, *range(12 + making, 30)]
        assert read.frame.tolist() == list(range(9 + making, 30))
    written = policy.read_to_write(past, torch.arange(30, 33))
    assert written.numbers.tolist() == written.frame.tolist() == list(range(12, 30))


def test_frames_that_leave_are_averaged_into_the_sink_one_for_one() -> None:
    random = torch.Generator().manual_seed(0)
    k, v = torch.randn(2, 1, 15, 2, 1, 4, generator=random)
    policy, whole = EmaSink(frames=3, sink=3, decay=0.9), FrameKV(k, v, torch.arange(15))
    past = FrameKV.empty(whole)
    for block in torch.arange(15).split(3):
        past = policy.write(past, whole.select(block))
    for made, given in ((past.k, k), (past.v, v)):
        wanted = given[:, :3]
        for left in (given[:, 3:6], given[:, 6:9], given[:, 9:12]):
            wanted = 0.9 * wanted + 0.1 * left
        torch.testing.assert_close(made[:, :3], wanted)
        assert torch.equal(made[:, 3:], given[:, 12:])


def test_a_ring_forgets_the_oldest_packed_frame_first() -> None:
    assert torch.equal(kept_frames(MagRing(), 21, 3), kept_frames(Mag(), 21, 3))
    assert kept_frames(MagRing(), 22, 3)[:4].tolist() == [0, 1, 5, 8]
    assert len(kept_frames(MagRing(), 80, 3)) == 23


def test_strided_keeps_the_frames_of_mag() -> None:
    for blocks in range(1, 30):
        assert torch.equal(kept_frames(Strided(), blocks, 3), kept_frames(Mag(), blocks, 3))
        packed = kept_frames(Mag(first_block_whole=False), blocks, 3)
        assert torch.equal(kept_frames(Strided(sink=0), blocks, 3), packed)


@pytest.mark.parametrize(("blocks", "bound"), [(16, 0.40), (80, 0.35)])
def test_mag_holds_about_a_third(blocks: int, bound: float) -> None:
    whole, packed = (len(kept_frames(policy, blocks, 3)) for policy in (FullHistory(), Mag()))
    assert packed / whole <= bound
