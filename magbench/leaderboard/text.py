"""A Table as files: Markdown for people, CSV and JSON in full for programs; and any grid as plain text."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from magbench.leaderboard.grids import Grid, every_score_grid, main_grid, speed_grid
from magbench.leaderboard.tables import PRIMARY, Table


def markdown(grid: Grid) -> str:
    """A Markdown table; references in italics."""
    lines = ["| " + " | ".join(grid.header) + " |"]
    lines.append("|" + "|".join([" --- "] * grid.left + [" ---: "] * (len(grid.header) - grid.left)) + "|")
    for row, quiet in zip(grid.rows, grid.quiet, strict=True):
        cells = [row[0], f"*{row[1]}*" if quiet else f"**{row[1]}**", *row[2:]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plain(grid: Grid) -> str:
    """Aligned columns for a pipe or a log file."""
    rows = [grid.header, *grid.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(grid.header))]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.ljust(width) if i < grid.left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(grid.header), "  ".join("-" * w for w in widths), *map(line, grid.rows)]) + "\n"


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
            *((f"{PRIMARY.key}_{s}", cell) for s, cell in row.speeds.items()),
        ]
        for key, cell in named:
            line |= {key: cell.mean, f"{key}_low": cell.low, f"{key}_high": cell.high, f"{key}_n": cell.n}
        flat.append(line)
    return flat


def csv_text(table: Table) -> str:
    """Every number in full; an empty field means that there is no value."""
    rows = full_rows(table)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]) if rows else ["model"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def json_text(table: Table, provenance: dict[str, Any]) -> str:
    """Provenance, then the same rows as table.csv."""
    return json.dumps({"provenance": provenance, "rows": full_rows(table)}, indent=1, allow_nan=False) + "\n"


def markdown_page(table: Table, provenance: dict[str, Any], window: int) -> str:
    """table.md: the main table, by camera speed, every other score, and how it was made."""
    made = "".join(f"- {key.replace('_', ' ')}: {words(value)}\n" for key, value in provenance.items())
    return f"""# {provenance["suite"]} v{provenance["suite_version"]}, {provenance["split"]} split

Frame i of the return is compared with frame i of the truth (*aligned*), over the frames whose view was last
seen {window} or more frames before (*out of window*). Mean over n clips, 95 % interval from resampling clips.
*history* is what the model holds at the end of a clip. References (in italics) see the truth and have no
rank: `oracle` is the truth itself, `codec` the truth through a model's codec, the others are ways to fail.

{markdown(main_grid(table))}
## By camera speed: PSNR dB ↑, aligned, out of window

{markdown(speed_grid(table))}
## Every other score

*legacy* is the official free match: each generated frame against the truth's nearest frame by LPIPS, in any
order. It can be gamed, and the references show how.

{markdown(every_score_grid(table))}
## How this was made

{made}"""


def words(value: Any) -> str:
    """A value of the provenance on one line."""
    match value:
        case dict():
            return ", ".join(f"{key} {item}" for key, item in value.items())
        case list():
            return "; ".join(map(str, value)) or "-"
        case _:
            return str(value)
