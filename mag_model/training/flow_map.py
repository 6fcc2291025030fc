"""Few steps for many: a generator learns where the flow of another network ends, from where few-step sampling asks it.

A network that is trained by squared error makes the mean of all that could be, and few steps of it stay near that mean;
its flow, followed finely, ends at one of the things that could be. CausVid (arXiv 2412.07772, section 4.3) and Self
Forcing (arXiv 2506.08009, section 4.1) begin so before they match distributions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from mag_model.denoiser import Denoiser
from mag_model.memory.masks import BlockMasks, block_masks
from mag_model.memory.policy import FullHistory
from mag_model.training.loss import draw_noise, predict, weighted, write_sequence

BETWEEN = (0.73, 0.45, 0.27, 0.12)
"""Noise levels at which the flow is asked, besides those of few-step sampling."""


def flow_map_loss(
    generator: Denoiser,
    guide: Denoiser,
    latents: Tensor,
    frame: Tensor,
    history: list[tuple[Tensor, Tensor]],
    masks: BlockMasks,
    weight: Tensor,
    random: torch.Generator,
) -> Tensor:
    """() weighted squared distance from where the guide's flow ends, asked at one level of few-step sampling a block.

    The first block, which has no history, does not count.

    Args:
        generator: learns; it reads ``history``.
        guide: is imitated; it writes its own full history.
        latents: (B, F, C, h, w) the clips that histories are written of.
        masks: of the generator's policy.
        weight: (B, F) of the frames.
    """
    full = block_masks(FullHistory(), len(frame) // generator.block, generator.block)

    def run(x: Tensor, level: float) -> Tensor:
        return predict(guide, x, torch.full_like(weight, level), frame, past, full.before, full)

    with torch.no_grad():
        past = write_sequence(guide, latents, frame, full)
        levels = flow_levels(generator.sigmas)
        states, end = follow(run, draw_noise(latents, random), levels)
    asked = [states[levels.index(level)] for level in generator.sigmas]
    noised, which = draw_states(asked, generator.block, random)
    sigma = torch.tensor(generator.sigmas).to(latents.device)[which]
    x0 = predict(generator, noised, sigma, frame, history, masks.before, masks)
    return weighted(x0 - end, masks.before.any(dim=1), weight)


def flow_levels(sampled: Sequence[float]) -> list[float]:
    """Descending noise levels along which a flow is followed, those of few-step sampling among them."""
    return sorted({*sampled, *BETWEEN}, reverse=True)


def follow(
    run: Callable[[Tensor, float], Tensor], noise: Tensor, levels: Sequence[float]
) -> tuple[list[Tensor], Tensor]:
    """Follow a flow from noise to clean latents.

    DPM-Solver++(2M), arXiv 2211.01095, algorithm 2, for x_s = (1 - s) x0 + s e: between two levels the prediction is a
    straight line over the logarithm of signal to noise.

    Args:
        run: (latents at a level, the level) -> predicted clean latents.
        noise: latents at the first level.
        levels: descending, above 0, from 1 at most.

    Returns:
        The latents at each level, and those at 0.
    """
    states, x = [], noise
    before: tuple[Tensor, float] | None = None
    for level, after in pairwise([*levels, 0.0]):
        states.append(x)
        x0 = run(x, level)
        step = _log_ratio(after) - _log_ratio(level)
        ahead = x0
        if before is not None and math.isfinite(step) and math.isfinite(before[1]):
            ahead = x0 + (x0 - before[0]) * step / (2 * before[1])
        x = ahead + after / level * (x - ahead)
        before = x0, step
    return states, x


def _log_ratio(level: float) -> float:
    """Logarithm of signal to noise, (1 - s) / s."""
    if level in (0.0, 1.0):
        return math.inf if level == 0 else -math.inf
    return math.log((1 - level) / level)


def draw_states(states: Sequence[Tensor], block: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """One of several states (B, F, C, h, w) for each block, any as likely: the latents, and which, (B, F) int64."""
    batch, frames = states[0].shape[:2]
    which = torch.randint(len(states), (batch, frames // block), generator=random).repeat_interleave(block, 1)
    chosen = torch.zeros_like(states[0])
    for number, state in enumerate(states):
        chosen = torch.where((which == number)[:, :, None, None, None].to(state.device), state, chosen)
    return chosen, which
