"""Blocks that are made together: as one after another where that must be the same, and without a cache."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from baselines.policies.anchored_window import AnchoredWindow
from baselines.policies.window_sink import WindowSink
from mag_model.flow import add_noise
from mag_model.memory.attention import SequenceAttention
from mag_model.memory.cache import Memory
from mag_model.memory.masks import block_masks, token_mask
from mag_model.memory.policy import CachePolicy, FullHistory, Mag
from mag_model.rollout import rising_levels, rollout, seeded
from mag_model.training.loss import write_sequence
from mag_model.wan.profiling.workload import REDUCED_VAE, Networks, Shape, WanWorkload, random_codec
from mag_model.wan.spec import WanSpec
from tests.mag_model.wan.golden import ROLLING, ROLLING_SIZE, SPEC, network, prompted_together

SIZE = ROLLING.block
CONTEXT = torch.randn(1, 2 * SIZE, ROLLING.channels, *ROLLING_SIZE, generator=torch.Generator().manual_seed(3))
POLICIES = [FullHistory(), Mag(), WindowSink(frames=3, sink=3), AnchoredWindow(frames=6, sink=3)]


def _made(spec: WanSpec, policy: CachePolicy, frames: int, memory: Memory | None = None) -> list[torch.Tensor]:
    return list(rollout(prompted_together(spec), policy, CONTEXT, frames, seeded(1), memory=memory))


def test_levels_rise_from_block_to_block() -> None:
    (row,) = rising_levels(prompted_together())
    assert row[::SIZE].tolist() == pytest.approx([0.5555556, 0.7692308, 0.8823529, 0.9523810, 1])
    two = rising_levels(prompted_together(replace(SPEC, rolling_window_blocks=2)))
    assert two[:, ::SIZE].flatten().tolist() == pytest.approx([0.8333333, 1, 0.625, 0.9375])
    alone = rising_levels(prompted_together(SPEC))
    assert alone[:, 0].tolist() == pytest.approx([1, 0.9375, 0.8333333, 0.625])


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_a_block_without_company_is_made_as_if_one_after_another(policy: CachePolicy) -> None:
    frames = CONTEXT.shape[1] + SIZE
    (together,), (alone,) = (_made(replace(ROLLING, rolling_window_blocks=n), policy, frames) for n in (5, 1))
    assert torch.equal(together, alone)


@pytest.mark.parametrize("blocks", [1, 3, 7])
@pytest.mark.parametrize(
    ("spec", "policy"),
    [
        (ROLLING, FullHistory()),
        (ROLLING, Mag()),
        (replace(SPEC, rolling_window_blocks=2), WindowSink(frames=3, sink=3)),
    ],
    ids=str,
)
def test_cached_equals_masked_attention_over_the_whole_clip(spec: WanSpec, policy: CachePolicy, blocks: int) -> None:
    """History comes from one masked pass over the finished clip; each block has its own count of passes."""
    given, frames = CONTEXT.shape[1], CONTEXT.shape[1] + blocks * SIZE
    made = torch.cat(_made(spec, policy, frames), 1)
    generator, whole, frame = prompted_together(spec), torch.cat([CONTEXT, made], 1), torch.arange(frames)
    masks, noise = block_masks(policy, frames // SIZE, SIZE), seeded(1)
    x0, done = torch.zeros_like(whole), [0] * blocks
    apart = len(spec.steps) // spec.rolling_window_blocks
    with torch.inference_mode():
        history = write_sequence(generator, whole, frame, masks)
        while done[-1] < len(spec.steps):
            begun = [b for b in range(blocks) if b == 0 or done[b - 1] >= apart]
            making = [b for b in begun if done[b] < len(spec.steps)]
            at_hand = torch.cat([torch.arange(SIZE) + given + b * SIZE for b in making])
            level = torch.tensor([generator.sigmas[done[b]] for b in making]).repeat_interleave(SIZE)[None]
            noised = add_noise(x0[:, at_hand], noise(x0[:, at_hand].shape), level)
            past = masks.before[at_hand[:1]].expand(len(at_hand), -1)
            mask = token_mask(torch.cat([past, past.new_ones(len(at_hand), len(at_hand))], 1), generator.rope.tokens)
            attention = SequenceAttention(generator.rope.turns(at_hand), mask, history)
            x0[:, at_hand] = generator.at(at_hand)(noised, level, attention)
            for b in making:
                done[b] += 1
    torch.testing.assert_close(made, x0[:, given:], atol=3e-5, rtol=0)


def test_blocks_come_one_by_one_and_the_last_is_cut() -> None:
    whole = torch.cat(_made(ROLLING, FullHistory(), 27), 1)
    pieces = _made(ROLLING, FullHistory(), 26)
    assert [piece.shape[1] for piece in pieces] == [3, 3, 3, 3, 3, 3, 2]
    assert torch.equal(torch.cat(pieces, 1), whole[:, :-1])
    assert _made(ROLLING, FullHistory(), CONTEXT.shape[1]) == []


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_buffers_are_made_once_with_room_for_all_that_is_in_the_making(policy: CachePolicy) -> None:
    memory, places = Memory(), set()
    for _ in rollout(prompted_together(), policy, CONTEXT, 60, seeded(1), memory=memory):
        places |= {layer.places for layer in memory.layers}
    history = {FullHistory(): 60 - 15, Mag(): 3 + 14}.get(policy, len(memory.frame))
    assert places == {history + 15}


def test_what_cannot_be_made_together_is_refused() -> None:
    with pytest.raises(ValueError, match="5 blocks are made together; none can be remembered as it should have been"):
        next(rollout(prompted_together(), FullHistory(), CONTEXT, 12, seeded(1), truth=CONTEXT))
    with pytest.raises(ValueError, match="4 steps cannot be shared among 3 blocks made together"):
        replace(SPEC, rolling_window_blocks=3)


@pytest.mark.parametrize("policy", [FullHistory(), AnchoredWindow(), AnchoredWindow(frames=6)], ids=str)
@pytest.mark.parametrize("rolling_window_blocks", [1, 5])
def test_the_cost_of_a_block_is_what_torch_counts(policy: CachePolicy, rolling_window_blocks: int) -> None:
    spec = replace(ROLLING, rolling_window_blocks=rolling_window_blocks)
    shape = Shape(spec, REDUCED_VAE, (32, 32), "cpu", torch.float32)
    wan = network("generator", spec)
    workload = WanWorkload("tiny", policy, shape, Networks(wan, wan, lambda: random_codec(shape)))
    placed = workload.behind(42)
    allocated = placed.allocated()
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        block = placed.make()
    assert block.shape == (1, SIZE, spec.channels, 4, 4)
    assert workload.cost(42).flops == counter.get_total_flops()
    assert placed.make().shape == block.shape
    assert placed.allocated() == allocated
