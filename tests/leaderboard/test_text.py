"""The table as text: rounded in Markdown, in full in CSV and JSON, nothing made up for what is missing."""

from __future__ import annotations

import csv
import io
import json

import pytest

from magbench.leaderboard.grids import Grid, human_bytes, main_grid, short_grid, speed_grid
from magbench.leaderboard.tables import PRIMARY, build_table
from magbench.leaderboard.text import csv_text, json_text, markdown, markdown_page, plain
from tests.leaderboard.synthetic import CLIPS, records

TASKS = [(clip, 0) for clip in CLIPS]
RECORDS = [r for r in records() if (r.model, r.clip) != ("window", CLIPS[5])]
TABLE = build_table(RECORDS, TASKS)
PROVENANCE = {
    "suite": "revisit-nano",
    "suite_version": 1,
    "split": "test",
    "machine": {"cores": 2},
    "generated_on": ["x", "y"],
}


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (98_304, "98.3 kB"),
        (999_600, "1 MB"),
        (1_179_648, "1.18 MB"),
        (2e13, "20 TB"),
    ],
)
def test_bytes_are_readable(count: float, text: str) -> None:
    assert human_bytes(count) == text


def test_csv_holds_the_numbers_in_full() -> None:
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(csv_text(TABLE)))}
    for row in TABLE.rows:
        cell = row.primary
        assert float(rows[row.model][PRIMARY.key]) == cell.mean
        assert float(rows[row.model][f"{PRIMARY.key}_low"]) == cell.low
        assert rows[row.model][f"{PRIMARY.key}_n"] == str(cell.n)
    assert rows["oracle"]["history_bytes"] == ""
    assert rows["oracle"]["rank"] == ""


def test_json_holds_provenance_and_null_for_nothing() -> None:
    found = json.loads(json_text(TABLE, PROVENANCE))
    assert found["provenance"] == PROVENANCE
    rows = {row["model"]: row for row in found["rows"]}
    assert rows["codec"]["fps"] is None
    assert rows["mag"][PRIMARY.key] == next(r for r in TABLE.rows if r.model == "mag").primary.mean
    assert rows["window"]["complete"] is False


def test_markdown_rounds_and_marks() -> None:
    page = markdown_page(TABLE, PROVENANCE, 9)
    cell = next(row for row in TABLE.rows if row.model == "mag").primary
    assert f"| 2 | **mag** | {cell.mean:.2f} [{cell.low:.2f}, {cell.high:.2f}] |" in page
    assert "*noise (reference)*" in page
    assert f"**window (incomplete: {len(CLIPS) - 1} of {len(CLIPS)} clips)**" in page
    assert "9 or more frames before" in page
    assert "machine: cores 2\n" in page
    assert "generated on: x; y\n" in page
    assert " nan" not in page


def test_a_shorter_n_is_named_in_its_cell() -> None:
    grid = speed_grid(TABLE)
    assert grid.header[2:] == ("slow (n = 6)", "medium (n = 6)", "fast (n = 6)")
    (window,) = [row for row in grid.rows if row[1].startswith("window (")]
    assert [cell.endswith("n = 5") for cell in window[2:]] == [False, False, True]


def test_every_grid_is_rectangular() -> None:
    for grid in (main_grid(TABLE), short_grid(TABLE), speed_grid(TABLE)):
        assert {len(row) for row in grid.rows} == {len(grid.header)}


def test_plain_text_is_aligned() -> None:
    text = plain(Grid(("#", "model", "x"), (("1", "a", "10"), ("", "long", "5")), (False, True)))
    assert text == "#  model   x\n-  -----  --\n1  a      10\n   long    5\n"


def test_markdown_table_has_a_column_for_each_cell() -> None:
    lines = markdown(main_grid(TABLE)).splitlines()
    assert len({line.count("|") for line in lines}) == 1
