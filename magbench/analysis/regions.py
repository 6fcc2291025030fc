"""Scores of the frames whose view is still inside the window, from records of all frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from magbench.metrics import PROTOCOLS
from magbench.runs.records import Record

_Key = tuple[str, str, int, str, str]


def in_window(records: Sequence[Record]) -> list[Record]:
    """An ``in_window`` record for each record of all frames that has one out of window, unless there is one already.

    A frame is in the window if its view was seen before, and is not among the out-of-window frames, which are those
    with the longest gaps. Views that were never seen are in neither region.
    """
    counts = {_key(r): r.n for r in records if r.region == "out_of_window"}
    there = {_key(r) for r in records if r.region == "in_window"}
    return [
        _inside(record, counts[_key(record)])
        for record in records
        if record.protocol in PROTOCOLS
        and record.region == "all"
        and record.per_frame is not None
        and record.gap is not None
        and _key(record) in counts
        and _key(record) not in there
    ]


def _key(record: Record) -> _Key:
    return (record.model, record.clip, record.sample, record.protocol, record.metric)


def _inside(record: Record, far: int) -> Record:
    gap, values = np.array(record.gap), np.array(record.per_frame)
    chosen = values[(gap > 0) & (gap < (np.sort(gap)[-far] if far else np.inf))]
    blank = {"per_frame": None, "frame": None, "gap": None}
    value = float(chosen.mean()) if len(chosen) else None
    return record.model_copy(update=blank | {"region": "in_window", "value": value, "n": len(chosen)})
