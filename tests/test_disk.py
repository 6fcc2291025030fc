"""A disk that is full, read-only or gone: one line says so, finished work stays, the same command goes on."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from magbench.core import files as files_module
from magbench.core.disk import DiskError, explained
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation
from magbench.suites.format import Suite


def magbench(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in (".mkv", ".mp4", ".jsonl")
    }


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """The kernel itself refuses to write: EFBIG, as a quota on files does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    usual = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, usual)


def refuse(monkeypatch: pytest.MonkeyPatch, code: int, after: int) -> None:
    """Let so many files through, then answer ``code`` wherever one becomes what it is."""
    replace, seen = os.replace, []

    def refusing(source: Path, target: Path) -> None:
        seen.append(target)
        if len(seen) > after:
            raise OSError(code, os.strerror(code), str(source), None, str(target))
        replace(source, target)

    monkeypatch.setattr(files_module.os, "replace", refusing)


@pytest.mark.parametrize(
    ("code", "after"),
    [(errno.ENOSPC, 0), (errno.ENOSPC, 1), (errno.ENOSPC, 5), (errno.EDQUOT, 4), (errno.EROFS, 3)],
)
def test_generating_ends_in_one_line_and_goes_on(
    suite: Suite, registered: None, tmp_path: Path, code: int, after: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, code, after)
        with pytest.raises(DiskError) as caught:
            generate(suite, ["tiny"], tmp_path / "out", progress=Quiet())
    line = str(caught.value)
    assert os.strerror(code) in line and str(tmp_path / "out") in line and "\n" not in line
    assert ("free some space" in line) == (code != errno.EROFS)
    assert not list(tmp_path.rglob("*.tmp"))
    finished = [read_generation(RunFolder(tmp_path / "out").generation("tiny", clip, 0)) for clip in "abc"]
    assert [one is not None for one in finished] == [index < after // 3 for index in range(3)]
    kept = content(tmp_path / "out")
    assert generate(suite, ["tiny"], tmp_path / "out", progress=Quiet()) == []
    assert kept.items() <= content(tmp_path / "out").items()
    assert generate(suite, ["tiny"], tmp_path / "whole", progress=Quiet()) == []
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_command_ends_in_one_line_and_goes_on(suite_folder: Path, registered: None, tmp_path: Path) -> None:
    assert magbench("generate", suite_folder, "--models", "tiny,freeze", "--out", tmp_path / "out").exit_code == 0
    with no_file_larger_than(4096):
        result = magbench("score", suite_folder, "--out", tmp_path / "out", "--workers", 1)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()[-1:]
    assert line.startswith("error: ") and "File too large" in line and "MB free in" in line
    assert "Traceback" not in result.output
    assert not list(tmp_path.rglob("*.tmp"))
    assert magbench("score", suite_folder, "--out", tmp_path / "out", "--workers", 1).exit_code == 0
    shutil.copytree(tmp_path / "out/generations", tmp_path / "whole/generations")
    shutil.copy(tmp_path / "out/run.json", tmp_path / "whole/run.json")
    assert magbench("score", suite_folder, "--out", tmp_path / "whole", "--workers", 1).exit_code == 0
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_video_that_does_not_fit_is_no_models_fault(suite: Suite, registered: None, tmp_path: Path) -> None:
    RunFolder(tmp_path / "out").path.mkdir()
    with no_file_larger_than(6000), pytest.raises(DiskError, match=r"File too large .*free some space"):
        generate(suite, ["tiny"], tmp_path / "out", progress=Quiet())
    assert generate(suite, ["tiny"], tmp_path / "out", progress=Quiet()) == []


def test_a_model_that_says_the_disk_is_full_fails_alone(suite: Suite, registered: None, tmp_path: Path) -> None:
    path = tmp_path / "full.py"
    path.write_text(
        "class Full:\n    revision = '1'\n    def stream(self, task):\n        raise OSError(28, 'No space left')\n"
    )
    failures = generate(suite, [f"{path}:Full", "tiny"], tmp_path / "out", limit=1, progress=Quiet())
    assert [one.model for one in failures] == ["Full"]
    assert read_generation(RunFolder(tmp_path / "out").generation("tiny", "a", 0)) is not None


def test_a_folder_that_vanishes(suite: Suite, registered: None, tmp_path: Path) -> None:
    """The files of one run are made anew; nothing of it can be trusted to be there."""
    assert generate(suite, ["tiny"], tmp_path / "out", progress=Quiet()) == []
    before = content(tmp_path / "out")
    shutil.rmtree(tmp_path / "out/generations")
    assert generate(suite, ["tiny"], tmp_path / "out", progress=Quiet()) == []
    assert content(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.EACCES, "Permission denied", "/x/y"), "/x/y: Permission denied; finished work is kept, "),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/x/y"), "/x/y: File name too long; "),
        (OSError("odd"), "odd; finished work is kept, "),
    ],
)
def test_the_line(error: OSError, line: str) -> None:
    assert str(explained(error)).startswith(line)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_asked_to_end_says_so(
    suite_folder: Path, registered: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = signal.signal(number, signal.SIG_DFL)
    monkeypatch.setattr("magbench.api.generate", lambda *_, **__: signal.raise_signal(number))
    try:
        result = magbench("generate", suite_folder, "--models", "tiny", "--out", tmp_path / "out")
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert result.exit_code == 128 + number
    assert result.stderr.splitlines()[-1] == "ended: finished work is kept, the same command goes on from there"
