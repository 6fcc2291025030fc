"""Progress on stderr, tables on stdout: rich in a terminal, plain text elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import TaskID

    from magbench.commands.doctor import Finding
    from magbench.report.grids import Grid


class ConsoleProgress:
    """A bar with time left for each stage; in a log file one line at each stage's end."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task: TaskID | None = None
        self.label, self.total, self.done, self.started = "", 0, 0, 0.0

    def __enter__(self) -> ConsoleProgress:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self.bars.stop()

    def named(self, work: str) -> Named:
        """This progress for one part of the work: ``work`` stands before each label."""
        return Named(self, work)

    def stage(self, label: str, total: int) -> None:
        """Begin a stage of ``total`` steps; the one before is over."""
        self._close()
        self.label, self.total, self.done, self.started = label, total, 0, time.monotonic()
        if self.console.is_terminal:
            self.task = self.bars.add_task(label, total=total)

    def step(self) -> None:
        """One step of the stage is done."""
        self.done += 1
        if self.task is not None:
            self.bars.advance(self.task)

    def log(self, label: str, line: Mapping[str, float]) -> None:
        """A line of a training log: moves the bar to ``step`` of ``steps``, and says it above the bar."""
        if label != self.label and "steps" in line:
            self.stage(label, int(line["steps"]))
        while self.done < line["step"]:
            self.step()
        shown = {key: value for key, value in line.items() if key not in ("steps", "seconds")}
        values = "  ".join(f"{key} {value:.4g}" for key, value in shown.items())
        self.console.print(values, highlight=False, soft_wrap=True)

    def _close(self) -> None:
        if self.label and not self.console.is_terminal:
            spent = time.monotonic() - self.started
            click.echo(f"{self.label}: {self.done} of {self.total} in {spent:.1f} s", err=True)
        self.label, self.task = "", None


@dataclass(frozen=True)
class Named:
    """A part's view of a :class:`ConsoleProgress`."""

    progress: ConsoleProgress
    work: str

    def stage(self, label: str, total: int) -> None:
        self.progress.stage(f"{self.work} {label}", total)

    def step(self) -> None:
        self.progress.step()


def print_grid(grid: Grid, title: str = "") -> None:
    """A table on stdout, in colour where it goes to a terminal that is wide enough."""
    from rich.console import Console
    from rich.table import Table

    from magbench.report.text import plain

    text = plain(grid)
    console = Console()
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
    """Words in aligned columns on stdout."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_finding(finding: Finding) -> None:
    """A line of `magbench doctor`."""
    click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name:<40} {finding.detail}")
    if finding.fix:
        click.echo(f"     type: {finding.fix}")
