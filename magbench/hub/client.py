"""Files of a repository on the hub, or of a folder that holds the same files: listed, fetched, checked.

huggingface-hub resolves revisions, lists files and knows the user's token. The bytes are fetched here: its download
throws away what had arrived when the process ends, and a checkpoint of 28 GB must go on at its byte the next day.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from magbench.core.errors import MagbenchError
from magbench.hub.download import RemoteFile, download

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from magbench.core.progress import Progress

Kind = Literal["model", "dataset", "space"]
KINDS: dict[Kind, str] = {"model": "model", "dataset": "data set", "space": "space"}
"""What messages call them."""
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
"""What a repository is called: owner/name."""


@dataclass(frozen=True)
class Listing:
    """What a repository holds at one commit.

    Attributes:
        revision: the commit, 40 hexadecimal digits; of a folder "folder".
        kind: model, dataset or space.
        licence: as the repository's card has it, "" if it has none.
        files: every file.
    """

    revision: str
    kind: Kind
    licence: str
    files: tuple[RemoteFile, ...]


class Source(Protocol):
    """A repository's files, wherever they are."""

    def listing(self) -> Listing: ...
    def get(self, file: RemoteFile, listing: Listing, folder: Path, progress: Progress) -> Path:
        """The file on this machine, whole and checked; if it must be fetched, then under ``folder``."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder with the repository's files, fetched by other means."""

    REVISION: ClassVar[str] = "folder"

    path: Path

    def listing(self) -> Listing:
        if not self.path.is_dir():
            raise MagbenchError(f"{self.path}: no such folder")
        found = sorted(path for path in self.path.rglob("*") if path.is_file())
        files = (RemoteFile(path.relative_to(self.path).as_posix(), path.stat().st_size) for path in found)
        return Listing(self.REVISION, "model", "", tuple(files))

    def get(self, file: RemoteFile, listing: Listing, folder: Path, progress: Progress) -> Path:
        return self.path / file.path


@dataclass(frozen=True)
class Repository:
    """A repository on the hub that ``HF_ENDPOINT`` names, else on the public one.

    Attributes:
        name: owner/name.
        revision: branch, tag or commit.
        kinds: what it may be; the first that the hub knows is taken.
        otherwise: what the user can do without a hub, for messages.
    """

    name: str
    revision: str
    kinds: Sequence[Kind] = ("model",)
    otherwise: str = "--from DIR names a folder"

    def listing(self) -> Listing:
        """Every file at the commit that the revision is now.

        Raises:
            MagbenchError: no such repository or revision, no answer, or an answer that cannot be trusted.
        """
        from huggingface_hub.errors import RepositoryNotFoundError
        from huggingface_hub.hf_api import RepoFile

        client = connected()
        with self._plainly(client.endpoint):
            for kind in self.kinds:
                try:
                    found = client.repo_info(self.name, repo_type=kind, revision=self.revision)
                except RepositoryNotFoundError:
                    continue
                commit = _commit(found.sha)
                tree = client.list_repo_tree(self.name, repo_type=kind, revision=commit, recursive=True)
                files = tuple(_remote_file(entry) for entry in tree if isinstance(entry, RepoFile))
                licence = str((getattr(found, "card_data", None) or {}).get("license") or "")
                return Listing(commit, kind, licence, files)
        kinds = " or ".join(KINDS[kind] for kind in self.kinds)
        raise MagbenchError(f"{client.endpoint}: has no {kinds} {self.name}, or does not show it to you")

    def get(self, file: RemoteFile, listing: Listing, folder: Path, progress: Progress) -> Path:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        address = hf_hub_url(
            self.name, file.path, repo_type=listing.kind, revision=listing.revision, endpoint=connected().endpoint
        )
        path = folder / listing.revision / file.path
        download(address, file, path, build_hf_headers(library_name="magbench"), progress, self.otherwise)
        return path

    @contextmanager
    def _plainly(self, endpoint: str) -> Iterator[None]:
        """Whatever goes wrong between here and the hub, in one line: the libraries below change what they raise."""
        from huggingface_hub.errors import RevisionNotFoundError

        try:
            yield
        except MagbenchError:
            raise
        except RevisionNotFoundError as error:
            raise MagbenchError(f"{endpoint}: {self.name} has no revision '{self.revision}'") from error
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise MagbenchError(
                f"{endpoint}: cannot list {self.name} ({reason}); HF_ENDPOINT names another hub, {self.otherwise}"
            ) from error


def connected() -> HfApi:
    """The client of the hub that ``HF_ENDPOINT`` names, else of the public one."""
    from huggingface_hub import HfApi

    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="magbench")


def _commit(text: str | None) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}", text or ""):
        raise ValueError(f"'{text}' is not a commit")
    return str(text)


def _remote_file(entry: object) -> RemoteFile:
    from huggingface_hub.hf_api import RepoFile

    assert isinstance(entry, RepoFile)
    path = entry.path
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise MagbenchError(f"'{path}' is not a path inside a repository")
    if entry.lfs is not None:
        return RemoteFile(path, entry.lfs.size, sha256=entry.lfs.sha256)
    return RemoteFile(path, entry.size, blob=entry.blob_id)
