"""History effect: exactly 0 without memory, 1 for a model that looks its history up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from torch import Tensor

from cli import main
from magbench.analysis.history_effect import (
    MeasuredEffects,
    effect,
    measure_history_effect,
    read_effects,
)
from magbench.analysis.history_swap import swap_of
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.generation.sources import make_task
from magbench.models.protocol import Task
from magbench.report.effect import effect_grid
from magbench.runs.folder import RunFolder
from magbench.suites.clip import NO_REVISIT
from magbench.suites.format import Suite
from tests import fakes

pytestmark = pytest.mark.usefixtures("registered")

FAR = 2  # the suite's clips have six given frames, its window four
RNG = np.random.default_rng(0)
SCENES = RNG.integers(0, 256, (5, 6, 32, 32, 3), dtype=np.uint8)


def remembering(task: Task) -> Iterator[Tensor]:
    """What was given, backwards: the true return of every clip."""
    yield task.context.flip(0)


def partly(task: Task) -> Iterator[Tensor]:
    """Remembers all but the first given frame."""
    frames = task.context.flip(0).clone()
    frames[-1] = 0.5
    yield frames


def measured(suite: Suite, out: Path, names: list[str] | None = None, limit: int | None = None) -> MeasuredEffects:
    return measure_history_effect(suite, names or ["tiny"], out, limit=limit, progress=Quiet())


def test_the_ends_of_the_scale() -> None:
    truth, target, other, *_ = SCENES
    assert effect(other, other, truth, target) == 0.0
    assert effect(truth, target, truth, target) == pytest.approx(1.0, abs=1e-6)
    assert effect(target, truth, truth, target) == pytest.approx(-1.0, abs=1e-6)
    assert effect(truth, other, truth, target) == pytest.approx(0.5, abs=0.1)  # forgot the one, knows not the other
    assert effect(truth, target, truth, truth) is None


def test_a_change_without_direction_cancels() -> None:
    truth, target, made, again, _ = SCENES
    assert effect(made, again, truth, target) == pytest.approx(0.0, abs=0.08)


def test_the_swapped_task(suite: Suite) -> None:
    clip, other = suite.clip("a"), suite.clip("b")
    swap = swap_of(suite, clip)
    assert swap is not None
    assert (swap.other.id, swap.far, swap.frames.tolist()) == ("b", FAR, [10, 11])
    ordinary, swapped = make_task(clip, 0), make_task(swap.swapped_clip, 0)
    assert np.array_equal(swapped.context[:FAR], make_task(other, 0).context[:FAR])
    assert np.array_equal(swapped.context[FAR:], ordinary.context[FAR:])
    assert np.array_equal(swapped.pose, ordinary.pose)
    assert (swapped.seed, swapped.prompt, swapped.frames) == (ordinary.seed, ordinary.prompt, ordinary.frames)
    truth, target = swap.truth_and_target()
    assert np.array_equal(truth, clip.frames[[10, 11]])
    assert np.array_equal(target, other.frames[[1, 0]])


def test_the_other_scene_has_a_camera_that_moved_alike(suite: Suite) -> None:
    a, b, c = suite.clips
    mixed = replace(suite, clips=(a, replace(b, speed="fast"), c))
    assert [swap.other.id for clip in mixed.clips if (swap := swap_of(mixed, clip))] == ["c", "c", "a"]


def test_clips_that_cannot_be_swapped(suite: Suite) -> None:
    a, *rest = suite.clips
    assert swap_of(replace(suite, clips=(a,)), a) is None
    assert swap_of(replace(suite, window=6), a) is None
    never = replace(a, revisit=np.full(12, NO_REVISIT))
    assert swap_of(replace(suite, clips=(never, *rest)), never) is None


def test_no_memory_is_exactly_zero_and_a_look_up_is_one(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(suite, tmp_path / "none")
    assert found.failures == []
    assert [(r.clip, r.value, r.n) for r in found.records] == [("a", 0.0, 2), ("b", 0.0, 2), ("c", 0.0, 2)]
    one = found.records[0]
    assert (one.protocol, one.metric, one.region, one.better) == ("history_effect", "effect", "out_of_window", "higher")
    monkeypatch.setattr(fakes, "tiny", lambda: fakes.Fake("tiny", remembering))
    found = measured(suite, tmp_path / "all", limit=2)
    assert [r.value for r in found.records] == pytest.approx([1.0] * 2, abs=1e-6)
    monkeypatch.setattr(fakes, "tiny", lambda: fakes.Fake("tiny", partly))
    (half,) = measured(suite, tmp_path / "half", limit=1).records
    assert half.value == pytest.approx(0.5, abs=0.1)


def test_what_is_there_is_used_and_kept(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(suite, ["tiny"], tmp_path, limit=1, progress=Quiet())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    found = measured(suite, tmp_path, limit=1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert read_effects(tmp_path) == found.records
    monkeypatch.setattr("magbench.generation.worker.measure", lambda *_: pytest.fail("made again"))
    monkeypatch.setattr("magbench.analysis.history_effect.effect", lambda *_: pytest.fail("scored again"))
    assert measured(suite, tmp_path, limit=1).records == found.records


def test_another_revision_is_made_again(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(suite, tmp_path, limit=1)
    monkeypatch.setattr(fakes, "tiny", lambda: fakes.Fake("tiny", remembering, revision="2"))
    generate(suite, ["tiny"], tmp_path, limit=1, progress=Quiet())
    assert read_effects(tmp_path) == []  # it was of the revision before
    (record,) = measured(suite, tmp_path, limit=1).records
    assert (record.revision, record.value) == ("2", pytest.approx(1.0, abs=1e-6))
    assert read_effects(tmp_path) == [record]
    made = json.loads((RunFolder(tmp_path).swapped_generation("tiny", "a", 0) / "generation.json").read_text())
    assert made["revision"] == "2, swapped history v1"


def test_a_damaged_score_is_made_again(suite: Suite, tmp_path: Path) -> None:
    found = measured(suite, tmp_path, limit=1)
    (path,) = (tmp_path / "scores_swapped").rglob("*.jsonl")
    path.write_text("{")
    assert measured(suite, tmp_path, limit=1).records == found.records


def test_a_program_has_a_history_effect_too(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\ncommand: cp -r {context_folder} {output}\n")
    found = measured(suite, tmp_path / "out", [f"command:{tmp_path / 'mine.yaml'}"], limit=1)
    assert [(r.model, r.n) for r in found.records] == [("mine", 2)]
    assert (RunFolder(tmp_path / "out").swapped_generation("mine", "a", 0) / "command.log").is_file()


def test_failures_cost_nothing_else(suite: Suite, tmp_path: Path) -> None:
    found = measured(suite, tmp_path, ["unloadable", "nan", "tiny"], limit=1)
    assert [(f.model, f.clip) for f in found.failures] == [
        ("unloadable", None),
        ("nan", "a"),
        ("nan, swapped history", "a"),
    ]
    assert [r.model for r in found.records] == ["tiny"]


def test_a_reference_is_refused(suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="'oracle' is a reference"):
        measured(suite, tmp_path / "out", ["tiny", "oracle"])
    assert not (tmp_path / "out").exists()


def test_the_table(suite: Suite, tmp_path: Path) -> None:
    grid = effect_grid(measured(suite, tmp_path, limit=1))
    assert grid.rows == (("tiny", "0.000", "1"),)


def test_the_command(suite_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["history-effect", str(suite_folder), "--models", "tiny", "--out", "out"])
    assert result.exit_code == 0, result.stderr
    assert "tiny    0.000 [0.000, 0.000]  3" in result.stdout
    assert "generate tiny, swapped history: 3 of 3" in result.stderr
