"""docs/columns.md: every column of table.csv, made from the specs of the scores.

Write it anew with ``make docs``; a test says when that is due.
"""

from __future__ import annotations

from collections.abc import Iterator

from magbench.report.columns import COST, PRIMARY, QUALITY, specs
from magbench.report.tables import BY_SPEED, SPEEDS

HEAD = """\
# The columns of table.csv

One row a model or reference. An empty field means that there is no value. `table.json` has the same fields, with
provenance; `records.parquet` has the values behind them, a row a score of a clip.

| column | what it is |
| --- | --- |
| `rank` | 1 is best; models that cannot be told apart share it; empty for references and for rows that lack clips |
| `model`, `kind`, `revision` | name; `model` or `reference`; what was run, to the weights |
| `complete`, `clips`, `clips_expected` | whether every clip and sample has every score; how many have, of how many |

Every score below has four columns: `KEY` (mean over clips), `KEY_low` and `KEY_high` (95 % interval of a BCa bootstrap
over clips) and `KEY_n` (clips behind the mean). A key is `PROTOCOL_METRIC_REGION`. Regions: `all` frames of the return;
`out_of_window`, those whose view was last seen so long ago that a window has forgotten it; `in_window`, the others that
were seen before.
"""

TITLES = {
    "ordered": "Was the return shown, in order: `ordered`",
    "aligned": "Frame i against frame i: `aligned`",
    "legacy": "The official free match: `legacy`",
    "seen_pixels": "Pixels whose place a given frame shows, where the suite has depth: `seen_pixels`",
    "new_pixels": "Pixels whose place no given frame shows, where the suite has depth: `new_pixels`",
    "retention": "Retention: 0 is another scene, 1 the truth through the codec",
    "history_effect": "History effect, where `magbench history-effect` measured it",
    "quality": "Quality of the return alone",
    "vbench": "VBench's dimensions, where `magbench vbench` computed them",
    COST: "Costs: no protocol or region in the key",
}
REGIONS = {
    "ordered": ("all", "out_of_window", "in_window"),
    "aligned": ("all", "out_of_window", "in_window"),
    "legacy": ("all", "out_of_window", "in_window"),
    "seen_pixels": ("all", "out_of_window"),
    "retention": ("all", "out_of_window", "in_window"),
    "history_effect": ("all",),
}


def page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *_sections(), *_speeds()])


def _sections() -> Iterator[str]:
    known = list(specs().values())
    for protocol, title in TITLES.items():
        mine = [spec for spec in known if spec.protocol == protocol]
        if not mine:
            continue
        yield f"## {title}\n"
        if protocol != COST:
            regions = REGIONS.get(protocol, ("all",))
            yield f"Keys: `{protocol}_METRIC_REGION`; regions: {', '.join(f'`{region}`' for region in regions)}.\n"
        yield "| metric | what | unit | better |"
        yield "| --- | --- | --- | --- |"
        for spec in mine:
            yield f"| `{spec.name}` | {spec.about or spec.heading} | {spec.unit} | {spec.better} |"
        yield ""


def _speeds() -> Iterator[str]:
    keys = " and ".join(f"`{column.key}_SPEED`" for column in BY_SPEED)
    speeds = ", ".join(f"`{speed}`" for speed in SPEEDS)
    yield "## By camera speed\n"
    yield f"{keys}, four columns each, over the clips of one speed: {speeds}, as far as the suite has them.\n"
    yield f"Rows are sorted by `{PRIMARY.key}`. Scores of a plug-in metric follow the pattern of `aligned`;"
    yield f"columns of {' and '.join(f'`{name}`' for name in QUALITY)} need no truth."


if __name__ == "__main__":
    print(page())
