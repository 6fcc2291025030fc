"""Records from generations: right, repeatable, and never of something that is not there any more."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magbench import metrics
from magbench.core import parallel
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.quality import QUALITY
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation
from magbench.runs.records import Record, read_records
from magbench.scoring import score as scoring_module
from magbench.scoring.score import score
from magbench.suites.clip import NO_REVISIT
from magbench.suites.format import Suite
from tests import fakes

pytestmark = pytest.mark.usefixtures("registered")

NAMES = ["tiny", "oracle", "freeze"]


@pytest.fixture
def out(suite: Suite, tmp_path: Path) -> Path:
    """A run of two clips, generated and not scored."""
    folder = tmp_path / "out"
    assert generate(suite, NAMES, folder, limit=2, progress=Quiet()) == []
    return folder


def scored(suite: Suite, out: Path) -> list[str]:
    return [str(failure) for failure in score(suite, out, progress=Quiet())]


def without_costs(out: Path) -> dict[str, list[bytes]]:
    """The lines of each score file, but for costs: time is never the same twice."""
    return {
        str(path.relative_to(out)): [line for line in path.read_bytes().splitlines() if b'"cost"' not in line]
        for path in sorted(out.glob("scores/*/*"))
    }


def read_scores(out: Path) -> list[Record]:
    return [record for path in sorted(out.glob("scores/*/*.jsonl")) for record in read_records(path)]


def find(records: list[Record], **wanted: object) -> Record:
    (record,) = [r for r in records if all(getattr(r, key) == value for key, value in wanted.items())]
    return record


def test_a_record_of_each_metric_protocol_and_region(suite: Suite, out: Path) -> None:
    assert scored(suite, out) == []
    records = read_scores(out)
    wanted = 2 * sum(len(protocol.metrics) for protocol in metrics.PROTOCOLS.values()) + len(QUALITY)
    assert sum(record.protocol != "cost" for record in records) == len(NAMES) * 2 * wanted
    whole = find(records, model="tiny", clip="b", protocol="aligned", metric="psnr", region="all")
    assert (whole.n, whole.frame, whole.gap) == (6, [6, 7, 8, 9, 10, 11], [1, 3, 5, 7, 9, 11])
    assert whole.per_frame is not None
    assert whole.value == np.mean(whole.per_frame)
    far = find(records, model="tiny", clip="b", protocol="aligned", metric="psnr", region="out_of_window")
    assert (far.n, far.per_frame) == (4, None)
    assert far.value == np.mean(whole.per_frame[2:])
    made = read_generation(RunFolder(out).generation("tiny", "b", 0))
    assert made is not None
    assert whole.generation_sha256 == made.frames_sha256
    assert (whole.suite, whole.suite_digest, whole.category, whole.speed) == (
        "tiny-suite",
        suite.digest,
        "pan",
        "slow",
    )


def test_the_oracle_is_perfect(suite: Suite, out: Path) -> None:
    scored(suite, out)
    perfect = {"ssim": 1, "lpips": 0, "score": 1, "coverage": 1}
    records = [r for r in read_scores(out) if r.model == "oracle" and r.metric in perfect and r.protocol != "quality"]
    assert len(records) == 2 * 2 * (3 + 2 + 2)
    for record in records:
        assert record.value == pytest.approx(perfect[record.metric], abs=1e-6), (record.protocol, record.metric)


def test_any_number_of_processes_gives_the_same_bytes(suite: Suite, tmp_path: Path) -> None:
    """Also in a run that was scored in part before, and the same failures in the same order."""
    one, two = tmp_path / "one", tmp_path / "two"
    assert generate(suite, ["oracle", "noise"], one, seeds=2, progress=Quiet()) == []
    shutil.copytree(one, two)
    assert score(suite, two, progress=Quiet(), workers=1) == []
    for path in sorted(two.glob("scores/*/*"))[::2]:
        path.unlink()
    for out in (one, two):
        for model, clip in (("oracle", "b"), ("noise", "b"), ("oracle", "a")):
            (RunFolder(out).generation(model, clip, 0) / "frames.mkv").write_bytes(b"")
    failures = [score(suite, out, progress=Quiet(), workers=workers) for out, workers in ((one, 1), (two, 2))]
    wanted = [("noise", "b", 0), ("oracle", "a", 0), ("oracle", "b", 0)]
    for found in failures:
        assert [(failure.model, failure.clip, failure.sample) for failure in found] == wanted
    written = [{path.relative_to(out): path.read_bytes() for path in out.glob("scores/*/*")} for out in (one, two)]
    assert len(written[0]) == 2 * 3 * 2 - 3
    assert written[0] == written[1]


def test_at_least_one_process(suite: Suite, out: Path) -> None:
    with pytest.raises(MagbenchError, match="workers must be 1 or more, not 0"):
        score(suite, out, progress=Quiet(), workers=0)


def test_little_work_stays_in_this_process(suite: Suite, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_in_processes", lambda *_: pytest.fail("not worth it"))
    assert scored(suite, out) == []


def test_a_return_without_range_is_counted_and_not_hidden(suite: Suite, tmp_path: Path) -> None:
    clip = suite.clips[0]
    still = clip.frames.copy()
    still[clip.switch :] = still[clip.switch]
    static = replace(suite, clips=(replace(clip, frames=still), *suite.clips[1:]))
    generate(static, ["freeze"], tmp_path, progress=Quiet())
    assert scored(static, tmp_path) == []
    records = [record for record in read_scores(tmp_path) if record.protocol == "ordered"]
    assert {(r.clip, r.value is None, r.n == 0) for r in records} == {
        ("a", True, True), ("b", False, False), ("c", False, False)
    }  # fmt: skip


def test_costs_are_a_models_only(suite: Suite, out: Path) -> None:
    scored(suite, out)
    costs = {r.metric: r for r in read_scores(out) if r.protocol == "cost" and r.clip == "a"}
    assert {record.model for record in costs.values()} == {"tiny"}
    made = read_generation(RunFolder(out).generation("tiny", "a", 0))
    assert made is not None
    assert costs["ttff_s"].value == made.seconds[0]
    assert costs["block_s"].value == np.median(made.seconds[1:])
    assert (costs["block_s"].n, costs["block_s"].per_frame, costs["block_s"].frame) == (
        2,
        made.seconds,
        [6, 8, 10],
    )
    assert costs["fps"].value == 6 / sum(made.seconds)
    assert (costs["history_bytes"].value, costs["history_bytes"].per_frame) == (30, [10, 20, 30])
    assert costs["peak_rss_bytes"].value == made.peak_rss_bytes
    assert (costs["device_peak_bytes"].value, costs["device_peak_bytes"].n) == (None, 0)


def test_no_frame_in_a_region_is_none_and_not_zero(suite: Suite, tmp_path: Path) -> None:
    clip = suite.clips[0]
    unseen = replace(suite, clips=(replace(clip, revisit=np.full(12, NO_REVISIT)),))
    generate(unseen, ["freeze"], tmp_path, progress=Quiet())
    assert scored(unseen, tmp_path) == []
    record = find(read_scores(tmp_path), protocol="legacy", metric="lpips", region="out_of_window")
    assert (record.value, record.n) == (None, 0)


def test_scoring_again_writes_and_computes_nothing(suite: Suite, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored(suite, out)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.glob("scores/*/*")}
    assert len(before) == 6
    monkeypatch.setattr(scoring_module, "score_records", lambda *_: pytest.fail("scored again"))
    assert scored(suite, out) == []
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.glob("scores/*/*")} == before


def test_an_interrupted_run_has_the_scores_of_one_that_was_not(suite: Suite, tmp_path: Path, out: Path) -> None:
    scored(suite, out)
    cut, written = tmp_path / "cut", scoring_module.write_records
    calls: list[Path] = []

    def stopping(path: Path, records: list[Record]) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        written(path, records)

    generate(suite, NAMES, cut, limit=2, progress=Quiet())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring_module, "write_records", stopping)
        with pytest.raises(KeyboardInterrupt):
            scored(suite, cut)
    assert len(list(cut.glob("scores/*/*"))) == 2
    assert scored(suite, cut) == []
    assert without_costs(cut) == without_costs(out)


def test_a_newer_metric_is_scored_again(suite: Suite, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored(suite, out)
    newer = tuple(replace(m, version=m.version + 1) if m.name == "psnr" else m for m in metrics.ALIGNED.metrics)
    protocols = {**metrics.PROTOCOLS, "aligned": replace(metrics.ALIGNED, metrics=newer)}
    monkeypatch.setattr(metrics, "PROTOCOLS", protocols)
    assert scored(suite, out) == []
    versions = {(r.metric, r.metric_version) for r in read_scores(out) if r.protocol == "aligned"}
    assert versions == {(metric.name, metric.version) for metric in newer}


def test_costs_follow_a_generation_made_again(suite: Suite, out: Path) -> None:
    scored(suite, out)
    before = without_costs(out)
    (RunFolder(out).generation("tiny", "a", 0) / "generation.json").unlink()
    generate(suite, ["tiny"], out, limit=2, progress=Quiet())
    assert scored(suite, out) == []
    made = read_generation(RunFolder(out).generation("tiny", "a", 0))
    assert made is not None
    assert find(read_scores(out), clip="a", metric="ttff_s").value == made.ttff_s
    assert without_costs(out) == before


def test_damaged_scores_are_made_again(suite: Suite, out: Path) -> None:
    scored(suite, out)
    before = without_costs(out)
    path = RunFolder(out).score("tiny", "a", 0)
    path.write_bytes(path.read_bytes()[:-30])
    assert scored(suite, out) == []
    assert without_costs(out) == before


def test_a_damaged_generation_is_named_and_has_no_score(suite: Suite, out: Path) -> None:
    scored(suite, out)
    frames = RunFolder(out).generation("tiny", "a", 0) / "frames.mkv"
    frames.write_bytes((RunFolder(out).generation("tiny", "b", 0) / "frames.mkv").read_bytes())
    (message,) = scored(suite, out)
    assert message.startswith(f"tiny, clip a, sample 0: {frames}: changed, sha256 of its frames is ")
    assert not RunFolder(out).score("tiny", "a", 0).exists()
    assert RunFolder(out).score("tiny", "b", 0).exists()


def test_no_score_outlives_its_generation(suite: Suite, out: Path) -> None:
    scored(suite, out)
    (RunFolder(out).generation("tiny", "a", 0) / "generation.json").unlink()
    assert scored(suite, out) == []
    assert not RunFolder(out).score("tiny", "a", 0).exists()


def test_a_score_that_is_not_a_number_is_an_error(suite: Suite, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.array([1.0, 2.0, np.nan, 3.0, 4.0, 5.0])
    aligned = replace(metrics.PROTOCOLS["aligned"], score=lambda pair: {m.name: values for m in metrics.METRICS})
    monkeypatch.setattr(metrics, "PROTOCOLS", {"aligned": aligned})
    assert "tiny, clip a, sample 0: aligned psnr of frame 8 is nan" in scored(suite, out)


def test_another_suite_or_no_run_is_refused(suite: Suite, out: Path, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="out: belongs to another run: digest"):
        scored(replace(suite, digest="0" * 64), out)
    with pytest.raises(MagbenchError, match=r"nowhere: is not the folder of a run, it has no run\.json"):
        scored(suite, tmp_path / "nowhere")


def test_a_run_without_generations_has_no_scores(suite: Suite, tmp_path: Path) -> None:
    generate(suite, [], tmp_path, progress=Quiet())
    assert scored(suite, tmp_path) == []
    assert read_scores(tmp_path) == []


def test_a_model_that_failed_is_not_scored(suite: Suite, tmp_path: Path) -> None:
    assert len(generate(suite, ["nan"], tmp_path, progress=Quiet())) == 3
    assert fakes.BROKEN["nan"]
    assert scored(suite, tmp_path) == []
    assert read_scores(tmp_path) == []
