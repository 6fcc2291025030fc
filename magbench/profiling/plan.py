"""What a run will take, before anything starts: videos, device hours, disk, memory.

Times come from an earlier run's folder (its generations) or from a profile, never from a guess: a model of which
neither is known has no hours, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from magbench.core.errors import MagbenchError
from magbench.core.parsing import read_object
from magbench.core.shard import Shard
from magbench.metrics.frame.lpips import BATCH
from magbench.metrics.matrix import HELD_PIXELS
from magbench.runs.folder import RunFolder
from magbench.runs.generation import FRAMES_FILE, Generation, read_generation
from magbench.suites.clip import Clip
from magbench.suites.format import Suite

STORED = 0.75
"""Bytes of a stored pixel (3 bytes) over 3, where no earlier run says better: FFV1 of revisit-nano takes 0.73, of soft
pictures with noise at 832x480 0.43."""
PREVIEW = 0.12
"""Bytes of a pixel of a preview, its two sides at least 128 pixels: seen on revisit-nano."""
RECORDS = 1100
"""Bytes of records for each generated frame: seen on revisit-nano with all protocols and metrics."""
SCORED_S, FEATURES_S = 1.13e-6, 0.25e-6
"""Processor seconds that scoring a pixel takes, and each time that a pixel's features are made: seen on two cores of an
AMD EPYC, at 32x32 and 832x480."""
SCORER, FEATURES, PASSING = 350e6, 41, 115
"""Bytes of a process that scores: of itself, of a pixel's features, and of what is computed with a pixel."""
SHOWN = 128
"""Least side of a preview."""


@dataclass(frozen=True)
class Known:
    """What is known of one model.

    Attributes:
        curve: (blocks of history, seconds of the block behind it), from a profile; empty from a run.
        block: frames of a block, for ``curve``.
        per_pixel: seconds of a generated pixel, from a run.
        memory: most bytes of the device or process.
        source: where it was read.
    """

    source: str
    curve: tuple[tuple[float, float], ...] = ()
    block: int = 1
    per_pixel: float = 0.0
    memory: int | None = None

    def seconds(self, clip: Clip) -> float:
        """Seconds that a video of ``clip`` takes."""
        new = len(clip) - clip.switch
        if not self.curve:
            return self.per_pixel * new * clip.size[0] * clip.size[1]
        start, count = -(-clip.switch // self.block), -(-new // self.block)
        return sum(_at(self.curve, start + index) for index in range(count))


@dataclass(frozen=True)
class Share:
    """What the plan says of one model: its videos, device seconds (None: unknown), and bytes on disk."""

    model: str
    videos: int
    seconds: float | None
    disk: int
    memory: int | None
    source: str


@dataclass(frozen=True)
class Plan:
    """A plan for ``devices`` machines of one device each.

    Attributes:
        longest: device seconds of the longest share; None where a model's are unknown.
        loads: how often a model is read into a device.
        scoring: processor seconds of scoring all videos, one thread each.
        scorer: bytes that a process which scores holds at most.
    """

    shares: tuple[Share, ...]
    devices: int
    longest: float | None
    loads: int
    scoring: float
    scorer: int
    unknown: tuple[str, ...] = field(default=())

    @property
    def videos(self) -> int:
        return sum(share.videos for share in self.shares)

    @property
    def seconds(self) -> float:
        """Device seconds of the models that are known."""
        return sum(share.seconds or 0.0 for share in self.shares)

    @property
    def disk(self) -> int:
        return sum(share.disk for share in self.shares)


def plan(
    suite: Suite,
    models: Sequence[str],
    known: Mapping[str, Known],
    *,
    devices: int = 1,
    seeds: int = 1,
    limit: int | None = None,
) -> Plan:
    """Count what ``magbench generate SUITE --shard I/devices`` will make, share by share, and what it takes."""
    clips = suite.clips[:limit]
    tasks = [clip for clip in clips for _ in range(seeds)]
    seconds = {model: [known[model].seconds(clip) for clip in clips] for model in models if model in known}
    shares = []
    for model in models:
        found = known.get(model)
        shares.append(
            Share(
                model=model,
                videos=len(tasks),
                seconds=seeds * sum(seconds[model]) if found else None,
                disk=sum(map(disk_bytes, tasks)),
                memory=found.memory if found else None,
                source=found.source if found else "no run and no profile has it",
            )
        )
    each = [(index, model) for model in models for index in range(len(clips)) for _ in range(seeds)]
    longest, loads = 0.0, 0
    for number in range(1, devices + 1):
        mine = Shard(number, devices).of(each)
        loads += len({model for _, model in mine})
        longest = max(longest, sum(seconds[model][index] for index, model in mine if model in seconds))
    unknown = tuple(model for model in models if model not in known)
    scoring = len(models) * sum(map(scoring_seconds, tasks))
    scorer = max(map(scorer_bytes, clips), default=0)
    return Plan(tuple(shares), devices, None if unknown else longest, loads, scoring, scorer, unknown)


def scoring_seconds(clip: Clip) -> float:
    """Processor seconds of scoring one video of a clip.

    Of a return whose features are not held at once they are made again for each part of the truth that is.
    """
    pixels = _return_pixels(clip)
    parts = -(-pixels // HELD_PIXELS)
    return pixels * (SCORED_S + FEATURES_S * (1.5 * parts + 0.5))


def scorer_bytes(clip: Clip) -> int:
    """Bytes that a process holds at most which scores a clip, however long it is."""
    passing = BATCH * clip.size[0] * clip.size[1]
    return round(SCORER + FEATURES * (min(_return_pixels(clip), HELD_PIXELS) + passing) + PASSING * passing)


def _return_pixels(clip: Clip) -> int:
    return (len(clip) - clip.switch) * clip.size[0] * clip.size[1]


def disk_bytes(clip: Clip) -> int:
    """Bytes that one video of a clip takes with its preview and records."""
    height, width = clip.size
    new = len(clip) - clip.switch
    factor = max(1, -(-SHOWN // min(height, width)))
    return round(new * height * width * 3 * STORED + len(clip) * height * width * factor**2 * PREVIEW + new * RECORDS)


def read_known(place: Path) -> dict[str, Known]:
    """What an earlier run's folder, a folder with a profile, or a profile.json says of models."""
    if place.is_file():
        return _of_profile(place)
    found = _of_run(RunFolder(place))
    profile = RunFolder(place).profile
    found |= {
        name: one for name, one in (_of_profile(profile) if profile.is_file() else {}).items() if name not in found
    }
    if not found:
        raise MagbenchError(f"{place}: holds neither generations of a model nor {profile.name}")
    return found


def _of_run(folder: RunFolder) -> dict[str, Known]:
    """Seconds of a pixel by model, over all of its videos that were timed here."""
    made: dict[str, list[tuple[Generation, int]]] = {}
    for model in folder.generated_models():
        for place in sorted((folder.generations / model).iterdir()):
            one = read_generation(place)
            if one is not None and one.kind == "model" and one.seconds and (place / FRAMES_FILE).is_file():
                made.setdefault(model, []).append((one, _pixels(place)))
    return {
        model: Known(
            source=f"{folder}, {len(found)} videos on {found[0][0].device}",
            per_pixel=fmean(sum(one.seconds) / pixels for one, pixels in found),
            memory=max((one.device_peak_bytes or one.peak_rss_bytes or 0 for one, _ in found), default=0) or None,
        )
        for model, found in made.items()
    }


def _pixels(place: Path) -> int:
    """Pixels of a stored return; nothing is decoded."""
    from magbench.video.io import video_shape

    length, height, width, _ = video_shape(place / FRAMES_FILE)
    return length * height * width


def _of_profile(path: Path) -> dict[str, Known]:
    points: dict[str, list[dict[str, Any]]] = {}
    try:
        for point in read_object(path)["points"]:
            if point["seconds"] is not None:
                points.setdefault(str(point["model"]), []).append(point)
        return {
            model: Known(
                source=str(path),
                curve=tuple(sorted((float(p["history"]), float(p["seconds"])) for p in found)),
                block=max(1, round(found[0]["seconds"] * found[0]["fps"])),
                memory=max((p.get("peak_bytes") or 0 for p in found), default=0) or None,
            )
            for model, found in points.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise MagbenchError(f"{path}: not a profile ({error!r})") from error


def _at(curve: Sequence[tuple[float, float]], history: float) -> float:
    """The curve's value: straight between points, its first value before them, on along the last two behind them."""
    if len(curve) == 1 or history <= curve[0][0]:
        return curve[0][1]
    after = next((index for index, (x, _) in enumerate(curve) if x >= history), len(curve) - 1)
    (x0, y0), (x1, y1) = curve[after - 1], curve[after]
    return max(0.0, y0 + (y1 - y0) * (history - x0) / (x1 - x0))
