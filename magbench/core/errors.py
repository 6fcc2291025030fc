"""The one exception that a user is meant to read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MagbenchError(Exception):
    """Something the user can mend. The message is one line and names the file and the value."""


def unknown(kind: str, name: str, known: Iterable[str]) -> MagbenchError:
    """An error for a name nobody registered, with the nearest names that exist."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names
    return MagbenchError(f"unknown {kind} '{name}'; did you mean: {', '.join(near)}?")
