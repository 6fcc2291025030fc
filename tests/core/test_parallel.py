"""Work that is shared among processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from magbench.core.parallel import share, started


def write_here(text: str, name: str) -> int:
    Path(name).write_text(text)
    return os.getpid()


def test_relative_paths_mean_the_same_in_processes_that_were_started_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        others = set(share(write_here, place, ["a", "b", "c"], 2))
        assert os.getpid() not in others and started() >= 2
        assert {path.name: path.read_text() for path in Path().iterdir()} == dict.fromkeys("abc", place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
