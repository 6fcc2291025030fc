"""``magbench suite mirror``: a folder of ordinary videos becomes leave-and-return clips.

A clip is the first ``turn + 1`` frames of a video and then the same frames backwards: frame t shows what frame
``2 turn - t`` showed, to the bit. The model is given the way out and the first frames of the way back, so that it can
see that the camera turned; it makes the rest. Where the camera is nobody knows, so the clips have no pose of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError, unknown
from magbench.core.files import SAFE_NAME
from magbench.core.rows import read_rows
from magbench.suites.clip import Clip
from magbench.suites.format import LONGEST, write_suite
from magbench.suites.official.folder import WINDOW
from magbench.suites.official.protocol import BLOCK, CONTEXT_SHARE, clip_name
from magbench.suites.turn import mirrored_revisits
from magbench.video.frame_rate import RATE
from magbench.video.io import read_start, video_rate
from magbench.video.resize import cut, resized

SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")
FRAMES = 105
SPLIT = "test"
VERSION = 1


@dataclass(frozen=True)
class Mirroring:
    """How videos become clips.

    Attributes:
        frames: of a clip, an odd number: the turning frame stands once.
        gap: frames of the way back that the model is given; None = so that the switch is where the official protocol
            puts it, after three quarters of the clip and a little more, at 12 k - 3.
        fps: of the suite. A video with more loses frames evenly, each frame in the clip being the one nearest in time;
            one with fewer is an error. Within half a per cent a rate is the same: 29.97 is 30. None = that of the
            videos, which must all have the same whole number.
        size: (H, W) of a frame; a video is cut to this shape around its middle, then every pixel is the mean of the
            area that it covers; a smaller one is an error. None = that of the videos, which must all have the same.
        limit: only the first so many videos, by name.
        window: frames; a view last seen this many frames ago, or more, is out of the window. The default is that of
            the official data: 21 latent frames, 81 pixel frames.
        track: None = no pose. Else each frame gets the camera (x, 0, 0), x = how many frames of the way out lead to
            it, times this many view widths: a made-up place, the same wherever the view is the same, for models that
            cannot do without one.
        captions: a CSV with the columns ``video`` (file name, or its stem) and ``caption``, one line for each video;
            None = no clip has a caption.
    """

    frames: int = FRAMES
    gap: int | None = None
    fps: int | None = None
    size: tuple[int, int] | None = None
    limit: int | None = None
    window: int = WINDOW
    track: float | None = None
    captions: Path | None = None

    @property
    def turn(self) -> int:
        return (self.frames - 1) // 2

    @property
    def switch(self) -> int:
        if self.gap is not None:
            return self.turn + 1 + self.gap
        return -(-(int(CONTEXT_SHARE * self.frames) + 3) // BLOCK) * BLOCK - 3


def mirror(folder: Path, out: Path, how: Mirroring, *, name: str, licence: str) -> list[Path]:
    """Write the suite; returns the files of the folder that are no videos, by their suffix, and were left alone."""
    from magbench.suites.registry import embedded

    _check(how)
    if not SAFE_NAME.fullmatch(name) or name in embedded():
        raise MagbenchError(f"'{name}' cannot be the name of a suite of your own; give --name")
    if not licence.strip() or "\n" in licence:
        raise MagbenchError(f"--licence {licence!r}: is one line, an SPDX name as CC-BY-4.0 is, or 'not stated'")
    if out.exists():
        raise MagbenchError(f"{out}: is there already")
    videos, others = find_videos(folder)
    videos = videos[: how.limit]
    captions = {} if how.captions is None else _captions(how.captions, videos)
    if how.captions is not None:
        others = [path for path in others if path.resolve() != how.captions.resolve()]
    ids: dict[str, Path] = {}
    for path in videos:
        clip_id = clip_name(path.stem)
        if not clip_id:
            raise MagbenchError(f"{path}: has no letter or digit of ASCII in its name")
        if len(clip_id) > LONGEST:
            raise MagbenchError(f"{path.name[:40]}...: its name has {len(clip_id)} characters, at most {LONGEST} fit")
        if clip_id in ids:
            raise MagbenchError(f"{path}: would be clip '{clip_id}', as {ids[clip_id].name} is")
        ids[clip_id] = path
    fps = how.fps or _common_rate(videos)
    write_suite(
        out,
        _clips(ids, how, fps, captions),
        name=name,
        version=VERSION,
        split=SPLIT,
        fps=fps,
        window=how.window,
        licence=licence,
    )
    return others


def _check(how: Mirroring) -> None:
    if how.frames % 2 == 0 or how.frames < 3:
        raise MagbenchError(f"--frames {how.frames}: must be odd and 3 or more, the turning frame stands once")
    if not how.turn < how.switch < how.frames:
        raise MagbenchError(
            f"--frames {how.frames}: the model would start at frame {how.switch}; give more --frames"
            f" or a --gap below {how.turn}"
        )
    if 2 * how.turn < how.window:
        raise MagbenchError(
            f"--window {how.window}: the last of {how.frames} frames was last seen {2 * how.turn} frames before,"
            " so no frame would be out of the window; give more --frames or a smaller --window"
        )


def find_videos(folder: Path) -> tuple[list[Path], list[Path]]:
    """(videos, other files) of a folder, by name. Hidden files are neither."""
    if not folder.is_dir():
        raise MagbenchError(f"{folder}: no such folder")
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    videos = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not videos:
        raise MagbenchError(f"{folder}: holds no video ({', '.join(SUFFIXES)})")
    return videos, [path for path in files if path not in videos]


def _captions(file: Path, videos: list[Path]) -> dict[Path, str]:
    """Video -> caption; a video without a line and a line without a video are errors."""
    by_name = {name: path for path in videos for name in (path.stem, path.name)}
    found: dict[Path, str] = {}
    for row in read_rows(file, ("video", "caption")):
        path = by_name.get(row.text("video"))
        if path is None:
            raise row.error(str(unknown("video", row.text("video"), (video.name for video in videos))))
        if path in found:
            raise row.error(f"video '{row.text('video')}' is there twice")
        found[path] = row.text("caption")
    if missing := [path.name for path in videos if path not in found]:
        raise MagbenchError(f"{file}: no line for {len(missing)} of {len(videos)} videos, first {missing[0]}")
    return found


def _common_rate(videos: list[Path]) -> int:
    first = video_rate(videos[0])
    for path in videos:
        rate = video_rate(path)
        if rate != first:
            raise MagbenchError(
                f"{path}: has {float(rate):.5g} frames per second, {videos[0].name} {float(first):.5g}; give --fps"
            )
    if first.denominator != 1:
        raise MagbenchError(f"{videos[0]}: has {float(first):.5g} frames per second, no whole number; give --fps")
    return first.numerator


def _clips(ids: dict[str, Path], how: Mirroring, fps: int, captions: dict[Path, str]) -> Iterator[Clip]:
    size: tuple[int, ...] | None = how.size
    for clip_id, path in ids.items():
        away = _way_out(path, how, fps)
        size = size or away.shape[1:3]
        if away.shape[1:3] != size:
            sides = "{1}x{0}, not {3}x{2}".format(*away.shape[1:3], *size)
            raise MagbenchError(f"{path}: frames are {sides} as in the videos before; give --size")
        yield Clip(
            id=clip_id,
            caption=captions.get(path, ""),
            category="mirror",
            speed="",
            fps=fps,
            switch=how.switch,
            frames=np.concatenate([away, away[-2::-1]]),
            pose=None if how.track is None else _track(how, how.track),
            revisit=mirrored_revisits(how.frames, 2 * how.turn),
        )


def _track(how: Mirroring, step: float) -> NDArray[np.float64]:
    """(T, 3) float64 x, y, log-scale."""
    place = how.turn - np.abs(np.arange(how.frames) - how.turn)
    return np.stack([place * step, *np.zeros((2, how.frames))], axis=1)


def _way_out(path: Path, how: Mirroring, fps: int) -> NDArray[np.uint8]:
    """(turn + 1, H, W, 3) uint8: the frames of the way out, taken at ``fps`` and brought to size."""
    rate = video_rate(path)
    if abs(rate / fps - 1) <= RATE:
        rate = Fraction(fps)
    if rate < fps:
        raise MagbenchError(f"{path}: has {float(rate):.5g} frames per second, {fps} wanted; frames are never repeated")
    taken = [int(number * rate / fps + Fraction(1, 2)) for number in range(how.turn + 1)]
    frames = read_start(path, taken[-1] + 1)
    if len(frames) <= taken[-1]:
        raise MagbenchError(
            f"{path}: has {len(frames)} frames, {taken[-1] + 1} are needed for a clip of {how.frames};"
            " give fewer --frames or leave it out"
        )
    return frames[taken] if how.size is None else np.stack([_resize(frames[t], how.size, path) for t in taken])


def _resize(frame: NDArray[np.uint8], size: tuple[int, int], path: Path) -> NDArray[np.uint8]:
    """Cut to the shape of ``size`` around the middle, then shrink by area."""
    height, width = frame.shape[:2]
    try:
        cut(height, width, size)
    except MagbenchError as error:
        raise MagbenchError(f"{path}: --size: {error}") from error
    if height < size[0] or width < size[1]:
        raise MagbenchError(f"{path}: frames are {width}x{height}, smaller than {size[1]}x{size[0]}")
    return resized(frame, size)
