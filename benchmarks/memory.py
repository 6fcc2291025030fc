"""How much memory scoring and reporting take, whatever the number of clips.

    python -m benchmarks.memory CLIPS [FOLDER] [--models N]
    python -m benchmarks.memory --long FRAMES [FOLDER]

Scores one model's returns of so many clips of revisit-nano (its 42 clips over and over, under other names; the "model"
is the truth with a little noise), then writes the report. Prints the peak of the process, in MB, at every hundredth
clip and after the report. FOLDER: what was scored there stays, and the same command goes on. With --models the report
is of so many: their scores are those of the first, under other names.

With --long: one clip of so many frames of 832x480, of which the last quarter is scored.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import DTypeLike, NDArray

from magbench.core.files import file_sha256
from magbench.core.progress import Quiet
from magbench.models.meter import Metered
from magbench.report.report import report
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import FRAMES_FILE, GENERATION_FILE, read_generation, untimed, write_generation
from magbench.scoring.score import score
from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.format import Suite, load_suite, write_suite
from magbench.suites.registry import open_suite
from magbench.video.frames import Stretch, Whole
from magbench.video.io import frames_sha256, write_lossless

MODEL = "nearly"
LONG_SIZE = 480, 832


class Told(Quiet):
    """Prints the peak at every hundredth clip."""

    done = 0

    def step(self) -> None:
        self.done += 1
        if self.done % 100 == 0:
            print(f"{self.done} clips scored: peak {peak():.0f} MB", flush=True)


def peak() -> float:
    """The most that this process ever held, MB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmHWM:"))


def repeated(count: int) -> Suite:
    """Revisit-nano, its clips over and over."""
    suite = open_suite("revisit-nano")
    clips = []
    for number in range(count):
        clip = suite.clips[number % len(suite.clips)]
        parts = {field.name: getattr(clip, field.name) for field in dataclasses.fields(clip) if field.name != "frames"}
        clips.append(type(clip)(**parts | {"id": f"{number:05d}", "frames": clip.source}))
    return dataclasses.replace(suite, clips=tuple(clips))


def make(suite: Suite, out: Path) -> None:
    """The returns: those of the first 42 are written, the others are links to them."""
    RunFolder(out).claim(Run.of(suite, seeds=1, limit=None))
    distinct = len(open_suite("revisit-nano").clips)
    rng = np.random.default_rng(0)
    for number, clip in enumerate(suite.clips):
        folder = RunFolder(out).generation(MODEL, clip.id, 0)
        if read_generation(folder) is not None:
            continue
        if number < distinct:
            shown = clip.frames[clip.switch :]
            noisy = (shown + rng.normal(0, 4, shown.shape)).clip(0, 255).astype(np.uint8)
            metered = Metered(noisy, [len(noisy)], [1.0], None, None, "cpu", None)
            write_generation(folder, metered, clip, model=MODEL, revision="1", kind="model", sample=0)
            continue
        first = RunFolder(out).generation(MODEL, suite.clips[number % distinct].id, 0)
        shutil.copytree(first, folder, copy_function=lambda a, b: Path(b).hardlink_to(a))
        made = read_generation(first)
        assert made is not None
        (folder / GENERATION_FILE).unlink()
        (folder / GENERATION_FILE).write_text(made.model_copy(update={"clip": clip.id}).model_dump_json())


@dataclass(frozen=True)
class Panned(Whole):
    """A camera over still noise of coarse and fine grain, there and back; ``apart``: grey levels that it is off."""

    shape: tuple[int, int, int, int]
    canvas: NDArray[np.uint8]
    first: int = 0
    apart: int = 0

    @classmethod
    def over(cls, frames: int) -> Panned:
        height, width = LONG_SIZE
        rng = np.random.default_rng(1)
        coarse = rng.integers(0, 200, (height // 32, width // 8, 3), np.uint8).repeat(32, 0).repeat(32, 1)
        return cls((frames, height, width, 3), coarse + rng.integers(0, 40, coarse.shape, np.uint8))

    def __getitem__(self, index: slice) -> NDArray[np.uint8]:
        start, stop, _ = index.indices(self.shape[0])
        return np.stack([self._frame(self.first + number) for number in range(start, stop)])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.uint8]:
        return self[:]

    def _frame(self, number: int) -> NDArray[np.uint8]:
        last = self.first + self.shape[0] - 1
        place = min(number, last - number) % (self.canvas.shape[1] - LONG_SIZE[1])
        return self.canvas[:, place : place + LONG_SIZE[1]] + np.uint8(self.apart * (number % 3 != 0))


def one_long(frames: int, out: Path) -> Suite:
    """A suite of one clip of so many frames, three quarters of them given, and a return that is nearly true."""
    source, switch = Panned.over(frames), frames * 3 // 4
    revisit = np.full(frames, NO_REVISIT)
    revisit[switch:] = frames - 1 - np.arange(switch, frames)
    about: dict[str, Any] = {"caption": "", "category": "pan", "speed": "slow", "fps": 16, "switch": switch}
    clip = Clip(id="long", frames=source, pose=None, revisit=revisit, **about)
    if not (out.parent / "suite").exists():
        write_suite(
            out.parent / "suite", [clip], name="long", version=1, split="test", fps=16, window=81, licence="CC0"
        )
    suite = load_suite(out.parent / "suite")
    RunFolder(out).claim(Run.of(suite, seeds=1, limit=None))
    folder = RunFolder(out).generation(MODEL, clip.id, 0)
    folder.mkdir(parents=True, exist_ok=True)
    made = Stretch(dataclasses.replace(source, apart=8), switch, frames)
    write_lossless(folder / FRAMES_FILE, made, 16)
    digest = frames_sha256(made)
    described = untimed(clip, digest, model=MODEL, revision="1")
    described = described.model_copy(update={"file_sha256": file_sha256(folder / FRAMES_FILE)})
    (folder / GENERATION_FILE).write_text(described.model_dump_json())
    return suite


def copy_scores(out: Path, models: int) -> None:
    """The scores of so many models in all: those of the first, under other names."""
    folder = RunFolder(out)
    for number in range(1, models):
        name = f"{MODEL}-{number:03d}"
        (folder.scores / name).mkdir(exist_ok=True)
        for file in folder.score_files(MODEL):
            text = file.read_text().replace(f'"model":"{MODEL}"', f'"model":"{name}"')
            (folder.scores / name / file.name).write_text(text)


def measure(count: int, out: Path, models: int, *, long: bool) -> None:
    if long:
        suite = one_long(count, out)
        what = f"one clip of {count} frames of {LONG_SIZE[1]}x{LONG_SIZE[0]}"
    else:
        suite = repeated(count)
        make(suite, out)
        what = f"{count} clips, {sum(len(clip) for clip in suite.clips)} frames"
    print(f"{what}: peak {peak():.0f} MB before scoring", flush=True)
    start = time.process_time()
    failures = score(suite, out, progress=Told(), workers=1)
    if failures:
        raise SystemExit(str(failures[0]))
    print(f"scored: peak {peak():.0f} MB, {time.process_time() - start:.1f} s of processor time", flush=True)
    copy_scores(out, models)
    start = time.process_time()
    report(suite, out)
    print(f"reported, {models} models: peak {peak():.0f} MB, {time.process_time() - start:.1f} s of processor time")


@click.command()
@click.argument("count", type=int)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--models", default=1, show_default=True, help="Models in the report.")
@click.option("--long", is_flag=True, help="One clip of COUNT frames instead.")
def main(count: int, folder: Path | None, models: int, long: bool) -> None:
    """Score and report COUNT clips, and print how much memory that took."""
    with tempfile.TemporaryDirectory() as temporary:
        measure(count, folder or Path(temporary) / "run", models, long=long)


if __name__ == "__main__":
    main()
