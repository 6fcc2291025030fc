"""Identities that the records of a scored video must satisfy, whatever the video is."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from magbench.core.text import one_line
from magbench.report.columns import SCORED
from magbench.runs.records import Record

Severity = Literal["error", "warning"]
EXACT = 1e-9
REGIONS = ("all", "out_of_window")


@dataclass(frozen=True)
class FoundFault:
    """One line: what is wrong, in which file."""

    severity: Severity
    where: str
    what: str

    def __str__(self) -> str:
        return one_line(f"{self.severity}: {self.where}: {self.what}")


def arithmetic(records: Sequence[Record]) -> Iterator[FoundFault]:
    """Identities that every record must satisfy."""
    by_place: dict[tuple[str, str, int], dict[tuple[str, str, str], Record]] = defaultdict(dict)
    for record in records:
        by_place[record.model, record.clip, record.sample][record.protocol, record.metric, record.region] = record
    for (model, clip, sample), own in sorted(by_place.items()):
        where = f"{model}, {clip}@{sample}"
        for (protocol, metric, region), record in sorted(own.items()):
            if protocol in ("ordered", "aligned") and region == "all" and record.per_frame:
                if not _close(record.value, fmean(record.per_frame)):
                    yield _fault(where, record, "is not the mean of its frames")
                far = own.get((protocol, metric, "out_of_window"))
                if far is not None and record.gap is not None and far.value is not None and far.n:
                    chosen = _far(record, far.n)
                    if chosen is not None and not _close(far.value, fmean(chosen)):
                        yield _fault(where, far, "is not the mean of its frames out of window")
            if record.value is not None and not _in_range(record):
                yield _fault(where, record, "is out of range")
        for region in REGIONS:
            score, cover = own.get(("ordered", "score", region)), own.get(("ordered", "coverage", region))
            if score and cover and _above(score.value, cover.value):
                yield _fault(where, score, f"is above its coverage {cover.value:.3f}")
        free, fixed = own.get(("legacy", "lpips", "all")), own.get(("aligned", "lpips", "all"))
        if free and fixed and _above(free.value, fixed.value):
            yield _fault(where, free, f"is above the aligned LPIPS {fixed.value:.3f}, which the free match cannot be")


def _far(record: Record, n: int) -> list[float] | None:
    """The values of the ``n`` frames of greatest gap, where those are told from the others by a threshold."""
    assert record.per_frame is not None and record.gap is not None
    pairs = sorted(zip(record.gap, record.per_frame, strict=True), key=lambda pair: -pair[0])
    if n < len(pairs) and pairs[n - 1][0] == pairs[n][0]:
        return None
    return [value for _, value in pairs[:n]]


RANGES = {"score": (0, 1), "coverage": (0, 1), "ssim": (-1, 1), "psnr": (0, 400), "lpips": (0, 10)}


def _in_range(record: Record) -> bool:
    low, high = RANGES.get(record.metric, (-math.inf, math.inf)) if record.protocol in SCORED else (-math.inf, math.inf)
    if (record.protocol, record.metric) == ("aligned", "psnr"):
        high = 100
    return record.value is not None and low - EXACT <= record.value <= high + EXACT


def _fault(where: str, record: Record, what: str) -> FoundFault:
    value = "none" if record.value is None else f"{record.value:.6g}"
    name = f"{record.protocol} {record.metric} over {record.region}"
    return FoundFault("error", "records.parquet", f"{where}: {name} {value} {what}")


def _close(value: float | None, wanted: float) -> bool:
    return value is not None and abs(value - wanted) <= EXACT * max(1.0, abs(wanted))


def _above(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and a > b + 1e-6
