"""Joint training without data: distribution matching on the model's own long rollouts (the paper, section 3).

A step is one update of the generator after several of the critic. Teacher and critic look at a short window, both ways,
and know text and cameras, but no history beyond it; so the history that the generator reads is what its writer wrote of
its own video.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from mag_model.flow import add_noise, sampling_sigmas, shift_sigma
from mag_model.memory.attention import SequenceAttention
from mag_model.memory.policy import CachePolicy
from mag_model.nano.backbone import Backbone, Posed
from mag_model.rollout import seeded
from mag_model.training.checkpoint import Progress, restore, save
from mag_model.training.flow_map import flow_levels, follow
from mag_model.training.loss import Levels
from mag_model.training.matching import (
    critic_loss,
    exit_step,
    guided,
    history_text,
    matching_gradient,
    matching_loss,
)
from mag_model.training.self_rollout import self_rollout

SAVE_EVERY = 10
AT_ONCE = 48
"""Openings that are made together."""
RESTARTS, RESTART_AT = 4, 0.9
"""How often an opening is noised again, and to which level."""
NOISE_RANGE = (0.02, 0.98)
"""Noise levels, before the shift, at which teacher and critic are asked (DMD, arXiv 2311.18828, section 4)."""


class World(Protocol):
    """What there is to be filmed; without a pixel of it."""

    def tell(self, batch: int, frames: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Cameras (batch, frames, 3) and the text of each frame (batch, frames, W + 1)."""
        ...


@dataclass(frozen=True)
class Matching:
    """How a generator is matched. Defaults are the paper's, but for the sizes and the rates of a small network.

    Attributes:
        frames: of a rollout.
        window: frames that teacher and critic see.
        history: lambda of the historical consistency loss.
        guidance: of the teacher.
        critic_updates: rollouts of the critic for each update of the generator.
        head_start: first steps in which the critic learns alone. It begins as the teacher, and a critic that does not
            know the generator yet drives it astray.
        rate, critic_rate: learning rates (paper, for 1.3 billion numbers: 2e-6 and 4e-7).
        mean_decay: of the running mean of the weights.
        batch: clips.
        windows: of each clip that are looked at, one after the other.
        looks: noise levels at which each window is looked at: an update of the critic for each, and the mean of the
            generator's gradients. A look costs little beside a rollout.
        levels: at which teacher and critic are asked.
        opening: frames that the teacher makes from the text, on which a rollout goes on; no window holds them. 0 = a
            rollout begins with nothing, which a generator must have learned.
        openings: how many there are to go on from.
    """

    frames: int
    window: int
    history: float = 0.6
    guidance: float = 3.0
    critic_updates: int = 5
    head_start: int = 0
    rate: float = 2e-4
    critic_rate: float = 5e-4
    mean_decay: float = 0.99
    batch: int = 16
    windows: int = 1
    looks: int = 1
    levels: Levels = Levels()
    opening: int = 0
    openings: int = 192


@dataclass(frozen=True)
class Cast:
    """Who takes part; writer and teacher are frozen.

    Attributes:
        generator: is trained.
        writer: writes what the generator makes, under the empty text.
        teacher: trained on short windows of real video; the critic begins as a copy of it.
        policy: what stays in the cache.
    """

    generator: Backbone
    writer: Backbone
    teacher: Backbone
    policy: CachePolicy


def match(
    parts: Cast,
    world: World,
    how: Matching,
    progress: Progress,
    checkpoint: Path,
    *,
    note: Callable[[dict[str, float]], None] = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Tensor]:
    """Train the generator for ``progress.steps`` steps; the same call again goes on from ``checkpoint``.

    Args:
        note: called with the losses of each step.
        stop: asked before each step whether to end here, resumable.

    Returns:
        The running mean of the generator's weights.
    """
    critic = Backbone(parts.teacher.spec)
    critic.load_state_dict(parts.teacher.state_dict())
    trained = nn.ModuleDict({"generator": parts.generator, "critic": critic})
    mean = {name: value.clone() for name, value in parts.generator.state_dict().items()}
    groups = [
        {"params": list(parts.generator.parameters()), "lr": how.rate},
        {"params": list(critic.parameters()), "lr": how.critic_rate},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.0, 0.999), weight_decay=0.01)
    begun = make_openings(parts.teacher, world, how, progress.seed) if how.opening else None
    if checkpoint.exists():
        restore(checkpoint, progress, trained, mean, optimizer)
    while progress.step < progress.steps and not stop():
        note({"step": progress.step + 1} | _step(parts, critic, world, begun, how, optimizer, progress))
        for name, value in parts.generator.state_dict().items():
            mean[name].lerp_(value, 1 - how.mean_decay)
        progress.step += 1
        if progress.step % SAVE_EVERY == 0:
            save(checkpoint, progress, trained, mean, optimizer)
    save(checkpoint, progress, trained, mean, optimizer)
    return mean


def _step(
    parts: Cast,
    critic: Backbone,
    world: World,
    begun: Openings | None,
    how: Matching,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> dict[str, float]:
    """The critic's updates and one of the generator; everything random comes from (seed, step)."""
    seed = np.random.default_rng([progress.seed, progress.step]).integers(2**62)
    random = torch.Generator().manual_seed(int(seed))
    error = torch.zeros(())
    for _ in range(how.critic_updates):
        with torch.no_grad():
            made, pose, text = windows_of_rollout(parts, world, how, random, begun)
        for _ in range(how.looks):
            noised, sigma = _noised(made, how.levels.shift, random)
            error = critic_loss(_see(critic, noised, sigma, pose, text), made, sigma, how.levels)
            _update(optimizer, critic, error)
    if progress.step < how.head_start:
        return {"critic": error.item(), "gradient": 0.0}
    made, pose, text = windows_of_rollout(parts, world, how, random, begun)
    with torch.no_grad():
        gradient = torch.zeros_like(made)
        for _ in range(how.looks):
            noised, sigma = _noised(made.detach(), how.levels.shift, random)
            fake = _see(critic, noised, sigma, pose, text)
            real = guided(
                _see(parts.teacher, noised, sigma, pose, text),
                _see(parts.teacher, noised, sigma, pose, None),
                how.guidance,
            )
            gradient += matching_gradient(made, real, fake) / how.looks
    _update(optimizer, parts.generator, matching_loss(made, gradient))
    return {"critic": error.item(), "gradient": gradient.square().mean().sqrt().item()}


def _update(optimizer: torch.optim.Optimizer, network: nn.Module, loss: Tensor) -> None:
    """One update of ``network`` alone: the other one has no gradient, and the optimiser leaves it."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


@dataclass(frozen=True)
class Openings:
    """Clips that have begun.

    Attributes:
        pose: (N, frames, 3) cameras of whole clips.
        text: (N, frames, W + 1).
        made: (N, opening, C, h, w) how they begin.
    """

    pose: Tensor
    text: Tensor
    made: Tensor

    def draw(self, batch: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """``batch`` of them, any as likely."""
        which = torch.randint(len(self.made), (batch,), generator=random)
        return self.pose[which], self.text[which], self.made[which]


@torch.no_grad()
def make_openings(teacher: Backbone, world: World, how: Matching, seed: int) -> Openings:
    """What the teacher makes of texts of a world, along its flow.

    A network that was trained for a short while makes too little of what is nearly noise, and its flow ends at videos
    of too little contrast, from which a generator would learn to add some. Noised again and denoised again, they lose
    this error (Restart sampling, arXiv 2306.14878).
    """
    random = torch.Generator().manual_seed(seed)
    spec, parts = teacher.spec, []
    pose, text = world.tell(how.openings, how.frames, random)
    levels = flow_levels(sampling_sigmas(spec.steps, spec.shift))
    for near, told in zip(pose[:, : how.opening].split(AT_ONCE), text[:, : how.opening].split(AT_ONCE), strict=True):
        run = partial(_at_level, teacher, near, told)
        shape = (len(near), how.opening, spec.channels, *spec.grid)
        x = follow(run, torch.randn(shape, generator=random), levels)[1]
        for _ in range(RESTARTS):
            noised = (1 - RESTART_AT) * x + RESTART_AT * torch.randn(shape, generator=random)
            x = follow(run, noised, [RESTART_AT, *(level for level in levels if level < RESTART_AT)])[1]
        parts.append(x)
    return Openings(pose, text, torch.cat(parts))


def _at_level(teacher: Backbone, pose: Tensor, text: Tensor, x: Tensor, level: float) -> Tensor:
    """What the teacher predicts of latents at one level."""
    return _see(teacher, x, torch.full(x.shape[:2], level), pose, text)


def windows_of_rollout(
    parts: Cast, world: World, how: Matching, random: torch.Generator, begun: Openings | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Windows of rollouts of the generator: latents, cameras, and the text that teacher and critic are told.

    They go on from what has ``begun``; None = from nothing.
    """
    spec = parts.generator.spec
    if begun is None:
        pose, text = world.tell(how.batch, how.frames, random)
        opening = torch.zeros(how.batch, 0, spec.channels, *spec.grid)
    else:
        pose, text, opening = begun.draw(how.batch, random)
    told = history_text(text, spec.block, how.history, random)
    frame = torch.arange(how.frames)
    made = self_rollout(
        Posed(parts.generator, pose, frame, told),
        parts.policy,
        Posed(parts.writer, pose, frame),
        opening,
        how.frames,
        exit_step(len(spec.steps), random),
        seeded(int(torch.randint(2**62, (1,), generator=random))),
    )
    length = how.windows * how.window
    choices = (how.frames - how.opening - length) // spec.block + 1
    first = how.opening + int(torch.randint(choices, (1,), generator=random)) * spec.block

    def cut(clips: Tensor) -> Tensor:
        return clips[:, first : first + length].unflatten(1, (how.windows, how.window)).flatten(0, 1)

    return cut(made), cut(pose), cut(text)


def _noised(latents: Tensor, shift: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Latents noised to one level a clip, and the levels (B, F)."""
    low, high = NOISE_RANGE
    level = low + (high - low) * torch.rand(latents.shape[0], 1, generator=random)
    sigma = shift_sigma(level, shift).expand(latents.shape[:2])
    return add_noise(latents, torch.randn(latents.shape, generator=random), sigma), sigma


def _see(network: Backbone, noised: Tensor, sigma: Tensor, pose: Tensor, text: Tensor | None) -> Tensor:
    """What a network that looks both ways predicts of a window."""
    frame = torch.arange(noised.shape[1])
    attention = SequenceAttention(network.spec.turning.turns(frame))
    return Posed(network, pose, frame, text).at(frame)(noised, sigma, attention)
