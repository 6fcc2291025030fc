"""`magbench vbench`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from magbench.vbench import store


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
