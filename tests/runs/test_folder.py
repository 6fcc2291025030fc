"""The folder of a run has one owner, however many processes come for it at once."""

from __future__ import annotations

import errno
import os
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from magbench.core.errors import MagbenchError
from magbench.runs.folder import Run, RunFolder

PROCESSES = 4
FOLDERS = 60


def run_of(seeds: int) -> Run:
    return Run(suite="s", version=1, split="test", digest="d", seeds=seeds, limit=None)


def claim_all(root: Path, seeds: int, barrier: Barrier, log: Path) -> None:
    """Claim each folder at the same moment as the other processes, and begin to fill it at once, as a run does."""
    lines = []
    for index in range(FOLDERS):
        folder = RunFolder(root / str(index))
        barrier.wait()
        try:
            folder.claim(run_of(seeds))
            folder.generation("model", f"clip{seeds}", 0).mkdir(parents=True, exist_ok=True)
            lines.append("ours")
        except MagbenchError as error:
            lines.append(str(error))
    log.write_text("\n".join(lines))


@pytest.mark.parametrize("runs", [[1, 1, 2, 2], [1, 2, 3, 4]])
def test_processes_that_come_at_once_agree_whose_it_is(tmp_path: Path, runs: list[int]) -> None:
    spawn = get_context("spawn")
    barrier = spawn.Barrier(PROCESSES, timeout=60)
    logs = [tmp_path / f"{place}.log" for place in range(PROCESSES)]
    processes = [
        spawn.Process(target=claim_all, args=(tmp_path / "runs", seeds, barrier, log))
        for seeds, log in zip(runs, logs, strict=True)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    said = [log.read_text().split("\n") for log in logs]
    for index in range(FOLDERS):
        folder = RunFolder(tmp_path / "runs" / str(index))
        owner = folder.read().seeds
        for seeds, lines in zip(runs, said, strict=True):
            assert (lines[index] == "ours") == (seeds == owner), lines[index]
            assert lines[index] == "ours" or f"belongs to another run: seeds {owner} there" in lines[index]
        assert not [path for path in folder.path.iterdir() if path.name.endswith(".tmp")]


def test_a_file_system_without_links_is_used_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    folder = RunFolder(tmp_path / "run")
    folder.claim(run_of(1))
    folder.claim(run_of(1))
    assert folder.read() == run_of(1)
    with pytest.raises(MagbenchError, match="belongs to another run"):
        folder.claim(run_of(2))


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("text")
    with pytest.raises(MagbenchError, match="holds files but no run.json"):
        RunFolder(tmp_path).claim(run_of(1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.tex"]
