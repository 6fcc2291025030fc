"""Times: what may be averaged, what is marked, and that a mean never mixes machines."""

from __future__ import annotations

import pytest

from magbench.analysis.noise_floor import NOTHING_MEASURED
from magbench.render.theme import LIGHT
from magbench.report.columns import BLOCK
from magbench.report.compare import compare
from magbench.report.grids import main_grid, short_grid
from magbench.report.latency import latency_against_history
from magbench.report.sides import side_of
from magbench.report.tables import build_table
from magbench.report.timings import comparable, is_timing, notes
from magbench.runs.records import Record
from tests.report.synthetic import CLIPS, records

TASKS = [(clip, 0) for clip in CLIPS]


def told(rows: list[Record], model: str, clips: list[str], **fields: object) -> list[Record]:
    """The timings of some clips of a model, with more said about them."""
    return [r.model_copy(update=fields) if r.model == model and r.clip in clips and is_timing(r) else r for r in rows]


def seconds(rows: list[Record], model: str, clips: list[str]) -> float:
    found = [r.value for r in rows if r.model == model and r.clip in clips and r.metric == "block_s"]
    return sum(value for value in found if value is not None) / len(found)


def test_disturbed_ones_are_left_out_of_the_mean() -> None:
    rows = told(records(["mag", "window"]), "mag", CLIPS[:5], disturbed=True, value=99.0)
    found = next(r for r in build_table(rows, TASKS).rows if r.model == "mag")
    assert found.cell(BLOCK).mean == pytest.approx(seconds(rows, "mag", CLIPS[5:]))
    assert found.cell(BLOCK).n == len(CLIPS) - 5
    assert not found.timings.busy
    assert notes([("mag", found.timings)]) == ["mag: 5 disturbed timings are left out"]


def test_where_all_are_disturbed_they_are_marked() -> None:
    rows = told(records(["mag", "window"]), "mag", CLIPS, disturbed=True)
    table = build_table(rows, TASKS)
    for grid in (main_grid(table), short_grid(table)):
        marked = {cells[1]: sum("†" in cell for cell in cells) for cells in grid.rows}
        assert marked["mag"] >= 1 and marked["window"] == 0
    (line,) = notes([(r.model, r.timings) for r in table.rows])
    assert line.startswith("† timed while other work had the machine") and line.count("mag") == 1
    assert [r.rank for r in table.rows] == [r.rank for r in build_table(records(["mag", "window"]), TASKS).rows]


def test_a_mean_never_mixes_machines() -> None:
    rows = told(records(["mag"]), "mag", CLIPS[:12], device="H100")
    rows = told(rows, "mag", CLIPS[12:], device="H200", value=1e-6)
    found = next(iter(build_table(rows, TASKS).rows))
    assert found.cell(BLOCK).mean == pytest.approx(seconds(rows, "mag", CLIPS[:12]))
    assert notes([("mag", found.timings)]) == ["mag: timings of H100; 6 of another machine are left out"]
    two = told(told(records(["mag", "window"]), "mag", CLIPS, device="H100"), "window", CLIPS, device="H200")
    (line,) = notes([(r.model, r.timings) for r in build_table(two, TASKS).rows])
    assert "cannot be compared" in line and "mag H100" in line and "window H200" in line


def test_nothing_known_is_nothing_said() -> None:
    table = build_table(records(["mag", "window"]), TASKS)
    assert notes([(r.model, r.timings) for r in table.rows]) == []
    assert comparable([])[0] == []


def test_a_comparison_leaves_disturbed_times_out() -> None:
    rows = told(records(["mag", "window"]), "mag", CLIPS, disturbed=True)
    sides = [side_of(m, [r for r in rows if r.model == m], NOTHING_MEASURED) for m in ("mag", "window")]
    assert BLOCK not in {line.column for line in compare(sides[0], sides[1], list(sides[1].scores))}


def test_the_plot_marks_them(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []
    monkeypatch.setattr("magbench.report.latency.save", lambda draw, path: drawn.append(draw(LIGHT)))

    rows = told(records(["mag", "window"]), "mag", CLIPS, disturbed=True)
    latency_against_history(rows, build_table(rows, TASKS), tmp_path)  # type: ignore[arg-type]
    (figure,) = drawn
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}  # type: ignore[attr-defined]
    assert "mag (busy)" in texts and "window" in texts
    styles = sorted(line.get_linestyle() for line in figure.axes[0].lines)  # type: ignore[attr-defined]
    assert ":" in styles and "-" in styles
