"""How far the work is: a bar in a terminal and in a notebook, a line at each stage's end in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class ProgressBar:
    """Shows the stages of the work on stderr, or under the cell of a notebook. Used as a context manager."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True)
        self.view: _Bars | _Cell | _Log = (
            _Cell() if self.console.is_jupyter else _Bars(self.console) if self.console.is_terminal else _Log()
        )
        self.label, self.total, self.done = "", 0, 0

    def __enter__(self) -> ProgressBar:
        self.view.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self.view.stop()

    def named(self, work: str) -> NamedProgress:
        """This progress for one part of the work: ``work`` stands before each label."""
        return NamedProgress(self, work)

    def stage(self, label: str, total: int) -> None:
        """Begin a stage of ``total`` steps; the one before is over."""
        self._close()
        self.label, self.total, self.done = label, total, 0
        self.view.begin(label, total)

    def step(self) -> None:
        """Count one step of the stage as done."""
        self.done += 1
        self.view.advance(self.done)

    def log(self, label: str, line: Mapping[str, float]) -> None:
        """Show a line of a training log above the bar, and move the bar to ``step`` of ``steps``."""
        if label != self.label and "steps" in line:
            self.stage(label, int(line["steps"]))
        while self.done < line["step"]:
            self.step()
        shown = {key: value for key, value in line.items() if key not in ("steps", "seconds")}
        values = "  ".join(f"{key} {value:.4g}" for key, value in shown.items())
        self.console.print(values, highlight=False, soft_wrap=True)

    def _close(self) -> None:
        if self.label:
            self.view.end(self.done)
        self.label = ""


@dataclass(frozen=True)
class NamedProgress:
    """One part's view of a :class:`ProgressBar`."""

    progress: ProgressBar
    work: str

    def stage(self, label: str, total: int) -> None:
        self.progress.stage(f"{self.work} {label}", total)

    def step(self) -> None:
        self.progress.step()


class _Bars:
    """A bar with time left for each stage, in a terminal."""

    def __init__(self, console: Console) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.bars: RichProgress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self.task: TaskID | None = None

    def start(self) -> None:
        self.bars.start()

    def stop(self) -> None:
        self.bars.stop()

    def begin(self, label: str, total: int) -> None:
        self.task = self.bars.add_task(label, total=total)

    def advance(self, done: int) -> None:
        if self.task is not None:
            self.bars.update(self.task, completed=done)

    def end(self, done: int) -> None:
        self.task = None


class _Cell:
    """One bar a stage below the cell of a notebook, redrawn in place; needs no widgets."""

    def __init__(self) -> None:
        self.label, self.total, self.begun = "", 0, 0.0
        self.shown: Any = None

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def begin(self, label: str, total: int) -> None:
        from IPython.display import display

        self.label, self.total, self.begun = label, total, time.monotonic()
        self.shown = display(self._bar(0), display_id=True)

    def advance(self, done: int) -> None:
        if self.shown is not None:
            self.shown.update(self._bar(done))

    def end(self, done: int) -> None:
        self.advance(done)

    def _bar(self, done: int) -> Any:
        from html import escape

        from IPython.display import HTML

        spent = time.monotonic() - self.begun
        bar = f'<progress value="{done}" max="{max(self.total, 1)}"></progress>'
        return HTML(f"{bar} {escape(self.label)}: {done} of {self.total} in {spent:.1f} s")


class _Log:
    """One line at the end of each stage, for log files."""

    def __init__(self) -> None:
        self.label, self.total, self.begun = "", 0, 0.0

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def begin(self, label: str, total: int) -> None:
        self.label, self.total, self.begun = label, total, time.monotonic()

    def advance(self, done: int) -> None:
        pass

    def end(self, done: int) -> None:
        spent = time.monotonic() - self.begun
        print(f"{self.label}: {done} of {self.total} in {spent:.1f} s", file=sys.stderr)
