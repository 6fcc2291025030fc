"""What the plots draw, taken from the records, and that odd runs can be drawn at all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from magbench.analysis.retention import retention
from magbench.analysis.retention_curve import GapCurve, GapPoint, HalfLife, gap_curves
from magbench.render.theme import LIGHT, looks
from magbench.report.gap import _label, retention_against_gap
from magbench.report.latency import _latency, latency_against_history
from magbench.report.plots import (
    _by_position,
    consistency_against_memory,
    fitted,
    score_along_return,
)
from magbench.report.tables import Table, build_table
from magbench.runs.records import Record
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
    found = _latency(r for r in rows if r.metric == "block_s")
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
    measured = ["latency", "memory", "score"] if "mag" in models else ["score"]  # no axes for what was not measured
    expected = {
        tmp_path / f"{name}{dark}.{kind}" for name in measured for dark in ("", "_dark") for kind in ("png", "svg")
    }
    assert set(tmp_path.iterdir()) == expected


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


def drawn(monkeypatch: pytest.MonkeyPatch, module: str, plot: Callable[[], None]) -> Figure:
    """The light figure that a plot would save."""
    found: list[Figure] = []
    monkeypatch.setattr(f"magbench.report.{module}.save", lambda draw, path: found.append(draw(LIGHT)))
    plot()
    (figure,) = found
    figure.draw_without_rendering()
    return figure


def texts(figure: Figure) -> list[Text]:
    """Every text that is drawn: titles, names, notes, and the ticks within the limits."""
    found: list[Text] = []
    for axes in figure.axes:
        found += [axes.title, *(child for child in axes.get_children() if isinstance(child, Text))]
        found += [axes.xaxis.label, axes.yaxis.label]
        for place, axis in enumerate((axes.xaxis, axes.yaxis)):
            low, high = sorted(axis.get_view_interval())
            found += [label for label in axis.get_ticklabels() if low <= label.get_position()[place] <= high]
    shown = [text for text in found if text.get_visible() and text.get_text().strip()]
    return list(dict.fromkeys(shown))


def assert_apart(figure: Figure) -> None:
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in texts(figure)]
    assert [(a[0], b[0]) for a, b in combinations(boxes, 2) if a[1].overlaps(b[1])] == []
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for _, box in boxes)


def run_of(strangers: int, clips: int = 6) -> tuple[list[Record], Table]:
    """Five known models, references, and copies of the models under long names."""
    rows = records(clips=CLIPS[:clips])
    for i in range(strangers):
        source = ("mag", "window", "strided")[i % 3]
        name = f"wan:causal+{source}:frames={i}:sink=3"
        rows += [r.model_copy(update={"model": name}) for r in rows if r.model == source]
    return rows, build_table(rows, [(clip, 0) for clip in CLIPS[:clips]])


@pytest.mark.parametrize("strangers", [0, 7])
def test_no_two_labels_overlap(strangers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, table = run_of(strangers)
    here, long = Path("unused.png"), {model: [(10, 0.1), (320, 0.2)] for model in table.models}
    plots: dict[str, list[Callable[[], None]]] = {
        "plots": [
            lambda: score_along_return(rows, table, here, window=WINDOW, fps=16),
            lambda: consistency_against_memory(table, here),
        ],
        "gap": [lambda: retention_against_gap(gap_curves(retention(rows)), table, here, window=WINDOW)],
        "latency": [lambda: latency_against_history(rows, table, here, long)],
    }
    for module, several in plots.items():
        for plot in several:
            assert_apart(drawn(monkeypatch, module, plot))


def test_axes_fit_the_models_and_only_references_that_matter_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, table = run_of(0)
    path = Path("unused.png")
    along = drawn(monkeypatch, "plots", lambda: score_along_return(rows, table, path, window=WINDOW, fps=16))
    per_frame = [np.mean(c) for model in table.models for c in _by_position(_psnr(rows, model))]
    low, high = along.axes[0].get_ylim()
    assert low < min(per_frame) and max(per_frame) < high < 40  # the oracle's 100 dB do not set the scale
    cheat = next(row for row in table.rows if not row.is_model and row.model not in ("oracle", "codec"))
    words = {text.get_text() for text in texts(along)}
    assert {"mag", "codec", cheat.model} <= words and "noise" not in words
    assert any("off the axis: oracle (100 dB)" in word for word in words)
    memory = drawn(monkeypatch, "plots", lambda: consistency_against_memory(table, path))
    assert {"oracle", "codec"} <= {text.get_text() for text in texts(memory)}


def _psnr(rows: list[Record], model: str) -> list[Record]:
    return [r for r in rows if (r.model, r.protocol, r.metric, r.region) == (model, "aligned", "psnr", "all")]


def test_limits_hold_the_models_and_ceilings_that_are_near() -> None:
    assert fitted([0.0, 1.0], [], 0.1) == pytest.approx((-0.05, 1.05))
    assert fitted([0.0, 1.0], [1.4, 3.0], 0.1) == pytest.approx((-0.07, 1.47))
    assert fitted([0.5], [], 0.1) == pytest.approx((0.445, 0.555))


def test_half_lives_are_listed_longest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    point = GapPoint(2, 4, 3.0, Interval(0.7, 0.6, 0.8, 4))
    gaps = {"mag": 8.9, "window": float("-inf"), "full_history": float("inf"), "strided": 12.0}
    curves = [GapCurve(name, "lpips", (point,), HalfLife(gap, None, None, 2, 4)) for name, gap in gaps.items()]
    table = build_table(records(list(gaps), CLIPS[:1]), [(CLIPS[0], 0)])
    figure = drawn(monkeypatch, "gap", lambda: retention_against_gap(curves, table, Path("x.png"), window=WINDOW))
    listed = [text.get_text() for text in figure.axes[1].texts]
    assert listed == ["full_history  > 4", "strided  12.0", "mag  8.9", "window  < 2"]


def test_a_short_interval_is_visible_through_its_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    _, table = run_of(0)
    figure = drawn(monkeypatch, "plots", lambda: consistency_against_memory(table, Path("unused.png")))
    markers = [line for line in figure.axes[0].lines if line.get_marker() == looks(["mag"])["mag"].marker]
    assert {line.get_markerfacecolor() for line in markers} == {LIGHT.ground}
    assert len(figure.axes[0].containers) == len(table.models)


def test_plots_of_another_run_do_not_stay(tmp_path: Path) -> None:
    rows, table = run_of(0, clips=2)
    consistency_against_memory(table, tmp_path / "memory.png")
    latency_against_history(rows, table, tmp_path / "latency.png")
    free = [r for r in rows if r.protocol != "cost"]
    bare = build_table(free, [(clip, 0) for clip in CLIPS[:2]])
    consistency_against_memory(bare, tmp_path / "memory.png")
    latency_against_history(free, bare, tmp_path / "latency.png")
    assert not list(tmp_path.iterdir())
