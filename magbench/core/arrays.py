"""Arrays that somebody else wrote, npy and npz: what is declared is held against what is there and what is wanted.

Nothing is allocated for an array before its shape, its type and its bytes are known to be right, so neither a declared
size nor a compressed one can take more memory than what was asked for. Pickles are never opened.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError

Check = Callable[[tuple[int, ...]], None]
"""Raises a :class:`MagbenchError`, without the file's name, where a shape is not wanted."""
CHUNK = 2**20


@dataclass(frozen=True)
class _Header:
    """Shape and type that an array declares, and how many bytes of it follow."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    held: int


def read_npy(path: Path, dtype: type[np.generic], check: Check) -> NDArray[Any]:
    """The array of an ``.npy`` file."""
    _check_regular(path)
    with _complaining(path, ".npy"), path.open("rb") as file:
        header = _header(file, path.stat().st_size)
        _check(header, path.name, np.dtype(dtype), check)
        return _whole(file, header)


def rows_of_npz(path: Path, key: str, dtype: type[np.generic], check: Check) -> Iterator[NDArray[Any]]:
    """The array ``key`` of an ``.npz`` file, one of its first axis after the other: never are all in memory.

    One that is stored in Fortran's order is, for it can only be read whole.
    """
    _check_regular(path)
    if not zipfile.is_zipfile(path):
        raise MagbenchError(f"{path}: is not an .npz file, or was cut off")
    with _complaining(path, ".npz"), zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        if key not in names:
            raise MagbenchError(f"holds no array '{key}' but {', '.join(names[:5]) or 'nothing'}"[:200])
        if names.count(key) > 1:
            raise MagbenchError(f"holds the array '{key}' twice")
        member = archive.infolist()[names.index(key)]
        with archive.open(member) as file:
            header = _header(file, member.file_size)
            _check(header, key, np.dtype(dtype), check)
            if header.fortran:
                yield from _whole(file, header)
                return
            for _ in range(header.shape[0]):
                row = np.empty(header.shape[1:], header.dtype)
                _fill(file, row)
                yield row
            _check_end(file)


def _check_regular(path: Path) -> None:
    if not path.is_file():
        raise MagbenchError(f"{path}: {'is no regular file' if path.exists() else 'no such file'}")


@contextmanager
def _complaining(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except MagbenchError as error:
        raise type(error)(f"{path}: {error}") from error
    except Exception as error:  # zipfile, zlib, tokenize and numpy raise half a dozen kinds
        raise MagbenchError(f"{path}: cannot be read as {kind} ({' '.join(str(error).split())[:160]})") from error


def _header(file: Any, size: int) -> _Header:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    return _Header(tuple(shape), fortran, dtype, size - file.tell())


def _check(header: _Header, name: str, dtype: np.dtype[Any], check: Check) -> None:
    if header.dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded, pickles are never opened")
    if header.dtype != dtype:
        raise MagbenchError(f"{name} is {header.dtype}, {dtype} wanted")
    if any(side < 0 for side in header.shape):
        raise MagbenchError(f"{name} has shape {header.shape}")
    check(header.shape)
    if math.prod(header.shape) * dtype.itemsize != header.held:
        raise ValueError(f"{header.held} bytes for shape {header.shape}")


def _whole(file: BinaryIO | Any, header: _Header) -> NDArray[Any]:
    """All that is behind a header, in C order."""
    array = np.empty(math.prod(header.shape), header.dtype)
    _fill(file, array)
    _check_end(file)
    return np.ascontiguousarray(array.reshape(header.shape, order="F" if header.fortran else "C"))


def _fill(file: BinaryIO | Any, array: NDArray[Any]) -> None:
    """Read the bytes of a new array from where the file is."""
    bytes_, at = array.reshape(-1).view(np.uint8), 0
    while at < len(bytes_):
        chunk = file.read(min(CHUNK, len(bytes_) - at))
        if not chunk:
            raise ValueError(f"ends after {at} of {len(bytes_)} bytes")
        bytes_[at : at + len(chunk)] = np.frombuffer(chunk, np.uint8)
        at += len(chunk)


def _check_end(file: BinaryIO | Any) -> None:
    """Read on to the end, which is what checks the checksum of a zip file."""
    if file.read(1):
        raise ValueError("holds more than its array")
