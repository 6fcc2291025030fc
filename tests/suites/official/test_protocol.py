"""The official length and switch rule against the official loader's table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from magbench.core.errors import MagbenchError
from magbench.suites.official.protocol import OfficialCut, official_cut

TABLE = json.loads((Path(__file__).parents[2] / "golden" / "golden.json").read_text())["switch_table"]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['raw_frames']}-{row['duration']:g}")
def test_equals_the_official_table(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(MagbenchError) as caught:
            official_cut("x.mp4", row["raw_frames"], row["duration"])
        assert str(caught.value) == row["error"]
    else:
        cut = official_cut("x.mp4", row["raw_frames"], row["duration"])
        assert cut == OfficialCut(row["frames"], row["switch_frame"])


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), float("inf")])
def test_a_duration_that_is_none_is_refused(duration: float) -> None:
    with pytest.raises(MagbenchError, match=r"video x\.mp4 has duration\(sec\)"):
        official_cut("x.mp4", 105, duration)
