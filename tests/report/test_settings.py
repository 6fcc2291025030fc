"""An ablation without training: its numbers against the statistics they come from, its files, its text."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from magbench.analysis.retention import retention
from magbench.report.columns import PRIMARY, PSNR, RETAINED
from magbench.report.settings import Heading, as_csv, changes_grid, find_lines, scores_grid, write_report
from magbench.report.tables import build_table
from magbench.stats import bootstrap_mean, compare_paired
from tests.report.synthetic import CLIPS, records

RECORDS = records()
TABLE = build_table([*RECORDS, *retention(RECORDS)], [(clip, 0) for clip in CLIPS])
LINES = find_lines(
    TABLE, {"one": {"all": "full_history", "third": "mag"}, "other": {"all": "window_sink", "third": "window"}}
)
HEAD = Heading("Who stays", "kept", "all", "About it.")


def values(model: str) -> list[float]:
    mine = [
        r for r in RECORDS if (r.model, r.protocol, r.metric, r.region) == (model, "aligned", "psnr", "out_of_window")
    ]
    return [r.value for r in sorted(mine, key=lambda r: r.clip) if r.value is not None]


def test_numbers_are_those_of_the_clips() -> None:
    rows = list(csv.DictReader(as_csv(LINES, HEAD).splitlines()))
    assert [(row["line"], row["kept"], row["score"]) for row in rows[3:6]] == [
        ("one", "third", column.key) for column in (RETAINED, PSNR, PRIMARY)
    ]
    found, own, other = rows[4], bootstrap_mean(values("mag")), compare_paired(values("mag"), values("full_history"))
    for name, value in (
        ("mean", own.mean),
        ("low", own.low),
        ("high", own.high),
        ("difference", other.difference.mean),
        ("d_low", other.difference.low),
        ("d_high", other.difference.high),
        ("p", other.p),
    ):
        assert float(found[name]) == pytest.approx(value, rel=1e-4)
    assert found["n"] == str(len(CLIPS))
    assert {row["difference"] for row in rows if row["kept"] == "all"} == {""}


def test_grids_have_a_row_for_each_setting_and_changes_but_for_the_reference() -> None:
    assert [row[:2] for row in scores_grid(LINES, HEAD).rows] == [
        ("one", "all"),
        ("one", "third"),
        ("other", "all"),
        ("other", "third"),
    ]
    assert [row[:2] for row in changes_grid(LINES, HEAD).rows] == [("one", "third"), ("other", "third")]


def test_a_line_without_the_reference_has_scores_and_no_changes(tmp_path: Path) -> None:
    rows = {row.model: row for row in TABLE.rows}
    lines = {**LINES, "alone": {"any": rows["strided"]}}
    assert scores_grid(lines, HEAD, (PSNR,)).rows[-1][:2] == ("alone", "any")
    assert changes_grid(lines, HEAD, (PSNR,)).rows == changes_grid(LINES, HEAD, (PSNR,)).rows
    last = list(csv.DictReader(as_csv(lines, HEAD, (PSNR,)).splitlines()))[-1]
    assert (last["line"], last["kept"], last["difference"], last["p"]) == ("alone", "any", "", "")
    page = write_report(lines, HEAD, tmp_path, "kept", (PSNR,), ["A last word."])
    assert "\n\nA last word.\n\n![kept](kept.png)" in page.read_text()


def test_three_small_files_are_written(tmp_path: Path) -> None:
    page = write_report(LINES, HEAD, tmp_path, "kept")
    assert {file.name for file in tmp_path.iterdir()} == {"kept.md", "kept.csv", "kept.png"}
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 40_000
    text = page.read_text()
    assert text.startswith("# Who stays\n\nAbout it.\n\n`magbench ablate kept`: 18 clips")
    assert "![kept](kept.png)" in text
