"""How much memory scoring and reporting take, whatever the number of clips.

    python benchmarks/memory.py CLIPS [FOLDER]

Scores one model's returns of so many clips of revisit-nano (its 42 clips over and over, under other names; the "model"
is the truth with a little noise), then writes the report. Prints the peak of the process, in MB, at every hundredth
clip and after the report. FOLDER: what was scored there stays, and the same command goes on.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from magbench.core.progress import Quiet
from magbench.models.meter import Metered
from magbench.report.report import report
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import GENERATION_FILE, read_generation, write_generation
from magbench.scoring.score import score
from magbench.suites.format import Suite
from magbench.suites.registry import open_suite

MODEL = "nearly"


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


def main(count: int, out: Path) -> None:
    suite = repeated(count)
    make(suite, out)
    print(
        f"{count} clips, {sum(len(clip) for clip in suite.clips)} frames: peak {peak():.0f} MB before scoring",
        flush=True,
    )
    failures = score(suite, out, progress=Told(), workers=1)
    if failures:
        raise SystemExit(str(failures[0]))
    print(f"scored: peak {peak():.0f} MB", flush=True)
    report(suite, out)
    print(f"reported: peak {peak():.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main(int(sys.argv[1]), Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(int(sys.argv[1]), Path(temporary) / "run")
