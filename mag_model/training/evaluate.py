"""Scores on development scenes, which are neither trained on nor tested on."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from mag_model.flow import add_noise
from mag_model.memory.masks import block_masks
from mag_model.nano.backbone import Backbone, Posed
from mag_model.nano.camera import relative
from mag_model.nano.codec import PatchCodec
from mag_model.rollout import rollout, seeded
from mag_model.training.loss import predict, write_sequence
from mag_model.training.stages import Stage
from magbench.suites.clip import Clip
from magbench.suites.embedded.revisit_nano import WINDOW, clips


@cache
def development_clips() -> list[Clip]:
    return list(clips("dev"))


@torch.inference_mode()
def evaluate(stage: Stage, generator: Backbone, writer: Backbone, codec: PatchCodec) -> dict[str, float]:
    """Mean PSNR (dB) by camera speed.

    ``return_*``: of out-of-window return frames, generated through the stage's policy. ``packed_*`` (stages whose
    blocks may read their own kept frames): of all frames, each block rebuilt from pure noise in one step. What is given
    are whole blocks, and so is what is packed.
    """
    videos, size = development_clips(), generator.spec.block
    frames = torch.stack([torch.from_numpy(clip.frames).permute(0, 3, 1, 2).float() / 255 for clip in videos])
    pose = relative(torch.stack([torch.from_numpy(clip.pose) for clip in videos if clip.pose is not None]))
    latents = codec.encode(frames)
    switch, total = videos[0].switch // size * size, frames.shape[1]
    told, told_writer = Posed.along(generator, pose), Posed.along(writer, pose)
    pieces = rollout(told, stage.policy, latents[:, :switch], total, seeded(0), writer=told_writer)
    made = codec.decode(torch.cat(list(pieces), 1))
    wanted = torch.from_numpy(np.stack([clip.out_of_window(WINDOW)[switch:] for clip in videos]))
    scores = _by_speed("return", videos, made, frames[:, switch:], wanted)
    if stage.packs:
        masks = block_masks(stage.policy, total // size, size)
        frame = torch.arange(total // size * size)
        latents, frames = latents[:, : len(frame)], frames[:, : len(frame)]
        history = write_sequence(told_writer, latents, frame, masks)
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
        sigma = torch.ones(latents.shape[:2])
        noised = add_noise(latents, noise, sigma)
        rebuilt = predict(told, noised, sigma, frame, history, masks.after, masks)
        everything = torch.ones(frames.shape[:2], dtype=torch.bool)
        scores |= _by_speed("packed", videos, codec.decode(rebuilt), frames, everything)
    return scores


def _by_speed(name: str, videos: list[Clip], made: Tensor, truth: Tensor, wanted: Tensor) -> dict[str, float]:
    """Mean over clips of the mean PSNR of their wanted frames (B, F), for each speed and for all."""
    psnr = -10 * (made - truth).square().mean((-1, -2, -3)).log10()
    per_clip = (psnr * wanted).sum(1) / wanted.sum(1)
    speeds = sorted({clip.speed for clip in videos})
    scores = {f"{name}_{speed}": _mean(per_clip, [clip.speed == speed for clip in videos]) for speed in speeds}
    return scores | {name: _mean(per_clip, [True] * len(videos))}


def _mean(values: Tensor, chosen: list[bool]) -> float:
    return round(values[torch.tensor(chosen)].mean().item(), 3)
