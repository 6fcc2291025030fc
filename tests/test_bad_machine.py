"""End to end on a machine that misbehaves: a folder that may not be written, and a clock that jumps."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from tests.run_files import files

ROOT = Path(__file__).parents[1]
MODEL = f"{ROOT}/examples/hold_last/hold_last.py:HoldLast"
EACH = """
import json, sys
from click.testing import CliRunner
import cli
for words in json.loads(sys.argv[1]):
    result = CliRunner().invoke(cli.main, words)
    crash = result.exception if not isinstance(result.exception, SystemExit) else None
    print(json.dumps([result.exit_code, result.stderr.strip().split("\\n")[-1], repr(crash)]), flush=True)
"""
LOCKED = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def magbench(*words: object) -> None:
    result = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert result.exit_code == 0, result.output


def on_read_only(folder: Path, commands: Sequence[Sequence[object]]) -> list[tuple[int, str, str]]:
    """(exit code, last line, what was raised) of each command while nothing below ``folder`` may be written."""
    words = json.dumps([[str(word) for word in command] for command in commands])
    line = [sys.executable, "-c", EACH, words]
    if os.geteuid() == 0:  # whom no permission stops: a mount that this process alone sees
        line = ["unshare", "--mount", "sh", "-c", LOCKED, str(folder), *line]
        if shutil.which("unshare") is None:
            pytest.skip("no unshare")
    else:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT)
    if not done.stdout and "mount" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(one)) for one in done.stdout.splitlines()]


@pytest.mark.rare
def test_each_command_says_in_one_line_that_it_may_not_write(tmp_path: Path, suite_folder: Path) -> None:
    locked = tmp_path / "locked"
    magbench("run", suite_folder, "--models", f"{MODEL},oracle,wrong_scene", "--out", locked / "run")
    next((locked / "run/scores").rglob("*.jsonl")).unlink()
    told = tmp_path / "told.yaml"
    told.write_text("submitter: me\nrelationship: author\nlicence: MIT\ntraining_data: nothing\n")
    run = ("--out", locked / "run")
    commands: list[tuple[object, ...]] = [
        ("generate", suite_folder, "--models", "noise", "--out", locked / "new"),
        ("generate", suite_folder, "--models", "noise", *run),
        ("score", suite_folder, *run),
        ("report", suite_folder, *run),
        ("run", suite_folder, "--models", "noise", *run),
        ("history-effect", suite_folder, "--models", MODEL, *run),
        ("profile", "window", "--history", "1,2", "--slope-from", "1", "--rounds", "1", "--out", locked / "profile"),
        ("train", "base", "--preset", "pico", "--steps", "1", "--out", locked / "trained"),
        ("suite", "make", "revisit-nano:dev", locked / "suite"),
        ("submit", locked / "run", "--model", "hold_last", "--from", told, "--to", locked / "to"),
    ]
    before = {path: path.stat().st_mtime_ns for path in locked.rglob("*")}
    found = on_read_only(locked, commands)
    assert {path: path.stat().st_mtime_ns for path in locked.rglob("*")} == before
    for command, (code, line, raised) in zip(commands, found, strict=True):
        assert (code, raised) == (1, "None"), (command, line)
        assert line.startswith("error: ") and str(locked) in line, (command, line)
        assert "Read-only file system" in line or "Permission denied" in line, (command, line)


def test_a_clock_that_jumps_changes_nothing(
    suite_folder: Path, registered: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = ("--models", "tiny,oracle,wrong_scene")
    magbench("run", suite_folder, *models, "--out", tmp_path / "steady")
    rng, steady = random.Random(0), time.time
    monkeypatch.setattr(time, "time", lambda: steady() + rng.uniform(-1e8, 1e8))
    out = tmp_path / "jumping"
    magbench("generate", suite_folder, *models, "--out", out)
    for path in out.rglob("*"):
        os.utime(path, (0, rng.uniform(0, 4e9)))  # between 1970 and 2096
    magbench("score", suite_folder, "--out", out)
    assert files(out) == files(tmp_path / "steady")
    for path in out.rglob("*"):
        os.utime(path, (0, rng.uniform(0, 4e9)))
    made = {path: path.stat().st_mtime_ns for path in out.rglob("*.mkv")}
    magbench("run", suite_folder, *models, "--out", out)
    assert files(out) == files(tmp_path / "steady")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.mkv")} == made
