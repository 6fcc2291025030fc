"""`magbench vbench`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from magbench.core.progress import Quiet
from magbench.report.report import report
from magbench.suites.format import Suite
from magbench.vbench import store
from magbench.vbench.evaluate import evaluate
from magbench.vbench.program import Program


def test_the_command_writes_records(run: Path, program: Path) -> None:
    arguments = ["vbench", str(run), "--models", "tiny", "--dimensions", "aesthetic_quality,imaging_quality"]
    result = CliRunner().invoke(main, [*arguments, "--program", str(program)])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{run / 'vbench' / 'records.jsonl'}\n"
    assert {record.metric for record in store.read(run)} == {"aesthetic_quality", "imaging_quality"}


def test_what_is_not_available_is_a_failure_with_its_reason(
    run: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VBENCH", "imaging_quality fails")
    arguments = ["vbench", str(run), "--dimensions", "imaging_quality", "--program", str(program)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "failed: imaging_quality: not available: " in result.stderr
    assert "Found no NVIDIA driver" in result.stderr


def test_without_the_program_nothing_is_touched(run: Path) -> None:
    result = CliRunner().invoke(main, ["vbench", str(run), "--program", "no-such-vbench"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: program 'no-such-vbench' is not there; ")
    assert len(result.stderr.splitlines()) == 1
    assert not (run / "vbench").exists()


def test_the_report_shows_values_and_reasons(
    suite: Suite, run: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VBENCH", "imaging_quality fails")
    evaluate(run, None, ["aesthetic_quality", "imaging_quality"], Program(program, 30), progress=Quiet())
    table = report(suite, run)
    by_model = {row.model: row.cells for row in table.rows}
    assert by_model["tiny"]["vbench_aesthetic_quality_all"].n == 2
    assert by_model["tiny"]["vbench_imaging_quality_all"].mean is None
    assert "vbench_aesthetic_quality_all" not in by_model["oracle"]
    page = (run / "table.md").read_text()
    assert "imaging_quality: not available: wrote 0 results" in page
