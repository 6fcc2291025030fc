"""`magbench compare`, `history-effect` and `vbench`: what may be said of a run beyond its table."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from magbench.commands.options import DEFAULT_SUITE, finish, finish_run, names, run_options, shard_option


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--run", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("runs") / DEFAULT_SUITE,
    show_default=True, metavar="DIR", help="Folder of the run that holds both.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Every score that there is, not only the main ones.")
def compare(a: str, b: str, folder: Path, everything: bool) -> None:
    """Is model A better than model B?

    On the same clips and seeds: the mean difference of each score with its 95 % interval, p (signs flipped), p
    corrected over the table (Holm), and a verdict. A and B are models of one run, or two runs' folders: DIR, or
    DIR:MODEL.
    """
    from magbench.commands.console import print_grid, print_lines
    from magbench.report import compare as comparing
    from magbench.report.sides import open_sides

    sides = open_sides(a, b, folder)
    columns = list(sides[0].scores)
    lines = comparing.compare(*sides, columns if everything else comparing.main_scores(columns))
    print_grid(comparing.compare_grid(lines), narrow=comparing.narrow_grid(lines))
    click.echo()
    print_lines([(line,) for line in comparing.notes(*sides, lines)])


@click.command("history-effect")
@partial(run_options, models="[default: all]")
@shard_option
def history_effect(
    suite: str, models: list[str] | None, out: Path | None, limit: int | None, seeds: int, shard: str
) -> None:
    """Does the return follow what was seen long ago?

    The same clips again, their far history swapped for another scene's: how far each model's return moves towards that
    scene. Models only; --out is a run's folder, whose own videos are used (and made where missing).
    """
    from magbench import api
    from magbench.analysis.history_effect import measure_history_effect
    from magbench.commands.console import print_grid, print_lines
    from magbench.commands.run import open_suite
    from magbench.core.shard import Shard
    from magbench.render.progress import ProgressBar
    from magbench.report.effect import effect_grid
    from magbench.runs.folder import RunFolder

    mine = Shard.parse(shard)
    opened, folder = open_suite(suite, models), out or api.default_out(suite)
    with ProgressBar() as progress:
        named = progress.named("generate")
        measured = measure_history_effect(opened, models, folder, limit=limit, seeds=seeds, shard=mine, progress=named)
    title = "History effect: 0 = history beyond the window is ignored, 1 = the return follows it all the way"
    print_grid(effect_grid(measured), title)
    if measured.left_out:
        click.echo(f"\n{measured.left_out} of {measured.clips} clips left out: nothing of their far history returns")
    click.echo()
    print_lines([(str(RunFolder(folder).swapped_scores), "one record a clip")])
    finish_run(measured.failures, models)


@click.command()
@click.argument("folder", metavar="RUN_DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--models", callback=names, metavar="A,B,...", help="Also references [default: every model].")
@click.option("--dimensions", callback=names, metavar="D,E,...", help="See docs/quality.md [default: all seven].")
@click.option("--program", default="vbench", show_default=True, metavar="PATH", help="VBench's own command.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), default=240, show_default=True, metavar="MINUTES",
    help="For one dimension.",
)  # fmt: skip
def vbench(folder: Path, models: list[str] | None, dimensions: list[str] | None, program: str, timeout: float) -> None:
    """Have VBench judge the videos of a scored run.

    VBench needs an environment of its own, with a GPU. Values join the run's scores; the next `magbench report` shows
    them.
    """
    from magbench.render.progress import ProgressBar
    from magbench.runs.folder import RunFolder
    from magbench.vbench.evaluate import evaluate
    from magbench.vbench.program import find_program

    found = find_program(program, timeout * 60)
    with ProgressBar() as progress:
        failures = evaluate(folder, models, dimensions, found, progress=progress)
    click.echo(f"{RunFolder(folder).vbench_records}")
    finish(failures)
