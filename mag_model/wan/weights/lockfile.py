"""What is here of a checkpoint: ``lock.json`` in its folder.

It says from which commit each part came, and size and sha256 of what was fetched and of what is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mag_model.wan.weights.catalog import Checkpoint
from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic


@dataclass(frozen=True)
class File:
    """A file that was fetched, or one that is kept: path, bytes, hex sha256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Held:
    """A part that is here. ``revision``: commit it came from; ``fetched``: the published files; ``kept``: ours."""

    revision: str
    fetched: tuple[File, ...]
    kept: tuple[File, ...]


def home(name: str) -> Path:
    """The folder of a checkpoint."""
    from magbench.hub.cache import cache_folder

    return cache_folder() / "weights" / name


def read_lock(name: str) -> dict[str, Held]:
    """The parts that were fetched."""
    path = home(name) / "lock.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["parts"]
        return {part: _held(entry) for part, entry in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MagbenchError(f"{path}: not a whole lock file; remove {path.parent} and fetch again") from error


def is_here(name: str, held: Held | None) -> bool:
    """Whether every file of a part is there, as long as it was."""
    paths = [(home(name) / file.path, file.size) for file in held.kept] if held else []
    return bool(paths) and all(path.is_file() and path.stat().st_size == size for path, size in paths)


def write_lock(entry: Checkpoint, lock: Mapping[str, Held]) -> None:
    """Record the parts that are here."""
    text = {
        "repository": entry.repository,
        "licence": entry.licence,
        "parts": {name: asdict(held) for name, held in sorted(lock.items())},
    }
    write_atomic(home(entry.name) / "lock.json", json.dumps(text, indent=2) + "\n")


def _held(entry: dict[str, Any]) -> Held:
    fetched, kept = (tuple(File(**file) for file in entry[key]) for key in ("fetched", "kept"))
    return Held(entry["revision"], fetched, kept)
