"""One line of a check-up: what was looked at, whether it is well, what to type if not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``fix``: what to type, "" where nothing is wrong or nothing need be done."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
