"""The lock file beside the fetched data: which commit it is from, which files are wanted, what has arrived."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from magbench.core.errors import MagbenchError
from magbench.core.files import first_problem

COMMAND = "magbench suite fetch mag-bench"


class Wanted(BaseModel):
    """One file.

    Attributes:
        source: its path in the repository.
        told: its sha256 as the hub tells it, None for small files, of which a hub keeps another hash.
        sha256: as it arrived; None until then.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    source: str
    told: str | None
    sha256: str | None = None


class Lock(BaseModel):
    """``lock.json``. ``asked``: the revision as it was given; ``files``: path below ``data`` -> what belongs there."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    repository: str
    kind: str
    asked: str
    commit: str
    csv: str
    videos: str
    files: dict[str, Wanted]

    @property
    def complete(self) -> bool:
        return all(file.sha256 is not None for file in self.files.values())


@dataclass(frozen=True)
class Places:
    """Paths of the fetched copy."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def lock(self) -> Path:
        return self.folder / "lock.json"

    @property
    def arriving(self) -> Path:
        return self.folder / "arriving"


def places(cache: Path) -> Places:
    """Say where the fetched copy lies in the cache."""
    return Places(cache / "hub" / "mag-bench")


def read_lock(where: Places) -> Lock | None:
    """The lock file, None before the first fetch."""
    if not where.lock.is_file():
        return None
    try:
        return Lock.model_validate_json(where.lock.read_bytes())
    except ValidationError as error:
        raise MagbenchError(f"{where.lock}: {first_problem(error)}") from error
