"""Damaged and hostile files of every form: a value or one line that names the file, never anything else.

The corpus holds files that once fell through. ``python -m benchmarks.fuzz`` damages each form thousands of times.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.forms import TARGETS
from benchmarks.fuzz import Find, attempt, damage
from magbench.core.errors import MagbenchError
from magbench.runs.folder import RunFolder
from magbench.video.formats import finished_sha256, read_finished

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    wrong = [outcome for outcome in damage(name, 0, 12, tmp_path) if isinstance(outcome, Find)]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_once_fell_through_is_refused(tmp_path: Path, path: Path) -> None:
    target = TARGETS[path.parent.name]
    file = target.make(tmp_path)
    file.write_bytes(path.read_bytes())
    assert attempt(target.read, file, 0, None) == "refused"


@pytest.mark.parametrize("name", TARGETS)
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    file = TARGETS[name].make(tmp_path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(MagbenchError):
        TARGETS[name].read(file)


def test_an_outcome_that_is_wrong_is_found(tmp_path: Path) -> None:
    """The judge itself: another exception, a line without the file's name, another meaning."""
    file = tmp_path / "x"

    def raising(error: Exception) -> object:
        raise error

    kinds = {
        "traceback": lambda _: raising(KeyError("a")),
        "message": lambda _: raising(MagbenchError("broken")),
        "silent change": lambda _: 4,
    }
    for kind, read in kinds.items():
        outcome = attempt(read, file, 7, "3")
        assert isinstance(outcome, Find) and (outcome.number, outcome.kind) == (7, kind)
    assert attempt(lambda _: raising(MagbenchError("x: broken")), file, 0, None) == "refused"
    assert attempt(lambda _: 3, file, 0, "3") == "read"


def test_the_videos_of_a_run_are_no_pipes_either(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mkv")
    for read in (lambda path: read_finished(path, 16), finished_sha256):
        with pytest.raises(MagbenchError, match="neither a file nor a folder"):
            read(tmp_path / "a.mkv")
    os.mkfifo(tmp_path / "run.json")
    with pytest.raises(MagbenchError, match=r"run\.json: cannot be read \(is no file\)"):
        RunFolder(tmp_path).read()
