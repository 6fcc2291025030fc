"""What the harness adds to the time that a model takes: python -m benchmarks.harness

`magbench generate` decodes clips, checks and converts pixels, and saves videos. Here that is measured on whole clips:
seconds of the loop over clips less the seconds inside the streams, over the latter. Exit code 1 if a bar is missed.

nano  MAG on revisit-nano, on the processor, which then does nothing beside a stream.
wan   Wan with the sizes of its 1.3B model and random weights, on the processor, 128x128, 21 frames given and 12 made.
full  A stand-in for a model on an accelerator, at 832x480, clips of 177 frames, 36 of them made: each block of 12
      frames is there after so many seconds, and each that is given takes a quarter of them; the processor is idle
      meanwhile. It counts as an accelerator, so that files are decoded and saved beside it. Its pixels lie in the
      machine's own memory, where converting them costs more than on a card.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import click
import numpy as np
import torch
from torch import Tensor

from baselines.policies.mag_ring import MagRing
from benchmarks.legacy_speed import Case, moving_scene
from mag_model.wan.model import WanModel
from mag_model.wan.profiling.workload import Shape, random_codec, random_wan
from mag_model.wan.spec import WanSpec
from mag_model.wan.vae import VaeSizes
from magbench.generation import worker
from magbench.generation.sources import find_sources, make_task
from magbench.generation.worker import Job, Source, make_missing
from magbench.models.guard import Interruption
from magbench.runs.generation import read_generation
from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.official.folder import open_official
from magbench.suites.official.protocol import FPS
from magbench.suites.registry import open_suite
from magbench.video.io import encode, to_uint8

BAR = 0.02
FRAMES, BLOCK = 177, 12
DIFFERENT = 10


@dataclass(frozen=True)
class Overhead:
    """Seconds of the loop over clips, those inside the streams, and those from one stream's begin to the next one's
    that are not inside."""

    name: str
    loop: float
    inside: float
    between: list[float]

    @property
    def share(self) -> float:
        return self.loop / self.inside - 1


def overhead(source: Source, clips: list[Clip], out: Path) -> Overhead:
    """Make a generation of each clip and compare the loop's time with what the meter saw."""
    jobs = [Job(clip, 0, out / clip.id) for clip in clips]
    begins: list[float] = []

    def started(clip: Clip, sample: int, folder: Path) -> Callable[[], Iterator[Tensor]]:
        stream = source.start(clip, sample, folder)

        def begin() -> Iterator[Tensor]:
            begins.append(time.perf_counter())
            return stream()

        return begin

    start = time.perf_counter()
    failures = make_missing(replace(source, start=started), jobs, lambda job, failure: None, Interruption())
    loop = time.perf_counter() - start
    if failures:
        raise SystemExit(str(failures[0]))
    made = [read_generation(job.folder) for job in jobs]
    inside = [sum(one.seconds) for one in made if one is not None]
    between = [after - before - spent for before, after, spent in zip(begins, begins[1:], inside, strict=False)]
    return Overhead(source.name, loop, sum(inside), between)


def nano(clips: int, out: Path) -> Overhead:
    suite = open_suite("revisit-nano")
    (make,) = find_sources(["mag"], suite).values()
    return overhead(replace(make(), warms_up=False), list(suite.clips[:clips]), out)


def wan(clips: int, out: Path) -> Overhead:
    spec, size, source = WanSpec(), (128, 128), torch.Generator().manual_seed(0)
    network = random_wan(spec, "cpu", torch.float32)
    codec = random_codec(Shape(spec, VaeSizes(), size, "cpu", torch.float32))
    text = 0.1 * torch.randn(1, spec.text_len, spec.text, generator=source)
    model = WanModel(
        "wan", "1", MagRing(ring=21, sink=2), network, network, codec, lambda prompt: text, writer_sees_prompt=False
    )
    films = [
        moving_scene(Case(33, *size, 33, 1), seed=i).permute(0, 2, 3, 1).contiguous().numpy() for i in range(clips)
    ]
    given = [
        Clip(
            id=f"clip{i}",
            caption="blobs",
            category="",
            speed="",
            fps=FPS,
            switch=21,
            frames=film,
            pose=None,
            revisit=np.full(len(film), NO_REVISIT),
        )
        for i, film in enumerate(films)
    ]

    def start(clip: Clip, sample: int, _: Path) -> Callable[[], Iterator[Tensor]]:
        return partial(model.stream, make_task(clip, sample))

    return overhead(Source("wan", "model", "1", start, model.memory_bytes), given, out)


def full(clips: int, seconds: float, out: Path) -> Overhead:
    given = full_clips(clips, out / "suite")
    block = moving_scene(Case(BLOCK, *given[0].size, BLOCK, 1), seed=9).float() / 255

    def stream(given: int, frames: int) -> Iterator[Tensor]:
        time.sleep(seconds / 4 * given / BLOCK)
        for first in range(0, frames, BLOCK):
            time.sleep(seconds)
            yield block[: frames - first]

    def start(clip: Clip, sample: int, _: Path) -> Callable[[], Iterator[Tensor]]:
        task = make_task(clip, sample)
        return partial(stream, len(task.context), task.frames - len(task.context))

    worker.device_in_use = lambda: "a stand-in"
    found = overhead(Source(f"a block in {seconds:g} s", "model", "1", start, lambda: None), given, out / "made")
    begin = time.perf_counter()
    to_uint8(block)
    spent = time.perf_counter() - begin
    print(f"converting a block of {BLOCK} frames: {spent:.3f} s, {torch.get_num_threads()} threads")
    return found


def full_clips(clips: int, folder: Path) -> list[Clip]:
    """An official folder of films whose camera pans over blobs with some grain, as H.264; every tenth is the same."""
    case = Case(FRAMES, 480, 832, FRAMES, 1)
    rows = ["video_path,raw_caption,duration(sec)"]
    for i in range(min(clips, DIFFERENT)):
        film = moving_scene(case, i).permute(0, 2, 3, 1).contiguous().numpy()
        encode(
            folder / f"clip{i}.mp4",
            film,
            film.shape[1:3],
            FPS,
            codec="libx264",
            pixels="yuv420p",
            container="mp4",
            options={"preset": "ultrafast", "crf": "20"},
        )
    for i in range(clips):
        if i >= DIFFERENT:
            shutil.copy(folder / f"clip{i % DIFFERENT}.mp4", folder / f"clip{i}.mp4")
        rows.append(f"clip{i}.mp4,blobs,{FRAMES / FPS}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return list(open_official(folder).clips)


@click.command(help=__doc__)
@click.argument("case", type=click.Choice(["nano", "wan", "full"]))
@click.option("--clips", default=8, show_default=True)
@click.option("--seconds", default=1.0, show_default=True, help="Of a block, in case full.")
def main(case: str, clips: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as out:
        runs = {"nano": partial(nano, clips), "wan": partial(wan, clips), "full": partial(full, clips, seconds)}
        found = runs[case](Path(out))
    between = found.between or [found.loop - found.inside]
    ends, each = found.loop - found.inside - sum(found.between), median(between)
    print(f"{found.name}: {clips} clips, {found.inside:.1f} s inside their streams, {found.loop:.1f} s in all")
    print(f"before the first stream and after the last: {ends:.2f} s")
    print(f"with each clip: {each:.3f} s, {100 * each * clips / found.inside:.1f} % of its stream")
    print(f"together: {100 * found.share:.1f} %")
    sys.exit(found.share > BAR)


if __name__ == "__main__":
    main()
