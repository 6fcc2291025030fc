"""The adapter against a program with VBench's arguments, files and manners."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation
from magbench.runs.records import Record, read_records, write_records
from magbench.vbench import store
from magbench.vbench.dimensions import DIMENSIONS
from magbench.vbench.evaluate import evaluate
from magbench.vbench.program import Program
from tests.vbench.conftest import calls

TWO = ["aesthetic_quality", "imaging_quality"]


def judge(run: Path, program: Path, models=None, dimensions=TWO, timeout_s=30.0):  # type: ignore[no-untyped-def]
    return evaluate(run, models, dimensions, Program(program, timeout_s), progress=Quiet())


def values(run: Path) -> dict[tuple[str, str, str], Record]:
    return {(record.model, record.clip, record.metric): record for record in store.read(run)}


def test_every_return_of_every_model_has_a_record(run: Path, program: Path) -> None:
    assert judge(run, program) == []
    found = values(run)
    assert {(model, clip) for model, clip, _ in found} == {(m, c) for m in ("tiny", "forgetful") for c in "ab"}
    for (model, clip, dimension), record in found.items():
        generation = read_generation(RunFolder(run).generation(model, clip, 0))
        assert generation is not None
        expected = zlib.crc32(f"{model}@{clip}@0.mp4".encode()) / 2**32
        assert record.value == pytest.approx(expected), dimension  # imaging quality was out of 100
        assert (record.protocol, record.region, record.n, record.better) == ("vbench", "all", 6, "higher")
        assert record.generation_sha256 == generation.frames_sha256
        assert (record.revision, record.kind, record.suite) == ("1", "model", "tiny-suite")


def test_each_dimension_is_one_call_with_all_videos(run: Path, program: Path) -> None:
    judge(run, program)
    videos = "forgetful@a@0.mp4,forgetful@b@0.mp4,tiny@a@0.mp4,tiny@b@0.mp4"
    assert calls(program) == [f"{dimension} {videos}" for dimension in TWO]
    assert sorted(path.name for path in (run / "vbench").iterdir()) == [
        "aesthetic_quality.log",
        "imaging_quality.log",
        "not_available.json",
        "records.jsonl",
    ]


def test_only_what_lacks_is_judged_again(run: Path, program: Path) -> None:
    judge(run, program, models=["tiny"])
    judge(run, program)
    judge(run, program)
    assert [line.split()[1].count("@0") for line in calls(program)] == [2, 2, 2, 2]
    assert len(values(run)) == 8


def test_a_reference_is_judged_when_named(run: Path, program: Path) -> None:
    judge(run, program, models=["oracle"], dimensions=["dynamic_degree"])
    assert {record.value for record in store.read(run)} == {1.0}
    assert {record.kind for record in store.read(run)} == {"reference"}


def test_every_dimension_is_one_that_custom_input_takes(run: Path, program: Path) -> None:
    assert judge(run, program, models=["tiny"], dimensions=None) == []
    assert [line.split()[0] for line in calls(program)] == list(DIMENSIONS)


def test_a_dimension_that_fails_is_not_available(run: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no other suffers; the next time it is tried again."""
    monkeypatch.setenv("FAKE_VBENCH", "aesthetic_quality fails")
    (failure,) = judge(run, program)
    assert str(failure).startswith(
        "aesthetic_quality: not available: wrote 0 results (exit code 0): RuntimeError: Found no NVIDIA driver"
    )
    assert str(failure).endswith("; see vbench/aesthetic_quality.log")
    assert store.reasons(run) == [failure]
    by_dimension = {record.metric: (record.value is None, record.n) for record in store.read(run)}
    assert by_dimension == {"aesthetic_quality": (True, 0), "imaging_quality": (False, 6)}
    monkeypatch.delenv("FAKE_VBENCH")
    assert judge(run, program) == []
    assert store.reasons(run) == []
    assert all(record.value is not None for record in store.read(run))


def test_a_video_that_vbench_leaves_out_is_said(run: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VBENCH", "drops")
    (failure,) = judge(run, program, dimensions=["aesthetic_quality"])
    assert "no result for 1 of 4 videos" in failure.reason
    assert sorted(record.value is None for record in store.read(run)) == [False, False, False, True]


def test_nan_is_not_available(run: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VBENCH", "nan")
    (failure,) = judge(run, program, dimensions=["aesthetic_quality"])
    assert "NaN is no number" in failure.reason
    assert {record.value for record in store.read(run)} == {None}


def test_a_program_that_takes_too_long_is_stopped(run: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VBENCH", "slow")
    (failure,) = judge(run, program, dimensions=["aesthetic_quality"], timeout_s=0.2)
    assert "was stopped after 0.2 s" in failure.reason


def test_scores_of_earlier_frames_do_not_count(run: Path, program: Path) -> None:
    """A return that was made and scored again."""
    judge(run, program)
    path = RunFolder(run).score("tiny", "a", 0)
    changed = [record.model_copy(update={"revision": "2"}) for record in read_records(path)]
    write_records(path, changed)
    scored = [record for file in (run / "scores").glob("*/*.jsonl") for record in read_records(file)]
    kept = {(record.model, record.clip) for record in store.current(run, {store.return_of(r) for r in scored})}
    assert kept == {("tiny", "b"), ("forgetful", "a"), ("forgetful", "b")}
    judge(run, program)
    assert calls(program)[-1] == "imaging_quality tiny@a@0.mp4"
    assert len(store.current(run, {store.return_of(r) for r in scored})) == 8


def test_frames_that_were_not_scored_are_refused(run: Path, program: Path) -> None:
    path = RunFolder(run).score("tiny", "a", 0)
    write_records(path, [r.model_copy(update={"generation_sha256": "0" * 64}) for r in read_records(path)])
    with pytest.raises(MagbenchError, match="is not what was scored; run `magbench score` first"):
        judge(run, program)
    assert not (run / "vbench" / "videos").exists()


def test_bad_names(run: Path, program: Path, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="unknown dimension 'imaging'; did you mean: imaging_quality"):
        judge(run, program, dimensions=["imaging"])
    with pytest.raises(MagbenchError, match="unknown model .* 'tinny'; did you mean: tiny"):
        judge(run, program, models=["tinny"])
    with pytest.raises(MagbenchError, match="is not the folder of a run"):
        judge(tmp_path, program)
