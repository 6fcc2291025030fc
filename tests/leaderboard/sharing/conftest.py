"""A hub on this machine, two users of it, and a run with its submissions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from magbench.analysis.sources import read_folder
from magbench.core.progress import Quiet
from magbench.generation import runner
from magbench.runs.folder import Run, RunFolder
from magbench.runs.records import write_parquet
from magbench.scoring import score
from magbench.suites.format import Suite
from tests.hub_writing import WritableHub, serve_writable
from tests.leaderboard.test_board import TOLD, magbench_, submit


@pytest.fixture(scope="session")
def run(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two models and two references, without a report; not to be changed."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "models.py").write_text(
        "from tests import fakes\n"
        "def first(): return fakes.Fake('first', fakes.noisy)\n"
        "def darker(task): return (piece * 0.7 for piece in fakes.noisy(task))\n"
        "def second(): return fakes.Fake('second', darker)\n"
    )
    names = [f"{folder}/models.py:first", f"{folder}/models.py:second", "oracle", "wrong_scene"]
    RunFolder(folder / "run").claim(Run.of(suite, seeds=1, limit=None))
    assert runner.generate(suite, names, folder / "run", progress=Quiet()) == []
    assert score.score(suite, folder / "run", progress=Quiet(), workers=1) == []
    write_parquet(folder / "run" / "records.parquet", read_folder(folder / "run"))
    return folder / "run"


@pytest.fixture(scope="session")
def submitted(run: Path) -> Path:
    """A submission of each model; not to be changed."""
    for name, day in (("first", "2026-01-31"), ("second", "2026-01-30")):
        submit(run, name, {**TOLD, "date": day}, run.parent / "submissions")
    return run.parent / "submissions"


@pytest.fixture(scope="session")
def built(run: Path, submitted: Path) -> Path:
    """The page of both."""
    trusted = ("--references", run / "records.parquet")
    result = magbench_("board", "build", submitted, "--out", run.parent / "page", *trusted)
    assert result.exit_code == 0, result.stderr
    return run.parent / "page"


@pytest.fixture
def here(submitted: Path, tmp_path: Path) -> Path:
    """A copy of the submissions, to be changed."""
    shutil.copytree(submitted, tmp_path / "submissions")
    return tmp_path / "submissions"


@pytest.fixture
def page(built: Path, tmp_path: Path) -> Path:
    """A copy of their page."""
    shutil.copytree(built, tmp_path / "page")
    return tmp_path / "page"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WritableHub]:
    """The hub: ``ann`` may write to what ``board`` owns, ``bob`` may not. Ann is logged in."""
    with serve_writable({}, {"token-of-ann": "ann", "token-of-bob": "bob"}) as served:
        served.members["board"] = {"ann"}
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        monkeypatch.setenv("HF_TOKEN", "token-of-ann")
        monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # its store is not served here
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
        yield served
