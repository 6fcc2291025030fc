"""Download one published file: from the byte at which an earlier attempt stopped, and checked before it is used."""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256

if TYPE_CHECKING:
    from magbench.core.progress import Progress

TIMEOUT = 60.0
PIECE = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository. ``size``: bytes; ``sha256`` of large files, ``blob``: git's hash, of the others."""

    path: str
    size: int
    sha256: str = ""
    blob: str = ""


def download(
    address: str, file: RemoteFile, path: Path, headers: Mapping[str, str], progress: Progress, otherwise: str
) -> None:
    """Bring a file to ``path``, where it appears only when it is whole and what the listing says.

    Args:
        address: where it is published.
        file: size and hash that it must have.
        path: where it goes; what has arrived so far is in ``path`` + ".part".
        headers: sent along; the user's token only to the address itself, not to where it redirects.
        progress: told of every MB.
        otherwise: what the user can do if the address is not reached.

    Raises:
        MagbenchError: no room, no answer, an end before the end, or other bytes than those that were published.
    """
    if path.is_file():
        return
    partial = path.with_name(path.name + ".part")
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.touch()
    check_space(partial.parent, file.size - _size(partial))
    progress.stage(f"{path.name} (MB)", max(file.size // PIECE, 1))
    for _ in range(_size(partial) // PIECE):
        progress.step()
    while (before := _size(partial)) < file.size:
        problem: Exception | None = None
        try:
            _append(address, headers, partial, progress)
        except (OSError, HTTPException) as error:
            problem = error
        if _size(partial) <= before:  # a broken connection is tried again as long as something came through it
            if problem is not None:
                raise _explained(address, problem, otherwise) from problem
            raise MagbenchError(f"{address}: ended after {before} of {file.size} bytes; the same command goes on")
    _check(partial, file)
    partial.replace(path)


def discard(folder: Path, paths: Iterable[Path]) -> None:
    """Remove files that were fetched under ``folder`` and are no longer needed; parts of other downloads stay."""
    for path in paths:
        if path.is_relative_to(folder):
            path.unlink(missing_ok=True)
    if folder.is_dir() and not any(path.is_file() for path in folder.rglob("*")):
        shutil.rmtree(folder)


def check_space(folder: Path, wanted: int) -> None:
    """Refuse to begin what the disk cannot hold, in bytes."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise MagbenchError(
            f"{folder}: {free / 1e9:.1f} GB free, {wanted / 1e9:.1f} GB wanted; MAGBENCH_CACHE moves it"
        )


def _append(address: str, headers: Mapping[str, str], partial: Path, progress: Progress) -> None:
    held = _size(partial)
    request = urllib.request.Request(address, headers={"Range": f"bytes={held}-"} if held else {})
    for name, value in headers.items():
        request.add_unredirected_header(name, value)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        whole = answer.status == 200  # the server may not know of ranges
        with partial.open("wb" if whole else "ab") as out:
            done = out.tell()
            while chunk := answer.read(PIECE):
                out.write(chunk)
                for _ in range((done + len(chunk)) // PIECE - done // PIECE):
                    progress.step()
                done += len(chunk)


def _explained(address: str, error: Exception, otherwise: str) -> MagbenchError:
    if isinstance(error, urllib.error.HTTPError):
        if error.code in (401, 403):
            return MagbenchError(
                f"{address}: not allowed ({error.code}); log in by the hub's own client, or {otherwise}"
            )
        if error.code == 404:
            return MagbenchError(f"{address}: not there (404)")
        return MagbenchError(f"{address}: {error.code} {error.reason}")
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return MagbenchError(
        f"{address}: not reached ({reason}); the same command goes on, HF_ENDPOINT names another hub, {otherwise}"
    )


def difference(path: Path, file: RemoteFile) -> tuple[str, str] | None:
    """What a file here is and what the listing says, where they differ; None where they do not."""
    if path.stat().st_size != file.size:
        return f"{path.stat().st_size} bytes", f"{file.size}"
    if file.sha256 and (digest := file_sha256(path)) != file.sha256:
        return f"sha256 {digest[:12]}", file.sha256[:12]
    if file.blob and (digest := _git_hash(path)) != file.blob:
        return f"git hash {digest[:12]}", file.blob[:12]
    return None


def _check(path: Path, file: RemoteFile) -> None:
    """Size and hash are the listing's; if not, what was fetched is removed."""
    if apart := difference(path, file):
        path.unlink()
        raise MagbenchError(f"{file.path}: came as {apart[0]}, not {apart[1]}; it was removed, fetch it again")


def _git_hash(path: Path) -> str:
    return hashlib.sha1(b"blob %d\0" % path.stat().st_size + path.read_bytes()).hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
