"""`magbench profile`: what a block costs after long histories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from magbench.commands.options import names, numbers, out_option, threads_option, width_height
from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    from magbench.models.workload import Workload


@click.command()
@click.argument("models", callback=names, metavar="MODEL[,MODEL...]")
@click.option(
    "--history",
    callback=numbers,
    metavar="N[,N...]",
    help="Blocks of history [default: 10,20,40,80,160,320]; for wan: models latent frames [default: 21,60,120,240].",
)
@click.option("--slope-from", default=40, show_default=True, metavar="N", help="Fit slopes to histories >= N.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Walks over the whole list.")
@click.option("--resolution", callback=width_height, metavar="WxH", help="Of wan: models [default: 832x480].")
@click.option("--decode", is_flag=True, help="Of wan: models also the frames a second with decoding.")
@threads_option
@out_option("Results folder [default: runs/profile].")
def profile(
    models: list[str],
    history: list[int] | None,
    slope_from: int,
    rounds: int,
    resolution: tuple[int, int] | None,
    decode: bool,
    threads: int | None,
    out: Path | None,
) -> None:
    """Time and memory of a block against history.

    Seconds a block, FPS, bytes; slopes, and their ratio to the first MODEL's. Of wan: models also operations a second,
    against a matrix product, and beside each figure what sizes alone predict; without a GPU at reduced sizes.

    With --out set to a run's folder, the next `magbench report` draws this beside the run's own latency.
    """
    from magbench.models.registry import member_of
    from magbench.profiling.latency_report import check_folder

    folder = out or Path("runs/profile")
    check_folder(folder)
    members = [member_of(name) for name in models]
    found = [None if member is None else member.family.workload(member.text, resolution) for member in members]
    workloads = [workload for workload in found if workload is not None]
    if workloads and len(workloads) < len(models):
        raise MagbenchError(f"{', '.join(models)}: models of a family cannot be profiled together with others")
    if workloads:
        _profile_workloads(workloads, history, rounds=rounds, decode=decode, out=folder)
    elif resolution or decode:
        raise MagbenchError("--resolution and --decode are for models of a family, as wan:random is one")
    else:
        _profile_models(models, history, slope_from=slope_from, rounds=rounds, threads=threads, out=folder)


def _profile_models(
    names: Sequence[str],
    history: Sequence[int] | None,
    *,
    slope_from: int,
    rounds: int,
    threads: int | None,
    out: Path,
) -> None:
    """Print and save seconds a block, FPS, bytes and slopes; all models are given equally many threads."""
    from magbench.commands.console import print_grid, print_lines
    from magbench.core.parallel import threads as using
    from magbench.core.provenance import provenance
    from magbench.models.adapter import wanted_threads
    from magbench.models.naming import resolve
    from magbench.profiling import latency, latency_report
    from magbench.render.progress import ProgressBar

    history = history or latency.HISTORY
    models = [latency.as_history_model(resolve(name).load(), name) for name in names]
    asked = [wanted_threads(model) for model in models]
    shared = threads or (max(each or 0 for each in asked) if all(asked) else None)
    with ProgressBar() as progress, using(shared):
        progress.stage("profile", rounds * len(history))
        points = latency.profile(models, history, rounds=rounds, step=progress.step)
        told = provenance()
    latency_report.write_profile(points, told, out, slope_from)
    print_grid(latency_report.point_grid(points))
    click.echo()
    print_grid(latency_report.slope_grid(points, slope_from))
    for note in latency_report.busy_notes(points):
        click.echo(note)
    click.echo()
    print_lines([(str(out / "profile.json"),), (str(out / "profile.png"),)])


def _profile_workloads(
    workloads: Sequence[Workload], history: Sequence[int] | None, *, rounds: int, decode: bool, out: Path
) -> None:
    """Print and save seconds a block, FPS, bytes, operations a second, each beside its prediction."""
    from magbench.commands.console import print_grid, print_lines
    from magbench.core.provenance import provenance
    from magbench.profiling import roofline, roofline_report
    from magbench.render.progress import ProgressBar

    frames = history or roofline.HISTORY
    roofline.check_lengths(workloads, frames)
    with ProgressBar() as progress:
        progress.stage("profile", rounds * len(frames))
        device, points = roofline.measure_roofline(workloads, frames, rounds=rounds, decode=decode, step=progress.step)
    roofline_report.write_roofline(points, workloads, device, provenance(), out)
    print_grid(roofline_report.roofline_grid(points))
    click.echo()
    print_lines(roofline_report.roofline_notes(workloads, device))
    click.echo()
    print_lines([(str(out / f"profile.{kind}"),) for kind in ("json", "md", "png")])
