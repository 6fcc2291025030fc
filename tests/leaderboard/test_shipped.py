"""The submissions that ship pass, and stand on the board as rescored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from magbench.core.plugins import POLICIES, found_plugins
from magbench.leaderboard.build import build, rows_of
from magbench.leaderboard.check import check
from magbench.leaderboard.own import read_references
from magbench.leaderboard.submission import find_submissions

ROOT = Path(__file__).parents[2] / "leaderboards"


@pytest.mark.parametrize("folder", find_submissions(ROOT / "submissions"), ids=lambda path: path.parent.name)
def test_each_passes(folder: Path) -> None:
    assert check(folder) == []


def test_the_page_that_ships_is_theirs() -> None:
    """Numbers may differ in the last digits on another processor."""
    there, *_ = json.loads((ROOT / "page" / "board.json").read_text())
    own = read_references(sorted(ROOT.glob("*/records.parquet")))
    (built,) = build(ROOT / "submissions", own)
    rows = json.loads(json.dumps(rows_of(built)))
    assert [(row["model"], row["trust"], row.get("rank")) for row in rows] == [
        (row["model"], row["trust"], row.get("rank")) for row in there["rows"]
    ]
    models = [row for row in rows if row["trust"] == "rescored"]
    default = {"full_history", "mag", "strided", "window", "window_sink", "window_trained"}
    nano = {plugin.name for plugin in found_plugins(POLICIES)} - default
    assert {row["model"] for row in models} == default | {f"nano:{policy}" for policy in nano}
    for row, published in zip(rows, there["rows"], strict=True):
        for key, cell in row["cells"].items():
            for part, value in cell.items():
                if value is None:
                    assert published["cells"][key][part] is None
                    continue
                assert value == pytest.approx(published["cells"][key][part], rel=1e-3, abs=1e-3), (row["model"], key)
