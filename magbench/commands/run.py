"""`magbench run`, `generate`, `score` and `report`: the stages of a run, together or one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from magbench.commands.options import (
    finish,
    finish_run,
    isolate_option,
    out_option,
    ray_options,
    run_options,
    shard_option,
    suite_argument,
    threads_option,
    workers_option,
)

if TYPE_CHECKING:
    from magbench.results import Results
    from magbench.suites.format import Suite


@click.command()
@run_options
@threads_option
@workers_option
@isolate_option
@ray_options
def run(
    suite: str,
    models: list[str] | None,
    out: Path | None,
    limit: int | None,
    seeds: int,
    threads: int | None,
    workers: int | None,
    isolate: bool,
    ray: str | None,
    gpus_per_model: int | None,
) -> None:
    """Generate, then score, then report. Stopped, the same command goes on where it was.

    SUITE is a name (see `magbench ls suites`), NAME:SPLIT, mag-bench:DIR, or a suite's folder.
    """
    from magbench import api

    opened, folder = open_suite(suite, models, isolate), out or api.default_out(suite)
    begin(opened, folder, limit, seeds)
    results = api.evaluate(
        models,
        opened,
        out=folder,
        limit=limit,
        seeds=seeds,
        threads=threads,
        workers=workers,
        isolate=isolate,
        ray=ray,
        gpus_per_model=gpus_per_model,
    )
    show(results)
    finish(results.failures, results.skipped)


@click.command()
@run_options
@threads_option
@shard_option
@isolate_option
def generate(
    suite: str,
    models: list[str] | None,
    out: Path | None,
    limit: int | None,
    seeds: int,
    threads: int | None,
    shard: str,
    isolate: bool,
) -> None:
    """Only make the videos."""
    from magbench import api
    from magbench.runs.folder import RunFolder

    opened, folder = open_suite(suite, models, isolate), out or api.default_out(suite)
    begin(opened, folder, limit, seeds)
    failures = api.generate(
        models, opened, out=folder, limit=limit, seeds=seeds, threads=threads, shard=shard, isolate=isolate
    )
    click.echo(f"{RunFolder(folder).generations}")
    finish_run(failures, models)


@click.command()
@suite_argument
@click.option(
    "--videos",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Finished videos, made anywhere: one entry per clip, CLIP.mp4, .mkv, .webm, .npz or a folder of PNGs.",
)
@click.option("--model", metavar="NAME", help="What to call the model that made the videos.")
@click.option("--fit", is_flag=True, help="With --videos: change those of another rate, size or length; tables say so.")
@click.option("--no-references", is_flag=True, help="With --videos: not the rows that say what a score is worth.")
@out_option("Results folder [default: runs/SUITE].")
@workers_option
@shard_option
def score(
    suite: str,
    videos: Path | None,
    model: str | None,
    fit: bool,
    no_references: bool,
    out: Path | None,
    workers: int | None,
    shard: str,
) -> None:
    """Only score the videos that are there; with --videos, those of a folder, and report.

    Scores that are up to date are left alone.
    """
    from magbench import api
    from magbench.runs.folder import RunFolder

    if (videos is None) != (model is None):
        raise click.UsageError("--videos and --model go together")
    if videos is not None and shard != "1/1":
        raise click.UsageError("--shard is of the videos in --out, not of --videos")
    folder = out or api.default_out(suite)
    if videos is None or model is None:
        failures = api.rescore(suite, folder, workers=workers, shard=shard)
        click.echo(f"{RunFolder(folder).scores}")
        finish(failures)
    else:
        opened, references = open_suite(suite, None), not no_references
        results = api.score(opened, videos, model, out=folder, references=references, fit=fit, workers=workers)
        click.echo(f"{videos}: {results.imported}\n")
        show(results)
        finish(results.failures)


@click.command()
@suite_argument
@out_option("Results folder [default: runs/SUITE].")
def report(suite: str, out: Path | None) -> None:
    """Only make tables, plots and contact sheet from the scores."""
    from magbench import api

    show(api.report(suite, out or api.default_out(suite)))


def open_suite(name: str, models: list[str] | None, isolate: bool = False) -> Suite:
    """Open a suite. A model's name that does not exist is an error before the suite is made."""
    from magbench import api
    from magbench.suites.registry import is_published

    api.check_models(models, isolate)
    suite = api.load_suite(name)
    if not is_published(suite):
        click.echo(
            f"warning: {suite.name}:{suite.split} made on this machine has digest {suite.digest[:12]}, not the"
            " published one: its scores cannot be compared with published scores",
            err=True,
        )
    return suite


def begin(suite: Suite, folder: Path, limit: int | None, seeds: int) -> None:
    """Take the folder for the run, then print the smallest difference that so many clips can show."""
    from magbench.runs.folder import Run, RunFolder
    from magbench.stats import detectable_line

    RunFolder(folder).claim(Run.of(suite, seeds=seeds, limit=limit))
    click.echo(detectable_line(suite.name, len(suite.clips[:limit])), err=True)


def show(results: Results) -> None:
    """Print the table of a run, and where its files are; nothing where it has no scores."""
    from magbench.commands.console import print_grid, print_lines
    from magbench.report.grids import short_grid

    table = results.summary
    title = f"{results.title}: out-of-window frames, models ranked by ordered score"
    print_grid(short_grid(table), title)
    if any(not row.is_model for row in table.rows):
        click.echo("\n* a reference: it has seen the truth and has no rank")
    if all(row.primary.mean is None for row in table.rows):
        click.echo("\nno ordered scores, so no ranks: run `magbench score` again")
    click.echo()
    print_lines([(str(path), what) for path, what in results.files().items()])
