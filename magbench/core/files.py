"""Small things done to files: hashes, text that is all there or not there, one-line complaints."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize
from uuid import uuid4

from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    from pydantic import ValidationError

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
"""What file systems without hard links answer."""
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What a name must look like to become part of a path."""
SAFE_TEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:=@-]*")
"""Likewise what follows the prefix of a family of models."""


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes. What is no regular file, as a pipe, is an error: it may never end."""
    if path.exists() and not path.is_file():
        raise MagbenchError(f"{path}: is no regular file")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def write_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text through a temporary sibling, so that a reader never sees half of it."""
    with written(path) as half:
        half.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """As :func:`placed`, and what was written is on the disk before it counts."""
    with placed(path) as half:
        yield half
        with half.open("rb+") as file:
            os.fsync(file.fileno())
    _sync_folder(path.parent)


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """A name to write a file under; it becomes ``path`` at the end of the block, whole, whoever else writes it too.

    The name is nobody else's. Where the power fails the file may be empty: for what is checked when it is read, and can
    be made again. To wait for the disk costs as much as to score a small clip.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name[:120]}.{os.getpid()}.{uuid4().hex[:8]}.tmp")
    try:
        yield half
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Put the names of a folder's files on the disk too, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows, and folders that may be written but not read
        return
    try:
        with suppress(OSError):  # some network file systems
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, text: str) -> bool:
    """Write UTF-8 text into a file that must be new; False, and nothing is written, where it is there.

    Of several that try at once, one gets True. Nobody sees half of it, but for file systems without hard links.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name[:120]}.{os.getpid()}.{uuid4().hex[:8]}.tmp")
    try:
        half.write_text(text, encoding="utf-8", newline="\n")
        with half.open("rb+") as synced:
            os.fsync(synced.fileno())
        try:
            os.link(half, path)  # unlike a rename, never in the place of another
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        _sync_folder(path.parent)
    except FileExistsError:
        return False
    finally:
        half.unlink(missing_ok=True)
    return True


@contextmanager
def folder_written(folder: Path, there: str = "is there already") -> Iterator[Path]:
    """A folder to fill under another name; it becomes ``folder``, which must be new, once the block ends well.

    Raises:
        MagbenchError: ``there``, where the folder exists before or meanwhile; or it cannot be written.
    """
    if folder.exists():
        raise MagbenchError(f"{folder}: {there}")
    half = folder.with_name(f".{folder.name[:120]}.{os.getpid()}.{uuid4().hex[:8]}.tmp")
    try:
        with _put(half, folder, there):
            yield half
    finally:
        shutil.rmtree(half, ignore_errors=True)


@contextmanager
def folder_resumed(folder: Path) -> Iterator[Path]:
    """As :func:`folder_written`, but what is in it stays where the block fails, and the next one goes on with it."""
    if folder.exists():
        raise MagbenchError(f"{folder}: is there already")
    half = folder.with_name(f".{folder.name[:120]}.half")
    with _put(half, folder, "is there already"):
        yield half


@contextmanager
def _put(half: Path, folder: Path, there: str) -> Iterator[None]:
    """Make ``half``, and call it ``folder`` once the block ends well."""
    try:
        half.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MagbenchError(f"{folder}: cannot be written ({error.strerror})") from error
    yield
    try:
        half.rename(folder)
    except OSError:
        raise MagbenchError(f"{folder}: {there}") from None


def spelled(path: Path) -> Path:
    """The file that is meant, where its name is there with accents spelled the other way (NFC and NFD)."""
    if path.exists() or not path.parent.is_dir():
        return path
    wanted = normalize("NFC", path.name)
    return next((other for other in path.parent.iterdir() if normalize("NFC", other.name) == wanted), path)


def claim(folder: Path, made: Sequence[str], what: str) -> None:
    """Make a folder for results, or check that it may be written into: it is empty, or was made by the same work.

    Args:
        made: patterns of file names; one of them there says that the folder is the work's own.
        what: the work, for the message.
    """
    if folder.exists() and not folder.is_dir():
        raise MagbenchError(f"{folder}: is not a folder")
    there = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    if there and not any(path.match(pattern) for path in there for pattern in made):
        raise MagbenchError(f"{folder}: holds files that are not of a {what}; give a new or empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MagbenchError(f"{folder}: cannot be written ({error.strerror})") from error


def first_problem(error: ValidationError) -> str:
    """The first complaint of a failed validation, on one line: which field, what is wrong, which value."""
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    value = "" if problem["type"] == "missing" or not field else f", not {problem['input']!r:.60}"
    return " ".join(f"{field}: {problem['msg']}{value}".removeprefix(": ").split())
