"""Tables for papers and notebooks: LaTeX that bolds only what is apart, HTML that is escaped, data frames."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from magbench.analysis.retention import retention
from magbench.metrics.spec import MainColumn
from magbench.render.grid import Grid
from magbench.render.text import html, latex_escape
from magbench.report import columns as column_room
from magbench.report.columns import COVERAGE, LPIPS, PRIMARY, PSNR, SSIM, by_place
from magbench.report.export.dataframes import records_frame, table_frame
from magbench.report.export.latex import latex_table
from magbench.report.grids import heading, main_columns, main_grid, main_rows, reference_grid, short_grid
from magbench.report.tables import build_table
from magbench.runs.records import Record
from magbench.stats import compare_paired, holm
from tests.report.synthetic import CLIPS, MODELS, records

TASKS = [(clip, 0) for clip in CLIPS]
RECORDS = records()
RECORDS += retention(RECORDS)
TABLE = build_table(RECORDS, TASKS)
NAMES = [name for name, (kind, *_) in MODELS.items() if kind == "model"]


def latex_rows(text: str) -> dict[str, list[str]]:
    """Name of a model as written -> its cells."""
    lines = [line.removesuffix(" \\\\").split(" & ") for line in text.splitlines() if " & " in line]
    return {cells[1]: cells for cells in lines}


def test_models_stand_first_with_both_ends_and_the_best_cheat() -> None:
    assert [row.model for row in main_rows(TABLE)] == [*TABLE.models, "oracle", "codec", "mean_frame"]
    left_out = {row[1].removesuffix(" (reference)") for row in reference_grid(TABLE).rows}
    assert left_out == {"reversed", "wrong_scene", "freeze", "noise"}
    cheats = [row for row in TABLE.rows if not row.is_model and row.model not in ("oracle", "codec")]
    assert max(cheats, key=lambda row: row.primary.mean or 0).model == "mean_frame"
    assert [row[1].rstrip("*") for row in short_grid(TABLE).rows] == [row.model for row in main_rows(TABLE)]


def test_a_run_without_references_has_no_second_table() -> None:
    alone = build_table(records(["mag", "window"]), TASKS)
    assert [row.model for row in main_rows(alone)] == ["mag", "window"]
    assert reference_grid(alone).rows == ()


def test_latex_has_a_cell_for_each_column() -> None:
    text = latex_table(TABLE)
    rows = latex_rows(text)
    assert {len(cells) for cells in rows.values()} == {2 + len(main_columns(TABLE))}
    assert text.count("\\midrule") == 2 and text.startswith("\\begin{tabular}{rl" + "r" * len(main_columns(TABLE)))
    assert "\\textit{codec}" in rows and "full\\_history" in rows
    assert [rows[latex_escape(name)][0] for name in TABLE.models] == [str(TABLE.ranking.ranks[n]) for n in TABLE.models]
    cell = next(row for row in TABLE.rows if row.model == "mag").primary
    assert f"{cell.mean:.3f} {{\\scriptsize [{cell.low:.3f}, {cell.high:.3f}]}}" in rows["mag"][2]
    assert not re.search(r"(?<!\\)[_#%]", text.replace("\\\\", ""))


@pytest.mark.parametrize("column", [PRIMARY, COVERAGE, PSNR, SSIM, LPIPS])
def test_latex_is_bold_only_where_a_model_is_apart_from_all_others(column: column_room.Column) -> None:
    """Against Holm's test of the best model with each other one, written out here."""
    values = {
        name: {
            r.clip: r.value
            for r in RECORDS
            if (r.model, r.protocol, r.metric, r.region) == (name, column.protocol, column.metric, column.region)
        }
        for name in NAMES
    }
    sign = 1 if column.better == "higher" else -1
    best = max(NAMES, key=lambda name: sign * sum(values[name].values()))
    tests = [
        compare_paired([values[best][clip] for clip in CLIPS], [values[name][clip] for clip in CLIPS])
        for name in NAMES
        if name != best
    ]
    apart = all(
        p <= 0.05 and (test.difference.low > 0 or test.difference.high < 0)
        for test, p in zip(tests, holm([test.p for test in tests]), strict=True)
    )
    place = 2 + main_columns(TABLE).index(column)
    bold = [name for name, cells in latex_rows(latex_table(TABLE)).items() if "\\textbf" in cells[place]]
    assert bold == ([latex_escape(best)] if apart else [])


def test_what_is_not_apart_is_not_bold() -> None:
    twin = [r.model_copy(update={"model": "twin", "revision": "t"}) for r in RECORDS if r.model == "full_history"]
    text = latex_table(build_table(RECORDS + twin, TASKS))
    assert "\\textbf" in latex_table(TABLE) and "\\textbf" not in text
    rows = latex_rows(text)
    assert rows["twin"][0] == rows["full\\_history"][0] == "1"


def test_latex_escapes_every_special_sign() -> None:
    assert latex_escape(r"a_b & 5% #1 $x$ {y} ~ ^ \z") == (
        r"a\_b \& 5\% \#1 \$x\$ \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{}z"
    )


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip("\n")


def test_html_shows_what_the_grid_holds() -> None:
    grid = main_grid(TABLE)
    parser = _Cells()
    parser.feed(html(grid))
    assert parser.rows == [list(grid.header), *map(list, grid.rows)]
    assert parser.tags == {"table", "thead", "tbody", "tr", "th", "td", "i"}


def test_html_is_escaped() -> None:
    made = html(Grid(("#", "model"), (("1", '<b>&"x"</b>'),), (True,)))
    assert "<b>" not in made and "<i>&lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;</i>" in made


def test_the_frame_of_a_table_has_ranks_with_their_bounds() -> None:
    frame = table_frame(TABLE)
    assert list(frame.index) == [row.model for row in TABLE.rows]
    for row in TABLE.rows:
        assert frame.loc[row.model, PRIMARY.key] == row.primary.mean
        assert frame.loc[row.model, f"{PSNR.key}_n"] == row.cell(PSNR).n
    for name in TABLE.models:
        above = sum(pair.apart and pair.second == name for pair in TABLE.ranking.pairs)
        below = sum(pair.apart and pair.first == name for pair in TABLE.ranking.pairs)
        assert (frame.loc[name, "rank_low"], frame.loc[name, "rank_high"]) == (1 + above, len(NAMES) - below)
        assert frame.loc[name, "rank_low"] <= frame.loc[name, "rank"] <= frame.loc[name, "rank_high"]
    references = frame[frame.kind == "reference"]
    assert references[["rank", "rank_low", "rank_high", "block_s"]].isna().all(axis=None)


def test_the_frame_of_records_has_a_row_a_record() -> None:
    frame = records_frame(RECORDS)
    assert len(frame) == len(RECORDS) and list(frame.columns) == list(Record.model_fields)
    first = frame.iloc[0]
    assert (first.model, first.value, first.per_frame) == (RECORDS[0].model, RECORDS[0].value, RECORDS[0].per_frame)
    assert isinstance(records_frame([]), pd.DataFrame) and list(records_frame([]).columns) == list(Record.model_fields)


def test_a_column_of_the_main_table_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """``main`` of a spec, and nothing else, puts it in; where the run has no such scores, an optional one stays out."""
    known = dict(column_room.specs())
    entry = MainColumn(1, "ordered LPIPS ↓", interval=True, short="o-LPIPS", optional=True)
    known["ordered", "lpips"] = replace(known["ordered", "lpips"], main=entry)
    monkeypatch.setattr(column_room, "specs", lambda: known)
    before = main_grid(build_table(RECORDS, TASKS)).header
    assert [heading(column) for column in by_place(main_columns(TABLE))][1:3] == ["coverage ↑", "ordered LPIPS ↓"]
    assert "ordered LPIPS ↓" in before and "o-LPIPS" in short_grid(TABLE).header
    assert "\\textbf" in latex_table(TABLE) and "ordered LPIPS" in latex_table(TABLE)
    without = build_table([r for r in RECORDS if (r.protocol, r.metric) != ("ordered", "lpips")], TASKS)
    assert "ordered LPIPS ↓" not in main_grid(without).header
