"""The table as text: rounded in Markdown, in full in CSV and JSON, nothing made up for what is missing."""

from __future__ import annotations

import csv
import io
import json

import pytest

from magbench.analysis.retention import retention
from magbench.render.grid import Grid, human_bytes, show_p
from magbench.render.text import markdown, plain
from magbench.report.columns import PRIMARY, PSNR
from magbench.report.export.text import csv_text, json_text
from magbench.report.grids import (
    every_score_grid,
    main_grid,
    pair_grid,
    quality_grid,
    region_grid,
    retention_grid,
    short_grid,
    speed_grid,
)
from magbench.report.missing import reasons
from magbench.report.page import markdown_page
from magbench.report.tables import build_table
from tests.report.synthetic import CLIPS, records

TASKS = [(clip, 0) for clip in CLIPS]
RECORDS = [r for r in records() if (r.model, r.clip) != ("window", CLIPS[5])]
RECORDS += retention(RECORDS) + [
    r.model_copy(update={"protocol": "quality", "metric": "motion_smoothness"})
    for r in RECORDS
    if (r.protocol, r.metric, r.region) == ("aligned", "ssim", "all")
]
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
    found = json.loads(json_text(TABLE, PROVENANCE, {"mag": "> 47"}))
    assert found["provenance"] == PROVENANCE
    assert found["half_lives"] == {"mag": "> 47"}
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]][0] == ("full_history", "mag")
    assert 0 < found["detectable"] < 0.1
    rows = {row["model"]: row for row in found["rows"]}
    assert rows["codec"]["fps"] is None
    assert rows["mag"][PRIMARY.key] == next(r for r in TABLE.rows if r.model == "mag").primary.mean
    assert rows["window"]["complete"] is False


def test_markdown_rounds_and_marks() -> None:
    page = markdown_page(TABLE, PROVENANCE, 9, {"mag": "> 47", "window": "8.2 [6.5, 11.0]"})
    cell = next(row for row in TABLE.rows if row.model == "mag").primary
    assert f"| 2 | **mag** | {cell.mean:.3f} [{cell.low:.3f}, {cell.high:.3f}] | 18 |" in page
    assert "*noise (reference)*" in page
    assert f"**window (incomplete: {len(CLIPS) - 1} of {len(CLIPS)} clips)**" in page
    assert "9 or more frames before" in page
    assert "over all 6 pairs" in page and "which was not measured" in page
    assert "- window: 8.2 [6.5, 11.0]\n" in page
    assert "machine: cores 2\n" in page
    assert "generated on: x; y\n" in page
    assert " nan" not in page
    sections = [line for line in page.splitlines() if line.startswith("## ")]
    assert sections == [
        "## Who can be told apart",
        "## In the window and out of it",
        "## Retention",
        "## Quality",
        "## By camera speed: ordered score ↑, out of window",
        "## By camera speed: aligned PSNR dB ↑, out of window",
        "## Every other score",
        "## How this was made",
    ]


def test_a_page_of_references_alone_has_no_ranks_to_explain() -> None:
    rows = records(["oracle", "noise"], CLIPS[:2])
    page = markdown_page(build_table(rows, TASKS[:2]), PROVENANCE, 9, {})
    assert "told apart\n" not in page and "## Retention" not in page and "## Quality" not in page


def test_every_empty_cell_has_its_reason() -> None:
    old = [r for r in records(["mag", "oracle"]) if r.protocol != "ordered" and r.metric != "fps"]
    old += [r.model_copy(update={"model": "bought"}) for r in old if r.model == "mag" and r.protocol != "cost"]
    old += [
        r.model_copy(update={"model": "silent"})
        if r.metric != "history_bytes"
        else r.model_copy(update={"model": "silent", "value": None, "n": 0, "per_frame": None, "frame": None})
        for r in old
        if r.model == "mag"
    ]
    found = reasons(build_table(old, TASKS))
    assert any("ordered score, coverage of bought, mag, oracle, silent: no ordered scores" in line for line in found)
    assert any("`magbench score` makes them" in line for line in found)
    assert any(line.startswith("retention of bought, mag") and "`wrong_scene`" in line for line in found)
    assert "history, s/block, FPS, first frame, s of bought: finished videos say nothing of what they cost" in found
    assert any("of oracle: a reference only hands over frames" in line for line in found)
    assert "history of silent: the model does not say what it holds" in found
    assert "| 100.00 | - |" not in markdown(main_grid(build_table(old, TASKS))).split("bought")[1].split("\n")[0]


def test_a_shorter_n_is_named_in_its_cell() -> None:
    grid = speed_grid(TABLE, PSNR)
    assert grid.header[2:] == ("slow (n = 6)", "medium (n = 6)", "fast (n = 6)")
    (window,) = [row for row in grid.rows if row[1].startswith("window (")]
    assert [cell.endswith("n = 5") for cell in window[2:]] == [False, False, True]
    short = retention([r for r in RECORDS if (r.model, r.clip) != ("wrong_scene", CLIPS[0])])
    few = build_table([r for r in RECORDS if r.protocol != "retention"] + short, TASKS)
    (mag,) = [row for row in main_grid(few).rows if row[1] == "mag"]
    assert mag[8].endswith("(n = 17)")


GRIDS = (main_grid, short_grid, pair_grid, region_grid, retention_grid, quality_grid, every_score_grid)


def test_every_grid_is_rectangular() -> None:
    for grid in (*(make(TABLE) for make in GRIDS), speed_grid(TABLE, PRIMARY), speed_grid(TABLE, PSNR)):
        assert {len(row) for row in grid.rows} == {len(grid.header)}
        assert len(grid.header) > grid.left


def test_every_column_is_in_some_table() -> None:
    """Quality by its words, regions apart, and nothing shown as 0 that was not measured."""
    assert quality_grid(TABLE).header[2:] == ("motion smoothness ↑",)
    assert region_grid(TABLE).header[2:4] == ("ordered score ↑, in window", "ordered score ↑, out of window")
    assert retention_grid(TABLE).header[2:4] == ("LPIPS, out of window", "LPIPS, in window")
    assert "ordered LPIPS ↓, out of window" in every_score_grid(TABLE).header


@pytest.mark.parametrize(("p", "text"), [(1e-5, "< 0.001"), (0.0012, "0.001"), (0.0496, "0.050"), (0.314, "0.31")])
def test_p_is_rounded(p: float, text: str) -> None:
    assert show_p(p) == text


def test_plain_text_is_aligned() -> None:
    text = plain(Grid(("#", "model", "x"), (("1", "a", "10"), ("", "long", "5")), (False, True)))
    assert text == "#  model   x\n-  -----  --\n1  a      10\n   long    5\n"


def test_markdown_table_has_a_column_for_each_cell() -> None:
    lines = markdown(main_grid(TABLE)).splitlines()
    assert len({line.count("|") for line in lines}) == 1
