"""A table as CSV and JSON, every number in full."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from magbench.core.text import one_line
from magbench.report.tables import BY_SPEED, Table


def full_rows(table: Table) -> list[dict[str, Any]]:
    """One flat dictionary a row: every column's mean, interval and n, then each speed; None stays None."""
    flat = []
    for row in table.rows:
        line: dict[str, Any] = {
            "rank": row.rank,
            "model": row.model,
            "kind": row.kind,
            "revision": row.revision,
            "complete": row.complete,
            "clips": row.clips,
            "clips_expected": row.expected,
        }
        named = [
            *((c.key, row.cell(c)) for c in table.columns),
            *((f"{c.key}_{s}", cell) for c in BY_SPEED for s, cell in row.speeds[c.key].items()),
        ]
        for key, cell in named:
            line |= {key: cell.mean, f"{key}_low": cell.low, f"{key}_high": cell.high, f"{key}_n": cell.n}
        flat.append(line)
    return flat


def csv_text(table: Table) -> str:
    """Every number in full; an empty field means that there is no value.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    rows = full_rows(table)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(_inert, rows[0] if rows else ["model"]))
    writer.writerows(map(_inert, row.values()) for row in rows)
    return stream.getvalue()


def _inert(value: Any) -> Any:
    text = one_line(value) if isinstance(value, str) else ""
    return (
        f"'{text}"
        if text.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        else text or value
    )


def json_text(table: Table, provenance: dict[str, Any], half_lives: dict[str, str]) -> str:
    """Provenance, the rows of table.csv, every comparison behind the ranks, and the half-life of each retention."""
    pairs = [
        {
            "first": pair.first,
            "second": pair.second,
            "difference": pair.found.difference.mean,
            "low": pair.found.difference.low,
            "high": pair.found.difference.high,
            "n": pair.found.difference.n,
            "p": pair.found.p,
            "p_corrected": pair.corrected_p,
            "apart": pair.apart,
        }
        for pair in table.ranking.pairs
    ]
    whole = {
        "provenance": provenance,
        "rows": full_rows(table),
        "pairs": pairs,
        "noise": table.noise,
        "detectable": table.ranking.detectable,
        "half_lives": half_lives,
    }
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def words(value: Any) -> str:
    """A value of the provenance on one line."""
    match value:
        case dict():
            return ", ".join(f"{key} {item}" for key, item in value.items())
        case list():
            return "; ".join(map(str, value)) or "-"
        case _:
            return str(value)
