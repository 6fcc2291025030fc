"""Every cache policy at equal bytes: what is retained with 1/12, 1/6, 1/3 and all of full history's keys and values.

    python -m benchmarks.iso_byte run OUT --clips 14
    python -m benchmarks.iso_byte latency OUT

The first makes and scores, in OUT, a run of all policies at all budgets on the first clips of revisit-nano, and writes
``iso_byte.csv``, ``iso_byte.md`` and the plot ``iso_byte.png``, light and dark. Stopped, the same command goes on; with
``--beside`` an earlier table gives the policies that are not run. Bytes are those that were counted after the last
block. A policy that keeps every frame stands at the budget `all` alone; one that can drop frames equals full history
there, if it is given room for all. Seconds are not looked at: this may run beside other work.

The second times a block of every row of that table behind 320 blocks of history, writes the seconds into it, and the
plot ``iso_latency.png``. Nothing else may run on the machine.
"""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

import magbench
from baselines.policy_spec import named_policy
from mag_model.memory.views import reach_of
from magbench.core.parallel import threads
from magbench.models.registry import load_model
from magbench.profiling.latency import as_history_model, profile
from magbench.render.grid import NOTHING, Grid
from magbench.render.text import markdown
from magbench.render.theme import DARK, LIGHT, Theme, looks, new_figure, write_png
from magbench.suites.registry import open_suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

REFERENCES = ("wrong_scene", "codec", "oracle")
RETENTION = "retention_lpips_out_of_window"
BUDGETS = {"1/12": 4, "1/6": 8, "1/3": 16, "all": 48}
"""Of full history's bytes -> frames of a clip of 48 in the cache after its last block."""

AT: dict[str, dict[str, str]] = {
    "full_history": {"all": ""},
    "window": {"1/12": "frames=4", "1/6": "frames=8", "1/3": "frames=16"},
    "window_sink": {"1/12": "frames=3:sink=1", "1/6": "frames=5:sink=3", "1/3": "frames=13:sink=3"},
    "relative_window": {"1/12": "frames=3:sink=1", "1/6": "frames=5:sink=3", "1/3": "frames=13:sink=3"},
    "anchored_window": {"1/12": "frames=3:sink=1", "1/6": "frames=5:sink=3", "1/3": "frames=13:sink=3"},
    "ema_sink": {"1/12": "frames=3:sink=1", "1/6": "frames=5:sink=3", "1/3": "frames=13:sink=3"},
    "rolling_sink": {"1/12": "frames=1:sink=3", "1/6": "frames=3:sink=5", "1/3": "frames=3:sink=13"},
    "strided": {"1/12": "sink=0:stride=12", "1/6": "sink=0:stride=6", "1/3": "sink=0:stride=3"},
    "memory_bank": {
        "1/12": "frames=1:bank=3:every=3",
        "1/6": "frames=3:bank=5:every=2",
        "1/3": "frames=3:bank=13:every=1",
    },
    "deep_sink": {
        "1/12": "sink=2:middle=1:recent=1",
        "1/6": "sink=4:middle=2:recent=2",
        "1/3": "sink=8:middle=4:recent=4",
    },
    "flow_cache": {"1/12": "frames=3:recent=1", "1/6": "frames=5:recent=3", "1/3": "frames=13:recent=3"},
    "heavy_hitters": {"1/12": "frames=3:recent=1", "1/6": "frames=5:recent=3", "1/3": "frames=13:recent=3"},
    "snap_kv": {"1/12": "frames=3:recent=1", "1/6": "frames=5:recent=3", "1/3": "frames=13:recent=3"},
    "merged_frames": {"1/12": "frames=3:recent=1", "1/6": "frames=5:recent=3", "1/3": "frames=13:recent=3"},
    "geometric": {"1/6": "whole=1:each=1", "1/3": "whole=6:each=2"},
    "pose_retrieval": {
        "all": "frames=4:recent=3",
        "1/3": "frames=4:recent=3:bits=8",
        "1/6": "frames=4:recent=3:bits=4",
    },
    "feature_retrieval": {
        "all": "frames=4:recent=3",
        "1/3": "frames=4:recent=3:bits=8",
        "1/6": "frames=4:recent=3:bits=4",
    },
    "quantised": {"1/3": "stored=8", "1/6": "stored=4"},
    "mag": {
        "1/3": "first_block_whole=0",
        "1/6": "first_block_whole=0:bits=8",
        "1/12": "first_block_whole=0:bits=4",
    },
    "mag_ring": {"1/12": "ring=2:sink=2", "1/6": "ring=6:sink=2", "1/3": "ring=14:sink=2"},
    "mag_sparse": {"1/3": "frames=4:newest=1", "1/6": "frames=4:newest=1:bits=8", "1/12": "frames=4:newest=1:bits=4"},
    "mag_deep": {"1/6": "near=4:group=3", "1/12": "near=1:group=6"},
}
"""Policy -> budget -> its numbers."""


def policy_of(name: str, numbers: str) -> str:
    """``POLICY[:NUMBERS]``."""
    return f"{name}:{numbers}" if numbers else name


@dataclass(frozen=True)
class Point:
    """A policy at a budget.

    Attributes:
        bytes: counted after the last block, against full history's.
        retained, low, high: retention by LPIPS out of window, and its interval.
        reach: the share of these views that a block can read.
        at_most: whether ``reach`` is a bound.
        untrained: whether its source trained the network for it.
        clips: how many.
        seconds: of a block behind ``HISTORY`` blocks; None where nobody measured it.
    """

    policy: str
    budget: str
    numbers: str
    bytes: float
    retained: float
    low: float
    high: float
    reach: float
    at_most: bool
    untrained: bool
    clips: int
    seconds: float | None = None

    @property
    def model(self) -> str:
        return f"nano:{policy_of(self.policy, self.numbers)}"


@click.group(help=__doc__.partition("\n")[0])
def main() -> None: ...


@main.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--clips", type=click.IntRange(2), default=14, show_default=True, help="First clips of revisit-nano.")
@click.option("--policies", default=",".join(AT), help="Only these, and full_history, against which bytes are counted.")
@click.option("--beside", type=click.Path(path_type=Path, exists=True), help="An earlier iso_byte.csv: other policies.")
def run(out: Path, clips: int, policies: str, beside: Path | None) -> None:
    """Make, score and tabulate."""
    chosen = {name: AT[name] for name in dict.fromkeys(["full_history", *policies.split(",")])}
    names = [f"nano:{policy_of(name, numbers)}" for name, at in chosen.items() for numbers in at.values()]
    results = magbench.evaluate([*names, *REFERENCES], "revisit-nano", out=out, limit=clips)
    found = points(results, chosen, clips)
    found += [] if beside is None else [point for point in read(beside) if point.policy not in chosen]
    if {point.clips for point in found} != {clips}:
        raise click.UsageError(f"{beside}: not of {clips} clips")
    write(out, found)


@main.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--history", default=320, show_default=True, help="Blocks.")
@click.option("--rounds", default=3, show_default=True)
def latency(out: Path, history: int, rounds: int) -> None:
    """Time every row of a table."""
    found = read(out / "iso_byte.csv")
    with threads(1):
        models = [as_history_model(load_model(point.model), point.model) for point in found]
        timed = {point.model: point for point in profile(models, [history], rounds=rounds)}
    busy = [name for name, point in timed.items() if point.disturbed]
    if busy:
        raise click.ClickException(f"{len(busy)} of {len(found)} were disturbed by other work; nothing is written")
    write(out, [replace(point, seconds=timed[point.model].seconds) for point in found])


def write(out: Path, found: list[Point]) -> None:
    """Write the table, and the plots of what was measured."""
    with (out / "iso_byte.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(field.name for field in fields(Point))
        rows.writerows(astuple(point) for point in found)
    table = markdown(grid(found))
    (out / "iso_byte.md").write_text(table, encoding="utf-8")
    for theme in (LIGHT, DARK):
        write_png(
            pareto(theme, found, lambda point: point.bytes, "bytes of the cache against full history's", (0.1, 0.3, 1)),
            out / f"iso_byte{theme.suffix}.png",
        )
        if all(point.seconds for point in found):
            write_png(
                pareto(theme, found, lambda point: 1000 * (point.seconds or 0.0), "ms a block", (30, 100, 300)),
                out / f"iso_latency{theme.suffix}.png",
            )
    click.echo(table)


def read(table: Path) -> list[Point]:
    """Read ``iso_byte.csv``."""
    with table.open(newline="") as file:
        return [
            Point(
                row["policy"],
                row["budget"],
                row["numbers"],
                float(row["bytes"]),
                float(row["retained"]),
                float(row["low"]),
                float(row["high"]),
                float(row["reach"]),
                row["at_most"] == "True",
                row["untrained"] == "True",
                int(row["clips"]),
                float(row["seconds"]) if row["seconds"] else None,
            )
            for row in csv.DictReader(file)
        ]


def points(results: magbench.Results, chosen: dict[str, dict[str, str]], clips: int) -> list[Point]:
    """Read each policy at each budget out of a run, and add its reach on the same clips."""
    table, suite = results.table(), open_suite("revisit-nano")
    seen = [(c.revisit, c.pose, c.switch, c.out_of_window(suite.window)) for c in suite.clips[:clips]]
    whole = float(table["history_bytes"]["nano:full_history"])
    found = []
    for name, at in chosen.items():
        for budget, numbers in at.items():
            policy = named_policy(policy_of(name, numbers))
            row = table.loc[f"nano:{policy_of(name, numbers)}"].to_dict()
            reach = reach_of(name, policy, seen, 3)
            mean, low, high = (float(row[f"{RETENTION}{end}"]) for end in ("", "_low", "_high"))
            share, far = float(row["history_bytes"]) / whole, reach.far or 0.0
            found.append(
                Point(name, budget, numbers, share, mean, low, high, far, reach.at_most, policy.untrained, clips)
            )
    return found


def grid(found: list[Point]) -> Grid:
    """A row a policy and budget, most retained first within a budget."""
    header = ("budget", "policy", "numbers", "bytes", "retention [95 %]", "reach", "ms a block", "network")
    ordered = sorted(found, key=lambda p: (list(BUDGETS).index(p.budget), -p.retained))
    rows = tuple(
        (
            point.budget,
            point.policy,
            point.numbers or "-",
            f"{point.bytes:.3f}",
            f"{point.retained:.3f} [{point.low:.3f}, {point.high:.3f}]",
            f"{'<= ' * point.at_most}{point.reach:.3f}",
            NOTHING if point.seconds is None else f"{1000 * point.seconds:.1f}",
            "untrained for it" if point.untrained else "as its source",
        )
        for point in ordered
    )
    return Grid(header, rows, (False,) * len(rows), left=3)


def pareto(
    theme: Theme, found: list[Point], cost: Callable[[Point], float], label: str, ticks: tuple[float, ...]
) -> Figure:
    """Retention against a cost, and dashed what the policy could know at most."""
    figure = new_figure(theme, 9, 13)
    names = list(dict.fromkeys(point.policy for point in found))
    style = looks(names)
    axes = figure.subplots(-(-len(names) // 4), 4, sharex=True, sharey=True, squeeze=False)
    for ax, name in zip(axes.flat, names, strict=False):
        own = sorted((point for point in found if point.policy == name), key=cost)
        colour, x = theme.colour(style[name]), [cost(point) for point in own]
        for other in found:
            ax.plot([cost(other)], [other.retained], "o", ms=2.5, color=theme.grid, zorder=1)
        ax.plot(x, [point.reach for point in own], "--", color=theme.reference, lw=1.2, zorder=2)
        y = [point.retained for point in own]
        error = [[v - p.low for v, p in zip(y, own, strict=True)], [p.high - v for v, p in zip(y, own, strict=True)]]
        ax.errorbar(x, y, error, color=colour, marker=style[name].marker, ms=5, lw=1.6, zorder=3)
        ax.set_xscale("log")
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.set_xticks([], minor=True)
        ax.set_ylim(-0.05, 1.08)
        ax.set_title(name, fontsize=9, color=colour)
        ax.set_facecolor(theme.ground)
        ax.tick_params(labelsize=8, colors=theme.quiet)
        ax.grid(color=theme.grid, lw=0.6)
        for spine in ax.spines.values():
            spine.set_color(theme.spine)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    for ax in axes.flat[max(0, len(names) - axes.shape[1]) : len(names)]:  # the lowest of each column
        ax.tick_params(labelbottom=True)
    figure.suptitle(f"Retention out of window, {found[0].clips} clips; dashed: reach", color=theme.ink, fontsize=13)
    figure.supxlabel(label, color=theme.quiet, fontsize=10)
    figure.supylabel("retention (LPIPS), 95 % interval", color=theme.quiet, fontsize=10)
    return figure


if __name__ == "__main__":
    main()
