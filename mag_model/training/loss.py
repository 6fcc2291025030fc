"""What is learned: every block of a clip is denoised at once, under the masks of the policy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mag_model.denoiser import Denoiser
from mag_model.flow import add_noise, shift_sigma
from mag_model.memory.attention import RecordingAttention, SequenceAttention
from mag_model.memory.masks import BlockMasks, token_mask
from mag_model.nano.spec import BackboneSpec


def write_sequence(writer: Denoiser, latents: Tensor, frame: Tensor, masks: BlockMasks) -> list[tuple[Tensor, Tensor]]:
    """What the writer would leave in the cache, all blocks at once: (k, v) per layer, (B, N, H, D), k after RoPE."""
    mask = token_mask(masks.own | masks.before, writer.rope.tokens).to(latents.device)
    attention = RecordingAttention(writer.rope.turns(frame.to(latents.device)), mask)
    writer.at(frame)(latents, latents.new_zeros(latents.shape[:2]), attention)
    return attention.layers


def predict(
    generator: Denoiser,
    noised: Tensor,
    sigma: Tensor,
    frame: Tensor,
    history: list[tuple[Tensor, Tensor]],
    seen: Tensor,
    masks: BlockMasks,
) -> Tensor:
    """(B, F, C, h, w) clean latents predicted from noised ones and from the history frames ``seen`` (F, F) by each."""
    mask = token_mask(torch.cat([seen, masks.own], dim=1), generator.rope.tokens).to(noised.device)
    turn = generator.rope.turns(frame.to(noised.device))
    return generator.at(frame)(noised, sigma, SequenceAttention(turn, mask, history))


def draw_sigma(spec: BackboneSpec, batch: int, frames: int, random: torch.Generator) -> Tensor:
    """(B, F) noise levels, one per block: uniform, then shifted as the sampler's are."""
    level = torch.rand(batch, frames // spec.block, generator=random)
    return shift_sigma(level, spec.shift).repeat_interleave(spec.block, dim=1)


def draw_noise(like: Tensor, random: torch.Generator) -> Tensor:
    """Standard normal numbers, the same on every device."""
    return torch.randn(like.shape, generator=random).to(like.device)


@dataclass(frozen=True)
class Levels:
    """Noise levels at which what looks both ways is asked, and what its errors weigh.

    The strongest numbers of a latent are ten times the weakest, which carry the detail: it is drowned at the levels of
    the sampler, where nothing says whether a video is sharp.

    Attributes:
        shift: of the levels; 1 = uniform ones.
        least: an error is divided by its noise level, but by no less than this. 1 = clean latents count the same at
            each level; towards 0 the flow does, as in the paper, whose error is that of the clean latents over the
            level.
    """

    shift: float = 5.0
    least: float = 1.0

    def even(self, error: Tensor, sigma: Tensor) -> Tensor:
        """Errors (B, F, C, h, w) of clean latents as they count at levels (B, F)."""
        return error / sigma.clamp(min=self.least)[:, :, None, None, None]


FINE = Levels(shift=1.0, least=0.1)
"""Of the teacher and of what it matches, for latents whose weakest numbers have a deviation of a quarter."""


def window_loss(levels: Levels, teacher: Denoiser, latents: Tensor, frame: Tensor, random: torch.Generator) -> Tensor:
    """() mean squared error of a clip that is looked at both ways, at one noise level, without any history."""
    level = torch.rand(latents.shape[0], 1, generator=random)
    sigma = shift_sigma(level, levels.shift).expand(latents.shape[:2]).to(latents.device)
    noised = add_noise(latents, draw_noise(latents, random), sigma)
    attention = SequenceAttention(teacher.rope.turns(frame.to(latents.device)))
    return levels.even(teacher.at(frame)(noised, sigma, attention) - latents, sigma).square().mean()


def weighted(error: Tensor, counted: Tensor, weight: Tensor) -> Tensor:
    """() mean of squared errors (B, F, C, h, w) over the frames that are ``counted`` (F,), by ``weight`` (B, F)."""
    weight = weight[:, counted]
    return (error.square().mean((-1, -2, -3))[:, counted] * weight).sum() / weight.sum()


def denoising_loss(
    spec: BackboneSpec,
    generator: Denoiser,
    latents: Tensor,
    frame: Tensor,
    history: list[tuple[Tensor, Tensor]],
    seen: Tensor,
    masks: BlockMasks,
    counted: Tensor,
    weight: Tensor,
    random: torch.Generator,
) -> Tensor:
    """() weighted mean squared error of the predicted clean latents.

    Args:
        counted: (F,) bool, the frames that count.
        weight: (B, F) of the frames.
    """
    batch, frames = latents.shape[:2]
    sigma = draw_sigma(spec, batch, frames, random).to(latents.device)
    noised = add_noise(latents, draw_noise(latents, random), sigma)
    x0 = predict(generator, noised, sigma, frame, history, seen, masks)
    return weighted(x0 - latents, counted, weight)
