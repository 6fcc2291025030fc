"""An ablation's table: means over seeds with Student's interval, and paired differences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from magbench.report.ablation import Trial, changes, interval, paired, read_trial, show, table, write_report

MEASURES = {"kept": "share that is kept"}


def trials() -> list[Trial]:
    found = [Trial("a", None, None, {"kept": 0.1})]
    found += [Trial("a", 0.0, seed, {"kept": value}) for seed, value in enumerate((0.2, 0.3, 0.4))]
    return found + [Trial("a", 0.6, seed, {"kept": value}) for seed, value in enumerate((0.5, 0.7, 0.6))]


def test_the_interval_is_students() -> None:
    found = interval([1.0, 2.0, 3.0])
    assert found is not None
    assert found == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), rel=1e-5)
    assert interval([1.0]) is None
    assert show([1.0]) == "1.000"
    assert show([]) == "-"


def test_rows_begin_before_training_and_differences_are_paired_by_seed() -> None:
    assert [row[:3] for row in table(trials(), MEASURES).rows] == [
        ("a", "start", "1"),
        ("a", "0", "3"),
        ("a", "0.6", "3"),
    ]
    assert paired(trials(), "a", 0.6, "kept") == pytest.approx([0.3, 0.4, 0.2])
    assert paired(trials()[:-1], "a", 0.6, "kept") == pytest.approx([0.3, 0.4])
    ((start, setting, cell),) = changes(trials(), MEASURES).rows
    assert (start, setting) == ("a", "0.6")
    assert cell.startswith("+0.300 [+0.052, ")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"start": "a", "lambda": 0.3, "seed": 2, "values": {"kept": [0.0, 1.0]}}))
    assert read_trial(path) == Trial("a", 0.3, 2, {"kept": 0.5})
    page = write_report(trials(), MEASURES, "# head", tmp_path, "trap")
    assert "| a" in page.read_text()
    assert {f.name for f in tmp_path.glob("trap*")} == {"trap.md", "trap.png"}
