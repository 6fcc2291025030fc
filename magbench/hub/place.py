"""A file of a data set on the hub, at a commit: how a description names what lies elsewhere, and how it comes here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.hub.client import REPOSITORY, Listing, Repository

if TYPE_CHECKING:
    from magbench.core.progress import Progress

SCHEME = "hf://datasets/"
PLACE = re.compile(rf"{SCHEME}(?P<repository>{REPOSITORY.pattern})@(?P<commit>[^/]+)/(?P<path>.+)")
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=@-]*")
"""What a folder or a file on the way to it may be called."""
LARGEST = 2 * 2**30
"""Bytes of a file that is fetched."""


@dataclass(frozen=True)
class Place:
    """A file of a data set at a commit: ``hf://datasets/ORG/NAME@COMMIT/PATH``.

    It names no server, so that it holds for a mirror too, and no branch, so that it always means the same bytes.

    Attributes:
        repository: ORG/NAME.
        commit: 40 hexadecimal digits.
        path: in the data set.
    """

    repository: str
    commit: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read a place.

        Raises:
            MagbenchError: another form, a branch where the commit should be, or a path that leads out of the data set.
        """
        words = PLACE.fullmatch(text)
        if words is None:
            raise MagbenchError(f"{text[:100]!r} is no file at a commit, as {SCHEME}ORG/NAME@COMMIT/PATH is")
        if not re.fullmatch(r"[0-9a-f]{40}", words["commit"]):
            raise MagbenchError(f"{text[:100]!r} names no commit (40 hexadecimal digits): a branch changes")
        if not all(PART.fullmatch(part) for part in words["path"].split("/")):
            raise MagbenchError(f"{text[:100]!r} is not a path inside a data set")
        return cls(words["repository"], words["commit"], words["path"])

    def __str__(self) -> str:
        return f"{SCHEME}{self.repository}@{self.commit}/{self.path}"

    def address(self, endpoint: str = "https://huggingface.co") -> str:
        """Where a browser finds it."""
        return f"{endpoint}/datasets/{self.repository}/resolve/{self.commit}/{quote(self.path)}"


@dataclass(frozen=True)
class PlacedFiles:
    """Files at commits, brought into a folder; every commit is listed once."""

    folder: Path
    listings: dict[tuple[str, str], Listing] = field(default_factory=dict)

    def get(self, place: Place, sha256: str, progress: Progress) -> Path:
        """The file on this machine, fetched unless it is here; begun downloads go on at their byte.

        Args:
            sha256: that it must have, hexadecimal.

        Raises:
            MagbenchError: it is not there, has another sha256, or is larger than :data:`LARGEST`.
        """
        folder = self.folder / place.repository
        path = folder / place.commit / place.path
        if not path.is_file():
            repository = Repository(place.repository, place.commit, ("dataset",), "put the file there by other means")
            key = place.repository, place.commit
            if key not in self.listings:
                self.listings[key] = repository.listing()
            listing = self.listings[key]
            file = next((file for file in listing.files if file.path == place.path), None)
            if file is None:
                raise MagbenchError(f"{place}: is not there")
            if file.sha256 and file.sha256 != sha256:
                raise MagbenchError(f"{place}: has sha256 {file.sha256[:12]} on the hub, not {sha256[:12]} as listed")
            if file.size > LARGEST:
                raise MagbenchError(f"{place}: has {file.size / 2**30:.1f} GiB, at most {LARGEST // 2**30} are fetched")
            path = repository.get(file, listing, folder, progress)
        if (found := file_sha256(path)) != sha256:
            path.unlink()
            raise MagbenchError(f"{place}: came with sha256 {found[:12]}, not {sha256[:12]} as listed; it was removed")
        return path
