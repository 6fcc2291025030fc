"""The whole way of one short clip at full size: python -m benchmarks.full_size OUT [--size WxH]

Wan2.1-1.3B's sizes with seeded weights at 832x480: the codec reads nine given frames of a turn in `revisit-3d`, the
network writes them into its memory and makes block after block, the codec decodes, and magbench scores, tabulates and
draws. What is made is noise; what is shown is that the way is open, in which time and memory. In place of the
text encoder, of 5.7 billion numbers, a prompt is a seeded encoding of its size. Needs the extras wan and 3d and, on a
CPU, 21 GB and half an hour of two cores.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import click
import cv2
import numpy as np
import torch

import magbench
from mag_model.memory.policy import FullHistory
from mag_model.wan.model import WanModel
from mag_model.wan.profiling.workload import Shape, random_networks
from mag_model.wan.spec import WanSpec
from mag_model.wan.vae import VaeSizes
from magbench import __version__
from magbench.commands.options import width_height
from magbench.generation.sources import make_task
from magbench.suites.clip import Clip
from magbench.suites.embedded.revisit_3d import FPS, LICENCE, SUITE
from magbench.suites.format import load_suite, write_suite
from magbench.suites.worlds.paths import revisits
from magbench.video.io import to_uint8, write_lossless

GIVEN, TURN = 9, 52
"""Frames that are given, the first block of latents; the frame of the clip at which its camera turns back."""

_begun = time.perf_counter()


def say(what: str) -> None:
    """Print seconds and peak memory up to now."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    click.echo(f"{time.perf_counter() - _begun:7.1f} s, {peak:5.2f} GB at most: {what}")


def short_clip(frames: int, size: tuple[int, int]) -> Clip:
    """Some frames around the turn of the first clip of `revisit-3d:832x480`, of a size (H, W)."""
    whole = SUITE.clip("832x480", 0)
    part = slice(TURN - GIVEN + 1, TURN - GIVEN + 1 + frames)
    assert whole.pose is not None
    return Clip(
        id=whole.id,
        caption=whole.caption,
        category=whole.category,
        speed=whole.speed,
        fps=FPS,
        switch=GIVEN,
        frames=np.stack(
            [cv2.resize(f, size[::-1], interpolation=cv2.INTER_AREA) for f in np.asarray(whole.frames)[part]]
        ),
        pose=None,
        revisit=revisits(whole.pose[part]),
    )


def model(size: tuple[int, int]) -> WanModel:
    """Full history on seeded weights of the full sizes, for frames of a size (H, W)."""
    spec = WanSpec()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape = Shape(spec, VaeSizes(), size, device, torch.bfloat16 if device == "cuda" else torch.float32)
    networks = random_networks(shape)
    random = torch.Generator().manual_seed(0)
    prompt = torch.randn(1, spec.text_len, spec.text, generator=random).to(device, shape.dtype)
    codec = networks.codec()
    say("weights made")
    return WanModel(
        "wan_random", __version__, FullHistory(), networks.generator, networks.writer, codec, lambda text: prompt, True
    )


def make(wan: WanModel, clip: Clip, video: Path) -> None:
    """Write the return, and say when each block is there."""
    pieces = []
    for made in wan.stream(make_task(clip, 0)):
        say(f"{len(made)} frames more, {wan.memory_bytes() / 1e9:.2f} GB of history")
        pieces.append(to_uint8(made))
    video.parent.mkdir(exist_ok=True)
    write_lossless(video, np.concatenate(pieces), clip.fps)


@click.command(help=__doc__.partition("\n")[0])
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--frames", default=21, show_default=True, help="Of the clip, nine of them given.")
@click.option("--size", callback=width_height, metavar="WxH", default="832x480", help="Smaller, to try it.")
def main(out: Path, frames: int, size: tuple[int, int]) -> None:
    suite = out / "suite"
    if not suite.exists():
        clips = [short_clip(frames, size)]
        write_suite(suite, clips, name="full-size", version=1, split="test", fps=FPS, window=GIVEN, licence=LICENCE)
        say("clip drawn")
    (clip,) = load_suite(suite).clips
    make(model(size), clip, out / "videos" / f"{clip.id}.mkv")
    results = magbench.score(suite, out / "videos", "wan_random", out=out / "run")
    say("scored and tabulated")
    click.echo(results.table()["aligned_psnr_all"])


if __name__ == "__main__":
    main()
