"""`magbench plan`: what a run will take, before anything starts."""

from __future__ import annotations

from pathlib import Path

import click

from magbench.commands.options import names, suite_argument


@click.command()
@suite_argument
@click.option("--models", callback=names, metavar="A,B,...", required=True, help="As in `magbench run`.")
@click.option(
    "--gpus", type=click.IntRange(1), default=1, metavar="N", show_default=True, help="Devices, a share each."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the suite's first N clips.")
@click.option("--seeds", type=click.IntRange(1), default=1, metavar="K", show_default=True, help="Samples a clip.")
@click.option(
    "--from",
    "places",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="An earlier run's folder, or a profile.json: where times come from. May be given again.",
)
def plan(suite: str, models: list[str], gpus: int, limit: int | None, seeds: int, places: tuple[Path, ...]) -> None:
    """Videos, device hours, disk, memory and scoring of a run. Makes nothing and reads no weights."""
    from magbench import api
    from magbench.commands.console import print_grid, print_lines
    from magbench.models.naming import resolve
    from magbench.profiling import plan as planning
    from magbench.render.grid import NOTHING, Grid, human_bytes

    labels = [resolve(model).name for model in models]
    known: dict[str, planning.Known] = {}
    for place in places:
        known = planning.read_known(place) | known
    opened = api.load_suite(suite)
    found = planning.plan(opened, labels, known, devices=gpus, seeds=seeds, limit=limit)
    rows = tuple(
        (
            share.model,
            str(share.videos),
            NOTHING if share.seconds is None else f"{share.seconds / 3600:.4g}",
            human_bytes(share.disk),
            NOTHING if share.memory is None else human_bytes(share.memory),
            share.source,
        )
        for share in found.shares
    )
    header = ("model", "videos", "device hours", "disk", "memory", "times from")
    print_grid(Grid(header, rows, (False,) * len(rows), left=1), f"{opened.name}, {gpus} devices")
    least = "at least " if found.unknown else ""
    longest = "unknown" if found.longest is None else f"{found.longest / 3600:.4g} hours"
    lines = [
        ("videos", str(found.videos)),
        ("device hours", f"{least}{found.seconds / 3600:.4g}"),
        ("longest share", f"{longest}, of {gpus}"),
        ("models are read", f"{found.loads} times"),
        ("disk", human_bytes(found.disk)),
        ("scoring", f"{found.scoring / 3600:.4g} processor hours, {human_bytes(found.scorer)} a process at most"),
    ]
    click.echo()
    print_lines(lines)
