"""Blocks that are made together, against the released code's: each pass, the final cache, and after a context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from baselines.policies.anchored_window import AnchoredWindow
from baselines.policies.window_sink import WindowSink
from mag_model.memory.cache import Memory
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy
from mag_model.rollout import Noise, rollout
from mag_model.rope import rotate
from tests.mag_model.wan.golden import ROLLING, ROLLING_SIZE, assert_near, golden_rolling, network, prompted_together

NOTHING = torch.zeros(1, 0, ROLLING.channels, *ROLLING_SIZE)


def _drawn(blocks: int, seed: int) -> Tensor:
    """(blocks, steps, 1, 3, C, h, w) what each block is noised with before each of its passes."""
    size = (blocks, len(ROLLING.steps), 1, ROLLING.block, ROLLING.channels, *ROLLING_SIZE)
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def _in_windows(drawn: Tensor) -> Noise:
    """The same, as a rollout asks for it: all blocks in the making, the oldest first."""
    blocks, steps = drawn.shape[:2]

    def windows() -> Iterator[Tensor]:
        for number in range(blocks + steps - 1):
            oldest, newest = max(number + 1 - steps, 0), min(number, blocks - 1)
            yield torch.cat([drawn[block, number - block] for block in range(oldest, newest + 1)], 1)

    coming = windows()

    def draw(size: torch.Size) -> Tensor:
        noise = next(coming)
        assert noise.shape == size
        return noise

    return draw


def _alone(policy: CachePolicy, memory: Memory) -> Tensor:
    return torch.cat(
        list(rollout(prompted_together(), policy, NOTHING, 42, _in_windows(_drawn(14, 20)), memory=memory)), 1
    )


def test_each_pass_and_the_final_cache() -> None:
    wanted, flows, memory = golden_rolling("alone"), [], Memory()
    handle = network("generator", ROLLING).register_forward_hook(lambda module, given, flow: flows.append(flow))
    output = _alone(AnchoredWindow(), memory)
    handle.remove()
    assert_near(output, wanted["output"])
    order = [f"making.{number:02d}" for number in range(4)]
    order += [f"{kind}.{number + first:02d}" for number in range(14) for kind, first in (("making", 4), ("writing", 0))]
    assert set(order) == {name for name in wanted if name.startswith(("making", "writing"))}
    for name, flow in zip(order, flows, strict=True):
        assert_near(flow, wanted[name])

    rope = prompted_together().rope
    for layer in (0, 2):
        held = memory.layers[layer]
        frame, place = held.frame.sort()
        content = held.content(place, frame)
        k, v = (wanted[f"cache.{layer}.{name}"] for name in "kv")
        assert frame.tolist() == [0, 1, 2, *range(24, 42)]  # 21 to 23 would go before the next block is made
        turned = rotate(content.k.flatten(1, 2), rope.turns(frame)).unflatten(1, (len(frame), -1))
        assert_near(content.k[:, :3], k[:, :3])
        assert_near(turned[:, 3:], k[:, 6:])
        assert_near(content.v, torch.cat([v[:, :3], v[:, 6:]], 1))


def test_after_a_context() -> None:
    context, noise = _drawn(8, 5)[:, 0].transpose(0, 1).flatten(1, 2), _in_windows(_drawn(6, 6))
    made = torch.cat(list(rollout(prompted_together(), AnchoredWindow(), context, 42, noise)), 1)
    assert_near(made, golden_rolling("continued")["output"])


@dataclass(frozen=True)
class WrittenAsMade(AnchoredWindow):
    """The pass that writes reads what a pass over one block would."""

    def read_to_write(self, past: FrameKV, query: Tensor) -> FrameKV:
        return self.read(past, query)


@dataclass(frozen=True)
class Unmoved(AnchoredWindow):
    """The first frames are read at their own indices."""

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        newest = past.frame >= query[0] - (self.frames - len(query))
        return past.select(newest | (past.frame < self.sink))


@pytest.mark.parametrize(
    "policy",
    [WrittenAsMade(), Unmoved(), AnchoredWindow(frames=15), AnchoredWindow(sink=2), WindowSink(18, 3)],
    ids=str,
)
def test_a_wrong_choice_is_seen(policy: CachePolicy) -> None:
    wanted = golden_rolling("alone")["output"]
    wrong = _alone(policy, Memory()) - wanted
    assert wrong[:, 24:].norm() / wanted[:, 24:].norm() > 1e-2
    assert_near(wrong[:, :3], torch.zeros_like(wrong[:, :3]))
