"""How a run tells what a model raised: one line of it, and the traceback in a file."""

from __future__ import annotations

from pathlib import Path

from magbench.core.disk import explained
from magbench.core.errors import MagbenchError, Unfit
from magbench.runs.generation import write_error

MESSAGE_LENGTH = 300
"""Characters of an error that other people's code raised, at most."""


class Stopped(Exception):
    """A model raised what ends a program: ``SystemExit``, or a ``KeyboardInterrupt`` of its own."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"the model raised {type(error).__name__}({', '.join(map(repr, error.args))})")


def message(error: Exception, folder: Path) -> str:
    """One line; the traceback of what is not our own complaint goes into the folder."""
    if isinstance(error, MagbenchError):
        return one_line(error)
    try:
        return f"{one_line(error)} (traceback in {write_error(folder, error)})"
    except OSError as full:
        raise explained(full, folder) from full


def one_line(error: BaseException) -> str:
    """An error as one line: our own as it is, others with their type, and cut."""
    if not isinstance(error, Exception):
        error = Stopped(error)
    if isinstance(error, Stopped) or type(error) in (MagbenchError, Unfit):
        return " ".join(str(error).split())
    return " ".join(f"{type(error).__name__}: {error}".split())[:MESSAGE_LENGTH]
