"""The first page: what the board asks, filters, a table and plots for each suite, the player."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from magbench.leaderboard.site import plots
from magbench.leaderboard.site.content import Content
from magbench.leaderboard.site.html import TRUST, badge, shown
from magbench.leaderboard.site.table import table

INTRODUCTION = """<header>
<h1>Do video models remember?</h1>
<p>The camera leaves and comes back: is it the same place? Rows are ranked by the <b>ordered score</b> over frames that
a window has forgotten. Models that cannot be told apart share a rank; in brackets the best and the worst rank that the
comparisons leave. Only what somebody else has found again has a rank.</p>
</header>"""


def body(boards: Sequence[Content], player: str) -> str:
    """Everything inside the page's body; ``player`` is HTML."""
    first, *others = boards
    parts = [_section(first), player, _plots(first)]
    for board in others:
        parts += [_section(board), _plots(board)]
    main = "\n".join(part for part in parts if part)
    return f"{INTRODUCTION}\n{_filters(boards)}\n<main>\n{main}\n</main>\n{_legend()}"


def no_player(note: str) -> str:
    """What stands in the player's place where there is none."""
    return f'<p class="hint">{shown(note)}</p>' if note else ""


def _filters(boards: Sequence[Content]) -> str:
    rows = [row for board in boards for row in board.rows]
    suites = [(board.name, board.title) for board in boards]
    trusts = [name for name in TRUST if any(row["trust"] == name for row in rows)]
    chosen = [
        _select("suite", "Suite", suites) if len(boards) > 1 else "",
        _select("trust", "Trust", [(name, name) for name in trusts]),
        _select("policy", "Policy", _values(row.get("policy") for row in rows)),
        _select("family", "Family", _values(row.get("family") for row in rows)),
    ]
    variants = sum(bool(row.get("variant")) for row in rows)
    toggle = (
        f'<label class="check"><input id="all" type="checkbox"> all rows of a family ({variants} more)</label>'
        if variants
        else ""
    )
    return f"""<form class="filters" id="filters" role="search" hidden>
<label>Search <input id="text" type="search" autocomplete="off"></label>
{"".join(chosen)}
{toggle}
<button type="reset">Clear</button>
</form>"""


def _values(found: Iterable[str | None]) -> list[tuple[str, str]]:
    return [(value, value) for value in sorted({value for value in found if value})]


def _select(key: str, title: str, options: Sequence[tuple[str, str]]) -> str:
    if len(options) < 2:
        return ""
    listed = "".join(f'<option value="{shown(value)}">{shown(text)}</option>' for value, text in options)
    return f'<label>{title} <select id="{key}"><option value="">all</option>{listed}</select></label>'


def _section(board: Content) -> str:
    code = "" if board.name == board.title else board.name.rpartition("-")[2]
    digest = f' <span class="digest" title="digest of the suite\'s content">{shown(code)}</span>' if code else ""
    about = f"\n<p>{shown(board.about)}</p>" if board.about else ""
    return f"""<section class="board" data-suite="{shown(board.name)}" id="{shown(board.name)}">
<h2>{shown(board.title)}{digest}</h2>{about}
<p class="count" role="status">{len(board.rows)} rows</p>
{table(board.title, board.columns, board.rows, board.places, key=board.name)}
</section>"""


def _plots(board: Content) -> str:
    drawn = [
        plots.against_bytes(board.rows, board.looks),
        *plots.against_latency(board.rows, board.looks),
        plots.against_gap(board.curves, board.looks, board.window),
    ]
    figures = "\n".join(one for one in drawn if one)
    about = f"Plots of {board.title}"
    return (
        f'<section class="plots" data-suite="{shown(board.name)}" aria-label="{shown(about)}">\n{figures}\n</section>'
        if figures
        else ""
    )


def _legend() -> str:
    terms = "\n".join(f"<dt>{badge(name)}</dt><dd>{shown(about)}</dd>" for name, about in TRUST.items())
    return f"""<footer>
<h2>What a row may claim</h2>
<dl>
{terms}
</dl>
<p>One table for each suite, version, split and content: what differs is another table, never another row. Data: <a
href="board.json">board.json</a>.</p>
</footer>"""
