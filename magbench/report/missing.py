"""Why a cell of the main table is empty: said below the table, one line a reason."""

from __future__ import annotations

from magbench.render.text import markdown_escape
from magbench.report.columns import HISTORY, PRIMARY, Column
from magbench.report.grids import heading, main_columns
from magbench.report.tables import Row, Table


def reasons(table: Table) -> list[str]:
    """``columns of models: reason`` in Markdown, for every cell of the main table without a value."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in table.rows:
        by_reason: dict[str, list[str]] = {}
        for column in main_columns(table):
            if row.cell(column).mean is None:
                by_reason.setdefault(_reason(row, column), []).append(_short(column))
        for reason, columns in by_reason.items():
            found.setdefault((", ".join(columns), reason), []).append(markdown_escape(row.model))
    return [f"{columns} of {', '.join(models)}: {reason}" for (columns, reason), models in found.items()]


def _reason(row: Row, column: Column) -> str:
    if column.is_cost:
        return _no_cost(row, column)
    if column.protocol not in row.protocols:
        return column.missing or f"no {column.protocol} scores are there; `magbench score` makes them"
    if column.region == PRIMARY.region:
        return "no clip has a frame out of window with a value"
    return "no clip has a value"


def _no_cost(row: Row, column: Column) -> str:
    if not row.is_model:
        return "a reference only hands over frames, its costs say nothing"
    if column.protocol not in row.protocols:
        return "finished videos say nothing of what they cost"
    if column == HISTORY:
        return "the model does not say what it holds"
    return "videos came in one piece, so no block can be timed"


def _short(column: Column) -> str:
    """The column's heading without its arrow."""
    return markdown_escape(heading(column).rstrip(" ↑↓"))
