"""The noise panel: its members are what they say, its levels the shifts of plain means, and it is made once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from magbench.analysis import measure_noise as panel_module
from magbench.analysis.measure_noise import ensure, measure
from magbench.analysis.noise_floor import NOTHING_MEASURED, Level, Panel, read_noise
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.metrics import PROTOCOLS
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.runs.records import read_records
from magbench.scoring.score import score
from magbench.suites.format import Suite
from tests import fakes
from tests.report.synthetic import records


def level(**changes: object) -> Level:
    plain = {"protocol": "ordered", "protocol_version": 1, "metric": "score", "metric_version": 1}
    return Level(**(plain | {"region": "out_of_window", "level": 0.1, "shifts": {"h264": -0.1}} | changes))  # type: ignore[arg-type]


def panel(*levels: Level) -> Panel:
    return Panel(model="mag", revision="1", suite_digest="d" * 64, clips=2, crf=18, levels=list(levels))


def test_a_level_is_found_by_name_region_and_version() -> None:
    primary = [r for r in records(["mag"]) if (r.protocol, r.metric, r.region) == ("ordered", "score", "out_of_window")]
    assert panel(level()).level(primary) == 0.1
    for other in (level(metric="lpips"), level(region="all"), level(protocol_version=2), level(metric_version=2)):
        assert panel(other).level(primary) is None
    assert panel(level()).level([]) is None
    assert NOTHING_MEASURED.level(primary) is None


def test_a_run_without_a_panel_has_no_level_and_a_broken_one_is_named(tmp_path: Path) -> None:
    assert read_noise(tmp_path) == NOTHING_MEASURED
    (RunFolder(tmp_path).noise).write_text(json.dumps({"model": "mag"}))
    with pytest.raises(MagbenchError, match=r"noise\.json: revision: Field required; remove it"):
        read_noise(tmp_path)


@pytest.fixture(scope="module")
def finished(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scored run of two clips and two samples."""
    out = tmp_path_factory.mktemp("runs") / "run"
    site = tmp_path_factory.mktemp("site")
    fakes.register(site)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        assert generate(suite, ["tiny", "oracle", "wrong_scene"], out, limit=2, seeds=2, progress=Quiet()) == []
    assert score(suite, out, progress=Quiet(), workers=1) == []
    return out


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def mean(run: Path, suite: Suite, sample: int, region: str) -> float:
    found = [r for c in suite.clips[:2] for r in read_records(RunFolder(run).score("tiny", c.id, sample))]
    return float(np.mean([r.value for r in found if (r.protocol, r.metric, r.region) == ("aligned", "ssim", region)]))


def test_levels_are_shifts_of_means(run: Path, suite: Suite) -> None:
    found = ensure(suite, run, progress=Quiet())
    assert (found.model, found.clips, found.suite_digest) == ("tiny", 2, suite.digest)
    assert read_noise(run) == found
    (aligned,) = [one for one in found.levels if (one.protocol, one.metric, one.region) == ("aligned", "ssim", "all")]
    assert set(aligned.shifts) == {"h264", "yuv420", "late", "seed"}
    assert aligned.shifts["seed"] == pytest.approx(mean(run, suite, 1, "all") - mean(run, suite, 0, "all"))
    assert aligned.level == max(abs(shift) for name, shift in aligned.shifts.items() if name != "late")
    (ordered,) = [o for o in found.levels if (o.protocol, o.metric, o.region) == ("ordered", "coverage", "all")]
    assert ordered.level == max(map(abs, ordered.shifts.values()))
    assert {one.protocol for one in found.levels} >= {*PROTOCOLS, "retention", "quality"}
    assert {one.region for one in found.levels} == {"all", "out_of_window", "in_window"}


def test_one_frame_late_starts_with_the_last_given_frame(run: Path, suite: Suite, tmp_path: Path) -> None:
    clip = suite.clips[0]
    panel_module._write_members(run, tmp_path, "tiny", clip, resize=False)
    late_folder, folder = (
        RunFolder(tmp_path).generation("late", clip.id, 0),
        RunFolder(run).generation("tiny", clip.id, 0),
    )
    late, made = read_generation(late_folder), read_generation(folder)
    assert late is not None and made is not None
    frames = read_frames(late_folder, late)
    assert np.array_equal(frames[0], clip.frames[clip.switch - 1])
    assert np.array_equal(frames[1:], read_frames(folder, made)[:-1])


def test_a_panel_that_holds_is_kept_and_one_that_does_not_is_made_again(
    run: Path, suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ensure(suite, run, progress=Quiet())
    calls: list[str] = []
    monkeypatch.setattr(panel_module, "measure", lambda suite, out, model, progress: calls.append(model))
    ensure(suite, run, progress=Quiet())
    assert calls == []
    uncovered = [one for one in first.levels if one.metric != "coverage"]
    for change in ({"suite_digest": "0" * 64}, {"revision": "older"}, {"levels": uncovered}):
        (RunFolder(run).noise).write_text(first.model_copy(update=change).model_dump_json())
        ensure(suite, run, progress=Quiet())
    assert calls == ["tiny"] * 3


def test_a_run_of_references_has_no_panel(run: Path, suite: Suite) -> None:
    shutil.rmtree(run / "scores/tiny")
    assert ensure(suite, run, progress=Quiet()) == NOTHING_MEASURED
    with pytest.raises(MagbenchError, match="has no scored return of tiny"):
        measure(suite, run, "tiny", progress=Quiet())
