"""What a suite that magbench makes by itself says of itself: one entry of the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from magbench.core.parallel import share, worth
from magbench.suites.clip import Clip
from magbench.suites.format import write_suite

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
        digest: split -> digest of the published suite. Another processor's rounding may give another one.
        summary: one line for `magbench ls suites`.
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

    def label(self, split: str) -> str:
        """Folder name of a split: another version or another content gets another one."""
        return f"{self.name}-v{self.version}-{split}-{self.digest[split][:12]}"

    def shipped(self, split: str) -> Path:
        """Path of the split in the package, if it ships: nothing is drawn then, and all have the same bytes."""
        return Path(str(files("magbench"))) / "suites" / "data" / self.label(split)

    def write(self, split: str, folder: Path) -> None:
        """Make one split in a folder that does not exist yet."""
        write_suite(
            folder,
            share(self.clip, split, range(self.counts[split]), worth(self.counts[split] * CLIP_WORTH)),
            name=self.name,
            version=self.version,
            split=split,
            fps=self.fps,
            window=self.window,
            licence=self.licence,
        )
