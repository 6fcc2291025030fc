"""How much of a place a model retains: 0 as for another scene, 1 as for the truth through the codec.

Retention = (floor - score) / (floor - ceiling), of aligned scores of one clip. The floor is the return of another
scene (reference ``wrong_scene``), the ceiling the true return through the codec (``codec``; ``oracle`` where the run
has none). It is not clipped: a model may do worse than another scene, or better than the codec.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magbench.metrics import ALIGNED, METRICS
from magbench.metrics.spec import MainColumn, ScoreSpec
from magbench.runs.records import Record, Region

PROTOCOL = "retention"
VERSION = 1
SOURCE = ALIGNED.name
FLOOR = "wrong_scene"
CEILINGS = ("codec", "oracle")

NOISE: Mapping[str, float] = MappingProxyType({m.name: m.noise for m in METRICS if m.noise is not None})
"""Metrics, and the least |floor - ceiling| of a clip or frame that says anything. At least twice what encoding a clip
again (H.264, crf 20) was seen to change in its mean: 0.5 dB, 0.005, 0.0003."""

CAPS: Mapping[str, float] = MappingProxyType({m.name: m.cap for m in METRICS if m.cap is not None})
"""What a better frame counts as, in score, floor and ceiling alike. An exact frame has no finite PSNR; at 40 dB the
error is 2.6 of 255 grey levels, and what lies above says nothing about memory."""

RETENTION = tuple(
    ScoreSpec(
        protocol=PROTOCOL,
        protocol_version=VERSION,
        name=metric.name,
        title=metric.title,
        version=metric.version,
        better="higher",
        about=f"by {metric.name}: 0 another scene, 1 the truth through the codec",
        main=MainColumn(5, "retention ↑") if metric.name == "lpips" else None,
        missing="needs aligned scores of this model, of `wrong_scene` and of `codec` or `oracle` in the same run",
    )
    for metric in METRICS
    if metric.noise is not None
)

Values = NDArray[np.float64]
_Key = tuple[str, str, int, str]  # model, clip, sample, metric


@dataclass(frozen=True)
class _Frames:
    """Aligned scores (n,) of one generation, PSNR capped, and in which regions each frame lies."""

    values: Values
    regions: dict[Region, NDArray[np.bool_]]


@dataclass(frozen=True)
class Ends:
    """(clip, sample, metric) -> frames of the floor, and of the ceiling."""

    floors: Mapping[tuple[str, int, str], _Frames]
    ceilings: Mapping[tuple[str, int, str], _Frames]


def retention(records: Sequence[Record]) -> list[Record]:
    """Retention of every model and reference of a run, from its aligned records; [] without floor or ceiling.

    A region's value is the ratio of the region's means, which is steadier than the mean of the frames' ratios;
    ``per_frame`` (region ``all``) holds the ratios of those frames that have a range. ``value`` is None, and ``n`` 0,
    where a clip has no frame in the region, no range (see ``NOISE``), or no floor and ceiling of its own.
    """
    return retained(records, ends_of([records]))


def ends_of(parts: Iterable[Iterable[Record]]) -> Ends | None:
    """Floor and ceiling of every clip, from a run's references; None if it lacks either.

    parts: the records of one or more generations each; only the frames' scores of a part stay in memory.
    """
    found = {
        _key(record): frames
        for part in parts
        for record, frames in _whole(r for r in part if r.model == FLOOR or r.model in CEILINGS)
    }
    models = {model for model, *_ in found}
    ceiling = next((name for name in CEILINGS if name in models), None)
    if ceiling is None or FLOOR not in models:
        return None
    floors, ceilings = ({key[1:]: f for key, f in found.items() if key[0] == name} for name in (FLOOR, ceiling))
    return Ends(floors, ceilings)


def retained(records: Iterable[Record], ends: Ends | None) -> list[Record]:
    """Retention of some models of a run, between ends that :func:`ends_of` found; [] without."""
    if ends is None:
        return []
    return [
        made
        for record, frames in _whole(records)
        for made in _retained(record, frames, ends.floors.get(_key(record)[1:]), ends.ceilings.get(_key(record)[1:]))
    ]


def _whole(records: Iterable[Record]) -> list[tuple[Record, _Frames]]:
    """The aligned records of all frames, each with its frames."""
    chosen = [r for r in records if r.protocol == SOURCE and r.metric in NOISE]
    far = {_key(r): r.n for r in chosen if r.region == "out_of_window"}
    whole = [r for r in chosen if r.region == "all" and r.per_frame is not None]
    return [(r, _frames(r, far.get(_key(r), 0))) for r in whole]


def without_value(records: Iterable[Record], metric: str, region: Region) -> dict[str, int]:
    """Model -> clips whose retention in a region is unknown: a mean leaves them out, and has to say so."""
    found: dict[str, dict[str, bool]] = {}
    for r in records:
        if (r.protocol, r.metric, r.region) == (PROTOCOL, metric, region):
            clips = found.setdefault(r.model, {})
            clips[r.clip] = clips.get(r.clip, False) or r.value is not None
    return {model: sum(not known for known in clips.values()) for model, clips in found.items()}


def _key(record: Record) -> _Key:
    return (record.model, record.clip, record.sample, record.metric)


def _frames(record: Record, far: int) -> _Frames:
    """The out-of-window frames are those ``far`` with the longest gaps; views never seen are in neither region."""
    values, gap = np.array(record.per_frame), np.array(record.gap)
    least = np.sort(gap)[-far] if far else np.inf
    seen, outside = gap > 0, gap >= least
    return _Frames(
        np.minimum(values, CAPS.get(record.metric, np.inf)),
        {"all": np.ones(len(gap), bool), "out_of_window": outside, "in_window": seen & ~outside},
    )


def _retained(record: Record, score: _Frames, floor: _Frames | None, ceiling: _Frames | None) -> list[Record]:
    """A record for each region."""
    fields: dict[str, Any] = {"protocol": PROTOCOL, "protocol_version": VERSION, "unit": "", "better": "higher"}
    made = []
    for region, chosen in score.regions.items():
        fields |= {"region": region, "value": None, "n": 0, "per_frame": None, "frame": None, "gap": None}
        if floor is not None and ceiling is not None:
            n = int(chosen.sum())
            ends = [ends.values for ends in (score, floor, ceiling)]
            means = [values[chosen].mean(keepdims=True) if n else values[:0] for values in ends]
            ratio, known = _ratio(record.metric, *means)
            if known.any():
                fields |= {"value": float(ratio[0]), "n": n}
            if region == "all":
                ratio, known = _ratio(record.metric, *ends)
                fields |= {
                    "per_frame": ratio[known].tolist(),
                    "frame": np.array(record.frame)[known].tolist(),
                    "gap": np.array(record.gap)[known].tolist(),
                }
        made.append(record.model_copy(update=fields))
    return made


def _ratio(metric: str, score: Values, floor: Values, ceiling: Values) -> tuple[Values, NDArray[np.bool_]]:
    """(n,) retention, and where the range says anything."""
    span = floor - ceiling
    known = np.abs(span) >= NOISE[metric]
    return (floor - score) / np.where(known, span, 1.0), known
