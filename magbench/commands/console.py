"""Tables, lines and findings on stdout: in colour in a terminal, plain text elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from magbench.core.text import one_line, visible

if TYPE_CHECKING:
    from magbench.core.findings import Finding
    from magbench.render.grid import Grid


def print_grid(grid: Grid, title: str = "", narrow: Grid | None = None) -> None:
    """Print a table, in colour where it goes to a terminal that is wide enough; ``narrow``: else this one."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from magbench.render.text import plain

    grid, title = _tame(grid), one_line(title)
    narrow = None if narrow is None else _tame(narrow)
    text = plain(grid)
    console = Console()
    if narrow is not None and console.is_terminal and console.width < max(map(len, text.splitlines())):
        grid, text = narrow, plain(narrow)
    if not console.is_terminal or console.width < max(map(len, text.splitlines())):
        click.echo((f"{title}\n\n" if title else "") + text, nl=False)
        return
    table = Table(
        box=None,
        title=Text(title) if title else None,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        padding=(0, 1),
    )
    for i, name in enumerate(grid.header):
        table.add_column(Text(name), justify="left" if i < grid.left else "right", no_wrap=True)
    for row, quiet in zip(grid.rows, grid.quiet, strict=True):
        table.add_row(*map(Text, row), style="dim" if quiet else "bold" if row[0] == "1" else None)
    console.print(table)


def _tame(grid: Grid) -> Grid:
    """The grid with text that works no terminal, see :mod:`magbench.core.text`."""
    header, *rows = (tuple(map(one_line, row)) for row in (grid.header, *grid.rows))
    return replace(grid, header=header, rows=tuple(rows))


def say(text: object, *, err: bool = False) -> None:
    """Print a line that may hold somebody else's text."""
    click.echo(visible(str(text)), err=err)


def print_lines(rows: Sequence[tuple[str, ...]]) -> None:
    """Print words in aligned columns."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_finding(finding: Finding) -> None:
    """Print a finding, and below it what to type."""
    say(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name:<40} {finding.detail}")
    if finding.fix:
        say(f"     type: {finding.fix}")
