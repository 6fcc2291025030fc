"""The whole report of a made-up run: every file, its content, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from magbench.analysis.noise_floor import Level, Panel
from magbench.core.errors import MagbenchError
from magbench.models.meter import Metered
from magbench.report import sheet
from magbench.report.report import FILES, report
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import write_generation
from magbench.runs.records import read_parquet, write_records
from magbench.suites.format import Suite
from tests.report.conftest import MADE
from tests.report.synthetic import SWITCH, records

MODELS = ("full_history", "mag", "strided", "window", "oracle", "codec", "wrong_scene", "noise")


@pytest.fixture(scope="module")
def finished(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with generations and scores; its frames are the truth's."""
    out = tmp_path_factory.mktemp("runs") / "run"
    RunFolder(out).claim(Run.of(suite, seeds=1, limit=None))
    for model in MODELS:
        for clip in suite.clips:
            mine = records([model], [clip.id])
            write_records(
                RunFolder(out).score(model, clip.id, 0),
                [record.model_copy(update={"suite_digest": suite.digest}) for record in mine],
            )
            frames = clip.frames[SWITCH:]
            metered = Metered(frames, [len(frames)], [0.1], None, None, "cpu", None)
            folder = RunFolder(out).generation(model, clip.id, 0)
            write_generation(folder, metered, clip, model=model, revision=f"{model}-1", kind=mine[0].kind, sample=0)
    return out


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take most of a report's time: tests of something else leave them empty."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, path, **_: Path(path).write_bytes(b"-"))
    monkeypatch.setattr("magbench.render.theme.write_png", lambda figure, png: png.write_bytes(b"-"))


def test_every_file_is_written_and_the_same_scores_give_the_same_files(suite: Suite, run: Path) -> None:
    table = report(suite, run)
    for file in FILES:
        assert (run / file).stat().st_size > 0
    assert table.models == ["full_history", "mag", "strided", "window"]
    kept = read_parquet(run / "records.parquet")
    lines = sum(len(path.read_text().splitlines()) for path in (run / "scores").glob("*/*.jsonl"))
    assert len([record for record in kept if record.protocol != "retention"]) == lines
    assert {record.model for record in kept if record.protocol == "retention"} == set(MODELS)
    provenance = json.loads((run / "table.json").read_text())["provenance"]
    assert provenance["suite_digest"] == suite.digest
    assert set(provenance["machine"]) >= {"cpu", "cores", "torch"}
    (where,) = provenance["generated_on"]
    assert where.startswith("cpu, torch ")
    before = {file: (run / file).read_bytes() for file in FILES}
    report(suite, run)
    assert before == {file: (run / file).read_bytes() for file in FILES}


def test_without_another_scene_there_is_no_retention(no_pictures: None, suite: Suite, run: Path) -> None:
    report(suite, run)
    shutil.rmtree(run / "scores/wrong_scene")
    report(suite, run)
    assert not (run / "plots/retention_against_gap.png").exists()
    assert "needs aligned scores of this model, of `wrong_scene`" in (run / "table.md").read_text()


def test_half_lives_and_the_noise_level_are_in_the_table(no_pictures: None, suite: Suite, run: Path) -> None:
    report(suite, run)
    assert "which was not measured" in (run / "table.md").read_text()
    level = Level(
        protocol="ordered",
        protocol_version=1,
        metric="score",
        metric_version=1,
        region="out_of_window",
        level=0.125,
        shifts={"h264": -0.125},
    )
    panel = Panel(model="mag", revision="1", suite_digest=suite.digest, clips=6, crf=18, levels=[level])
    (run / "noise.json").write_text(panel.model_dump_json())
    table = report(suite, run)
    assert table.noise == 0.125
    assert "which is 0.125" in (run / "table.md").read_text()
    lives = json.loads((run / "table.json").read_text())["half_lives"]
    assert set(lives) == {"full_history", "mag", "strided", "window"}
    assert lives["mag"].startswith("> ")


def test_a_profile_in_the_folder_is_drawn_beside_the_run(suite: Suite, run: Path) -> None:
    plot = run / "plots/latency_against_history.png"
    points = [{"model": "mag", "history": h, "seconds": 0.1 + h / 1000} for h in (10, 320)]
    (run / "profile.json").write_text(json.dumps({"points": points}))
    report(suite, run)
    assert int.from_bytes(plot.read_bytes()[16:20], "big") == 12.5 * 150  # pixels wide, 9.0 inches without a profile
    (run / "profile.json").write_text("{}")
    with pytest.raises(MagbenchError, match=r"profile\.json: not a profile"):
        report(suite, run)


def test_without_models_there_is_no_sheet(no_pictures: None, suite: Suite, run: Path) -> None:
    models = report(suite, run).models
    assert (run / "sheet.png").exists() and (run / "sheet_dark.png").exists()
    for model in models:
        shutil.rmtree(run / "scores" / model)
    table = report(suite, run)
    assert table.models == []
    assert not (run / "sheet.png").exists() and not (run / "sheet_dark.png").exists()


def test_an_incomplete_model_is_still_reported(no_pictures: None, suite: Suite, run: Path) -> None:
    RunFolder(run).score("mag", MADE[0], 0).unlink()
    table = report(suite, run)
    assert [row.model for row in table.rows if not row.complete] == ["mag"]
    assert "mag (incomplete: 5 of 6 clips)" in (run / "table.md").read_text()


def test_scores_of_another_suite_are_refused(suite: Suite, run: Path) -> None:
    path = RunFolder(run).score("mag", MADE[0], 0)
    write_records(path, records(["mag"], MADE[:1]))
    with pytest.raises(MagbenchError, match=r"pan-slow@0\.jsonl: was scored on revisit-nano dddddddddddd"):
        report(suite, run)


def test_no_scores_is_an_error(suite: Suite, run: Path) -> None:
    shutil.rmtree(run / "scores")
    with pytest.raises(MagbenchError, match="scores: holds no scores"):
        report(suite, run)


def test_columns_of_the_sheet_span_the_return() -> None:
    assert sheet.pick_columns(24) == [0, 3, 5, 8, 10, 13, 15, 18, 20, 23]
    assert sheet.pick_columns(4) == [0, 1, 2, 3]


def test_small_frames_are_enlarged_by_a_whole_factor() -> None:
    assert sheet.enlarge(np.zeros((32, 48, 3), np.uint8)).shape == (128, 192, 3)
    assert sheet.enlarge(np.zeros((480, 832, 3), np.uint8)).shape == (480, 832, 3)
