"""What the commands do: progress on stderr, results on stdout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from magbench.analysis.measure_noise import ensure
from magbench.commands.console import ConsoleProgress, print_grid, print_lines
from magbench.core.errors import MagbenchError
from magbench.generation.import_videos import import_videos
from magbench.generation.runner import generate
from magbench.generation.worker import Failure
from magbench.models.registry import family_of, kind_of, load_model
from magbench.render.training_curve import draw_curve
from magbench.report.grids import short_grid
from magbench.report.report import FILES, report
from magbench.runs.folder import claim, run_of
from magbench.scoring.score import score
from magbench.stats import detectable_line
from magbench.suites.format import Suite, check_suite
from magbench.suites.registry import DEFAULT_SPLIT, cache_folder, is_published, make_suite, open_suite

if TYPE_CHECKING:
    from magbench.models.workload import Workload
    from magbench.suites.mirror import Mirroring


def run(
    name: str, models: Sequence[str] | None, out: Path, *, limit: int | None, seeds: int, workers: int | None
) -> list[Failure]:
    """Generate, score, report; returns what failed."""
    suite = _open(name, models)
    claim(out, run_of(suite, seeds=seeds, limit=limit))
    click.echo(detectable_line(suite.name, len(suite.clips[:limit])), err=True)
    with ConsoleProgress() as progress:
        failures = generate(suite, models, out, limit=limit, seeds=seeds, progress=progress.named("generate"))
        failures += score(suite, out, progress=progress.named("score"), workers=workers)
        ensure(suite, out, progress=progress.named("noise"))
    if any((out / "scores").rglob("*.jsonl")):
        show_report(suite, out)
    return failures


def only_generate(
    name: str, models: Sequence[str] | None, out: Path, *, limit: int | None, seeds: int
) -> list[Failure]:
    """Make the videos of a run; returns what failed."""
    suite = _open(name, models)
    claim(out, run_of(suite, seeds=seeds, limit=limit))
    click.echo(detectable_line(suite.name, len(suite.clips[:limit])), err=True)
    with ConsoleProgress() as progress:
        failures = generate(suite, models, out, limit=limit, seeds=seeds, progress=progress.named("generate"))
    click.echo(f"{out / 'generations'}")
    return failures


def _open(name: str, models: Sequence[str] | None) -> Suite:
    """The suite; a model's name that does not exist is said before the suite is made."""
    for model in models or ():
        kind_of(model)
    suite = open_suite(name)
    if not is_published(suite):
        click.echo(
            f"warning: {suite.name}:{suite.split} made on this machine has digest {suite.digest[:12]}, not the"
            " published one: its scores cannot be compared with published scores",
            err=True,
        )
    return suite


def only_score(name: str, out: Path, *, workers: int | None) -> list[Failure]:
    """Score the videos of a run; returns what failed."""
    suite = open_suite(name)
    with ConsoleProgress() as progress:
        failures = score(suite, out, progress=progress.named("score"), workers=workers)
        ensure(suite, out, progress=progress.named("noise"))
    click.echo(f"{out / 'scores'}")
    return failures


def score_videos(name: str, videos: Path, model: str, out: Path, *, workers: int | None) -> list[Failure]:
    """Score a folder of finished videos under a model's name, then report; returns what could not be used."""
    suite = _open(name, None)
    with ConsoleProgress() as progress:
        imported = import_videos(suite, videos, model, out, progress=progress.named("import"))
        failures = imported.failures + score(suite, out, progress=progress.named("score"), workers=workers)
        ensure(suite, out, progress=progress.named("noise"))
    click.echo(f"{videos}: {imported}\n")
    if any((out / "scores").rglob("*.jsonl")):
        show_report(suite, out)
    return failures


def show_report(suite: Suite, out: Path) -> None:
    """Write the report, print the table and where the files are."""
    table = report(suite, out)
    title = f"{suite.name} v{suite.version}, {suite.split} split: out-of-window frames, models ranked by ordered score"
    print_grid(short_grid(table), title)
    if any(not row.is_model for row in table.rows):
        click.echo("\n* a reference: it has seen the truth and has no rank")
    if all(row.primary.mean is None for row in table.rows):
        click.echo("\nno ordered scores, so no ranks: run `magbench score` again")
    click.echo()
    print_lines([(str(out / file), what) for file, what in FILES.items() if (out / file).is_file()])


def make(name: str, folder: Path, split: str) -> None:
    """Write a named suite to a folder, then read it back."""
    make_suite(name if split == DEFAULT_SPLIT else f"{name}:{split}", folder)
    check(folder)


def mirror(videos: Path, folder: Path, how: Mirroring, name: str, licence: str) -> None:
    """Write a suite of mirrored videos, then read it back; say which files were left alone."""
    from magbench.suites.mirror import mirror as write

    for path in write(videos, folder, how, name=name, licence=licence):
        click.echo(f"left alone, no video by its name: {path}", err=True)
    check(folder)


def fetch_official(revision: str | None, csv: str | None, videos: str | None) -> None:
    """Fetch mag-bench, or check the copy that is there; say which commit it is."""
    from magbench.suites.official import fetch

    cache = cache_folder()
    lock = fetch.fetch(
        cache,
        revision=revision,
        csv=csv,
        videos=videos,
        step=lambda done, total, file: click.echo(f"{done}/{total} {file}", err=True),
    )
    where = fetch.places(cache).data
    click.echo(f"{where}: {lock.kind} {lock.repository}, commit {lock.commit}, {len(lock.files)} files")


def check(folder: Path) -> None:
    """Read a suite with every check, and say what it is."""
    suite = check_suite(folder)
    height, width = suite.clips[0].size
    click.echo(
        f"{folder}: {suite.name} v{suite.version}, {suite.split} split, {len(suite.clips)} clips of"
        f" {width}x{height} at {suite.fps} frames per second, {suite.licence}, digest {suite.digest[:12]}"
    )


def train(start: Callable[..., Path | None], stage: str, out: Path) -> None:
    """Follow a training stage that ``start(report=...)`` runs; draw its curve whether or not the time was enough.

    Raises:
        MagbenchError: the time was up before the last step.
    """
    with ConsoleProgress() as progress:
        weights = start(report=lambda line: progress.log(f"train {stage}", line))
    log = out / f"{stage}.jsonl"
    if log.is_file():
        draw_curve(log, log.with_suffix(".png"))
    if weights is None:
        raise MagbenchError(f"{out}: {stage} is not finished, its time was up; the same command goes on")
    click.echo(weights)


def profile(
    names: Sequence[str],
    history: Sequence[int] | None,
    *,
    slope_from: int,
    rounds: int,
    resolution: tuple[int, int] | None,
    decode: bool,
    out: Path,
) -> None:
    """Time models behind long histories; print and save what they cost. Families have their own tables."""
    members = [member for name in names if (member := family_of(name)) is not None]
    if members and len(members) < len(names):
        raise MagbenchError(f"{', '.join(names)}: models of a family cannot be profiled together with others")
    if members:
        workloads = [family.workload(text, resolution) for family, text in members]
        _profile_workloads(workloads, history, rounds=rounds, decode=decode, out=out)
    elif resolution or decode:
        raise MagbenchError("--resolution and --decode are for models of a family, as wan:random is one")
    else:
        _profile_models(names, history, slope_from=slope_from, rounds=rounds, out=out)


def _profile_models(
    names: Sequence[str], history: Sequence[int] | None, *, slope_from: int, rounds: int, out: Path
) -> None:
    """Print and save seconds a block, FPS, bytes and slopes."""
    from magbench.core.provenance import provenance
    from magbench.profiling import latency

    history = history or latency.HISTORY
    models = [latency.as_history_model(load_model(name), name) for name in names]
    with ConsoleProgress() as progress:
        progress.stage("profile", rounds * len(history))
        points = latency.profile(models, history, rounds=rounds, step=progress.step)
    latency.write_profile(points, provenance(), out, slope_from)
    print_grid(latency.point_grid(points))
    click.echo()
    print_grid(latency.slope_grid(points, slope_from))
    click.echo()
    print_lines([(str(out / "profile.json"),), (str(out / "profile.png"),)])


def _profile_workloads(
    workloads: Sequence[Workload], history: Sequence[int] | None, *, rounds: int, decode: bool, out: Path
) -> None:
    """Print and save seconds a block, FPS, bytes, operations a second, each beside its prediction."""
    from magbench.core.provenance import provenance
    from magbench.profiling import roofline, roofline_report

    frames = history or roofline.HISTORY
    roofline.check_lengths(workloads, frames)
    with ConsoleProgress() as progress:
        progress.stage("profile", rounds * len(frames))
        device, points = roofline.measure_prices(workloads, frames, rounds=rounds, decode=decode, step=progress.step)
    roofline_report.write_prices(points, workloads, device, provenance(), out)
    print_grid(roofline_report.price_grid(points))
    click.echo()
    print_lines(roofline_report.price_notes(workloads, device))
    click.echo()
    print_lines([(str(out / f"profile.{kind}"),) for kind in ("json", "md", "png")])


def history_effect(
    name: str, models: Sequence[str] | None, out: Path, *, limit: int | None, seeds: int
) -> list[Failure]:
    """Generate from true and swapped histories, print how far each model's return moves; returns what failed."""
    from magbench.analysis.history_effect import SWAPPED_SCORES, effect_grid, measure_history_effect

    suite = _open(name, models)
    with ConsoleProgress() as progress:
        named = progress.named("generate")
        measured = measure_history_effect(suite, models, out, limit=limit, seeds=seeds, progress=named)
    title = "History effect: 0 = history beyond the window is ignored, 1 = the return follows it all the way"
    print_grid(effect_grid(measured), title)
    if measured.left_out:
        click.echo(f"\n{measured.left_out} of {measured.clips} clips left out: nothing of their far history returns")
    click.echo()
    print_lines([(str(out / SWAPPED_SCORES), "one record a clip")])
    return measured.failures


def vbench(
    out: Path, models: Sequence[str] | None, dimensions: Sequence[str] | None, program: str, timeout_s: float
) -> Sequence[object]:
    """Have VBench judge the videos of a run, say where its values are; returns what is not available."""
    from magbench.vbench.evaluate import evaluate
    from magbench.vbench.program import find_program
    from magbench.vbench.store import FOLDER, RECORDS_FILE

    found = find_program(program, timeout_s)
    with ConsoleProgress() as progress:
        failures = evaluate(out, models, dimensions, found, progress=progress)
    click.echo(f"{out / FOLDER / RECORDS_FILE}")
    return failures


def compare(a: str, b: str, run: Path, *, everything: bool) -> None:
    """Print the scores of two models side by side, paired over clips, with what may be said of each difference."""
    from magbench.report import compare as comparing

    sides = comparing.open_sides(a, b, run)
    columns = list(sides[0].scores)
    lines = comparing.compare(*sides, columns if everything else comparing.main_scores(columns))
    print_grid(comparing.compare_grid(lines))
    click.echo()
    print_lines([(line,) for line in comparing.notes(*sides, lines)])
