"""A Table -> grids of ready text, rounded for people: which columns, which words, how many figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from magbench.analysis.clipwise import Cell
from magbench.analysis.retention import CEILINGS
from magbench.render.grid import NOTHING, Grid, number, show_p
from magbench.report.columns import (
    HISTORY_EFFECT,
    LPIPS,
    MAIN,
    PRIMARY,
    PSNR,
    QUALITY,
    RETENTION,
    Column,
    by_place,
)
from magbench.report.tables import Row, Table
from magbench.scoring.costs import TIMES
from magbench.stats import Interval


def show(cell: Cell, column: Column) -> str:
    """The mean alone."""
    return NOTHING if cell.mean is None else number(cell.mean, column.unit)


def show_interval(cell: Cell, column: Column) -> str:
    """The mean and its interval; the mean alone where one clip gives no interval."""
    if cell.low is None or cell.high is None:
        return show(cell, column)
    return f"{show(cell, column)} [{number(cell.low, column.unit)}, {number(cell.high, column.unit)}]"


def title(column: Column) -> str:
    """``PSNR dB ↑``."""
    unit = f" {column.unit}" if column.unit else ""
    return f"{column.name}{unit} {'↑' if column.better == 'higher' else '↓'}"


def _label(row: Row) -> str:
    notes = ([] if row.is_model else ["reference"]) + (
        [] if row.complete else [f"incomplete: {row.clips} of {row.expected} clips"]
    )
    notes += [f"made to fit: {done}" for done in row.conversions]
    return row.model + (f" ({', '.join(notes)})" if notes else "")


def _rank(row: Row) -> str:
    return "" if row.rank is None else str(row.rank)


def _grid(
    table: Table, header: Sequence[str], cells: Callable[[Row], Sequence[str]], rows: Sequence[Row] | None = None
) -> Grid:
    shown = table.rows if rows is None else rows
    made = tuple((_rank(row), _label(row), *cells(row)) for row in shown)
    return Grid(("#", "model", *header), made, tuple(not row.is_model for row in shown))


def main_columns(table: Table) -> tuple[Column, ...]:
    """The main table's columns: always the same ones, and the optional ones that the run has."""
    return by_place({column.key: column for column in (*table.columns, *MAIN)}.values())


def in_main_table(table: Table, row: Row) -> bool:
    """Say whether a row stands in the main table: models, both ends of the scale, and the best other reference."""
    cheats = [other for other in table.rows if not other.is_model and other.model not in CEILINGS]
    return row.is_model or row.model in CEILINGS or row.model == max(cheats, key=_score).model


def _score(row: Row) -> float:
    return -1.0 if row.primary.mean is None else row.primary.mean


def main_rows(table: Table) -> list[Row]:
    """The rows of the main table: models first, then references, each best first."""
    shown = [row for row in table.rows if in_main_table(table, row)]
    return sorted(shown, key=lambda row: not row.is_model)


def main_grid(table: Table) -> Grid:
    """The table of the question: does it remember, and what does that cost."""
    return _score_table(table, main_rows(table))


def reference_grid(table: Table) -> Grid:
    """The references that the main table leaves out, in its columns."""
    return _score_table(table, [row for row in table.rows if not in_main_table(table, row)])


def _score_table(table: Table, rows: Sequence[Row]) -> Grid:
    columns = main_columns(table)
    header = [heading(column) for column in columns]
    header.insert(1, "n")

    def cells(row: Row) -> Sequence[str]:
        n = row.primary.n or max(row.cell(column).n for column in columns if not column.is_cost)
        shown = [_main_cell(row, column, n) for column in columns]
        shown.insert(1, str(n))
        return shown

    return _grid(table, header, cells, rows)


def _main_cell(row: Row, column: Column, n: int) -> str:
    """A value; a score's n where it is not the row's."""
    cell = row.cell(column)
    text = show_interval(cell, column) if column.main and column.main.interval else show(cell, column)
    text += busy_mark(row, column)
    return text if cell.n in (0, n) or column.is_cost else f"{text} (n = {cell.n})"


def busy_mark(row: Row, column: Column) -> str:
    """The mark of a time that was taken while other work had the machine; "" for all else."""
    timed = column.is_cost and column.metric in TIMES and row.cell(column).mean is not None
    return " †" if timed and row.timings.busy else ""


def heading(column: Column) -> str:
    """What the main table calls a column: ``PSNR dB ↑`` for an aligned score, others by name."""
    return column.main.heading if column.main else title(column)


def short_grid(table: Table) -> Grid:
    """The main table, narrow enough for a terminal of 80 columns; a star marks references."""
    plain = {column.main.short: column for column in main_columns(table) if column.main and column.main.short}
    shown = main_rows(table)

    def label(row: Row) -> str:
        lacking = "" if row.complete else f" ({row.clips} of {row.expected} clips)"
        fitted = " (made to fit)" if row.conversions else ""
        return f"{row.model}{'' if row.is_model else '*'}{lacking}{fitted}"

    rows = tuple(
        (
            _rank(row),
            label(row),
            show_interval(row.primary, PRIMARY),
            *(show(row.cell(column), column) + busy_mark(row, column) for column in plain.values()),
        )
        for row in shown
    )
    header = ("#", "model", "score [95 %]", *plain)
    return Grid(header, rows, tuple(not row.is_model for row in shown))


def speed_grid(table: Table, column: Column) -> Grid:
    """One score for each camera speed; n is in the header, and in a cell where it is less."""
    cells_of = {row.model: row.speeds[column.key] for row in table.rows}
    most = {speed: max(cells[speed].n for cells in cells_of.values()) for speed in table.speeds}

    def cells(row: Row) -> Sequence[str]:
        return [
            show_interval(cell, column) + ("" if cell.n in (0, most[speed]) else f" n = {cell.n}")
            for speed, cell in cells_of[row.model].items()
        ]

    return _grid(table, [f"{speed} (n = {n})" for speed, n in most.items()], cells)


def pair_grid(table: Table) -> Grid:
    """Each ranked model against the next one: are they apart?"""
    rows = tuple(
        (
            str(table.ranking.ranks[pair.first]),
            pair.first,
            pair.second,
            show_difference(d, PRIMARY),
            str(d.n),
            show_p(pair.found.p),
            show_p(pair.corrected_p),
            "apart" if pair.apart else "cannot be told apart",
        )
        for pair in table.ranking.neighbours
        for d in [pair.found.difference]
    )
    header = ("#", "model", "against", "difference", "n", "p", "p (corrected)", "")
    return Grid(header, rows, (False,) * len(rows), left=3)


REGIONS = ("in_window", "out_of_window")


def region_grid(table: Table) -> Grid:
    """What was seen a moment ago beside what was seen long ago, for each score that has both."""
    apart = [(metric, [_region(metric, region) for region in REGIONS]) for metric in (PRIMARY, PSNR, LPIPS)]
    columns = [column for _, both in apart if all(c in table.columns for c in both) for column in both]
    return _score_grid(table, columns, lambda c: f"{c.protocol} {title(c)}, {c.region.replace('_', ' ')}")


def _region(column: Column, region: str) -> Column:
    return Column(column.protocol, column.metric, region, column.unit, column.better)


def quality_grid(table: Table) -> Grid:
    """How good the return looks by itself, with intervals."""
    columns = [c for c in table.columns if c.protocol in QUALITY]
    return _score_grid(table, columns, lambda c: title(c) if c.protocol == QUALITY[0] else f"{c.protocol} {title(c)}")


def retention_grid(table: Table) -> Grid:
    """Retention by each metric, in the window and out of it apart, with intervals and n."""
    found = [c for c in table.columns if c.protocol == RETENTION and c.region in REGIONS]
    columns = sorted(found, key=lambda c: (c.metric, c.region != PRIMARY.region))
    return _score_grid(table, columns, lambda c: f"{c.name}, {c.region.replace('_', ' ')}", counted=True)


def every_score_grid(table: Table) -> Grid:
    """The scores that no other table shows."""
    shown = {*main_columns(table), *(c for c in table.columns if c.protocol in (*QUALITY, RETENTION, HISTORY_EFFECT))}
    columns = [column for column in table.columns if not column.is_cost and column not in shown]
    return _grid(
        table,
        [f"{c.protocol} {title(c)}, {c.region.replace('_', ' ')}" for c in columns],
        lambda row: [show(row.cell(column), column) for column in columns],
    )


def _score_grid(
    table: Table, columns: Sequence[Column], name: Callable[[Column], str], *, counted: bool = False
) -> Grid:
    def cells(row: Row) -> Sequence[str]:
        found = [(row.cell(column), column) for column in columns]
        return [show_interval(cell, c) + (f" (n = {cell.n})" if counted and cell.n else "") for cell, c in found]

    return _grid(table, [name(column) for column in columns], cells)


def show_difference(d: Interval, column: Column) -> str:
    """A mean difference and its interval."""
    return show_interval(Cell(d.mean, d.low, d.high, d.n), column)
