"""A table as ready text, and numbers as people read them."""

from __future__ import annotations

from dataclasses import dataclass

NOTHING = "-"


def human_bytes(count: float) -> str:
    """Decimal units, three figures: ``1.18 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def number(value: float, unit: str) -> str:
    """Write a number with as many figures as its unit deserves."""
    match unit:
        case "B":
            return human_bytes(value)
        case "dB":
            return f"{value:.2f}"
        case "":
            return f"{value:.3f}"
        case _:
            return f"{value:#.3g}".rstrip(".")


@dataclass(frozen=True)
class Grid:
    """Ready text: a header, rows of equal length, and which rows are references (drawn quietly)."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    quiet: tuple[bool, ...]
    left: int = 2  # this many leading columns are words, the rest are numbers


def show_p(p: float) -> str:
    """Two figures; what is smaller than a thousandth is said to be that."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
