"""Work that is shared among processes."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from magbench.core.parallel import share, started

PATIENCE = 20
"""Seconds until a test gives up that waits for what never comes."""


def write_here(text: str, name: str) -> int:
    Path(name).write_text(text)
    return os.getpid()


def hold(pipe: str, number: int) -> int:
    """Give the first number back; keep a pipe open for ever at the second."""
    if number:
        with Path(pipe).open("w"):
            select.select([], [], [])
    return number


def test_an_interruption_ends_the_processes_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    results = share(hold, str(pipe), range(2), 2)
    assert next(results) == 0
    with pipe.open() as held:  # opens once the other process has begun
        with pytest.raises(KeyboardInterrupt):
            results.throw(KeyboardInterrupt())
        assert select.select([held], [], [], PATIENCE)[0]  # its end is closed
        assert held.read() == ""
    assert started() == 1
    assert list(share(pow, 2, range(3), 2)) == [1, 2, 4]


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
