"""``lock.json``: what is here of a repository, from which commit, with size and sha256 of every file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, field_validator

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256, write_atomic
from magbench.core.parsing import read_described
from magbench.hub.client import Kind

NAME = "lock.json"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Strict):
    """A file. ``path``: in the repository, or below the lock file's folder; ``size``: bytes; ``sha256``: hexadecimal.

    Of a published file that has not arrived, ``sha256`` is "" where the hub does not tell it.
    """

    path: str
    size: NonNegativeInt
    sha256: str = ""

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
            raise ValueError(f"'{path[:40]}' leads out of the folder")
        return path

    @classmethod
    def of(cls, path: Path, folder: Path) -> File:
        """A file as it is now, named from ``folder``."""
        return cls(path=path.relative_to(folder).as_posix(), size=path.stat().st_size, sha256=file_sha256(path))

    def check(self, folder: Path) -> None:
        """Read the file again.

        Raises:
            MagbenchError: it is missing, or another than the one that was kept.
        """
        path = folder / self.path
        if not path.is_file():
            raise MagbenchError(f"{path}: is missing")
        if (found := file_sha256(path)) != self.sha256:
            raise MagbenchError(f"{path}: changed, sha256 is {found[:12]}, not {self.sha256[:12]} as in {NAME}")


class Part(_Strict):
    """Files that were asked for together.

    Attributes:
        revision: the commit they are from; "folder" if they were copied from a folder.
        asked: the revision as it was given, a branch or a tag.
        choices: what else was chosen, option -> value.
        fetched: the published files.
        kept: what was made of them, or they themselves; fewer than wanted while a fetch is under way.
    """

    revision: str
    asked: str = ""
    choices: dict[str, str] = Field(default_factory=dict)
    fetched: tuple[File, ...]
    kept: tuple[File, ...] = ()


class Lock(_Strict):
    """A lock file. ``repository``: owner/name; ``licence``: as its card or the catalogue has it; ``parts`` by name."""

    repository: str
    kind: Kind = "model"
    licence: str = ""
    parts: dict[str, Part]

    def write(self, folder: Path) -> None:
        """Write ``lock.json`` into the folder."""
        write_atomic(folder / NAME, self.model_dump_json(indent=2) + "\n")


def read_lock(folder: Path) -> Lock | None:
    """The lock file of a folder; None before the first fetch.

    Raises:
        MagbenchError: it is damaged, or of a format that is no longer written.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        return read_described(path, Lock)
    except MagbenchError as error:
        what = str(error).removeprefix(f"{path}: ")
        raise MagbenchError(f"{path}: not a whole lock file ({what}); remove {folder} and fetch again") from error
