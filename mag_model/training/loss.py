"""What is learned: every block of a clip is denoised at once, under the masks of the policy."""

from __future__ import annotations

import torch
from torch import Tensor

from mag_model.attention import MaskedAttention
from mag_model.backbone import Backbone
from mag_model.flow import add_noise, shift_sigma
from mag_model.masks import BlockMasks, token_mask
from mag_model.memory import FrameKV
from mag_model.rope import rotate, turns
from mag_model.spec import BackboneSpec


def write_sequence(
    writer: Backbone, latents: Tensor, frame: Tensor, pose: Tensor, masks: BlockMasks
) -> list[tuple[Tensor, Tensor]]:
    """What the writer would leave in the cache, for all blocks at once: (k, v) per layer, (B, N, H, D), k rotated."""
    spec = writer.spec
    attention = MaskedAttention(token_mask(masks.own | masks.before, spec.tokens))
    clean = torch.zeros(latents.shape[:2])
    layers = writer(latents, clean, writer.condition(frame, pose), attention).layers
    return [_rotated(spec, layer) for layer in layers]


def predict(
    generator: Backbone,
    noised: Tensor,
    sigma: Tensor,
    frame: Tensor,
    pose: Tensor,
    history: list[tuple[Tensor, Tensor]],
    seen: Tensor,
    masks: BlockMasks,
) -> Tensor:
    """(B, F, C, h, w) clean latents predicted from noised ones and from the history frames ``seen`` (F, F) by each."""
    mask = token_mask(torch.cat([seen, masks.own], dim=1), generator.spec.tokens)
    return generator(noised, sigma, generator.condition(frame, pose), MaskedAttention(mask, history)).x0


def draw_sigma(spec: BackboneSpec, batch: int, frames: int, random: torch.Generator) -> Tensor:
    """(B, F) noise levels, one per block: uniform, then shifted as the sampler's are."""
    level = torch.rand(batch, frames // spec.block, generator=random)
    return shift_sigma(level, spec.shift).repeat_interleave(spec.block, dim=1)


def denoising_loss(
    generator: Backbone,
    latents: Tensor,
    frame: Tensor,
    pose: Tensor,
    history: list[tuple[Tensor, Tensor]],
    seen: Tensor,
    masks: BlockMasks,
    weight: Tensor,
    random: torch.Generator,
) -> Tensor:
    """() weighted mean squared error of the predicted clean latents, over the frames that have a history to read.

    Args:
        weight: (B, F) of the frames.
    """
    batch, frames = latents.shape[:2]
    sigma = draw_sigma(generator.spec, batch, frames, random)
    noised = add_noise(latents, torch.randn(latents.shape, generator=random), sigma)
    x0 = predict(generator, noised, sigma, frame, pose, history, seen, masks)
    remembered = seen.any(dim=1)
    error = (x0 - latents).square().mean((-1, -2, -3))[:, remembered]
    weight = weight[:, remembered]
    return (error * weight).sum() / weight.sum()


def _rotated(spec: BackboneSpec, layer: FrameKV) -> tuple[Tensor, Tensor]:
    return rotate(layer.k.flatten(1, 2), turns(spec, layer.frame)), layer.v.flatten(1, 2)
