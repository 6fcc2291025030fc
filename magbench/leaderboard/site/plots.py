"""The plots of a board: score against what it costs, and what is left of a view after so many frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from magbench.analysis.retention_curve import HALF, GapCurve
from magbench.leaderboard.site.html import shown
from magbench.leaderboard.site.svg import (
    BOTTOM,
    HEIGHT,
    LINE,
    SIGN,
    TOP,
    WIDTH,
    Box,
    Named,
    Plot,
    log_ticks,
    names,
    nice_ticks,
)
from magbench.render.grid import human_bytes, number
from magbench.render.labels import spread
from magbench.report.columns import BLOCK, HISTORY, PRIMARY, Column

Row = dict[str, Any]

NAMED = 14
"""At most so many points that are not on the front have their name written; the others say it when pointed at."""

CURVES = 12
"""At most so many curves in one plot."""

MACHINES = 3
"""At most so many plots of speed, one a machine."""


def figure(svg: str, caption: str) -> str:
    """A plot and what is to be known to read it; ``caption`` is HTML."""
    return f"<figure>\n{svg}\n<figcaption>{caption}</figcaption>\n</figure>"


def against_bytes(rows: Sequence[Row], looks: Mapping[str, str]) -> str:
    """Score against bytes of history at the end of a clip; "" where fewer than two rows have both."""
    points = _points(rows, HISTORY)
    if len(points) < 2:
        return ""
    lacking = sum(row.get("trust") != "reference" for row in rows) - len(points)
    left_out = f" {lacking} rows without both are not here." if lacking else ""
    svg = _pareto(points, HISTORY, looks, "bytes of history held at the end of a clip", human_bytes)
    return figure(
        svg,
        "Ordered score, out of window, with its 95 % interval, against the history that is held. The line joins the"
        f" rows that nobody beats in both; hollow: without a rank.{left_out}",
    )


def against_latency(rows: Sequence[Row], looks: Mapping[str, str]) -> list[str]:
    """Score against seconds a block: a plot for each run on one machine that has two rows or more, as declared."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.get("machine"):
            groups[tuple(str(row.get(key, "")) for key in ("machine", "submitter", "date"))].append(row)
    ordered = sorted(groups.items(), key=lambda item: (-len(_points(item[1], BLOCK)), item[0]))
    found = []
    for (machine, submitter, day), mine in ordered[:MACHINES]:
        points = _points(mine, BLOCK)
        if len(points) > 1:
            svg = _pareto(points, BLOCK, looks, "seconds a block", lambda value: f"{value:.3g} s")
            found.append(
                figure(
                    svg,
                    "Ordered score against the time of a block, as declared and not checked: rows of one machine and"
                    f" run alone. {shown(machine)}; {shown(submitter)}, {shown(day)}.",
                )
            )
    return found


def _points(rows: Sequence[Row], column: Column) -> list[Row]:
    """The rows that have a score and a cost above 0 that nothing disturbed, the best score first."""
    cells = [
        (
            row,
            row.get("cells", {}).get(PRIMARY.key, {}).get("mean"),
            row.get("cells", {}).get(column.key, {}).get("mean"),
        )
        for row in rows
        if not row.get("cells", {}).get(column.key, {}).get("disturbed")
        and row.get("trust") != "reference"
        and not row.get("variant")
        and row.get("status") != "withdrawn"
    ]
    found = [(score, row) for row, score, cost in cells if score is not None and cost]
    return [row for _, row in sorted(found, key=lambda pair: (-pair[0], pair[1]["model"]))]


def _pareto(rows: Sequence[Row], cost: Column, looks: Mapping[str, str], x: str, text: Any) -> str:
    costs = [row["cells"][cost.key]["mean"] for row in rows]
    scores = [row["cells"][PRIMARY.key] for row in rows]
    low = min(cell["mean"] if cell["low"] is None else cell["low"] for cell in scores)
    high = max(cell["mean"] if cell["high"] is None else cell["high"] for cell in scores)
    room = max(0.02, 0.06 * (high - low))
    spanned = (min(costs) / 1.35, max(costs) * 1.35)
    if spanned[1] / spanned[0] < 4:
        middle = (spanned[0] * spanned[1]) ** 0.5
        spanned = (middle / 2, middle * 2)
    plot = Plot.of(spanned, (low - room, min(high + room, max(1.02, high))), log=True)
    front = _front(costs, [cell["mean"] for cell in scores])
    steps = [(plot.x(costs[i]), plot.y(scores[i]["mean"])) for i in front]
    parts = [_front_line(plot, steps)]
    lines = _segments(plot, steps)
    named: list[Named] = []
    for i, row in enumerate(rows):
        at, up = plot.x(costs[i]), plot.y(scores[i]["mean"])
        look = looks.get(row["model"], "look")
        tip = f"{row['model']}: {number(scores[i]['mean'], PRIMARY.unit)}, {text(costs[i])}"
        if scores[i]["low"] is not None and scores[i]["high"] is not None:
            ends = f"{plot.y(scores[i]['low']):.1f}V{plot.y(scores[i]['high']):.1f}"
            parts.append(f'<path class="bar {look}" d="M{at:.1f} {ends}"/>')
            lines.append((at - 1, plot.y(scores[i]["high"]), at + 1, plot.y(scores[i]["low"])))
        hollow = "" if row.get("rank") is not None else " hollow"
        dot = f'<circle class="dot {look}{hollow}" cx="{at:.1f}" cy="{up:.1f}" r="4.5">'
        parts.append(f"{dot}<title>{shown(tip)}</title></circle>")
        written = i in front or len(rows) <= NAMED or len(named) < NAMED
        named.append(Named(row["model"], at, up, look, written))
    parts += names(named, plot.right, lines)
    about = f"Ordered score against {x}: " + "; ".join(
        f"{row['model']} {number(cell['mean'], PRIMARY.unit)} at {text(value)}"
        for row, cell, value in list(zip(rows, scores, costs, strict=True))[:NAMED]
    )
    return plot.svg(parts, about, x, "ordered score, higher is better", log_ticks(*spanned, text))


def _front(costs: Sequence[float], scores: Sequence[float]) -> list[int]:
    """Places of the points that no other beats in both, the cheapest first."""
    best, found = float("-inf"), []
    for i in sorted(range(len(costs)), key=lambda i: (costs[i], -scores[i])):
        if scores[i] > best:
            best = scores[i]
            found.append(i)
    return found


def _front_line(plot: Plot, steps: Sequence[tuple[float, float]]) -> str:
    path = "".join(f"M{x:.1f} {y:.1f}" if i == 0 else f"H{x:.1f}V{y:.1f}" for i, (x, y) in enumerate(steps))
    return f'<path class="front" d="{path}H{plot.right:.1f}"/>'


def _segments(plot: Plot, steps: Sequence[tuple[float, float]]) -> list[Box]:
    """The front's level and upright lines as boxes."""
    found: list[Box] = []
    ends = [*steps[1:], (plot.right, steps[-1][1])]
    for (x, y), (end, up) in zip(steps, ends, strict=True):
        found += [(x, y - 1, end, y + 1), (end - 1, min(y, up), end + 1, max(y, up))]
    return found


def against_gap(curves: Sequence[GapCurve], looks: Mapping[str, str], window: int, left_out: int = 0) -> str:
    """Retention against the gap, a curve a model, in the order given; "" where there is none."""
    if not curves:
        return ""
    shown_curves = curves[:CURVES]
    points = [point for curve in shown_curves for point in curve.points]
    last = max(point.gap for point in points)
    low = max(-0.35, min(0.0, *(point.retained.mean for point in points)) - 0.05)
    high = max(1.06, min(1.2, *(point.retained.mean for point in points)))
    longest = min(20, max(len(curve.model) for curve in shown_curves))
    plot = Plot.of((0.0, last), (low, high), right=WIDTH - 22 - longest * SIGN)
    parts = [f'<path class="rule" d="M{plot.x(0):.1f} {plot.y(HALF):.1f}H{plot.right:.1f}"/>']
    if window < last:
        at = f"{plot.x(window):.1f}"
        parts.append(f'<path class="rule" d="M{at} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text class="tick" x="{at}" y="{TOP + 9}" dx="4">out of window →</text>')
    ends = []
    for curve in shown_curves:
        look = looks.get(curve.model, "look")
        ends.append(plot.y(min(max(curve.points[-1].retained.mean, low), high)))
        line = " ".join(f"{plot.x(p.gap):.1f},{plot.y(min(max(p.retained.mean, low), high)):.1f}" for p in curve.points)
        tip = f"{curve.model}: half-life {curve.half_life}"
        parts.append(f'<polyline class="curve {look}" points="{line}"><title>{shown(tip)}</title></polyline>')
    for curve, end, beside in zip(shown_curves, ends, spread(ends, LINE, TOP + 8, HEIGHT - BOTTOM), strict=True):
        look = looks.get(curve.model, "look")
        lead = f'<path class="bar thin {look}" d="M{plot.right:.1f} {end:.1f}L{plot.right + 11:.1f} {beside:.1f}"/>'
        name = curve.model if len(curve.model) <= longest else f"{curve.model[: longest - 1]}…"
        parts.append(lead)
        parts.append(f'<text class="name {look}" x="{plot.right + 14:.1f}" y="{beside + 4:.1f}">{shown(name)}</text>')
    about = "Retention against frames since the view was last seen: " + "; ".join(
        f"{curve.model} half-life {curve.half_life}" for curve in shown_curves
    )
    x = "frames since the view was last seen"
    ticks = [(value, f"{value:g}") for value in nice_ticks(0.0, last)]
    svg = plot.svg(parts, about, x, "retention, higher is better", ticks)
    more = f" {left_out} more are on the models' own pages or not drawn." if left_out else ""
    return figure(
        svg, f"What is left of a view: 1 = the truth through the codec, 0 = another scene; dashed: half is left.{more}"
    )


def strip(clips: Sequence[str], values: Mapping[str, float], look: str, places: Mapping[str, str]) -> str:
    """A bar a clip, its height the ordered score from 0 to 1, in the order of the suite.

    Args:
        places: clip -> link to its player, for clips that have one.
    """
    wide, high = 11, 70
    bars = []
    for i, clip in enumerate(clips):
        value = values.get(clip)
        tip = f"{clip}: " + ("no value" if value is None else number(value, PRIMARY.unit))
        tall = max(1.0, high * min(max(value or 0.0, 0.0), 1.0))
        x = i * wide + wide // 2
        mark = f'<path d="M{x} {high}v-{tall:.0f}"><title>{shown(tip)}</title></path>'
        if clip in places:
            dot = f'<circle cx="{x}" cy="{high + 7}" r="3"/>'
            mark = f'<a href="{shown(places[clip])}" aria-label="{shown(tip)}, watch">{mark}{dot}</a>'
        bars.append(mark)
    about = f"Ordered score of each of {len(clips)} clips"
    return (
        f'<svg class="strip {look}" viewBox="0 -2 {len(clips) * wide} {high + 14}" role="group"'
        f' aria-label="{shown(about)}">\n{"".join(bars)}\n</svg>'
    )
