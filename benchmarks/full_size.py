"""The whole way of one short clip at full size: python -m benchmarks.full_size OUT [--frames N]

Wan2.1-1.3B's sizes with seeded weights at 832x480: the codec reads nine given frames of a turn in `revisit-3d`, the
network writes them into its memory and makes block after block, the codec decodes, and magbench scores, tabulates and
draws. What is made is noise; what is shown is that the way is open, in which time and memory. In place of the
text encoder, of 5.7 billion numbers, a prompt is a seeded encoding of its size. Needs the extras wan and 3d and, on a
CPU, 16 GB.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor

import magbench
from mag_model.memory.policy import FullHistory
from mag_model.wan.model import WanModel
from mag_model.wan.profiling.workload import RESOLUTION, Shape, random_networks
from mag_model.wan.spec import WanSpec
from mag_model.wan.vae import VaeSizes
from magbench import __version__
from magbench.models.protocol import Task
from magbench.suites.clip import Clip
from magbench.suites.embedded.revisit_3d import FPS, LICENCE, clip
from magbench.suites.format import write_suite
from magbench.suites.worlds.paths import revisits

GIVEN, TURN = 9, 52
"""Frames that are given, the first block of latents; the frame of the clip at which its camera turns back."""

_begun = time.perf_counter()


def say(what: str) -> None:
    """Print seconds and peak memory up to now."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    click.echo(f"{time.perf_counter() - _begun:7.1f} s, {peak:5.2f} GB at most: {what}")


class Told(WanModel):
    """A model that says when it has made a block."""

    def stream(self, task: Task) -> Iterator[Tensor]:
        say("weights made" if self.memory_bytes() == 0 else "again")
        for made in super().stream(task):
            say(f"{len(made)} frames more, {self.memory_bytes() / 1e9:.2f} GB of history")
            yield made


def short_clip(frames: int) -> Clip:
    """Some frames around the turn of the first clip of `revisit-3d:832x480`."""
    whole = clip("832x480", 0)
    part = slice(TURN - GIVEN + 1, TURN - GIVEN + 1 + frames)
    assert whole.pose is not None
    return Clip(
        id=whole.id,
        caption=whole.caption,
        category=whole.category,
        speed=whole.speed,
        fps=FPS,
        switch=GIVEN,
        frames=np.asarray(whole.frames)[part],
        pose=None,
        revisit=revisits(whole.pose[part]),
    )


def model() -> WanModel:
    """Full history on seeded weights of the full sizes."""
    spec = WanSpec()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape = Shape(spec, VaeSizes(), RESOLUTION, device, torch.bfloat16 if device == "cuda" else torch.float32)
    networks = random_networks(shape)
    random = torch.Generator().manual_seed(0)
    prompt = torch.randn(1, spec.text_len, spec.text, generator=random).to(device, shape.dtype)
    codec = networks.codec()
    return Told(
        "wan_random", __version__, FullHistory(), networks.generator, networks.writer, codec, lambda text: prompt, True
    )


@click.command(help=__doc__.partition("\n")[0])
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--frames", default=21, show_default=True, help="Of the clip, nine of them given.")
def main(out: Path, frames: int) -> None:
    suite = out / "suite"
    if not suite.exists():
        clips = [short_clip(frames)]
        write_suite(suite, clips, name="full-size", version=1, split="test", fps=FPS, window=GIVEN, licence=LICENCE)
        say("clip drawn")
    results = magbench.evaluate([model(), "oracle", "freeze"], suite, out=out / "run")
    say("scored and tabulated")
    click.echo(results.table()[["history_bytes", "ttff_s", "aligned_psnr_all"]])


if __name__ == "__main__":
    main()
