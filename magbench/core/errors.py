"""Errors that a user is meant to read: one line that names the file and the value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from magbench.core.text import one_line


class MagbenchError(Exception):
    """Something the user can mend. The message is one line and names the file and the value."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class Unfit(MagbenchError):
    """A clip of a form that a model cannot continue: another size, no camera. Nothing is broken, on either side."""


class Misfit(MagbenchError):
    """A video of another rate, size or length than its clip; with leave to change it, it could be made to fit."""


class NothingDone(MagbenchError):
    """An error where not one part of the work could be done; ``failures`` says what went wrong with each."""

    def __init__(self, message: str, failures: Sequence[object]) -> None:
        super().__init__(f"{message}: {len(failures)} failed, the first: {failures[0]}")
        self.failures = tuple(failures)


FEW = 6
"""Names that a message lists where none is near."""


def unknown(kind: str, name: str, known: Iterable[str]) -> MagbenchError:
    """Make the error for a name that nobody registered, with the nearest names that exist."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[: 4 * (len(names) < 4)]
    if near:
        return MagbenchError(f"unknown {kind} '{name}'; did you mean: {', '.join(near)}?")
    more = f", ... ({len(names)} in all)" if len(names) > FEW else ""
    return MagbenchError(f"unknown {kind} '{name}'; there are: {', '.join(names[:FEW])}{more}")
