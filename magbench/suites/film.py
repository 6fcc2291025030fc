"""``magbench suite film``: films in which the camera leaves a place and comes back become clips.

The true return is in the film: nothing is mirrored. Where it turns and what each later frame shows again is found by
the pixels (:mod:`magbench.suites.find_return`), drawn on a sheet for the eye, and mended by a table of corrections. A
hand-held return is never exact: a view counts as seen where a given frame shows half of it or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError, unknown
from magbench.core.files import SAFE_NAME
from magbench.core.rows import read_rows
from magbench.suites.clip import NO_REVISIT, SAME_VIEW, Clip
from magbench.suites.find_return import Seen, find_turn, find_way, look, see, spread
from magbench.suites.format import LONGEST, write_suite
from magbench.suites.mirror import SPLIT, VERSION, find_videos
from magbench.suites.official.folder import WINDOW
from magbench.suites.official.protocol import BLOCK, clip_name
from magbench.video.io import read_start, video_rate
from magbench.video.resize import resized

GIVEN_BACK = 0.25
"""Share of the way back that is given, so that a model can see that the camera turned."""
ABOUT = ("turn", "switch", "same", "different")
"""What a line of the corrections can say."""


@dataclass(frozen=True)
class Filming:
    """How films become clips.

    Attributes:
        frames: the most that is taken of a film, from its start.
        fps: of the suite; a film with a higher rate loses frames evenly, one with a lower rate is an error. None = that
            of the first film.
        size: (H, W) of a frame; cut to this shape, then shrunk. None = that of the films, which must all have one.
        limit: only the first so many films, by name.
        window: frames; a view last seen this many frames ago, or more, is out of the window.
        corrections: a CSV with the columns ``video``, ``what``, ``frame``, ``earlier``: ``turn`` or ``switch`` at a
            frame; frame and earlier frame show the ``same`` place, or ``different`` ones.
    """

    frames: int = 405
    fps: int | None = None
    size: tuple[int, int] | None = None
    limit: int | None = None
    window: int = WINDOW
    corrections: Path | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """What was found of one film: its frames, its turn and switch, and what shows what."""

    id: str
    video: NDArray[np.uint8]
    seen: Seen
    turn: int
    switch: int
    overlap: NDArray[np.float64]


@dataclass(frozen=True)
class Corrections:
    """Of one film: ``turn`` and ``switch``, None where nobody says, and (frame, earlier) -> share."""

    turn: int | None = None
    switch: int | None = None
    pairs: dict[tuple[int, int], float] = field(default_factory=dict)


def film(folder: Path, out: Path, how: Filming, *, name: str, licence: str) -> list[str]:
    """Write the suite, and beside it a sheet for each film in ``OUT-sheets``.

    Returns:
        What was left out, and why: a film that never returns is no clip.

    Raises:
        MagbenchError: no film returns, sizes differ, a line of the corrections means nothing.
    """
    if not SAFE_NAME.fullmatch(name):
        raise MagbenchError(f"'{name}' cannot be the name of a suite of your own; give --name")
    if out.exists():
        raise MagbenchError(f"{out}: is there already")
    videos, others = find_videos(folder)
    videos = videos[: how.limit]
    ids = {_id(path): path for path in videos}
    if len(ids) < len(videos):
        raise MagbenchError(f"{folder}: two films would be one clip: {', '.join(path.name for path in videos)}")
    given = {} if how.corrections is None else _corrections(how.corrections, videos)
    fps = how.fps or round(video_rate(videos[0]))
    left = [f"{path}: no video by its name" for path in others if path != how.corrections]
    clips = _clips(ids, how, fps, given, out, left)
    first = next(clips, None)
    if first is None:
        raise MagbenchError(f"{folder}: no film returns; the first: {left[0]}")

    def every() -> Iterator[Clip]:
        yield first
        yield from clips

    write_suite(out, every(), name=name, version=VERSION, split=SPLIT, fps=fps, window=how.window, licence=licence)
    return left


def _id(path: Path) -> str:
    found = clip_name(path.stem)
    if not found or len(found) > LONGEST:
        raise MagbenchError(f"{path.name[:40]}: its name has no letter or digit of ASCII, or is too long")
    return found


def _clips(
    ids: dict[str, Path], how: Filming, fps: int, given: dict[Path, Corrections], out: Path, left: list[str]
) -> Iterator[Clip]:
    from magbench.render.film_sheet import write_sheet

    size = how.size
    for clip_id, path in ids.items():
        video = _frames(path, how, fps)
        size = size or (video.shape[1], video.shape[2])
        if video.shape[1:3] != size:
            raise MagbenchError(f"{path}: frames are {video.shape[2]}x{video.shape[1]}, not as in others; give --size")
        try:
            found = find(clip_id, video, given.get(path, Corrections()))
        except MagbenchError as error:
            left.append(f"{path}: {error}")
            continue
        write_sheet(out.with_name(f"{out.name}-sheets") / f"{clip_id}.png", found.video, pairs(found), found.turn)
        yield clip_of(found, fps)


def find(clip_id: str, video: NDArray[np.uint8], told: Corrections = Corrections()) -> Found:
    """Find turn, switch and overlap of a film (T, H, W, 3).

    Raises:
        MagbenchError: the camera never comes back, or too little of the way back is left to be made.
    """
    looked = look(video)
    way = find_way(looked, told.turn)
    turn = find_turn(looked, way) if told.turn is None else told.turn
    switch = told.switch
    if switch is None:
        early = turn + 1 + GIVEN_BACK * (len(video) - turn - 1)
        switch = -(-(int(early) + 3) // BLOCK) * BLOCK - 3
    if not turn < switch < len(video):
        raise MagbenchError(f"turns at frame {turn} of {len(video)}: a model would start at frame {switch}")
    seen = see(looked, way)
    overlap = spread(seen, len(video))
    for (frame, earlier), share in told.pairs.items():
        if not 0 <= earlier < frame < len(video):
            raise MagbenchError(f"corrections: frames {frame} and {earlier} are not of its {len(video)}")
        overlap[frame, earlier] = share
    if not (overlap[switch:, :turn] >= SAME_VIEW).any():
        raise MagbenchError(f"nothing after frame {switch} shows a place that was seen before the turn at {turn}")
    return Found(clip_id, video, seen, turn, switch, overlap)


def clip_of(found: Found, fps: int) -> Clip:
    """The clip of a film; of each frame to be made the given frame that shows most of it is its revisit."""
    overlap = found.overlap.copy()
    overlap[: found.switch] = 0
    best = overlap[:, : found.switch].argmax(axis=1)
    seen = overlap[np.arange(len(overlap)), best] >= SAME_VIEW
    return Clip(
        id=found.id,
        caption="",
        category="film",
        speed="",
        fps=fps,
        switch=found.switch,
        frames=found.video,
        pose=None,
        revisit=np.where(seen, best, NO_REVISIT),
        overlap=overlap,
    )


def pairs(found: Found) -> list[tuple[int, int, float, float]]:
    """(frame, the given frame that shows most of it, share, confidence) of the return's frames that were looked at."""
    listed = []
    for i, frame in enumerate(found.seen.frames):
        if frame >= found.switch:
            before = found.seen.frames < found.switch
            j = int(np.where(before, found.seen.shares[i], 0).argmax())
            share, sure = found.seen.shares[i, j], found.seen.confidence[i, j]
            listed.append((int(frame), int(found.seen.frames[j]), float(share), float(sure)))
    return listed


def _frames(path: Path, how: Filming, fps: int) -> NDArray[np.uint8]:
    """The film at the suite's rate and size, cut to whole thirds of a block behind the first frame."""
    rate = video_rate(path)
    if rate < fps * 0.995:
        raise MagbenchError(f"{path}: has {float(rate):.5g} frames per second, {fps} wanted; frames are never repeated")
    step = max(float(rate) / fps, 1.0)
    video = read_start(path, int(how.frames * step) + 1)
    taken = [int(number * step + 0.5) for number in range(how.frames)]
    taken = [frame for frame in taken if frame < len(video)]
    size = how.size
    return video[taken] if size is None else np.stack([resized(video[frame], size) for frame in taken])


def _corrections(file: Path, videos: list[Path]) -> dict[Path, Corrections]:
    by_name = {name: path for path in videos for name in (path.stem, path.name)}
    found: dict[Path, Corrections] = {}
    for row in read_rows(file, ("video", "what", "frame", "earlier")):
        path = by_name.get(row.text("video"))
        if path is None:
            raise row.error(str(unknown("video", row.text("video"), (video.name for video in videos))))
        before, what, frame = found.get(path, Corrections()), row.text("what"), row.integer("frame")
        if what not in ABOUT:
            raise row.error(str(unknown("correction", what, ABOUT)))
        if what == "turn":
            found[path] = Corrections(frame, before.switch, before.pairs)
        elif what == "switch":
            found[path] = Corrections(before.turn, frame, before.pairs)
        else:
            pair = {(frame, row.integer("earlier")): float(what == "same")}
            found[path] = Corrections(before.turn, before.switch, before.pairs | pair)
    return found
