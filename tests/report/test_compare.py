"""Two models against each other: values by plain arithmetic, every verdict, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from magbench.analysis.noise_floor import NOTHING_MEASURED, Level, Panel
from magbench.core.errors import MagbenchError
from magbench.report.columns import BLOCK, COVERAGE, LPIPS, PRIMARY, PSNR, RETAINED
from magbench.report.compare import Line, compare, compare_grid, main_scores, notes
from magbench.report.sides import Side, open_sides, side_of
from magbench.runs.folder import RunFolder
from magbench.runs.records import Record, write_parquet, write_records
from magbench.stats import Interval, Paired, compare_paired, holm
from tests.report.synthetic import CLIPS, records

MODELS = ["mag", "strided", "window", "codec", "wrong_scene"]


def write_run(folder: Path, models: list[str], clips: list[str] = CLIPS, **changes: object) -> Path:
    for model in models:
        found = [r.model_copy(update=changes) for r in records([model], clips)]
        for clip in clips:
            write_records(folder / f"scores/{model}/{clip}@0.jsonl", [r for r in found if r.clip == clip])
    (folder / "run.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs"), MODELS)


def lines_of(a: Side, b: Side) -> dict[str, Line]:
    return {line.column.key: line for line in compare(a, b, list(a.scores))}


def values(model: str) -> list[float]:
    named = ("ordered", "score", "out_of_window")
    return [r.value for r in records([model]) if (r.protocol, r.metric, r.region) == named and r.value is not None]


def test_a_line_is_the_paired_comparison_of_a_score(run: Path) -> None:
    lines = lines_of(*open_sides("mag", "strided", run))
    line = lines[PRIMARY.key]
    assert line.found == compare_paired(values("mag"), values("strided"))
    assert (line.mean_a, line.mean_b) == pytest.approx((np.mean(values("mag")), np.mean(values("strided"))))
    scores = [one for one in lines.values() if not one.column.is_cost]
    assert [one.corrected_p for one in scores] == holm([one.found.p for one in scores])
    assert lines[RETAINED.key].found.difference.n == len(CLIPS)
    assert (lines[BLOCK.key].corrected_p, lines[BLOCK.key].verdict) == (None, "-")


def test_swapping_sides_swaps_the_verdict(run: Path) -> None:
    there, back = lines_of(*open_sides("mag", "window", run)), lines_of(*open_sides("window", "mag", run))
    assert {there[key].verdict for key in (PRIMARY.key, COVERAGE.key, LPIPS.key)} == {"A better"}
    assert {back[key].verdict for key in (PRIMARY.key, COVERAGE.key, LPIPS.key)} == {"B better"}
    assert there[LPIPS.key].found.difference.mean < 0


@pytest.mark.parametrize(
    ("difference", "p", "noise", "verdict"),
    [
        (Interval(0.2, 0.1, 0.3, 9), 0.04, None, "A better"),
        (Interval(0.2, 0.1, 0.3, 9), 0.04, 0.19, "A better"),
        (Interval(0.2, 0.1, 0.3, 9), 0.04, 0.21, "below noise"),
        (Interval(-0.2, -0.3, -0.1, 9), 0.04, None, "B better"),
        (Interval(0.2, 0.1, 0.3, 9), 0.06, None, "no difference"),
        (Interval(0.2, -0.1, 0.3, 9), 0.01, 0.5, "no difference"),
        (Interval(0.2, None, None, 1), 1.0, None, "too few clips"),
        (Interval(0.2, 0.1, 0.3, 5), 0.06, None, "too few clips"),
        (Interval(0.2, 0.1, 0.3, 6), 0.03, None, "A better"),
    ],
)
def test_verdicts(difference: Interval, p: float, noise: float | None, verdict: str) -> None:
    line = Line(PRIMARY, 0.5, 0.3, Paired(difference, p, 0.1), p, noise, 0)
    assert line.verdict == verdict


def test_the_noise_of_the_run_is_used_and_said(tmp_path: Path) -> None:
    out = write_run(tmp_path, ["mag", "strided"])
    before = open_sides("mag", "strided", out)
    assert lines_of(*before)[PSNR.key].verdict == "A better"
    assert any("noise was not measured" in note for note in notes(*before, compare(*before, [PRIMARY])))
    named = {"protocol": "aligned", "metric": "psnr", "region": "out_of_window"}
    level = Level(**named, protocol_version=1, metric_version=1, level=50.0, shifts={})  # type: ignore[arg-type]
    panel = Panel(model="mag", revision="1", suite_digest="d" * 64, clips=1, crf=18, levels=[level])
    (RunFolder(out).noise).write_text(panel.model_dump_json())
    sides = open_sides("mag", "strided", out)
    lines = lines_of(*sides)
    assert (lines[PSNR.key].verdict, lines[PSNR.key].noise) == ("below noise", 50.0)
    assert lines[PRIMARY.key].verdict == "A better"
    assert any(note.startswith("below noise: ") for note in notes(*sides, list(lines.values())))


def test_a_clip_with_a_value_on_one_side_only_is_left_out_and_said(run: Path) -> None:
    a, b = open_sides("mag", "strided", run)
    gone = [
        r.model_copy(update={"value": None, "n": 0})
        if (r.clip, r.protocol, r.metric, r.region) == (CLIPS[0], "ordered", "score", "out_of_window")
        else r
        for r in b.records
    ]
    short = side_of("strided", [r for r in gone if r.protocol != "cost"], NOTHING_MEASURED)
    lines = compare(a, short, [PRIMARY, PSNR])
    assert [(line.found.difference.n, line.left_out) for line in lines] == [(len(CLIPS) - 1, 1), (len(CLIPS), 0)]
    said = "\n".join(notes(a, short, lines))
    assert "left out: ordered score ↑ 1" in said
    assert "on one side only, not compared: FPS, first frame, s, history, peak rss bytes B ↓, s/block" in said


def test_two_folders(run: Path, tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", ["strided"])
    for sides in (open_sides(f"{run}:mag", str(one), run), open_sides("mag", f"{one}:strided", run)):
        assert lines_of(*sides)[PRIMARY.key].found == compare_paired(values("mag"), values("strided"))


def test_a_published_folder_is_enough(tmp_path: Path) -> None:
    write_parquet(tmp_path / "records.parquet", records(["mag", "strided", "codec", "wrong_scene"]))
    lines = lines_of(*open_sides("mag", "strided", tmp_path))
    assert lines[RETAINED.key].verdict == "A better"


def refused(a: Path, b: Path, message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        open_sides(str(a), str(b), a)


def test_what_cannot_be_paired_is_refused(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", ["mag"])
    refused(
        a, write_run(tmp_path / "b", ["mag"], suite_digest="0" * 64), "on revisit-nano dddddddddddd, .* 000000000000"
    )
    refused(a, write_run(tmp_path / "c", ["mag"], CLIPS[:-1]), rf"c lacks clip {CLIPS[-1]}, sample 0; 1 are not")
    refused(a, write_run(tmp_path / "d", ["mag"], seed=7), rf"clip {CLIPS[0]}, sample 0: seed 1 in .*a, another in .*d")
    refused(a, write_run(tmp_path / "e", ["mag"], protocol_version=2), "ordered score has other versions")


def test_what_cannot_be_found_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match=r"unknown model in .*'stided'; did you mean: strided"):
        open_sides("mag", "stided", run)
    with pytest.raises(MagbenchError, match=r"holds mag, strided, window; write .*:MODEL"):
        open_sides(str(run), "mag", run)
    with pytest.raises(MagbenchError, match=r"nowhere: holds neither scores nor records\.parquet"):
        open_sides("mag", "window", tmp_path / "nowhere")


def test_the_command_prints_the_table(run: Path) -> None:
    result = CliRunner().invoke(main, ["compare", "mag", "window", "--run", str(run)])
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split()[-1] == "verdict"
    assert lines[2].startswith("ordered score ↑") and lines[2].endswith("A better")
    assert "A = mag, B = window" in result.stdout
    every = CliRunner().invoke(main, ["compare", "mag", "window", "--run", str(run), "--all"])
    assert len(every.stdout.splitlines()) > len(lines)


def test_the_main_scores_are_a_part_of_all(run: Path) -> None:
    a, b = open_sides("mag", "strided", run)
    every = list(a.scores)
    chosen = main_scores(every)
    assert set(chosen) < set(every) and {PRIMARY, PSNR, BLOCK} <= set(chosen)
    grid = compare_grid(compare(a, b, chosen))
    assert {len(row) for row in grid.rows} == {len(grid.header)}
    assert not any("nan" in cell for row in grid.rows for cell in row)


def test_samples_of_a_clip_are_averaged_first(tmp_path: Path) -> None:
    for model in ("mag", "strided"):
        for clip in CLIPS:
            found: list[Record] = records([model], [clip], samples=2)
            write_records(tmp_path / f"scores/{model}/{clip}@0.jsonl", found)
    line = lines_of(*open_sides("mag", "strided", tmp_path))[PRIMARY.key]
    assert line.found.difference.n == len(CLIPS)
    named = ("ordered", "score", "out_of_window")
    both = [
        [r.value for r in records([m], samples=2) if (r.protocol, r.metric, r.region) == named]
        for m in ("mag", "strided")
    ]
    means = np.array(both, float).reshape(2, len(CLIPS), 2).mean(axis=2)
    assert line.found == compare_paired(means[0], means[1])
