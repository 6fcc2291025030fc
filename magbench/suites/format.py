"""The one suite format on disk: ``suite.yaml``, ``clips.csv``, folders of videos, cameras and revisits.

``suite.yaml`` lists the sha256 of every other file, and every load checks them all. ``clips.csv`` has the
official columns (``video_path``, ``raw_caption``, ``duration(sec)``), then our own. A clip's id is the stem
of its video.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PositiveInt

from magbench.core.errors import MagbenchError, unknown
from magbench.core.files import SAFE_NAME, file_sha256, folder_written
from magbench.core.parsing import read_yaml
from magbench.core.rows import Row, read_rows, write_rows
from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.space import COLUMNS, check_space, read_space, write_space
from magbench.suites.stored import StoredVideo
from magbench.video.io import write_lossless

HEADER_FILE = "suite.yaml"
CLIPS_FILE = "clips.csv"
REQUIRED = ("video_path", "raw_caption", "duration(sec)", "switch_frame")
OWN = ("category", "speed", "pose_path", "revisit_path")
OPTIONAL = (*OWN, *COLUMNS)
PATHS = tuple(column for column in (*REQUIRED, *OPTIONAL) if column.endswith("_path"))
"""Columns that name files."""
LONGEST = 200
"""Characters of a clip's id: file systems allow 255 in a name, and ours add an ending."""
LONGEST_PATH = 1024
"""Bytes of a path inside a suite."""
POSES = (("x", "y", "log_scale"), ("x", "y", "z", "yaw", "pitch"))
"""Headings of camera numbers by how many there are."""


class Header(BaseModel):
    """``suite.yaml``. ``sha256``: relative path of every other file -> hex digest of its bytes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str
    version: PositiveInt
    split: str
    fps: PositiveInt
    window: PositiveInt
    licence: str
    sha256: dict[str, str]

    @property
    def digest(self) -> str:
        """Hex sha256 over everything that decides a score: the files, the frame rate and the window."""
        lines = [f"{sha}  {file}\n" for file, sha in sorted(self.sha256.items())]
        return hashlib.sha256("".join([f"fps {self.fps} window {self.window}\n", *lines]).encode()).hexdigest()


@dataclass(frozen=True)
class Suite:
    """A checked suite: everything but the pixels in memory.

    Attributes:
        fps: frames per second of every clip.
        window: frames; a view that was last seen this many frames ago, or more, is out of the window.
        digest: names the content, see :attr:`Header.digest`.
        clips: in the order of ``clips.csv``.
    """

    name: str
    version: int
    split: str
    fps: int
    window: int
    licence: str
    digest: str
    clips: tuple[Clip, ...]

    def clip(self, clip_id: str) -> Clip:
        for clip in self.clips:
            if clip.id == clip_id:
                return clip
        raise unknown(f"clip in {self.name}", clip_id, (clip.id for clip in self.clips))


def write_suite(
    folder: Path,
    clips: Iterable[Clip],
    *,
    name: str,
    version: int,
    split: str,
    fps: int,
    window: int,
    licence: str,
) -> None:
    """Write a suite; equal clips give equal bytes. The folder must be new, and appears once it is whole."""
    rows: dict[str, dict[str, object]] = {}
    with folder_written(folder) as half:
        for clip in clips:
            if clip.id in rows:
                raise MagbenchError(f"{folder}: clip '{clip.id}' is there twice")
            if clip.fps != fps:
                raise MagbenchError(f"{folder}: clip '{clip.id}' has {clip.fps} frames per second, its suite {fps}")
            rows[clip.id] = write_clip(half, clip)
        seal_new(
            half,
            list(rows.values()),
            name=name,
            version=version,
            split=split,
            fps=fps,
            window=window,
            licence=licence,
        )


def seal_new(folder: Path, rows: list[dict[str, object]], **header: Any) -> None:
    """Write the table and the header of a suite whose clips' files are there, from what ``write_clip`` gave."""
    columns = [*REQUIRED, *OWN, *(column for column in COLUMNS if any(column in row for row in rows))]
    write_rows(folder / CLIPS_FILE, columns, ([row.get(column, "") for column in columns] for row in rows))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sha256 = {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}
    text = yaml.safe_dump(Header(**header, sha256=sha256).model_dump(), sort_keys=False)
    (folder / HEADER_FILE).write_text(text, encoding="utf-8")


def write_clip(folder: Path, clip: Clip) -> dict[str, object]:
    """Write the files of one clip; returns its row of ``clips.csv``."""
    _check(clip, str(folder))
    video, pose, revisit = f"videos/{clip.id}.mkv", f"poses/{clip.id}.csv", f"revisits/{clip.id}.csv"
    write_lossless(folder / video, clip.source, clip.fps)
    if clip.pose is not None:
        numbers = ((t, *row) for t, row in enumerate(clip.pose.tolist()))
        write_rows(folder / pose, ("frame", *pose_names(clip.pose)), numbers)
    earlier = (("", "") if last == NO_REVISIT else (last, t - last) for t, last in enumerate(clip.revisit.tolist()))
    write_rows(folder / revisit, ("frame", "revisit", "gap"), ((t, *pair) for t, pair in enumerate(earlier)))
    pose_path = "" if clip.pose is None else pose
    duration = len(clip) / clip.fps
    values = (video, clip.caption, duration, clip.switch, clip.category, clip.speed, pose_path, revisit)
    return dict(zip((*REQUIRED, *OWN), values, strict=True)) | write_space(folder, clip)


def pose_names(pose: NDArray[np.float64]) -> list[str]:
    """Headings of the camera numbers (T, P)."""
    count = pose.shape[1]
    return next((list(names) for names in POSES if len(names) == count), [f"p{i}" for i in range(count)])


def load_suite(folder: Path) -> Suite:
    """Read and check a suite: every file there and unchanged, every clip whole, all of one frame size.

    Videos are counted, not decoded: that is done when a clip's ``frames`` are read, see :mod:`magbench.suites.stored`.
    """
    return load_with(folder, read_header(folder))


def load_with(folder: Path, header: Header) -> Suite:
    """The suite of a folder under a header that need not be the one in it."""
    for file, sha in sorted(header.sha256.items()):
        path = inside(folder, file)
        if not path.is_file():
            raise MagbenchError(f"{path}: is missing")
        if (found := file_sha256(path)) != sha:
            raise MagbenchError(
                f"{path}: changed, sha256 is {found[:12]}, {HEADER_FILE} says {sha[:12]};"
                f" if you meant to: magbench suite seal {folder}"
            )
    rows = read_rows(folder / CLIPS_FILE, REQUIRED, OPTIONAL)
    clips: dict[str, Clip] = {}
    for row in rows:
        clip = _read_clip(folder, header, row)
        if clip.id in clips:
            raise row.error(f"clip '{clip.id}' is there twice")
        clips[clip.id] = clip
        first = next(iter(clips.values()))
        if clip.size != first.size:
            sizes = "{1}x{0}, not {3}x{2}".format(*clip.size, *first.size)
            raise MagbenchError(f"{folder / row.text('video_path')}: frames are {sizes} as in the clips before")
    if not clips:
        raise MagbenchError(f"{folder / CLIPS_FILE}: has no clip")
    return Suite(**header.model_dump(exclude={"sha256"}), digest=header.digest, clips=tuple(clips.values()))


def read_header(folder: Path) -> Header:
    """``suite.yaml`` of a suite's folder."""
    if not folder.is_dir():
        raise MagbenchError(f"{folder}: no such folder")
    path = inside(folder, HEADER_FILE)
    if not path.is_file():
        raise MagbenchError(f"{path}: is missing")
    header = read_yaml(path, Header)
    if CLIPS_FILE not in header.sha256:
        raise MagbenchError(f"{path}: sha256 does not list {CLIPS_FILE}")
    return header


def inside(folder: Path, file: str) -> Path:
    """The path of one of the suite's files. One that leads out of the folder, as a link may, is an error."""
    relative = PurePosixPath(file)
    path = folder / relative
    if "\0" in file or len(file.encode()) > LONGEST_PATH:
        raise MagbenchError(f"{folder}: file {file[:40]!r}... cannot be the name of one")
    if relative.is_absolute() or ".." in relative.parts or not path.resolve().is_relative_to(folder.resolve()):
        raise MagbenchError(f"{folder}: file '{file}' leads out of the folder")
    return path


def _listed(folder: Path, header: Header, row: Row, column: str) -> Path:
    file = row.text(column)
    try:
        path = inside(folder, file)
    except MagbenchError as error:
        raise row.error(str(error)) from error
    if file not in header.sha256:
        raise row.error(f"{column} '{file}' is not among the files of {HEADER_FILE}")
    return path


def _read_clip(folder: Path, header: Header, row: Row) -> Clip:
    video = _listed(folder, header, row, "video_path")
    frames = StoredVideo.found(video, header.sha256[row.text("video_path")])
    length = frames.shape[0]
    duration = row.real("duration(sec)")
    if round(duration * header.fps) != length:
        held = f"{row.text('video_path')}: holds {length} frames"
        raise row.error(f"{held}, but {duration:g} s at {header.fps} per second")
    pose, revisit = None, np.full(length, NO_REVISIT, np.int64)
    if row.text("pose_path"):
        pose = _read_pose(_listed(folder, header, row, "pose_path"), length)
    if row.text("revisit_path"):
        revisit = _read_revisit(_listed(folder, header, row, "revisit_path"), length)

    def listed(column: str) -> tuple[Path, str]:
        return _listed(folder, header, row, column), header.sha256[row.text(column)]

    space: dict[str, Any] = read_space(row, frames.shape[:3], listed)
    clip = Clip(
        id=PurePosixPath(row.text("video_path")).stem,
        caption=row.text("raw_caption"),
        category=row.text("category"),
        speed=row.text("speed"),
        fps=header.fps,
        switch=row.integer("switch_frame"),
        frames=frames,
        pose=pose,
        revisit=revisit,
        **space,
    )
    _check(clip, f"{row.path}: line {row.line}")
    return clip


def _read_pose(path: Path, length: int) -> NDArray[np.float64]:
    rows = _one_a_frame(path, read_rows(path, ("frame",), None), length)
    columns = [column for column in rows[0].values if column != "frame"]
    return np.array([[row.real(column) for column in columns] for row in rows], np.float64)


def _read_revisit(path: Path, length: int) -> NDArray[np.int64]:
    revisit = np.full(length, NO_REVISIT, np.int64)
    for frame, row in enumerate(_one_a_frame(path, read_rows(path, ("frame", "revisit", "gap")), length)):
        if (row.text("revisit"), row.text("gap")) == ("", ""):
            continue
        revisit[frame] = row.integer("revisit")
        if not 0 <= revisit[frame] < frame or row.integer("gap") != frame - revisit[frame]:
            raise row.error(f"revisit '{row.text('revisit')}' with gap '{row.text('gap')}' cannot be")
    return revisit


def _one_a_frame(path: Path, rows: list[Row], length: int) -> list[Row]:
    if len(rows) != length:
        raise MagbenchError(f"{path}: {len(rows)} rows for {length} frames")
    for frame, row in enumerate(rows):
        if row.integer("frame") != frame:
            raise row.error(f"frame '{row.text('frame')}' where {frame} should be")
    return rows


def _check(clip: Clip, where: str) -> None:
    if len(clip.id) > LONGEST:
        raise MagbenchError(
            f"{where}: clip id '{clip.id[:40]}...' has {len(clip.id)} characters, at most {LONGEST} fit"
        )
    if not SAFE_NAME.fullmatch(clip.id):
        raise MagbenchError(f"{where}: clip id '{clip.id}' may only hold letters, digits, '.', '_' and '-'")
    length = len(clip)
    if not 0 < clip.switch < length:
        raise MagbenchError(f"{where}: clip '{clip.id}': switch_frame {clip.switch} is not in its {length} frames")
    if len(clip.revisit) != length or (clip.pose is not None and len(clip.pose) != length):
        raise MagbenchError(f"{where}: clip '{clip.id}': cameras or revisits do not have its {length} frames")
    check_space(clip, where)
