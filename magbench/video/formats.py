"""Videos made elsewhere, in the forms they come in: a video file, a folder of PNG files, or an ``.npz`` file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.core.arrays import rows_of_npz
from magbench.core.errors import MagbenchError, Misfit
from magbench.core.files import file_sha256
from magbench.video.frames import FrameSource, Gathered
from magbench.video.io import Most, check_fits, open_video, read_video, video_rate

KEY = "frames"
"""Name of the array in an ``.npz`` file."""

_NUMBERED = re.compile(r"(.*?)(\d+)\.png", re.IGNORECASE | re.DOTALL)


TIMED = (".mp4", ".mkv", ".webm")
"""Forms that carry a frame rate."""


def _read_timed(path: Path, fps: int, most: Most | None) -> FrameSource:
    return open_video(path, fps, most)


def _read_npz(path: Path, fps: int, most: Most | None) -> FrameSource:
    """The array ``frames`` of an ``.npz`` file, (T, H, W, 3) uint8 RGB. It has no frame rate of its own."""

    def check(shape: tuple[int, ...]) -> None:
        if len(shape) != 4 or shape[3] != 3:
            raise MagbenchError(f"{KEY} has shape {shape}, (T, H, W, 3) wanted")
        if 0 in shape:
            raise MagbenchError(f"holds no frame, {KEY} has shape {shape}")
        check_fits(shape, most)

    frames = Gathered()
    for frame in rows_of_npz(path, KEY, np.uint8, check):
        frames.add(frame)
    return frames.frames()


def _read_pngs(folder: Path, fps: int, most: Most | None) -> FrameSource:
    """The PNG files of a folder, in order of the number that ends each name. They have no frame rate of their own."""
    files = numbered_pngs(folder)
    if most is not None and len(files) > most[0]:
        raise Misfit(f"{folder}: holds {len(files)} frames, at most {most[0]} wanted")
    frames, shape = Gathered(), read_video(files[0], None, most).shape
    for file in files:
        frame = read_video(file, None, most)
        if len(frame) != 1:
            raise MagbenchError(f"{file}: holds {len(frame)} pictures, one wanted")
        if frame.shape != shape:
            sizes = "{1}x{0}, not {3}x{2}".format(*frame.shape[1:3], *shape[1:3])
            raise MagbenchError(f"{file}: is {sizes} as in the files before")
        frames.add(frame[0])
    return frames.frames()


def numbered_pngs(folder: Path) -> list[Path]:
    """The PNG files of a folder by number: one prefix, no number missing or twice. Any other file is an error."""
    found: dict[int, Path] = {}
    prefixes: set[str] = set()
    for file in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        match = _NUMBERED.fullmatch(file.name)
        if match is None:
            raise MagbenchError(f"{file}: is not a PNG file whose name ends in a number, as 0001.png")
        number = int(match[2])
        if number in found:
            raise MagbenchError(f"{file}: has the same number as {found[number].name}")
        found[number] = file
        prefixes.add(match[1])
    if not found:
        raise MagbenchError(f"{folder}: holds no PNG file")
    if len(prefixes) > 1:
        raise MagbenchError(f"{folder}: names start differently: '{min(prefixes)}', '{max(prefixes)}'")
    first, last = min(found), max(found)
    missing = [number for number in range(first, min(last, first + len(found)) + 1) if number not in found]
    if missing:
        raise MagbenchError(f"{folder}: number {missing[0]} is missing between {first} and {last}")
    return [found[number] for number in range(first, last + 1)]


READERS: dict[str, Callable[[Path, int, Most | None], FrameSource]] = {
    "": _read_pngs,
    **dict.fromkeys(TIMED, _read_timed),
    ".npz": _read_npz,
}
"""Form -> reader of (path, frames per second wanted, size wanted); see :func:`form`."""


def form(path: Path) -> str:
    """The key of ``READERS``: the file's suffix in small letters, "" for a folder."""
    return "" if path.is_dir() else path.suffix.lower()


def read_finished(path: Path, fps: int, most: Most | None = None) -> NDArray[np.uint8]:
    """:func:`open_finished`, all of it in memory."""
    return np.asarray(open_finished(path, fps, most))


def open_finished(path: Path, fps: int, most: Most | None = None) -> FrameSource:
    """(T, H, W, 3) uint8 RGB: every frame of a video made elsewhere; a long one is on the disk then.

    Args:
        fps: what a video file has to have; the other forms carry no rate and are taken at their word.
        most: frames, height and width: of another size, or longer, it is refused before it takes that memory.
    """
    if not path.exists():
        raise MagbenchError(f"{path}: no such file")
    if not path.is_file() and not path.is_dir():
        raise MagbenchError(f"{path}: is neither a file nor a folder")
    return READERS[form(path)](path, fps, most)


def open_untimed(path: Path) -> tuple[FrameSource, Fraction | None]:
    """The same at whatever rate it has, and that rate; None where the form carries none."""
    if form(path) not in TIMED:
        return open_finished(path, 0), None
    return open_video(path), video_rate(path)


def finished_sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes; of a folder of PNG files, of their names and their sha256."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise MagbenchError(f"{path}: is neither a file nor a folder")
    try:
        if not path.is_dir():
            return file_sha256(path)
        lines = [f"{file_sha256(file)}  {file.name}\n" for file in numbered_pngs(path)]
    except OSError as error:
        raise MagbenchError(f"{path}: cannot be read ({error.strerror})") from error
    return hashlib.sha256("".join(lines).encode()).hexdigest()
