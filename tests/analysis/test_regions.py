"""Frames in the window: those that were seen before and are not out of the window, by plain counting."""

from __future__ import annotations

import numpy as np
import pytest

from magbench.analysis.regions import in_window
from tests.report.synthetic import WINDOW, records

RECORDS = [r for r in records(["mag"]) if r.region != "in_window"]


def test_each_score_gets_its_frames_in_the_window() -> None:
    made = in_window(RECORDS)
    wholes = [r for r in RECORDS if r.region == "all" and r.protocol != "cost"]
    assert len(made) == len(wholes) > 0
    for near, whole in zip(made, wholes, strict=True):
        assert (near.clip, near.protocol, near.metric, near.region) == (
            whole.clip,
            whole.protocol,
            whole.metric,
            "in_window",
        )
        inside = np.array(whole.per_frame)[np.array(whole.gap) < WINDOW]
        assert (near.value, near.n) == (pytest.approx(inside.mean()), len(inside))
        assert near.per_frame is None


def test_views_never_seen_are_in_neither_region() -> None:
    whole, far = RECORDS[:2]
    assert whole.gap is not None and whole.per_frame is not None and far.region == "out_of_window"
    never = whole.model_copy(update={"gap": [-1, *whole.gap[1:]]})
    (near,) = in_window([never, far])
    inside = [v for v, gap in list(zip(whole.per_frame, whole.gap, strict=True))[1:] if gap < WINDOW]
    assert (near.n, near.value) == (len(inside), pytest.approx(np.mean(inside)))
    nothing = whole.model_copy(update={"gap": [-1] * len(whole.gap)})
    (near,) = in_window([nothing, far.model_copy(update={"n": 0, "value": None})])
    assert (near.value, near.n) == (None, 0)


def test_records_that_are_there_are_not_made_again() -> None:
    assert in_window(records(["mag"])) == []
    assert in_window(RECORDS + in_window(RECORDS)) == []
