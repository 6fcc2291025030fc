"""The stage `dmd`: the generator of `flow` goes on without data, matched by the teacher, behind the frozen writer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import torch

from mag_model.memory.policy import Mag
from mag_model.nano.checkpoint import load_backbone, save_weights
from mag_model.nano.presets import Preset
from mag_model.training.checkpoint import Progress, cut_log
from mag_model.training.dmd import Cast, Matching, match
from mag_model.training.loop import QUIET, Report, came_from
from mag_model.training.loss import FINE
from mag_model.training.texts import Captioned, load_contents
from magbench.core.errors import MagbenchError
from magbench.core.progress import Progress as Shown
from magbench.core.provenance import usable_cores

STAGE = "dmd"
PARTS = ("flow", "memory", "teacher")
"""Stages of the generator to begin with, the writer and the teacher."""
STEPS = 100
HOW = Matching(
    frames=24,
    window=6,
    guidance=1.0,
    critic_updates=1,
    head_start=40,
    rate=5e-6,
    critic_rate=5e-4,
    mean_decay=0.95,
    batch=4,
    windows=3,
    looks=8,
    levels=FINE,
    opening=6,
)
POLICY = Mag(first_block_whole=False)


def train_dmd(
    chosen: Preset,
    out: Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    scenes: int | None = None,
    report: Report = lambda line: None,
    say: Callable[[str], None] = lambda line: None,
    shown: Shown = QUIET,
) -> Path | None:
    """Train without data; the same call again goes on where the last one stopped. Arguments as of `loop.train`."""
    if threads:
        torch.set_num_threads(threads)
    if not chosen.backbone.words:
        raise MagbenchError(
            f"preset {chosen.name} takes no text, by which `{STAGE}` tells scenes apart; nano_text does"
        )
    generator, writer, teacher = (load_backbone(chosen, part, out) for part in PARTS)
    parts = Cast(generator, writer, teacher, POLICY)
    for frozen in (parts.writer, parts.teacher):
        frozen.requires_grad_(False)
    for part in PARTS:
        say(came_from(STAGE, part, chosen, out))
    contents = load_contents(out, scenes or chosen.scenes, usable_cores(), shown)
    progress = Progress(STAGE, chosen.name, seed, steps or max(1, round(STEPS * chosen.schedule)))
    started = time.monotonic()
    log, begun = out / f"{STAGE}.jsonl", False

    def note(line: dict[str, float]) -> None:
        nonlocal begun
        if not begun:  # only now is the checkpoint read, and known to be of this run
            cut_log(log, progress.step)
            begun = True
        seconds = round(time.monotonic() - started, 1)
        told = {"step": line["step"], "loss": line["critic"], "gradient": line["gradient"], "seconds": seconds}
        with log.open("a") as file:
            file.write(json.dumps(told) + "\n")
        report(told)

    def out_of_time() -> bool:
        return minutes is not None and time.monotonic() - started > 60 * minutes

    world = Captioned(contents, chosen.backbone.words)
    checkpoint = out / f"{STAGE}.checkpoint.safetensors"
    mean = match(parts, world, HOW, progress, checkpoint, note=note, stop=out_of_time)
    if progress.step < progress.steps:
        return None
    return save_weights(out / f"{STAGE}.safetensors", mean, chosen, STAGE)
