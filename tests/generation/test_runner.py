"""Generations: saved whole, resumed exactly, and one failure costs nothing else."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.core.seeds import task_seed
from magbench.generation.runner import generate
from magbench.generation.sources import make_task
from magbench.models.naming import Candidate
from magbench.models.protocol import Task
from magbench.runs import generation as generation_module
from magbench.runs.failures import Failure
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.suites.format import Suite
from magbench.video.io import read_video, to_float, to_uint8
from tests import fakes

pytestmark = pytest.mark.usefixtures("registered")


class Counting:
    """Remembers the stages and counts their steps."""

    def __init__(self) -> None:
        self.stages: list[list[object]] = []

    def stage(self, label: str, total: int) -> None:
        self.stages.append([label, total, 0])

    def step(self) -> None:
        self.stages[-1][2] += 1  # type: ignore[operator]


def run(suite: Suite, names: list[str], out: Path, limit: int | None = None, seeds: int = 1) -> list[Failure]:
    return generate(suite, names, out, limit=limit, seeds=seeds, progress=Quiet())


def videos(out: Path) -> dict[str, bytes]:
    """Every file whose bytes must not depend on how often the run was interrupted."""
    wanted = ("frames.mkv", "preview.mp4")
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.name in wanted}


def test_a_generation_is_whole(suite: Suite, tmp_path: Path) -> None:
    progress = Counting()
    assert generate(suite, ["tiny"], tmp_path / "out", seeds=2, progress=progress) == []
    assert progress.stages == [["tiny", 6, 6]]
    clip = suite.clip("b")
    folder = RunFolder(tmp_path / "out").generation("tiny", "b", 1)
    assert {path.name for path in folder.iterdir()} == {"frames.mkv", "preview.mp4", "generation.json"}
    made = read_generation(folder)
    assert made is not None
    assert (made.model, made.kind, made.clip, made.sample) == ("tiny", "model", "b", 1)
    assert made.seed == task_seed("b", 1)
    assert made.pieces == [2, 2, 2]
    assert made.history_bytes == [10, 20, 30]
    assert made.ttff_s == made.seconds[0]
    shown = read_frames(folder, made)
    assert np.array_equal(shown, to_uint8(torch.cat(list(fakes.noisy(make_task(clip, 1))))))
    assert len(read_video(folder / "preview.mp4")) == len(clip.frames)


def test_a_task_holds_no_future(suite: Suite) -> None:
    clip = suite.clip("a")
    task = make_task(clip, 0)
    assert torch.equal(task.context, to_float(clip.frames[: clip.switch]))
    assert task.pose is not None
    assert (task.pose.dtype, tuple(task.pose.shape)) == (torch.float32, (12, 3))
    assert (task.frames, task.fps, task.prompt) == (12, 16, clip.caption)
    assert make_task(replace(clip, pose=None), 0).pose is None


def test_references_are_saved_as_models_are(suite: Suite, tmp_path: Path) -> None:
    assert run(suite, ["oracle", "wrong_scene"], tmp_path) == []
    for name, shown in (("oracle", "c"), ("wrong_scene", "a")):  # after the last clip comes the first
        folder = RunFolder(tmp_path).generation(name, "c", 0)
        made = read_generation(folder)
        assert made is not None
        assert (made.kind, made.history_bytes) == ("reference", None)
        assert np.array_equal(read_frames(folder, made), suite.clip(shown).frames[6:])


def test_limit_takes_the_first_and_wrong_scene_still_has_another(suite: Suite, tmp_path: Path) -> None:
    assert run(suite, ["wrong_scene"], tmp_path, limit=1) == []
    assert [path.name for path in (tmp_path / "generations/wrong_scene").iterdir()] == ["a@0"]
    alone = replace(suite, clips=suite.clips[:1])
    (failure,) = run(alone, ["oracle", "wrong_scene"], tmp_path / "alone")
    assert str(failure) == "wrong_scene, clip a, sample 0: the suite has no other clip of this length and frame size"


def test_all_names_by_default(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("magbench.generation.runner.usable_names", lambda: ["tiny", "freeze", "oracle"])
    progress = Counting()
    assert generate(suite, None, tmp_path, limit=1, progress=progress) == []
    assert progress.stages == [["tiny", 1, 1], ["2 references", 2, 2]]


def test_the_same_command_again_makes_nothing(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(suite, ["tiny", "oracle"], tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr("magbench.generation.worker.measure", lambda *_: pytest.fail("made again"))
    progress = Counting()
    assert generate(suite, ["tiny", "oracle"], tmp_path, progress=progress) == []
    assert progress.stages == [["tiny", 3, 3], ["oracle", 3, 3]]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop inside the second clip, between two pieces."""
    clips: list[int] = []

    def make(task: Task) -> Iterator[Tensor]:
        clips.append(task.seed)
        for index, piece in enumerate(fakes.noisy(task)):
            if clips[-1] == task_seed("b", 0) and index == 1:
                signal.raise_signal(signal.SIGINT)
            yield piece

    monkeypatch.setattr(fakes, "tiny", lambda: fakes.Fake("tiny", make))


def interrupt_saving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop in the second clip when its pixels are on disk and its generation.json is not."""
    write = generation_module.write_atomic

    def stopping(path: Path, text: str) -> None:
        if path.parent.name == "b@0":
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(generation_module, "write_atomic", stopping)


def interrupt_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop in the second clip with half of its video written."""
    write = generation_module.write_lossless

    def stopping(path: Path, frames: np.ndarray, fps: int) -> None:
        write(path, frames, fps)
        if path.parent.name == "b@0":
            path.write_bytes(path.read_bytes()[:1000])
            raise KeyboardInterrupt

    monkeypatch.setattr(generation_module, "write_lossless", stopping)


@pytest.mark.parametrize("interrupt", [interrupt_stream, interrupt_saving, interrupt_encoder])
def test_an_interrupted_run_ends_as_one_that_was_not(
    interruptible: None, suite: Suite, tmp_path: Path, interrupt: Callable[[pytest.MonkeyPatch], None]
) -> None:
    names = ["tiny", "noise"]
    run(suite, names, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch)
        with pytest.raises(KeyboardInterrupt):
            run(suite, names, tmp_path / "cut")
    cut = RunFolder(tmp_path / "cut").generation("tiny", "b", 0)
    assert read_generation(cut) is None
    first = RunFolder(tmp_path / "cut").generation("tiny", "a", 0) / "generation.json"
    kept = first.read_bytes()
    assert run(suite, names, tmp_path / "cut") == []
    assert first.read_bytes() == kept
    assert videos(tmp_path / "cut") == videos(tmp_path / "whole")


def test_order_and_company_change_nothing(suite: Suite, tmp_path: Path) -> None:
    run(suite, ["forgetful", "tiny", "noise"], tmp_path / "one", seeds=2)
    run(suite, ["noise"], tmp_path / "two", seeds=2)
    run(suite, ["tiny"], tmp_path / "two", seeds=2)
    run(suite, ["forgetful"], tmp_path / "two", seeds=2)
    assert videos(tmp_path / "one") == videos(tmp_path / "two")


def change_pixels(folder: Path) -> None:
    (folder / "frames.mkv").write_bytes((folder.parent / "a@0/frames.mkv").read_bytes())


def cut_pixels(folder: Path) -> None:
    path = folder / "frames.mkv"
    path.write_bytes(path.read_bytes()[:-5000])


def break_json(folder: Path) -> None:
    path = folder / "generation.json"
    path.write_text(path.read_text()[:-20])


def lose_field(folder: Path) -> None:
    path = folder / "generation.json"
    content = json.loads(path.read_text())
    del content["device"]
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("damage", [change_pixels, cut_pixels, break_json, lose_field])
def test_a_damaged_generation_is_made_again(suite: Suite, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    run(suite, ["tiny"], tmp_path)
    before = videos(tmp_path)
    damage(RunFolder(tmp_path).generation("tiny", "b", 0))
    assert run(suite, ["tiny"], tmp_path) == []
    assert videos(tmp_path) == before


def test_another_revision_is_made_again_and_never_mixed(
    interruptible: None, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(suite, ["tiny"], tmp_path)

    def stopping(task: Task) -> Iterator[Tensor]:
        signal.raise_signal(signal.SIGINT)
        yield from ()

    monkeypatch.setattr(fakes, "tiny", lambda: fakes.Fake("tiny", stopping, revision="2"))
    with pytest.raises(KeyboardInterrupt):
        run(suite, ["tiny"], tmp_path)
    assert [read_generation(RunFolder(tmp_path).generation("tiny", clip, 0)) for clip in "abc"] == [None] * 3


@pytest.mark.parametrize("name", fakes.BROKEN)
def test_a_failing_model_costs_nothing_else(suite: Suite, tmp_path: Path, name: str) -> None:
    failures = run(suite, [name, "tiny"], tmp_path, limit=2)
    assert [(failure.model, failure.clip, failure.sample) for failure in failures] == [
        (name, "a", 0),
        (name, "b", 0),
    ]
    for failure in failures:
        assert fakes.BROKEN[name][1] in str(failure)
        assert "\n" not in str(failure)
    assert len(videos(tmp_path)) == 4  # both of tiny


def test_finished_clips_of_a_failing_model_are_kept(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing_on_b(task: Task) -> Iterator[Tensor]:
        if task.seed == task_seed("b", 0):
            raise RuntimeError("out of memory")
        yield from fakes.noisy(task)

    monkeypatch.setattr(fakes, "tiny", lambda: fakes.Fake("tiny", failing_on_b))
    (failure,) = run(suite, ["tiny"], tmp_path)
    error = RunFolder(tmp_path).generation("tiny", "b", 0) / "error.txt"
    assert str(failure) == f"tiny, clip b, sample 0: RuntimeError: out of memory (traceback in {error})"
    assert "failing_on_b" in error.read_text()
    assert len(videos(tmp_path)) == 4
    monkeypatch.undo()
    tiny = Candidate("tiny", "model", model=fakes.tiny)
    monkeypatch.setattr("magbench.generation.sources.resolve", lambda given: tiny)
    assert run(suite, ["tiny"], tmp_path) == []
    assert not error.exists()


def test_a_model_that_cannot_be_made(suite: Suite, tmp_path: Path) -> None:
    failures = run(suite, ["unloadable", "misnamed", "tiny"], tmp_path)
    assert [str(failure) for failure in failures] == [
        "unloadable: FileNotFoundError: weights.safetensors is not there",
        "misnamed: model 'misnamed' calls itself 'another'",
    ]
    assert len(videos(tmp_path)) == 6


def test_an_unknown_name_stops_before_anything_is_made(suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="unknown model 'tinny'; did you mean: tiny"):
        run(suite, ["oracle", "tinny"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_models_may_join_a_run_later(suite: Suite, tmp_path: Path) -> None:
    run(suite, ["tiny"], tmp_path, limit=1)
    assert run(suite, ["oracle"], tmp_path, limit=1) == []
    assert sorted(path.name for path in (tmp_path / "generations").iterdir()) == ["oracle", "tiny"]


@pytest.mark.parametrize(
    ("change", "seeds", "limit", "message"),
    [
        ({"digest": "0" * 64}, 1, 1, "digest"),
        ({"split": "dev"}, 1, 1, "split test there, dev here"),
        ({"version": 2}, 1, 1, "version 1 there, 2 here"),
        ({}, 2, 1, "seeds 1 there, 2 here"),
        ({}, 1, None, "limit 1 there, None here"),
    ],
)
def test_a_folder_of_another_run_is_refused(
    suite: Suite, tmp_path: Path, change: dict[str, object], seeds: int, limit: int | None, message: str
) -> None:
    run(suite, ["tiny"], tmp_path, limit=1)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(MagbenchError, match=f"{tmp_path}: belongs to another run: {message}"):
        run(replace(suite, **change), ["tiny"], tmp_path, limit=limit, seeds=seeds)  # type: ignore[arg-type]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_folders_that_are_not_a_runs(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(MagbenchError, match=r"holds files but no run\.json"):
        run(suite, ["tiny"], tmp_path)
    with pytest.raises(MagbenchError, match="file: is not a folder"):
        run(suite, ["tiny"], tmp_path / "file")
    with pytest.raises(MagbenchError, match=r"file/out: cannot be written \(Not a directory\)"):
        run(suite, ["tiny"], tmp_path / "file/out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/run.json").write_text("{")
    with pytest.raises(MagbenchError, match=r"run\.json: broken JSON"):
        run(suite, ["tiny"], tmp_path / "out")


@pytest.mark.parametrize(("seeds", "limit", "field"), [(0, None, "seeds"), (1, 0, "limit")])
def test_counts_start_at_one(suite: Suite, tmp_path: Path, seeds: int, limit: int | None, field: str) -> None:
    with pytest.raises(MagbenchError, match=f"{field}: .*greater than 0, not 0"):
        run(suite, ["tiny"], tmp_path, seeds=seeds, limit=limit)
