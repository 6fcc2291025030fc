"""What a form of file is to the fuzzing: a whole one, and the reader that has to stand it damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """One form of file.

    Attributes:
        make: writes a whole file into an empty folder, with what belongs to it, and returns its path.
        read: reads it as a command would; the file's path -> what it means.
        hashed: something outside the file holds its hash, so that a change of meaning has to be noticed.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    hashed: bool = False
