"""A Table -> grids of ready text, rounded for people: which columns, which words, how many figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from magbench.leaderboard.tables import COST, PRIMARY, Cell, Column, Row, Table

NOTHING = "-"


def human_bytes(count: float) -> str:
    """Decimal units, three figures: ``1.18 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def number(value: float, unit: str) -> str:
    """As many figures as the unit deserves."""
    match unit:
        case "B":
            return human_bytes(value)
        case "dB":
            return f"{value:.2f}"
        case "":
            return f"{value:.3f}"
        case _:
            return f"{value:#.3g}".rstrip(".")


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
    return f"{column.metric.upper()}{unit} {'↑' if column.better == 'higher' else '↓'}"


@dataclass(frozen=True)
class Grid:
    """Ready text: a header, rows of equal length, and which rows are references (drawn quietly)."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    quiet: tuple[bool, ...]
    left: int = 2  # this many leading columns are words, the rest are numbers


def _label(row: Row) -> str:
    notes = ([] if row.is_model else ["reference"]) + (
        [] if row.complete else [f"incomplete: {row.clips} of {row.expected} clips"]
    )
    return row.model + (f" ({', '.join(notes)})" if notes else "")


def _rank(row: Row) -> str:
    return "" if row.rank is None else str(row.rank)


def _grid(table: Table, header: Sequence[str], cells: Callable[[Row], Sequence[str]]) -> Grid:
    rows = tuple((_rank(row), _label(row), *cells(row)) for row in table.rows)
    return Grid(("#", "model", *header), rows, tuple(not row.is_model for row in table.rows))


ALL_FRAMES = Column("aligned", "psnr", "all", "dB", "higher")
LEGACY = Column("legacy", "psnr", "all", "dB", "higher")
HISTORY = Column(COST, "history_bytes", "all", "B", "lower")
BLOCK = Column(COST, "block_s", "all", "s", "lower")
FPS = Column(COST, "fps", "all", "frames/s", "higher")
FIRST = Column(COST, "ttff_s", "all", "s", "lower")


def main_grid(table: Table) -> Grid:
    """The table of the question: does it remember, and what does that cost."""
    scores = [column for column in table.columns if column.is_primary_region]
    plain = {
        "PSNR, all frames": ALL_FRAMES,
        "PSNR, legacy": LEGACY,
        "history": HISTORY,
        "s/block": BLOCK,
        "FPS": FPS,
        "first frame, s": FIRST,
    }

    def cells(row: Row) -> Sequence[str]:
        return (
            *(show_interval(row.cell(column), column) for column in scores),
            str(row.primary.n),
            *(show(row.cell(column), column) for column in plain.values()),
        )

    return _grid(table, (*map(title, scores), "n", *plain), cells)


def short_grid(table: Table) -> Grid:
    """The main table, narrow enough for a terminal of 80 columns; a star marks references."""
    plain = {
        "SSIM": Column(PRIMARY.protocol, "ssim", PRIMARY.region, "", "higher"),
        "LPIPS": Column(PRIMARY.protocol, "lpips", PRIMARY.region, "", "lower"),
        "history": HISTORY,
        "s/block": BLOCK,
        "FPS": FPS,
    }

    def label(row: Row) -> str:
        lacking = "" if row.complete else f" ({row.clips} of {row.expected} clips)"
        return f"{row.model}{'' if row.is_model else '*'}{lacking}"

    rows = tuple(
        (
            _rank(row),
            label(row),
            show_interval(row.primary, PRIMARY),
            *(show(row.cell(column), column) for column in plain.values()),
        )
        for row in table.rows
    )
    header = ("#", "model", "PSNR dB [95 %]", *plain)
    return Grid(header, rows, tuple(not row.is_model for row in table.rows))


def speed_grid(table: Table) -> Grid:
    """Out-of-window PSNR for each camera speed; n is in the header, and in a cell where it is less."""
    most = {speed: max(row.speeds[speed].n for row in table.rows) for speed in table.speeds}

    def cells(row: Row) -> Sequence[str]:
        return [
            show_interval(cell, PRIMARY) + ("" if cell.n == most[speed] else f" n = {cell.n}")
            for speed, cell in row.speeds.items()
        ]

    return _grid(table, [f"{speed} (n = {n})" for speed, n in most.items()], cells)


def every_score_grid(table: Table) -> Grid:
    """The scores that the main table leaves out."""
    columns = [column for column in table.columns if not column.is_cost and not column.is_primary_region]
    return _grid(
        table,
        [f"{c.protocol} {title(c)}, {c.region.replace('_', ' ')}" for c in columns],
        lambda row: [show(row.cell(column), column) for column in columns],
    )
