"""The buffers of the cache: they are made once, frames keep their places, and policies that lie are caught."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from baselines.policies.relative_window import RelativeWindow
from mag_model.memory.attention import CachedAttention
from mag_model.memory.cache import Memory
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.masks import kept_frames
from mag_model.memory.policy import CachePolicy, FrameRule, FullHistory, Mag, Window
from mag_model.nano.backbone import Posed
from mag_model.rollout import rollout, seeded
from tests.mag_model.plain import plain_rollout
from tests.tiny import SPEC, clip_of, random_backbone

FRAMES = 18


@dataclass(frozen=True)
class Nearest(FrameRule):
    """Keep all, read the newest few: what a retrieval does."""

    read_frames: int = 2

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        return torch.ones_like(frame, dtype=torch.bool)

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        return past.select(past.frame >= query[0] - self.read_frames)


@dataclass(frozen=True)
class Loudest(CachePolicy):
    """Keep the frames whose values are largest, in each layer by itself: what a policy that looks may do."""

    frames: int = 4

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        merged = past.append(block)
        size = merged.v.square().mean((0, 2, 3, 4))
        return merged.select(size.argsort(descending=True)[: self.frames].sort().values)


def _told(seed: int, pose: Tensor) -> Posed:
    return Posed.along(random_backbone(seed), pose)


@pytest.mark.parametrize("policy", [Nearest(), Loudest(), FullHistory(), Window(frames=4)], ids=str)
def test_buffers_give_what_plain_tensors_give(policy: CachePolicy) -> None:
    context, pose = clip_of(SPEC, 6)[0], clip_of(SPEC, FRAMES)[1]
    generator, writer, memory = _told(1, pose), _told(2, pose), Memory()
    made = torch.cat(list(rollout(generator, policy, context, FRAMES, seeded(0), writer=writer, memory=memory)), 1)
    wanted, held = plain_rollout(generator, policy, context, FRAMES, seeded(0), writer)
    torch.testing.assert_close(made, wanted, atol=1e-4, rtol=0)
    for layer, plain in zip(memory.layers, held, strict=True):
        assert layer.frame.sort().values.tolist() == plain.frame.tolist()
        values = layer.content(layer.frame.argsort(), plain.frame).v
        torch.testing.assert_close(values, plain.v, atol=1e-4, rtol=0)


@pytest.mark.parametrize("policy", [FullHistory(), Mag(), Window()], ids=str)
def test_a_rollout_makes_each_buffer_once_and_no_larger_than_needed(policy: CachePolicy) -> None:
    pose, memory = clip_of(SPEC, FRAMES)[1], Memory()
    places, buffers = set(), set()
    for _ in rollout(_told(1, pose), policy, clip_of(SPEC, 3)[0], FRAMES, seeded(0), memory=memory):
        places |= {layer.places for layer in memory.layers}
        buffers |= {layer.kv.data_ptr() for layer in memory.layers}
    before = [len(kept_frames(policy, number, 3)) for number in range(FRAMES // 3)]
    assert places == {max(before) + 3}
    assert len(buffers) == SPEC.layers
    assert memory.allocated == memory.bytes // len(memory.frame) * max(places)


def test_frames_that_stay_keep_their_place_and_new_ones_fill_the_gaps() -> None:
    """Window of 4 frames: of the six that were put, the two oldest go."""
    memory = Memory()
    for first in (0, 3):
        content = torch.arange(first, first + 3.0).reshape(1, 3, 1, 1).repeat_interleave(2, 1)
        memory.put(0, content, -content, tokens=2)
        memory.keep(Window(frames=4), torch.arange(first, first + 3))
    held = memory.layers[0]
    assert held.frame.tolist() == [4, 5, 2, 3]
    assert held.kv[0, 0, 0, : held.end, 0].tolist() == [4, 4, 5, 5, 2, 2, 3, 3]
    assert held.kv[1, 0, 0, : held.end, 0].tolist() == [-4, -4, -5, -5, -2, -2, -3, -3]
    assert memory.frame.tolist() == [2, 3, 4, 5]
    assert memory.bytes == 2 * 4 * 2 * 4


def test_without_a_plan_buffers_grow_and_keep_what_they_hold() -> None:
    memory = Memory()
    for first in range(0, 12, 3):
        content = torch.arange(first, first + 3.0).reshape(1, 3, 1, 1)
        memory.put(0, content, content, tokens=1)
        memory.keep(FullHistory(), torch.arange(first, first + 3))
    held = memory.layers[0]
    assert held.places == 12
    assert held.kv[0, 0, 0, :, 0].tolist() == list(range(12))


def test_made_up_memory_is_full_of_noise_that_its_seed_decides() -> None:
    like, frame = torch.zeros(1, 4, 2, 8, dtype=torch.bfloat16), torch.tensor([0, 5, 8])
    first, again, other = (Memory.made_up(2, like, frame, room=3, seed=seed) for seed in (1, 1, 2))
    assert first.frame.tolist() == [0, 5, 8]
    assert first.bytes == 2 * 2 * 3 * 4 * 2 * 8 * 2
    assert first.layers[0].places == 6
    assert torch.equal(first.layers[1].kv, again.layers[1].kv)
    assert not torch.equal(first.layers[1].kv, other.layers[1].kv)
    assert not torch.equal(first.layers[0].kv, first.layers[1].kv)


@pytest.mark.parametrize(("policy", "times"), [(RelativeWindow(), 6), (Nearest(), 5), (Mag(), 0)], ids=str)
def test_history_is_gathered_once_a_block_if_at_all(
    policy: CachePolicy, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    gather = CachedAttention._gather
    monkeypatch.setattr(CachedAttention, "_gather", lambda *given: calls.append(1) or gather(*given))
    pose = clip_of(SPEC, FRAMES)[1]
    list(rollout(_told(1, pose), policy, clip_of(SPEC, 6)[0], FRAMES, seeded(0)))
    assert len(calls) == times * SPEC.layers


def test_a_policy_that_moves_frames_must_say_so() -> None:
    class Lying(FullHistory):
        def read(self, past: FrameKV, query: Tensor) -> FrameKV:
            return replace(past, frame=past.frame + 1)

    pose = clip_of(SPEC, 9)[1]
    with pytest.raises(ValueError, match="does not say that it reindexes"):
        list(rollout(_told(1, pose), Lying(), clip_of(SPEC, 3)[0], 9, seeded(0)))
