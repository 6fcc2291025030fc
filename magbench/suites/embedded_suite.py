"""What a suite that magbench makes by itself says of itself: one entry of the registry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from magbench.core.files import folder_resumed, folder_written, write_atomic
from magbench.core.parallel import share, worth
from magbench.core.progress import Progress, Quiet
from magbench.suites.clip import Clip
from magbench.suites.format import seal_new, write_clip

MADE = ".made"
"""Folder of the rows of clips that are written, while a suite is made."""
CLIP_WORTH = 500_000
"""Generated pixels that take as long to score as a clip takes to be drawn and filmed."""


@dataclass(frozen=True)
class Embedded:
    """A suite that is made on the user's machine, from code and from pictures that are installed.

    Attributes:
        clip: (split, number) -> one clip, the same on every call; a function of a module.
        counts: split -> clips in it.
        window: frames; see :class:`magbench.suites.format.Suite`.
        endless: how many clips a split could have beyond its own, each as good as any; 0 where there are no more.
        digest: split -> digest of the published suite. Another processor's rounding may give another one. "" where
            none is published, as the suite's own function compares what it draws.
        summary: one line for `magbench ls suites`.
        about: split -> likewise, for splits that are not just other scenes.
        resumed: splits that take minutes: what was made of them before an interruption stays.
    """

    name: str
    version: int
    fps: int
    window: int
    licence: str
    clip: Callable[[str, int], Clip]
    counts: Mapping[str, int]
    digest: Mapping[str, str]
    summary: str
    endless: int = 0
    about: Mapping[str, str] = field(default_factory=dict)
    resumed: frozenset[str] = frozenset()

    def label(self, split: str) -> str:
        """Folder name of a split: another version or another content gets another one."""
        return f"{self.name}-v{self.version}-{split}-{self.digest[split][:12]}".rstrip("-")

    def shipped(self, split: str) -> Path:
        """Path of the split in the package, if it ships: nothing is drawn then, and all have the same bytes."""
        return Path(str(files("magbench"))) / "suites" / "data" / self.label(split)

    def write(self, split: str, folder: Path, progress: Progress | None = None) -> None:
        """Make one split in a folder that does not exist yet.

        One that is ``resumed`` goes on where it was broken off, in a hidden folder beside.
        """
        count, progress = self.counts[split], progress or Quiet()
        filled = folder_resumed if split in self.resumed else folder_written
        with filled(folder) as half:
            progress.stage(f"{self.name}:{split}", count)
            rows = []
            for row in share(_write_one, (self.clip, split, half), range(count), worth(count * CLIP_WORTH)):
                rows.append(row)
                progress.step()
            shutil.rmtree(half / MADE)
            seal_new(
                half,
                rows,
                name=self.name,
                version=self.version,
                split=split,
                fps=self.fps,
                window=self.window,
                licence=self.licence,
            )


def _write_one(job: tuple[Callable[[str, int], Clip], str, Path], number: int) -> dict[str, object]:
    """Draw a clip and write its files, unless they were written before; returns its row."""
    make, split, folder = job
    made = folder / MADE / f"{number}.json"
    if not made.is_file():
        row = write_clip(folder, make(split, number))
        write_atomic(made, json.dumps(row))
    found: dict[str, object] = json.loads(made.read_text(encoding="utf-8"))
    return found
