"""What the plots draw, taken from the records, and that odd runs can be drawn at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from magbench.analysis.retention import retention
from magbench.analysis.retention_curve import GapCurve, GapPoint, HalfLife, gap_curves
from magbench.profiling.plot import _latency, latency_against_history
from magbench.report.gap import _label, retention_against_gap
from magbench.report.plots import _by_position, consistency_against_memory, score_along_return
from magbench.report.tables import build_table
from magbench.stats import Interval
from tests.report.synthetic import BLOCK, CLIPS, FRAMES, SWITCH, WINDOW, records


def test_the_curve_along_the_return_has_one_value_a_clip() -> None:
    rows = [r for r in records(["mag"], samples=2) if (r.protocol, r.metric, r.region) == ("aligned", "psnr", "all")]
    columns = _by_position(rows)
    values = np.array([r.per_frame for r in rows], float)
    assert {len(column) for column in columns} == {len(CLIPS)}
    assert np.mean(columns, axis=1) == pytest.approx(values.mean(axis=0))


def test_latency_leaves_out_a_clips_first_block() -> None:
    rows = records(["mag"])
    found = _latency(rows)
    assert sorted(found) == list(range(SWITCH + BLOCK, FRAMES, BLOCK))
    seconds = [r.per_frame for r in rows if r.metric == "block_s"]
    assert found[SWITCH + BLOCK] == [per[1] for per in seconds if per is not None]


@pytest.mark.parametrize(
    ("models", "clips"), [(["mag"], 1), (["oracle", "noise"], 3), (["oracle"], 1), (["mag", "stranger"], 2)]
)
def test_odd_runs_can_be_drawn(models: list[str], clips: int, tmp_path: Path) -> None:
    rows = records([m for m in models if m != "stranger"], CLIPS[:clips])
    rows += [r.model_copy(update={"model": "stranger"}) for r in rows if "stranger" in models]
    table = build_table(rows, [(clip, 0) for clip in CLIPS[:clips]])
    score_along_return(rows, table, tmp_path / "score.png", window=WINDOW, fps=16)
    latency_against_history(rows, table, tmp_path / "latency.png")
    consistency_against_memory(table, tmp_path / "memory.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latency.png", "memory.png", "score.png"]


def test_retention_against_gap_draws_the_models_and_names_their_half_lives(tmp_path: Path) -> None:
    rows = records(["mag", "window", "codec", "wrong_scene"])
    curves = gap_curves(retention(rows))
    path = tmp_path / "gap.png"
    retention_against_gap(curves, build_table(rows, [(clip, 0) for clip in CLIPS]), path, window=WINDOW)
    assert path.read_bytes().startswith(b"\x89PNG")
    labels = {curve.model: _label(curve) for curve in curves}
    life = next(curve.half_life for curve in curves if curve.model == "window")
    assert labels["window"] == f"window  {life.gap:.1f}"
    assert labels["mag"].startswith("mag  > ")


@pytest.mark.parametrize("gap", [float("inf"), float("-inf"), 5.0])
def test_a_curve_of_one_clip_has_no_band_and_can_be_drawn(gap: float, tmp_path: Path) -> None:
    point = GapPoint(2, 4, 3.0, Interval(0.7, None, None, 1, "none"))
    curve = GapCurve("mag", "lpips", (point,), HalfLife(gap, None, None, 2, 4))
    table = build_table(records(["mag"], CLIPS[:1]), [(CLIPS[0], 0)])
    retention_against_gap([curve], table, tmp_path / "gap.png", window=WINDOW)
    assert (tmp_path / "gap.png").is_file()
    retention_against_gap([], table, tmp_path / "gap.png", window=WINDOW)
    assert not (tmp_path / "gap.png").exists()
