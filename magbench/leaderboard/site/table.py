"""The table of a board as HTML: readable without a script, which only sorts and filters it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from magbench.leaderboard.site.html import badge, link, shown
from magbench.render.grid import number
from magbench.report.columns import BLOCK, FIRST, FPS

Row = dict[str, Any]

SPEEDS = (BLOCK.key, FPS.key, FIRST.key)
"""Columns that cannot be sorted: each row's own machine says them, and rows of two machines cannot be compared."""
BUSY = "timed while other work had the machine: says little about the model"
Columns = Sequence[tuple[str, str, str, str]]


def table(title: str, columns: Columns, rows: Sequence[Row], pages: Mapping[str, str], *, key: str) -> str:
    """The table.

    Args:
        columns: (key, heading, unit, better) of each score.
        rows: see :func:`magbench.leaderboard.build.rows_of`.
        pages: label of a model -> its page.
        key: what a link calls the table.
    """
    heads = [_head("#", "rank", "ascending"), _head("model", "model", "ascending", word=True)]
    heads.append(_head("trust", "trust", "ascending", word=True))
    for column, name, _, better in columns:
        if column in SPEEDS:
            heads.append(f'<th scope="col" data-key="{shown(column)}">{shown(name)}<small>as declared</small></th>')
            continue
        heads.append(_head(name, column, "descending" if better == "higher" else "ascending"))
    body = "\n".join(_row(row, columns, pages.get(row["model"], "")) for row in rows)
    return f"""<div class="scroll" tabindex="0" role="region" aria-label="Table of {shown(title)}">
<table data-board="{shown(key)}">
<thead><tr>{"".join(heads)}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>"""


def _head(title: str, key: str, first: str, word: bool = False) -> str:
    kind = f' class="word{" name" if key == "model" else ""}"' if word else ""
    return (
        f'<th scope="col"{kind} data-first="{first}" data-key="{shown(key)}">'
        f'<button type="button">{shown(title)}</button></th>'
    )


def _row(row: Row, columns: Columns, page: str) -> str:
    words = ("model", "policy", "family", "submitter", "trust", "status")
    text = " ".join(str(row[key]) for key in words if row.get(key)).lower()
    marks = {"trust": row["trust"], "policy": row.get("policy"), "family": row.get("family"), "text": text}
    data = "".join(f' data-{key}="{shown(value)}"' for key, value in marks.items() if value)
    variant = " data-variant" if row.get("variant") else ""
    status = f" {shown(row['status'])}" if row.get("status") else ""
    cells = [_rank(row), _name(row, page), f'<td class="word" data-v="{shown(row["trust"])}">{_claim(row)}</td>']
    for key, _, unit, _ in columns:
        cells.append(_cell(row.get("cells", {}).get(key, {}), unit))
    return f'<tr class="{shown(row["trust"])}{status}"{data}{variant}>{"".join(cells)}</tr>'


def _rank(row: Row) -> str:
    rank, bounds = row.get("rank"), row.get("bounds")
    if rank is None:
        return "<td></td>"
    small = f"<small>[{bounds[0]}, {bounds[1]}]</small>" if bounds else ""
    return f'<td data-v="{rank}">{rank}{small}</td>'


def _name(row: Row, page: str) -> str:
    name = shown(row["model"])
    broken = name.replace("_", "_<wbr>")
    first = f'<a href="{shown(page)}">{broken}</a>' if page else f"<span>{broken}</span>"
    notes = [shown(row["policy"])] if row.get("policy") not in (None, "", row["model"]) else []
    if row.get("source"):
        notes.append(link(row.get("url", ""), row["source"]))
    if not row.get("complete", True):
        notes.append("incomplete")
    small = f"<small>{', '.join(notes)}</small>" if notes else ""
    return f'<th scope="row" class="word name" data-v="{name}">{first}{small}</th>'


def _claim(row: Row) -> str:
    status = row.get("status")
    if not status:
        return badge(row["trust"])
    by = f" by {row['superseded_by']}" if row.get("superseded_by") else ""
    why = shown(f"{status}{by}{': ' + row['reason'] if row.get('reason') else ''}")
    return f'{badge(row["trust"])} <span class="badge state" title="{why}">{shown(status)}</span>'


def _cell(cell: Mapping[str, Any], unit: str) -> str:
    mean, low, high = (cell.get(part) for part in ("mean", "low", "high"))
    if mean is None:
        return "<td>-</td>"
    interval = ""
    if low is not None and high is not None and low < high:
        interval = f"<small>[{shown(number(low, unit))}, {shown(number(high, unit))}]</small>"
    return f'<td data-v="{float(f"{mean:.6g}")!r}">{shown(number(mean, unit))}{busy(cell)}{interval}</td>'


def busy(cell: Mapping[str, Any]) -> str:
    """The mark of a time that was taken while other work had the machine, as HTML; "" for all else."""
    return f' <abbr title="{BUSY}">†</abbr>' if cell.get("disturbed") else ""
