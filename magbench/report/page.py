"""table.md: the main table, why a cell is empty, who is told apart, and a section for each other kind of score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from magbench.analysis.sources import PUBLISHED
from magbench.render.grid import number
from magbench.render.text import markdown, markdown_escape
from magbench.report.columns import PRIMARY, RETENTION
from magbench.report.export.text import words
from magbench.report.grids import (
    every_score_grid,
    main_grid,
    pair_grid,
    quality_grid,
    reference_grid,
    region_grid,
    retention_grid,
    speed_grid,
    title,
)
from magbench.report.missing import reasons
from magbench.report.tables import BY_SPEED, Table
from magbench.report.timings import notes
from magbench.stats import LEAST_CLIPS


def markdown_page(
    table: Table,
    provenance: Mapping[str, Any],
    window: int,
    half_lives: Mapping[str, str],
    unavailable: Iterable[object] = (),
) -> str:
    """The whole page.

    Args:
        half_lives: model -> words, see :class:`magbench.analysis.retention_curve.HalfLife`.
        unavailable: metrics of quality that could not be run, each with its reason.
    """
    suite, split = (markdown_escape(provenance[key]) for key in ("suite", "split"))
    name = f"# {suite} v{provenance['suite_version']}, {split} split\n"
    made = _list(f"{key.replace('_', ' ')}: {markdown_escape(words(value))}" for key, value in provenance.items())
    parts = [
        name,
        INTRODUCTION.format(window=window),
        markdown(main_grid(table)),
        *_references(table),
        *_published(table),
        *_timings(table),
        *_empty(table),
        *_told_apart(table),
        *_regions(table),
        *_retention(table, half_lives),
        *_quality(table, unavailable),
        *_speeds(table),
        *_others(table),
        "## How this was made\n",
        made,
    ]
    return "\n".join(parts)


INTRODUCTION = """\
The *ordered score* compares the return with the truth in order, at any speed, and counts only as much of the return
as was covered (*coverage*). *PSNR*, *SSIM* and *LPIPS* compare frame i with frame i (*aligned*). All are over the
frames whose view was last seen {window} or more frames before (*out of window*): mean over n clips, 95 % interval of a
BCa bootstrap over clips. *Retention* is 0 for another scene and 1 for the truth through the codec, by LPIPS. *Legacy*
is the official score, over all frames; it can be gamed, and the references show how. *history* is what the model
holds at the end of a clip. References (in italics) see the truth and have no rank: `oracle` is the truth itself,
`codec` the truth through a model's codec; of the others, which are ways to cheat or fail, the best stands here.
Models that cannot be told apart share a rank.
"""

TOLD_APART = """\
Each model against the next: mean difference of the ordered score over the same clips and seeds, 95 % interval, p from
flipping the signs of per-clip differences, and p corrected over all {pairs} pairs (step-down maxT). Two models are
apart if the corrected p is at most 0.05, the interval does not hold 0, and the difference is not below the noise level
(re-encoding, other decoder, one frame late, other seed), which {noise}. A rank begins where every model above is apart
from every model from there on.{power}
"""

SCALE = 1.0
"""The largest difference of two ordered scores."""

RETAINED = """\
0 = another scene, 1 = the truth through the codec, each clip by its own two ends. A clip whose ends lie within the
metric's noise is left out: n says how many are left.
"""

HALF_LIVES = "Frames since a view was last seen at which half is retained (LPIPS; 95 % band from resampling clips):\n"


def _list(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _references(table: Table) -> list[str]:
    grid = reference_grid(table)
    text = (
        "More ways to cheat or fail: references that stand below the best of their kind, which is in the table above.\n"
    )
    return [text, markdown(grid)] if grid.rows else []


def _published(table: Table) -> list[str]:
    text = (
        f"`{PUBLISHED}`: rows that stood in this folder before; their videos are not here, and their times are another"
        " machine's.\n"
    )
    return [text] if any(row.model.endswith(PUBLISHED) for row in table.rows) else []


def _timings(table: Table) -> list[str]:
    lines = notes([(row.model, row.timings) for row in table.rows if row.is_model])
    return ["Times:\n", _list(lines)] if lines else []


def _empty(table: Table) -> list[str]:
    lines = reasons(table)
    return ["No value (-):\n", _list(lines)] if lines else []


def _told_apart(table: Table) -> list[str]:
    ranking = table.ranking
    if not ranking.pairs:
        return []
    noise = "was not measured" if table.noise is None else f"is {number(table.noise, PRIMARY.unit)}"
    least = ranking.detectable
    if least is None:
        power = f" Below {LEAST_CLIPS}\nclips nothing can be told apart, however far the means lie apart."
    elif least > SCALE:
        power = " With the spread seen here one comparison\nof so few clips finds no difference that the scale holds."
    else:
        shown = number(least, PRIMARY.unit)
        power = f" With the spread seen here one comparison\nfinds a true difference of {shown} in four cases of five."
    text = TOLD_APART.format(pairs=len(ranking.pairs), noise=noise, power=power)
    return ["## Who can be told apart\n", text, markdown(pair_grid(table))]


def _regions(table: Table) -> list[str]:
    grid = region_grid(table)
    if len(grid.header) == grid.left:
        return []
    text = "Frames whose view was seen a moment ago, beside those whose view was last seen out of window.\n"
    return ["## In the window and out of it\n", text, markdown(grid)]


def _retention(table: Table, half_lives: Mapping[str, str]) -> list[str]:
    grid = retention_grid(table)
    if RETENTION not in {column.protocol for column in table.columns}:
        return []
    lives = (
        [HALF_LIVES, _list(f"{markdown_escape(model)}: {life}" for model, life in half_lives.items())]
        if half_lives
        else []
    )
    return ["## Retention\n", RETAINED, markdown(grid), *lives]


def _quality(table: Table, unavailable: Iterable[object]) -> list[str]:
    grid = quality_grid(table)
    missing = _list(map(str, unavailable))
    if len(grid.header) == grid.left and not missing:
        return []
    text = "Of the return by itself, without the truth: a good picture of the wrong place scores well here.\n"
    tables = [] if len(grid.header) == grid.left else [markdown(grid)]
    return ["## Quality\n", text, *tables, *([missing] if missing else [])]


def _speeds(table: Table) -> list[str]:
    parts = []
    for column in BY_SPEED:
        if table.speeds and column in table.columns:
            parts.append(f"## By camera speed: {column.protocol} {title(column)}, out of window\n")
            parts.append(markdown(speed_grid(table, column)))
    return parts


def _others(table: Table) -> list[str]:
    grid = every_score_grid(table)
    if len(grid.header) == grid.left:
        return []
    return ["## Every other score\n", "Means alone; their intervals are in table.csv.\n", markdown(grid)]
