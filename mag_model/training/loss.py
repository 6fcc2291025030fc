"""What is learned: every block of a clip is denoised at once, under the masks of the policy."""

from __future__ import annotations

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


def _noise(like: Tensor, random: torch.Generator) -> Tensor:
    """Standard normal numbers, the same on every device."""
    return torch.randn(like.shape, generator=random).to(like.device)


def window_loss(
    spec: BackboneSpec, teacher: Denoiser, latents: Tensor, frame: Tensor, random: torch.Generator
) -> Tensor:
    """() mean squared error of a clip that is looked at both ways, at one noise level, without any history."""
    sigma = draw_sigma(spec, latents.shape[0], spec.block, random)[:, :1].expand(latents.shape[:2]).to(latents.device)
    noised = add_noise(latents, _noise(latents, random), sigma)
    attention = SequenceAttention(teacher.rope.turns(frame.to(latents.device)))
    return (teacher.at(frame)(noised, sigma, attention) - latents).square().mean()


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
    noised = add_noise(latents, _noise(latents, random), sigma)
    x0 = predict(generator, noised, sigma, frame, history, seen, masks)
    error = (x0 - latents).square().mean((-1, -2, -3))[:, counted]
    weight = weight[:, counted]
    return (error * weight).sum() / weight.sum()
