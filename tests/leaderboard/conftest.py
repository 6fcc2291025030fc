"""A finished run and its submissions, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from magbench.leaderboard.submit import submit
from magbench.suites.format import Suite, load_suite
from tests.leaderboard.common import TOLD, magbench_


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two models and all plain references, and a submission of each model; not to be changed."""
    from magbench.suites.format import write_suite
    from tests import fakes
    from tests.conftest import HEADER, tiny_clip

    root = tmp_path_factory.mktemp("board")
    write_suite(root / "suite", [tiny_clip(name, number) for number, name in enumerate("abc")], **HEADER)
    (root / "models.py").write_text(
        "from tests import fakes\n"
        "def first(): return fakes.Fake('first', fakes.noisy)\n"
        "def darker(task): return (piece * 0.7 for piece in fakes.noisy(task))\n"
        "def second(): return fakes.Fake('second', darker)\n"
    )
    names = f"{root}/models.py:first,{root}/models.py:second,oracle,freeze,wrong_scene,noise"
    assert fakes is not None
    result = magbench_("run", root / "suite", "--models", names, "--out", root / "run")
    assert result.exit_code == 0, result.stderr
    for name, day in (("first", "2026-01-31"), ("second", "2026-01-30")):
        submit(root / "run", name, {**TOLD, "date": day}, root / "submissions")
    return root


@pytest.fixture
def suite(made: Path) -> Suite:
    return load_suite(made / "suite")


@pytest.fixture
def here(made: Path, tmp_path: Path) -> Path:
    """A copy of the submissions, to be tampered with."""
    shutil.copytree(made / "submissions", tmp_path / "submissions")
    return tmp_path / "submissions"
