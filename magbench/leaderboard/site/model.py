"""The page of one row: its scores clip by clip, who made it with what, who has checked it, how to do it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from magbench.leaderboard.site.html import TRUST, badge, document, link, shown
from magbench.leaderboard.site.table import Columns, busy
from magbench.render.grid import NOTHING, number

Row = dict[str, Any]

ABOUT = {
    "family": "family",
    "policy": "policy",
    "submitter": "submitted by",
    "relationship": "as",
    "licence": "licence",
    "training_data": "trained on",
    "samples": "samples",
    "conversions": "conversions",
    "revision": "revision",
    "machine": "machine",
    "weights": "weights",
    "code": "code",
    "date": "date",
    "submission": "submission",
}


@dataclass(frozen=True)
class Details:
    """What stands on a row's page beside the row itself; HTML that is ready, "" where there is none.

    Attributes:
        strip: the score of each clip.
        curve: retention against gap.
        watch: link to the player, with this model in it.
        reproduce: what is to be typed, one line each.
    """

    strip: str = ""
    curve: str = ""
    watch: str = ""
    reproduce: Sequence[str] = ()


def page(title: str, row: Row, columns: Columns, details: Details, back: str) -> str:
    """The whole page of one row of the board ``title``; ``back``: link to the board."""
    parts = [
        f'<nav><a href="{shown(back)}">&larr; {shown(title)}</a></nav>',
        f"<h1>{shown(row['model'])}</h1>",
        _claim(row),
        _scores(row, columns),
        _watch(details),
        details.curve,
        _about(row),
        _attestations(row.get("attestations", ())),
        _reproduce(details.reproduce),
        _findings(row),
    ]
    body = "\n".join(part for part in parts if part)
    return document(f"{row['model']}: {title}", f"<main>\n{body}\n</main>", up="../../")


def _claim(row: Row) -> str:
    place = ""
    if row.get("rank") is not None:
        bounds = row.get("bounds")
        between = f" (the comparisons leave {bounds[0]} to {bounds[1]})" if bounds else ""
        place = f"Rank {row['rank']}{between}. "
    status = ""
    if row.get("status"):
        by = f" by {shown(row['superseded_by'])}" if row.get("superseded_by") else ""
        why = f": {shown(row['reason'])}" if row.get("reason") else ""
        status = f'<p><span class="badge state">{shown(row["status"])}</span>{by}{why}</p>'
    return f"<p>{badge(row['trust'])} {place}{shown(TRUST.get(row['trust'], '')).capitalize()}.</p>{status}"


def _scores(row: Row, columns: Columns) -> str:
    lines = []
    for key, title, unit, _ in columns:
        cell = row.get("cells", {}).get(key, {})
        mean, low, high = (cell.get(part) for part in ("mean", "low", "high"))
        if mean is None:
            continue
        interval = NOTHING if low is None or high is None else f"{number(low, unit)} to {number(high, unit)}"
        lines.append(
            f'<tr><th scope="row" class="word">{shown(title)}</th><td>{shown(number(mean, unit))}{busy(cell)}</td>'
            f"<td>{shown(interval)}</td><td>{shown(cell.get('n') or NOTHING)}</td></tr>"
        )
    if not lines:
        return ""
    body = "\n".join(lines)
    return f"""<h2>Scores</h2>
<div class="scroll fit"><table class="plain">
<thead><tr><th scope="col" class="word">score</th><th scope="col">mean</th><th scope="col">95 % interval</th>\
<th scope="col">clips</th></tr></thead>
<tbody>
{body}
</tbody>
</table></div>"""


def _watch(details: Details) -> str:
    if not details.strip:
        return ""
    watch = f' Clips with a dot can be <a href="{shown(details.watch)}">watched beside the truth</a>.'
    return f"""<h2>Clip by clip</h2>
<p>The ordered score of each clip, out of window, in the order of the suite.{watch if details.watch else ""}</p>
<div class="scroll fit">{details.strip}</div>"""


def _about(row: Row) -> str:
    pairs = [(title, link(str(row[key]))) for key, title in ABOUT.items() if row.get(key)]
    if row.get("source"):
        pairs.insert(0, ("numbers from", f"{shown(row['source'])} {link(row.get('url', ''))}"))
    if not pairs:
        return ""
    terms = "\n".join(f"<dt>{title}</dt><dd>{value}</dd>" for title, value in pairs)
    return f"<h2>Where it comes from</h2>\n<dl>\n{terms}\n</dl>"


def _attestations(found: Sequence[str]) -> str:
    if not found:
        return ""
    return "<h2>Who has checked it</h2>\n<ul>\n" + "\n".join(f"<li>{shown(one)}</li>" for one in found) + "\n</ul>"


def _reproduce(commands: Sequence[str]) -> str:
    if not commands:
        return ""
    return '<h2>How to do it again</h2>\n<pre tabindex="0"><code>' + "\n".join(map(shown, commands)) + "</code></pre>"


def _findings(row: Row) -> str:
    found = [*row.get("faults", ()), *row.get("warnings", ())]
    if not found:
        return ""
    return "<h2>What the checks say</h2>\n<ul>\n" + "\n".join(f"<li>{shown(text)}</li>" for text in found) + "\n</ul>"
