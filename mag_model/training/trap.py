"""The paper's trap at small size: does a teacher that knows the text make a generator ignore history?

The teacher rewards what the text says and sees no history beyond its window. A generator that follows the text alone
satisfies it. The cure is the historical consistency loss, :func:`mag_model.training.matching.history_text`. Here both
are tried in the world of :mod:`mag_model.training.cells`, from two starts: a generator that reads history, as the
paper's joint training has it, and one that knows text and camera alone, as a text-to-video model would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mag_model.flow import add_noise
from mag_model.memory.masks import BlockMasks, block_masks
from mag_model.memory.policy import FullHistory
from mag_model.nano.backbone import Backbone, Posed
from mag_model.rollout import rollout, seeded
from mag_model.training.cells import (
    BACK,
    EVERY,
    GIVEN,
    HELD_OUT,
    PART,
    PLACE,
    SPEC,
    Cells,
    Scenes,
    captions,
    draw,
    read,
)
from mag_model.training.checkpoint import Progress
from mag_model.training.dmd import Cast, Matching, match
from mag_model.training.loss import draw_sigma, predict, window_loss, write_sequence

SHARES = (0.0, 0.6, 0.3, 0.8)
"""Lambda of the historical consistency loss: none and the paper's first, then those beside it."""
STARTS = {"reads": "from a generator that reads history", "text": "from a generator that never read history"}
WINDOW = 6
FRAMES = len(PLACE)
POLICY = FullHistory()
HOW = Matching(frames=FRAMES, window=WINDOW, guidance=2.0, critic_updates=2, rate=4e-4, critic_rate=1e-3)
"""Rates and numbers of updates for a minute or so a training; the paper's are the defaults of the class."""
SCENES = 128
"""Scenes of the probe, the same for every arm; training draws others."""


@dataclass(frozen=True)
class Sizes:
    """Steps of everything; ``batch`` of the stages before matching."""

    reads: int = 600
    text: int = 600
    teacher: int = 300
    updates: int = 300
    batch: int = 16


@dataclass(frozen=True)
class Arm:
    """One training: from where, with which lambda, under which seed."""

    start: str
    share: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.start}-lambda{self.share:g}-seed{self.seed}"


def arms(seeds: int, starts: Sequence[str]) -> list[Arm]:
    """Every training, in an order in which a stop leaves whole comparisons."""
    return [Arm(start, share, seed) for start in starts for seed in range(seeds) for share in SHARES]


def run(
    out: Path,
    seeds: int,
    sizes: Sizes,
    starts: Sequence[str] = tuple(STARTS),
    say: Callable[[str], None] = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Train and probe every arm; what is there is kept.

    Args:
        starts: those of :data:`STARTS` that are tried.
        say: told what is done.
        stop: asked before each step of matching whether to end here.

    Returns:
        The files of all probes of ``starts`` that are there, those before matching first.
    """
    out.mkdir(parents=True, exist_ok=True)
    reads, teacher = _stage(out, "reads", sizes, say), _stage(out, "teacher", sizes, say)
    begin = {start: _stage(out, start, sizes, say) for start in starts}
    found = []
    for start, network in begin.items():
        found.append(_probed(out / f"{start}-start.json", {"start": start}, network, reads))
    for arm in arms(seeds, starts):
        path = out / f"{arm.name}.json"
        if not path.exists():
            generator = _copy(begin[arm.start])
            how = replace(HOW, history=arm.share)
            progress = Progress(arm.name, "cells", arm.seed, sizes.updates)
            checkpoint = out / f"{arm.name}.checkpoint.safetensors"
            mean = match(Cast(generator, reads, teacher, POLICY), Cells(), how, progress, checkpoint, stop=stop)
            if progress.step < sizes.updates:
                break
            generator.load_state_dict(mean)
            about = {"start": arm.start, "lambda": arm.share, "seed": arm.seed, "updates": sizes.updates}
            _probed(path, about, generator, reads)
            checkpoint.unlink()
            say(f"{arm.name} done")
        found.append(path)
    return found


def _stage(out: Path, name: str, sizes: Sizes, say: Callable[[str], None]) -> Backbone:
    """The network ``name``, trained once and kept."""
    path = out / f"{name}.safetensors"
    network = Backbone(SPEC)
    if not path.exists():
        torch.manual_seed(STAGES.index(name))
        network = Backbone(SPEC)
        writer = _stage(out, "reads", sizes, say) if name == "text" else network
        loss = _train(network, writer, name, getattr(sizes, name), sizes.batch)
        save_file(network.state_dict(), path)
        say(f"{name}: loss {loss:.4f}")
    network.load_state_dict(load_file(path))
    return network.requires_grad_(False).eval()


STAGES = ("reads", "text", "teacher")


def _train(network: Backbone, writer: Backbone, name: str, steps: int, batch: int) -> float:
    """Mean squared error on clips: the history, or only text and camera, or a window both ways. The last loss."""
    random = torch.Generator().manual_seed(100 + STAGES.index(name))
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    masks = block_masks(POLICY, FRAMES // SPEC.block, SPEC.block)
    loss = torch.zeros(())
    for step in range(steps):
        rise, fall = min(1.0, (step + 1) / 50), 0.5 * (1 + torch.cos(torch.tensor(torch.pi * step / steps)).item())
        optimizer.param_groups[0]["lr"] = 2e-3 * rise * (0.05 + 0.95 * fall)
        scenes = draw(batch, random)
        text = _sometimes(scenes.text, 0.5 if name == "reads" else 0.15, random)
        loss = (
            _window_loss(network, scenes, text, random)
            if name == "teacher"
            else (_clip_loss(network, writer, scenes, text, masks, name == "reads", random))
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return loss.item()


def _sometimes(text: Tensor, empty: float, random: torch.Generator) -> Tensor:
    """The text, or for a share of the clips the empty one."""
    nothing = torch.zeros_like(text)
    nothing[..., -1] = 1
    return torch.where((torch.rand(len(text), generator=random) < empty)[:, None, None], nothing, text)


def _clip_loss(
    network: Backbone,
    writer: Backbone,
    scenes: Scenes,
    text: Tensor,
    masks: BlockMasks,
    reads: bool,
    random: torch.Generator,
) -> Tensor:
    latents, frame = scenes.film(random), torch.arange(FRAMES)
    history = write_sequence(Posed(writer, scenes.pose, frame), latents, frame, masks)
    sigma = draw_sigma(SPEC, len(latents), FRAMES, random)
    noised = add_noise(latents, torch.randn(latents.shape, generator=random), sigma)
    seen = masks.before if reads else torch.zeros_like(masks.before)
    x0 = predict(Posed(network, scenes.pose, frame, text), noised, sigma, frame, history, seen, masks)
    return (x0 - latents).square().mean()


def _window_loss(network: Backbone, scenes: Scenes, text: Tensor, random: torch.Generator) -> Tensor:
    latents = scenes.film(random)
    first = int(torch.randint((FRAMES - WINDOW) // SPEC.block + 1, (1,), generator=random)) * SPEC.block
    seen, frame = slice(first, first + WINDOW), torch.arange(WINDOW)
    told = Posed(network, scenes.pose[:, seen], frame, text[:, seen])
    return window_loss(HOW.levels, told, latents[:, seen], frame, random)


def _copy(network: Backbone) -> Backbone:
    copy = Backbone(network.spec)
    copy.load_state_dict(network.state_dict())
    return copy


def _probed(path: Path, about: dict[str, object], generator: Backbone, writer: Backbone) -> Path:
    """Probe a generator once, and keep what was found."""
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_text(json.dumps(about | {"values": probe(generator, writer)}))
        part.replace(path)
    return path


SHARP = 0.25 * PART * 2**0.5
"""A quarter of the root mean squared distance of two codes."""

MEASURES = {
    "unnamed": "layout of the return as in the given way out, under the text",
    "named, no text": "style of the return as in the given way out, under the empty text",
    "follows history": "style of the return as in the given way out, under another scene's text",
    "follows text": "style of the return as another scene's text says",
    "own layout": "layout of the return as in the own way out, nothing given",
    "named, nothing given": "style as the text says, nothing given",
    "sharp": "cells of the own way out within a quarter of the distance of two codes from a cell of this world",
}
"""What is probed: each a share of cells, for each scene."""


@torch.no_grad()
def probe(generator: Backbone, writer: Backbone) -> dict[str, list[float]]:
    """By name of :data:`MEASURES` the value of each of ``SCENES`` scenes; no training has seen them or their texts."""
    random = torch.Generator().manual_seed(99)
    scenes = draw(SCENES, random, HELD_OUT)
    place = torch.searchsorted(torch.tensor(HELD_OUT), scenes.style)
    truth, other = scenes.film(random), torch.tensor(HELD_OUT)[(place + 1) % len(HELD_OUT)]

    def roll(text: Tensor | None, given: int) -> Tensor:
        told = Posed(generator, scenes.pose, torch.arange(FRAMES), text)
        pieces = rollout(told, POLICY, truth[:, :given], FRAMES, seeded(5), writer=Posed.along(writer, scenes.pose))
        return torch.cat([truth[:, :given], *pieces], 1)

    def share(right: Tensor) -> list[float]:
        return [round(value, 4) for value in right[:, BACK].float().mean((1, 2)).tolist()]

    style, code = scenes.style[:, None, None], scenes.code[:, PLACE]
    named, unnamed = read(roll(scenes.text, GIVEN))
    empty, _ = read(roll(None, GIVEN))
    wrong, _ = read(roll(captions(other), GIVEN))
    alone = roll(scenes.text, 0)
    own_style, own_code = read(alone)
    back = own_code[:, PLACE]
    near = _distance(alone)[:, : int(PLACE.max()) + 1]
    return {
        "unnamed": share(unnamed == code),
        "named, no text": share(empty == style),
        "follows history": share(wrong == style),
        "follows text": share(wrong == other[:, None, None]),
        "own layout": share(own_code == back),
        "named, nothing given": share(own_style == style),
        "sharp": [round(value, 4) for value in (near < SHARP).float().mean((1, 2)).tolist()],
    }


def _distance(latents: Tensor) -> Tensor:
    """(B, F, cells) distance to the nearest cell of this world, root mean square."""
    cells = latents.flatten(-2).transpose(-1, -2)
    least = torch.cdist(cells.flatten(0, 2), EVERY).amin(-1).view(cells.shape[:3])
    return least / SPEC.channels**0.5
