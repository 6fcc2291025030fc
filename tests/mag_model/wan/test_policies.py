"""Any policy on Wan, by the same rollout: against masked attention over the whole clip, or against plain tensors."""

from __future__ import annotations

from dataclasses import replace

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
from baselines.policies.window import Window
from baselines.policies.window_sink import WindowSink
from mag_model.flow import add_noise
from mag_model.memory.cache import Memory
from mag_model.memory.frame_kv import Cameras
from mag_model.memory.masks import block_masks, kept_frames
from mag_model.memory.policy import CachePolicy, FullHistory, Mag
from mag_model.rollout import rollout, seeded
from mag_model.training.loss import predict, write_sequence
from mag_model.wan.denoiser import Prompted
from mag_model.wan.network import Wan
from mag_model.wan.spec import WanSpec
from magbench.core.plugins import POLICIES, plugins
from tests.mag_model.plain import plain_rollout
from tests.mag_model.wan.golden import ROLLING, SIZE, SPEC, golden, prompted

GIVEN, FRAMES = 6, 15


@pytest.fixture(scope="module")
def context() -> torch.Tensor:
    return golden("mag_bc_sink2")["output"][:, :GIVEN]


WITHOUT_MASK = [
    EmaSink(decay=0.6),
    RelativeWindow(frames=4, sink=1),
    AnchoredWindow(frames=4, sink=1),
    MagRing(ring=2),
    RollingSink(frames=2, sink=2, replayed=3),
    FeatureRetrieval(frames=2, sink=1, recent=2),
    MemoryBank(frames=2, bank=2, every=1),
    DeepSink(sink=2, middle=2, recent=2),
    FlowCache(frames=3, recent=2),
    Geometric(whole=2, each=1),
    HeavyHitters(frames=3, recent=2),
    SnapKv(frames=3, recent=2),
    MergedFrames(frames=3, recent=2),
    Quantised(8, Mag()),
    Quantised(4, DeepSink(sink=2, middle=2, recent=2)),
]
CAMERAS = Cameras(torch.randn(1, FRAMES, 3, generator=torch.Generator().manual_seed(0)), torch.arange(FRAMES))


@pytest.mark.parametrize("policy", WITHOUT_MASK, ids=str)
def test_against_plain_tensors(policy: CachePolicy, context: torch.Tensor) -> None:
    generator, writer = prompted("generator", "text"), prompted("memory", "empty")
    made = torch.cat(list(rollout(generator, policy, context, FRAMES, seeded(1), writer=writer)), 1)
    wanted, _ = plain_rollout(generator, policy, context, FRAMES, seeded(1), writer)
    torch.testing.assert_close(made, wanted, atol=3e-5, rtol=0)


@pytest.mark.parametrize("spec", [SPEC, ROLLING], ids=lambda spec: f"{spec.rolling_window_blocks} together")
@pytest.mark.parametrize(
    "policy", [EmaSink(), RelativeWindow(), AnchoredWindow(), MagRing(ring=2), FullHistory()], ids=str
)
def test_tensors_stay_on_the_device_of_the_context(policy: CachePolicy, spec: WanSpec) -> None:
    """The device without content refuses to meet another, as a card does; only frame indices are on the CPU."""
    with torch.device("meta"):
        network = Wan(spec).bfloat16().requires_grad_(False)
        told = Prompted.by(network, torch.zeros(1, SPEC.text_len, SPEC.text), SIZE)
        context = torch.zeros(1, 6, SPEC.channels, *SIZE)
    memory = Memory()
    made = torch.cat(list(rollout(told, policy, context, 9, seeded(0), memory=memory)), 1)
    assert made.is_meta and made.dtype == torch.float32
    assert memory.layers[0].kv.is_meta and memory.layers[0].kv.dtype == torch.bfloat16
    assert len(memory.frame) == len(kept_frames(policy, 3, 3))


MASKED = [
    Mag(recent=1),
    MagRing(ring=2),
    MagDeep(near=1, group=2),
    MagSparse(frames=1, newest=1),
    PoseRetrieval(frames=2, recent=2),
    Strided(stride=2, sink=1),
    Window(frames=4),
    WindowSink(frames=2, sink=1),
    FullHistory(),
]


def test_every_registered_policy_is_checked_on_wan() -> None:
    registered = {policy.load() for policy in plugins(POLICIES).values()}
    assert registered == {type(policy) for policy in WITHOUT_MASK + MASKED}


@pytest.mark.parametrize("policy", MASKED, ids=str)
def test_against_masked_attention_over_the_whole_clip(policy: CachePolicy, context: torch.Tensor) -> None:
    generator, writer = replace(prompted("generator", "text"), cameras=CAMERAS), prompted("memory", "empty")
    made = torch.cat(list(rollout(generator, policy, context, FRAMES, seeded(1), writer=writer)), 1)
    noise = seeded(1)
    drawn = [
        [noise(torch.Size((1, 3, SPEC.channels, *SIZE))) for _ in generator.sigmas] for _ in range(GIVEN, FRAMES, 3)
    ]
    whole, frame = torch.cat([context, made], 1), torch.arange(FRAMES)
    masks = block_masks(policy, FRAMES // 3, 3, CAMERAS)
    with torch.inference_mode():
        history = write_sequence(writer, whole, frame, masks)
        x0 = torch.zeros_like(whole)
        for step, sigma in enumerate(generator.sigmas):
            added = torch.cat([torch.zeros_like(context)] + [block[step] for block in drawn], 1)
            level = torch.full(whole.shape[:2], sigma)
            x0 = predict(generator, add_noise(x0, added, level), level, frame, history, masks.before, masks)
    torch.testing.assert_close(made, x0[:, GIVEN:], atol=1e-4, rtol=0)
