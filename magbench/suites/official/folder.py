"""The official MAG-Bench data as it is published: one CSV beside its videos, read as a suite.

The CSV is the one with the official columns; it may have more. Clips are cut as the official loader cuts them
(:mod:`magbench.suites.official.protocol`). The videos are a way out and its reversal; the data do not say where they
turn, so that is found by pixels (:mod:`magbench.suites.turn`). A clip that is no mirror has no revisits: it counts
among all return frames and not among those out of the window.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveInt

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256, spelled, write_atomic
from magbench.core.parsing import read_described
from magbench.core.rows import Row, read_header, read_rows
from magbench.suites import turn
from magbench.suites.clip import Clip
from magbench.suites.format import LONGEST, Header, Suite, inside
from magbench.suites.official.protocol import FPS, clip_name, official_cut
from magbench.suites.stored import StoredVideo
from magbench.video.io import open_video

NAME = "mag-bench"
VERSION = 1
SPLIT = "test"
LICENCE = "see the data set"
COLUMNS = ("video_path", "raw_caption", "duration(sec)")
WINDOW = 81
"""Pixel frames of 21 latent frames, the window of the models that the official tables compare: 4 (21 - 1) + 1."""


class _Facts(BaseModel):
    """What decoding a video says, kept beside the cached suites so that each file is decoded for it once."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    turn_version: int
    frames: PositiveInt
    height: PositiveInt
    width: PositiveInt
    mirror: int | None


def open_official(folder: Path) -> Suite:
    """Read and check an official folder. The first time, every video is decoded; later only its sha256 is taken.

    Frames may differ in size from clip to clip; every video has 16 frames per second.
    """
    from magbench.hub.cache import cache_folder

    table = _find_table(folder)
    clips: dict[str, Clip] = {}
    hashes = {table.name: file_sha256(table)}
    for row in read_rows(table, COLUMNS, None):
        path = _video(table.parent, row)
        name = row.text("video_path")
        hashes[name] = file_sha256(path)
        clip = _clip(row, path, hashes[name], cache_folder() / "official")
        if clip.id in clips:
            raise row.error(f"clip '{clip.id}' is there twice")
        clips[clip.id] = clip
    if not clips:
        raise MagbenchError(f"{table}: has no clip")
    header = Header(name=NAME, version=VERSION, split=SPLIT, fps=FPS, window=WINDOW, licence=LICENCE, sha256=hashes)
    return Suite(**header.model_dump(exclude={"sha256"}), digest=header.digest, clips=tuple(clips.values()))


def _find_table(folder: Path) -> Path:
    """The only CSV, at any depth, with the official columns."""
    if not folder.is_dir():
        raise MagbenchError(f"{folder}: no such folder")
    tables = sorted(path for path in folder.rglob("*.csv") if path.is_file())
    if not tables:
        raise MagbenchError(f"{folder}: holds no CSV")
    lacking = {path: sorted(set(COLUMNS) - set(read_header(path))) for path in tables}
    official = [path for path, columns in lacking.items() if not columns]
    if len(official) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in official)
        raise MagbenchError(f"{folder}: several CSVs have the official columns: {names}")
    if not official:
        nearest = min(tables, key=lambda path: len(lacking[path]))
        raise MagbenchError(f"{nearest}: column '{lacking[nearest][0]}' is missing")
    return inside(folder, official[0].relative_to(folder).as_posix())


def _video(folder: Path, row: Row) -> Path:
    try:
        path = spelled(inside(folder, row.text("video_path")))
    except MagbenchError as error:
        raise row.error(str(error)) from error
    if not path.is_file():
        raise row.error(f"video '{row.text('video_path')}' is missing")
    return path


def _clip(row: Row, path: Path, sha256: str, cache: Path) -> Clip:
    name = clip_name(path.stem)
    if not name:
        raise row.error(f"video '{row.text('video_path')}' has no letter or digit of ASCII in its name")
    if len(name) > LONGEST:
        raise row.error(f"the name of video '{name[:40]}...' has {len(name)} characters, at most {LONGEST} fit")
    duration = row.real("duration(sec)")
    facts = _facts(path, cache / f"{sha256}.json")
    try:
        cut = official_cut(row.text("video_path"), facts.frames, duration)
    except MagbenchError as error:
        raise row.error(str(error)) from error
    return Clip(
        id=name,
        caption=row.text("raw_caption"),
        category="",
        speed="",
        fps=FPS,
        switch=cut.switch,
        frames=StoredVideo(path, sha256, (cut.frames, facts.height, facts.width, 3), facts.frames),
        pose=None,
        revisit=turn.mirrored_revisits(cut.frames, facts.mirror),
    )


def _facts(path: Path, kept: Path) -> _Facts:
    try:
        facts = read_described(kept, _Facts)
        if facts.turn_version == turn.VERSION:
            return facts
    except MagbenchError:
        pass  # not there, or damaged: made again
    frames = open_video(path, FPS)
    length, height, width = frames.shape[:3]
    mirror = turn.find_mirror(frames)
    facts = _Facts(turn_version=turn.VERSION, frames=length, height=height, width=width, mirror=mirror)
    try:
        write_atomic(kept, facts.model_dump_json() + "\n")
    except OSError as error:
        raise MagbenchError(f"{kept}: cannot be written ({error.strerror}); MAGBENCH_CACHE names another") from error
    return facts
