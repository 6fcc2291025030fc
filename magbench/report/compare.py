"""Two models against each other on the same clips and seeds: every score paired, corrected over the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from magbench.analysis.clipwise import by_clip, paired
from magbench.render.grid import NOTHING, Grid, number, show_p
from magbench.report.columns import COST, HISTORY_EFFECT, LPIPS, PRIMARY, PSNR, QUALITY, Column
from magbench.report.grids import heading, show_difference, title
from magbench.report.sides import Side, open_sides
from magbench.stats import LEAST_CLIPS, Paired, holm

TOO_FEW = "too few clips"


@dataclass(frozen=True)
class Line:
    """One score. ``p`` and ``corrected_p`` are None for costs, which were not measured in pairs.

    Attributes:
        mean_a, mean_b: over the clips that both have.
        found: A minus B.
        left_out: clips with a value on one side only.
    """

    column: Column
    mean_a: float
    mean_b: float
    found: Paired
    corrected_p: float | None
    noise: float | None
    left_out: int

    @property
    def verdict(self) -> str:
        """``A better``, ``B better``, ``no difference``, ``below noise``, ``too few clips``; ``-`` for costs."""
        if self.corrected_p is None:
            return "-"
        if self.found.difference.n < LEAST_CLIPS:
            return TOO_FEW
        if not self.found.told_apart(self.corrected_p):
            return "no difference"
        if not self.found.told_apart(self.corrected_p, self.noise or 0.0):
            return "below noise"
        higher = self.found.difference.mean > 0
        return "A better" if higher == (self.column.better == "higher") else "B better"


def main_scores(columns: Iterable[Column]) -> list[Column]:
    """The main table's columns, their like in the window, quality, history effect and costs."""
    near = tuple(replace(column, region="in_window") for column in (PRIMARY, PSNR, LPIPS))
    extras = (*QUALITY, HISTORY_EFFECT, COST)
    return [column for column in columns if column.main or column in near or column.protocol in extras]


def compare(a: Side, b: Side, columns: Sequence[Column]) -> list[Line]:
    """A line for each of ``columns`` that both sides have, costs last; p corrected over the scores of this table."""
    tests: list[tuple[Column, dict[str, float], dict[str, float], Paired]] = []
    for column in columns:
        first, second = (by_clip(side.scores.get(column, ())) for side in (a, b))
        found = paired(first, second)
        if found is not None:
            tests.append((column, first, second, found))
    scores = [found.p for column, _, _, found in tests if not column.is_cost]
    corrected: list[float | None] = [*holm(scores), *[None] * (len(tests) - len(scores))]
    return [
        Line(
            column=column,
            mean_a=_mean(first, second),
            mean_b=_mean(second, first),
            found=found,
            corrected_p=p,
            noise=max((side.noise[column] for side in (a, b) if column in side.noise), default=None),
            left_out=len(first.keys() ^ second.keys()),
        )
        for (column, first, second, found), p in zip(tests, corrected, strict=True)
    ]


def _mean(values: Mapping[str, float], shared: Mapping[str, float]) -> float:
    chosen = [value for clip, value in values.items() if clip in shared]
    return sum(chosen) / len(chosen)


def compare_models(a: str, b: str, run: Path) -> list[Line]:
    """Compare two models of the run's folder by every score that the main comparison shows."""
    sides = open_sides(a, b, run)
    return compare(*sides, main_scores(list(sides[0].scores)))


def notes(a: Side, b: Side, lines: Sequence[Line]) -> list[str]:
    """What has to be said under the table."""
    found = [f"A = {a.label}, B = {b.label}; A - B: mean difference over n clips with its 95 % interval"]
    found.append("p: signs of per-clip differences flipped; Holm: corrected over the scores of this table")
    if any(line.noise is not None for line in lines):
        found.append("below noise: less than the same frames move when stored, cut or drawn anew (noise.json)")
    else:
        found.append("noise was not measured here (no noise.json): small differences may come from encoding alone")
    if any(line.verdict == TOO_FEW for line in lines):
        found.append(f"below {LEAST_CLIPS} clips no difference can be shown, however large it is")
    if any(line.corrected_p is None for line in lines):
        found.append("costs were measured one model after the other: no test, no verdict")
    left = [f"{label(line.column)} {line.left_out}" for line in lines if line.left_out]
    if left:
        found.append(f"clips with a value on one side only, left out: {', '.join(left)}")
    alone = a.scores.keys() ^ b.scores.keys()
    if alone:
        found.append(f"on one side only, not compared: {', '.join(sorted(map(label, alone)))}")
    return found


def label(column: Column) -> str:
    """What tables call a score, its region left out: the main table's heading, else protocol and title."""
    if column.main or column.is_cost:
        return heading(column)
    return title(column) if column.protocol in QUALITY else f"{column.protocol} {title(column)}"


def narrow_grid(lines: Sequence[Line]) -> Grid:
    """:func:`compare_grid` for a terminal of 80 columns: means, difference, corrected p and verdict."""
    rows = tuple(
        (
            label(line.column) + (", in window" if line.column.region == "in_window" else ""),
            *(number(mean, line.column.unit) for mean in (line.mean_a, line.mean_b, line.found.difference.mean)),
            NOTHING if line.corrected_p is None else show_p(line.corrected_p),
            line.verdict,
        )
        for line in lines
    )
    return Grid(("score", "A", "B", "A - B", "Holm", "verdict"), rows, _quiet(lines), left=1)


def _quiet(lines: Sequence[Line]) -> tuple[bool, ...]:
    return tuple(line.verdict in ("no difference", "below noise", TOO_FEW) for line in lines)


def compare_grid(lines: Sequence[Line]) -> Grid:
    """A line a score: both means, their difference, and what may be said of it."""
    rows = tuple(
        (
            label(line.column),
            "" if line.column.is_cost else line.column.region.replace("_", " "),
            *(number(mean, line.column.unit) for mean in (line.mean_a, line.mean_b)),
            number(d.mean, line.column.unit) if line.corrected_p is None else show_difference(d, line.column),
            NOTHING if line.corrected_p is None else show_p(line.found.p),
            NOTHING if line.corrected_p is None else show_p(line.corrected_p),
            NOTHING if line.noise is None else number(line.noise, line.column.unit),
            str(d.n),
            line.verdict,
        )
        for line in lines
        for d in [line.found.difference]
    )
    header = ("score", "region", "A", "B", "A - B [95 %]", "p", "Holm", "noise", "n", "verdict")
    return Grid(header, rows, _quiet(lines))
