"""The folder of a checkpoint in the cache, and which of its parts are there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mag_model.wan.weights.catalog import Checkpoint
from magbench.hub import lockfile
from magbench.hub.cache import cache_folder


def home(name: str) -> Path:
    """The folder of a checkpoint."""
    return cache_folder() / "weights" / name


def read_parts(name: str) -> dict[str, lockfile.Part]:
    """The parts that were fetched."""
    lock = lockfile.read_lock(home(name))
    return dict(lock.parts) if lock else {}


def write_parts(entry: Checkpoint, parts: Mapping[str, lockfile.Part]) -> None:
    """Record the parts that are here."""
    lock = lockfile.Lock(repository=entry.repository, licence=entry.licence, parts=dict(sorted(parts.items())))
    lock.write(home(entry.name))


def is_here(name: str, held: lockfile.Part | None) -> bool:
    """Whether every file of a part is there, as long as it was."""
    paths = [(home(name) / file.path, file.size) for file in held.kept] if held else []
    return bool(paths) and all(path.is_file() and path.stat().st_size == size for path, size in paths)
