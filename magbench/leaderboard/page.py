"""The board as a folder of static files: opened from disk or any host, without network, framework or build step.

The table stands in the HTML, so that it is there without JavaScript; the script only sorts and filters it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.leaderboard.build import BuiltBoard, headings, rows_of
from magbench.leaderboard.papers import Papers, paper_board
from magbench.render.grid import number

ASSETS = ("board.css", "board.js")
TRUST = {
    "fresh": "somebody else has run the model on clips drawn after the submission",
    "reproduced": "somebody else has run the model again",
    "rescored": "somebody else has scored the videos again",
    "reported": "numbers of the submitter or of a paper, no rank",
    "reference": "has seen the truth, no rank",
    "quarantined": "the validator found faults",
}
SHOWN = {
    "family": "family",
    "policy": "policy",
    "submitter": "submitted by",
    "relationship": "as",
    "licence": "licence",
    "training_data": "trained on",
    "revision": "revision",
    "machine": "machine",
    "command": "command",
    "weights": "weights",
    "code": "code",
    "date": "date",
    "status": "status",
    "superseded_by": "superseded by",
    "reason": "reason",
    "source": "source",
    "url": "at",
    "submission": "submission",
}


def write_page(boards: Sequence[BuiltBoard], out: Path, papers: Sequence[Papers] = ()) -> Path:
    """Write ``index.html``, ``board.json``, style and script into ``out``; returns the page.

    Raises:
        MagbenchError: the folder holds files that are not a board's.
    """
    there = [path.name for path in out.iterdir() if not path.name.startswith(".")] if out.is_dir() else []
    if foreign := sorted(set(there) - {"index.html", "board.json", *ASSETS}):
        raise MagbenchError(f"{out}: holds '{foreign[0]}', which is not of a board; give a new or empty folder")
    content = [
        {"board": board.name, "columns": headings(board), "rows": rows_of(board), "noise": board.ranked.noise}
        for board in boards
    ]
    content += map(paper_board, papers)
    write_atomic(out / "board.json", json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n")
    for name in ASSETS:
        text = files("magbench.leaderboard").joinpath("assets", name).read_text(encoding="utf-8")
        write_atomic(out / name, text)
    write_atomic(out / "index.html", _html(content))
    return out / "index.html"


def _html(content: Sequence[dict[str, Any]]) -> str:
    policies = sorted({row.get("policy", "") for board in content for row in board["rows"]} - {""})
    sections = "\n".join(_section(board) for board in content)
    trusts = "".join(f'<option value="{name}">{name}: {about}</option>' for name, about in TRUST.items())
    chosen = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in policies)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>magbench: do video models remember?</title>
<link rel="stylesheet" href="board.css">
</head>
<body>
<header>
<h1>Do video models remember?</h1>
<p>The camera leaves and comes back: is it the same place? Rows are ranked by the ordered score over frames that a
window has forgotten. Models that cannot be told apart share a rank; in brackets the best and the worst rank that the
comparisons leave. A row has a rank only if somebody else has scored its videos again.</p>
<form class="filters" hidden onsubmit="return false">
<label>Search <input id="text" type="search" autocomplete="off"></label>
<label>Trust <select id="trust"><option value="">all</option>{trusts}</select></label>
<label>Policy <select id="policy"><option value="">all</option>{chosen}</select></label>
</form>
</header>
<main>
{sections}
</main>
<script src="board.js"></script>
</body>
</html>
"""


def _section(board: dict[str, Any]) -> str:
    heads = [_head("#", "rank", "ascending"), _head("model", "model", "ascending", word=True)]
    heads.append(_head("trust", "trust", "ascending", word=True))
    for key, title, _, better in board["columns"]:
        heads.append(_head(title, key, "descending" if better == "higher" else "ascending"))
    rows = "\n".join(_row(row, board["columns"]) for row in board["rows"])
    name = escape(board["board"])
    return f"""<section>
<h2>{name}</h2>
<p class="count">{len(board["rows"])} rows</p>
<div class="scroll" tabindex="0" role="region" aria-label="{name}">
<table data-board="{name}">
<thead><tr>{"".join(heads)}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
</section>"""


def _head(title: str, key: str, first: str, word: bool = False) -> str:
    kind = ' class="word"' if word else ""
    return (
        f'<th scope="col"{kind} data-first="{first}" data-key="{escape(key)}">'
        f'<button type="button">{escape(title)}</button></th>'
    )


def _row(row: dict[str, Any], columns: Sequence[tuple[str, str, str, str]]) -> str:
    text = " ".join(str(row.get(key, "")) for key in ("model", "policy", "family", "submitter", "trust")).lower()
    rank, bounds = row.get("rank"), row.get("bounds")
    shown = "" if rank is None else f"{rank}" + (f" [{bounds[0]}, {bounds[1]}]" if bounds else "")
    cells = [
        f'<td data-value="{"" if rank is None else rank}">{shown}</td>',
        f'<td class="word" data-word data-value="{escape(row["model"])}">{_details(row)}</td>',
        f'<td class="word" data-word data-value="{row["trust"]}">{row["trust"]}</td>',
    ]
    for key, _, unit, _ in columns:
        cell = row.get("cells", {}).get(key, {})
        cells.append(_cell(cell.get("mean"), cell.get("low"), cell.get("high"), unit))
    return (
        f'<tr class="{row["trust"]}" data-trust="{row["trust"]}" data-policy="{escape(row.get("policy", ""))}"'
        f' data-text="{escape(text)}">{"".join(cells)}</tr>'
    )


def _cell(mean: float | None, low: float | None, high: float | None, unit: str) -> str:
    if mean is None:
        return '<td data-value="">-</td>'
    interval = ""
    if low is not None and high is not None:
        interval = f'<span class="interval">[{escape(number(low, unit))}, {escape(number(high, unit))}]</span>'
    return f'<td data-value="{mean!r}">{escape(number(mean, unit))}{interval}</td>'


def _details(row: dict[str, Any]) -> str:
    pairs = [(title, str(row[key])) for key, title in SHOWN.items() if row.get(key)]
    pairs += [("attested", text) for text in row.get("attestations", ())]
    pairs += [("found", text) for text in (*row.get("warnings", ()), *row.get("faults", ()))]
    name = escape(row["model"]) + ("" if row.get("complete", True) else " (incomplete)")
    if not pairs:
        return f"<span>{name}</span>"
    terms = "".join(f"<dt>{escape(title)}</dt><dd>{escape(value)}</dd>" for title, value in pairs)
    return f"<details><summary>{name}</summary><dl>{terms}</dl></details>"
