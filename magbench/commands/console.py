"""Tables, lines and findings on stdout: in colour in a terminal, plain text elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from magbench.core.findings import Finding
    from magbench.render.grid import Grid


def print_grid(grid: Grid, title: str = "", narrow: Grid | None = None) -> None:
    """Print a table, in colour where it goes to a terminal that is wide enough; ``narrow``: else this one."""
    from rich.console import Console
    from rich.table import Table

    from magbench.render.text import plain

    text = plain(grid)
    console = Console()
    if narrow is not None and console.is_terminal and console.width < max(map(len, text.splitlines())):
        grid, text = narrow, plain(narrow)
    if not console.is_terminal or console.width < max(map(len, text.splitlines())):
        click.echo((f"{title}\n\n" if title else "") + text, nl=False)
        return
    table = Table(box=None, title=title, title_justify="left", title_style="bold", pad_edge=False, padding=(0, 1))
    for i, name in enumerate(grid.header):
        table.add_column(name, justify="left" if i < grid.left else "right", no_wrap=True)
    for row, quiet in zip(grid.rows, grid.quiet, strict=True):
        table.add_row(*row, style="dim" if quiet else "bold" if row[0] == "1" else None)
    console.print(table)


def print_lines(rows: Sequence[tuple[str, ...]]) -> None:
    """Print words in aligned columns."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_finding(finding: Finding) -> None:
    """Print a finding, and below it what to type."""
    click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name:<40} {finding.detail}")
    if finding.fix:
        click.echo(f"     type: {finding.fix}")
