"""Where published files come from: the hub, or a folder that holds the same files.

The hub is spoken to over plain HTTP, so that a part of a file that is already there is kept when a connection breaks.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256

if TYPE_CHECKING:
    from magbench.core.progress import Progress

ENDPOINT = "https://huggingface.co"
TIMEOUT = 60.0
PIECE = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository. ``sha256`` of large files, ``blob``: git's hash, of the others."""

    path: str
    size: int
    sha256: str = ""
    blob: str = ""


@dataclass(frozen=True)
class Listing:
    """What a repository holds at one commit. ``revision``: 40 hexadecimal digits; of a folder "folder"."""

    revision: str
    licence: str
    files: tuple[RemoteFile, ...]


class Source(Protocol):
    """A repository's files, wherever they are."""

    def listing(self) -> Listing: ...
    def get(self, file: RemoteFile, revision: str, folder: Path, progress: Progress) -> Path:
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
        names = [path.relative_to(self.path).as_posix() for path in found]
        return Listing(
            "folder", "", tuple(RemoteFile(name, path.stat().st_size) for name, path in zip(names, found, strict=True))
        )

    def get(self, file: RemoteFile, revision: str, folder: Path, progress: Progress) -> Path:
        return self.path / file.path


@dataclass(frozen=True)
class Hub:
    """A repository on the hub.

    Attributes:
        endpoint: the hub's address.
        repository: owner/name.
        revision: branch, tag or commit.
    """

    endpoint: str
    repository: str
    revision: str

    def listing(self) -> Listing:
        revision = urllib.parse.quote(self.revision, safe="")
        address = f"{self.endpoint}/api/models/{self.repository}/revision/{revision}?blobs=true"
        try:
            with self._open(address, {}) as answer:
                found = json.loads(answer.read())
            files = tuple(_remote_file(entry) for entry in found["siblings"])
            licence = str((found.get("cardData") or {}).get("license") or "")
            return Listing(_commit(found["sha"]), licence, files)
        except (ValueError, KeyError, TypeError) as error:
            raise MagbenchError(f"{address}: not the answer of a hub ({type(error).__name__}: {error})") from error
        except (OSError, HTTPException) as error:
            raise self._problem(address, error) from error

    def get(self, file: RemoteFile, revision: str, folder: Path, progress: Progress) -> Path:
        path = folder / revision / file.path
        if not path.is_file():
            partial = path.with_name(path.name + ".part")
            partial.parent.mkdir(parents=True, exist_ok=True)
            partial.touch()
            check_space(folder, file.size - _size(partial))
            progress.stage(f"{path.name} (MB)", max(file.size // PIECE, 1))
            for _ in range(_size(partial) // PIECE):
                progress.step()
            address = f"{self.endpoint}/{self.repository}/resolve/{revision}/{urllib.parse.quote(file.path)}"
            self._fetch(address, partial, file.size, progress)
            _check(partial, file)
            partial.replace(path)
        return path

    def _fetch(self, address: str, partial: Path, size: int, progress: Progress) -> None:
        """Append what is missing; a broken connection is tried again as long as something came through it."""
        while _size(partial) < size:
            before = _size(partial)
            try:
                self._append(address, partial, progress)
                problem: Exception | None = None
            except (OSError, HTTPException) as error:
                problem = error
            if _size(partial) <= before:
                if problem is not None:
                    raise self._problem(address, problem) from problem
                raise MagbenchError(f"{address}: ended after {before} of {size} bytes; the same command goes on")

    def _append(self, address: str, partial: Path, progress: Progress) -> None:
        held = _size(partial)
        with self._open(address, {"Range": f"bytes={held}-"} if held else {}) as answer:
            whole = answer.status == 200  # the server may not know of ranges
            with partial.open("wb" if whole else "ab") as out:
                done = out.tell()
                while chunk := answer.read(PIECE):
                    out.write(chunk)
                    for _ in range((done + len(chunk)) // PIECE - done // PIECE):
                        progress.step()
                    done += len(chunk)

    def _open(self, address: str, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(address, headers={"User-Agent": "magbench", **headers})
        return urllib.request.urlopen(request, timeout=TIMEOUT)

    def _problem(self, address: str, error: Exception) -> MagbenchError:
        if isinstance(error, urllib.error.HTTPError):
            if error.code in (401, 403):
                return MagbenchError(
                    f"{address}: not allowed ({error.code}); fetch it with the hub's own client, then use --from DIR"
                )
            if error.code == 404:
                return MagbenchError(f"{address}: not there (404)")
            return MagbenchError(f"{address}: {error.code} {error.reason}")
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        return MagbenchError(f"{address}: not reached ({reason}); HF_ENDPOINT names another hub, --from DIR a folder")


def hub(repository: str, revision: str) -> Hub:
    """The hub that ``HF_ENDPOINT`` names, else the public one."""
    return Hub((os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/"), repository, revision)


def _commit(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        raise ValueError(f"'{text}' is not a commit")
    return text


def _remote_file(entry: dict[str, Any]) -> RemoteFile:
    large = entry.get("lfs") or {}
    path = str(entry["rfilename"])
    if path.startswith("/") or "\\" in path or ".." in path.split("/"):
        raise ValueError(f"'{path}' is not a path inside a repository")
    size = int(large.get("size") or entry.get("size") or 0)
    sha256 = str(large.get("sha256") or "")
    return RemoteFile(path, size, sha256, "" if sha256 else str(entry.get("blobId") or ""))


def _check(path: Path, file: RemoteFile) -> None:
    """Size and hash are the listing's; if not, what was fetched is removed."""
    if path.stat().st_size != file.size:
        found, wanted = f"{path.stat().st_size} bytes", f"{file.size}"
    elif file.sha256 and (digest := file_sha256(path)) != file.sha256:
        found, wanted = f"sha256 {digest[:12]}", file.sha256[:12]
    elif file.blob and (digest := _git_hash(path)) != file.blob:
        found, wanted = f"git hash {digest[:12]}", file.blob[:12]
    else:
        return
    path.unlink()
    raise MagbenchError(f"{file.path}: came as {found}, not {wanted}; it was removed, fetch it again")


def _git_hash(path: Path) -> str:
    return hashlib.sha1(b"blob %d\0" % path.stat().st_size + path.read_bytes()).hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def check_space(folder: Path, wanted: int) -> None:
    """Refuse to begin what the disk cannot hold, in bytes."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise MagbenchError(
            f"{folder}: {free / 1e9:.1f} GB free, {wanted / 1e9:.1f} GB wanted; MAGBENCH_CACHE moves it"
        )
