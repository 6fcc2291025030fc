"""The main table for a paper: LaTeX with booktabs."""

from __future__ import annotations

from magbench.analysis.clipwise import paired
from magbench.render.grid import NOTHING, number
from magbench.render.text import latex_escape
from magbench.report.columns import PRIMARY, Column
from magbench.report.grids import heading, in_main_table, main_columns
from magbench.report.tables import Row, Table
from magbench.stats import holm

ARROWS = {"↑": r"$\uparrow$", "↓": r"$\downarrow$"}


def latex_table(table: Table) -> str:
    r"""Write the main table as a ``tabular``; the document needs ``\usepackage{booktabs}``.

    Intervals stand in small type. What cannot be told apart shares a rank. A score is bold only where its model is
    told apart from every other model by that score (paired over clips, Holm-corrected); costs are never bold.
    References are in italics.
    """
    columns = main_columns(table)
    best = {column: _apart_from_all(table, column) for column in columns}
    rows = [row for row in table.rows if in_main_table(table, row)]
    models, references = [r for r in rows if r.is_model], [r for r in rows if not r.is_model]
    head = " & ".join(["\\#", "model", *(_heading(column) for column in columns)])
    lines = [
        f"\\begin{{tabular}}{{rl{'r' * len(columns)}}}",
        "\\toprule",
        f"{head} \\\\",
        "\\midrule",
        *(_line(row, columns, best) for row in models),
        *(["\\midrule"] if models and references else []),
        *(_line(row, columns, best) for row in references),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _heading(column: Column) -> str:
    text = latex_escape(heading(column).rstrip(" ↑↓"))
    return " ".join([text, *(sign for arrow, sign in ARROWS.items() if arrow in heading(column))])


def _line(row: Row, columns: tuple[Column, ...], best: dict[Column, str | None]) -> str:
    name = latex_escape(row.title)
    cells = [_cell(row, column, bold=best[column] == row.model) for column in columns]
    rank = "" if row.rank is None else str(row.rank)
    return " & ".join([rank, name if row.is_model else f"\\textit{{{name}}}", *cells]) + " \\\\"


def _cell(row: Row, column: Column, *, bold: bool) -> str:
    cell = row.cell(column)
    if cell.mean is None:
        return NOTHING
    text = latex_escape(number(cell.mean, column.unit))
    shown = f"\\textbf{{{text}}}" if bold else text
    if column.main is None or not column.main.interval or cell.low is None or cell.high is None:
        return shown
    bounds = ", ".join(latex_escape(number(bound, column.unit)) for bound in (cell.low, cell.high))
    return f"{shown} {{\\scriptsize [{bounds}]}}"


def _apart_from_all(table: Table, column: Column) -> str | None:
    """The model that is better than every other one by this score; None where there is none, or for costs."""
    values = {row.model: row.values.get(column.key, {}) for row in table.rows if row.is_model and row.complete}
    known = {model: by_clip for model, by_clip in values.items() if by_clip}
    if column.is_cost or len(known) < 2:
        return None
    sign = 1 if column.better == "higher" else -1
    best = max(known, key=lambda model: sign * sum(known[model].values()) / len(known[model]))
    found = [paired(known[best], other) for model, other in known.items() if model != best]
    tests = [test for test in found if test is not None]
    corrected = holm([test.p for test in tests])
    noise = table.noise if column == PRIMARY and table.noise is not None else 0.0
    apart = [test.told_apart(p, noise) for test, p in zip(tests, corrected, strict=True)]
    return best if len(tests) == len(known) - 1 and all(apart) else None
