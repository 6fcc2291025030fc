"""How many threads a model is given, and what becomes of models that a suite does not fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from torch import Tensor

import magbench
from cli import main
from magbench.core.errors import MagbenchError, Unfit, unknown
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.models.protocol import Task
from magbench.runs.failures import set_unfit_apart
from magbench.suites.format import Suite
from tests import fakes


class Counting:
    """A model that notes how many threads it has; ``threads``: how many it asks for."""

    name, revision = "counting", "1"

    def __init__(self, threads: int | None = None) -> None:
        self.had: set[int] = set()
        if threads is not None:
            self.threads = threads

    def stream(self, task: Task) -> Iterator[Tensor]:
        for piece in fakes.noisy(task):
            self.had.add(torch.get_num_threads())
            yield piece

    def memory_bytes(self) -> None:
        return None


@pytest.mark.parametrize(("asked", "given", "had"), [(None, None, None), (3, None, 3), (3, 2, 2), (None, 2, 2)])
def test_a_model_has_the_threads_that_were_asked_for(
    suite: Suite, tmp_path: Path, asked: int | None, given: int | None, had: int | None
) -> None:
    before = torch.get_num_threads()
    model = Counting(asked)
    assert generate(suite, [model], tmp_path, limit=1, threads=given, progress=Quiet()) == []
    assert model.had == {had or before}
    assert torch.get_num_threads() == before


def test_threads_that_are_no_number_are_refused(suite: Suite, tmp_path: Path) -> None:
    model = Counting()
    model.threads = "many"  # type: ignore[attr-defined, assignment]
    (failure,) = generate(suite, [model], tmp_path, limit=1, progress=Quiet())
    assert "threads is 'many', not a whole number" in failure.message


class Choosy(Counting):
    name = "choosy"

    def stream(self, task: Task) -> Iterator[Tensor]:
        raise Unfit("makes frames of 64x64; the clip has 32x32")


def test_what_does_not_fit_is_set_apart_from_what_failed(suite: Suite, tmp_path: Path) -> None:
    found = generate(suite, [Choosy(), Counting()], tmp_path, progress=Quiet())
    skipped, failed = set_unfit_apart(found)
    assert skipped == ["choosy: makes frames of 64x64; the clip has 32x32 (3 clips)"]
    assert failed == []
    assert set_unfit_apart([replace(found[0], unfit=False)]) == ([], [replace(found[0], unfit=False)])


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_by_default_a_suite_without_cameras_is_run_with_what_fits(
    clips: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from magbench.suites.format import write_suite
    from tests.conftest import HEADER

    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path / "plain", [replace(clip, pose=None) for clip in clips[:2]], **HEADER)
    result = magbench_("run", "--suite", "plain", "--out", "out")
    assert result.exit_code == 0, result.stderr
    needs = "model mag needs 3 camera numbers a frame, or 5 with intrinsics; the clip has none"
    assert f"skipped: mag: {needs} (2 clips)" in result.stderr
    rows = json.loads(Path("out/table.json").read_text())["rows"]
    assert {"oracle", "freeze"} <= {row["model"] for row in rows}
    run = magbench.evaluate(suite="plain", out="python")
    assert run.failures == ()
    assert any(line.startswith("mag: model mag needs 3 camera numbers") for line in run.skipped)
    asked = magbench_("run", "plain", "--models", "mag,oracle", "--out", "out")
    assert asked.exit_code == 1 and "failed: mag, clip a" in asked.stderr
    other = magbench_("run", "plain", "--limit", "1", "--out", "out")
    assert other.exit_code == 1 and "limit None there, 1 here; --out gives another folder" in other.stderr


def test_a_name_that_is_like_nothing_is_answered_by_a_few() -> None:
    names = [f"model{i}" for i in range(17)]
    assert str(unknown("model", "model33", names)).startswith("unknown model 'model33'; did you mean: model")
    assert str(unknown("model", "zzz", names)).endswith(
        "there are: model0, model1, model10, model11, model12, model13, ... (17 in all)"
    )
    assert isinstance(unknown("model", "x", []), MagbenchError)
