"""A hub on this machine, two users of it, and the page of the submissions of the tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_writing import WritableHub, serve_writable
from tests.leaderboard.common import magbench_


@pytest.fixture(scope="session")
def run(made: Path) -> Path:
    """The run that the submissions are of."""
    return made / "run"


@pytest.fixture(scope="session")
def built(made: Path, run: Path) -> Path:
    """The page of both submissions."""
    trusted = ("--references", run / "records.parquet")
    result = magbench_("board", "build", made / "submissions", "--out", made / "page", *trusted)
    assert result.exit_code == 0, result.stderr
    return made / "page"


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
