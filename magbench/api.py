"""The ways into magbench from Python; the commands go through them too. Nothing here prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from magbench.core.errors import NothingDone
from magbench.render.progress import ProgressBar
from magbench.results import Results

if TYPE_CHECKING:
    from magbench.models.naming import Given
    from magbench.runs.failures import Failure
    from magbench.suites.format import Suite


def evaluate(
    models: Sequence[Given] | None = None,
    suite: str | Path | Suite = "revisit-nano",
    *,
    out: str | Path | None = None,
    limit: int | None = None,
    seeds: int = 1,
    threads: int | None = None,
    workers: int | None = None,
    isolate: bool = False,
    ray: str | None = None,
    gpus_per_model: int | None = None,
) -> Results:
    """Make the videos of some models on a suite, score them, and write the report.

    What is there already is kept: the same call goes on where an earlier one was stopped, and gives the same frames
    and scores. Progress is shown on stderr or below the cell of a notebook.

    Args:
        models: names as ``magbench ls models`` shows them, or any other way to name a model (docs/models.md);
            references too. None: all registered models and references.
        suite: a name (``magbench ls suites``), a folder, or what :func:`load_suite` gave.
        out: the run's folder; None: ``runs/SUITE``. A folder of another run, or with other files, is an error.
        limit: only the first clips of the suite.
        seeds: samples a clip.
        threads: processor threads of every model; None: what each asks for (``threads``), else as many as torch takes.
        workers: processes that score; None: as many as the work and the cores are worth. A script that leaves this
            open needs the usual ``if __name__ == "__main__"``, since processes import the main module.
        isolate: each model in a process of its own, so that a crash is a failure and not the end; the same holds for
            the main module. Models are given by name or file, not as objects.
        ray: address of a Ray cluster that makes and scores the videos, or ``local``; see docs/scale.md.
        gpus_per_model: cards of the cluster for each model; None: one where there are any.

    Returns:
        The run. What failed is in ``failures``; the rest is done. Models that nobody asked for by name and that the
        clips do not fit are in ``skipped``, with the reason.

    Raises:
        MagbenchError: an unknown name, a folder that cannot be used, or nothing at all could be made.
    """
    from magbench.analysis.measure_noise import ensure
    from magbench.cluster.driver import Cluster, run_on
    from magbench.generation import runner
    from magbench.runs.failures import set_unfit_apart
    from magbench.runs.folder import Run, RunFolder
    from magbench.scoring import score as scoring

    check_models(models, isolate)
    opened, folder = load_suite(suite), _folder(out, suite)
    RunFolder(folder).claim(Run.of(opened, seeds=seeds, limit=limit))
    with ProgressBar() as progress:
        if ray is None:
            named = progress.named("generate")
            failures = runner.generate(
                opened,
                models,
                folder,
                limit=limit,
                seeds=seeds,
                threads=threads,
                isolate=isolate,
                workers=workers,
                progress=named,
            )
            failures += scoring.score(opened, folder, progress=progress.named("score"), workers=workers)
        else:
            cluster, named = Cluster(ray, gpus_per_model), progress.named("make and score")
            failures = run_on(
                cluster, opened, models, folder, limit=limit, seeds=seeds, threads=threads, progress=named
            )
        ensure(opened, folder, progress=progress.named("noise"))
    skipped, failures = set_unfit_apart(failures) if models is None else ([], failures)
    return _reported(opened, folder, failures, skipped=skipped)


def generate(
    models: Sequence[Given] | None = None,
    suite: str | Path | Suite = "revisit-nano",
    *,
    out: str | Path | None = None,
    limit: int | None = None,
    seeds: int = 1,
    threads: int | None = None,
    shard: str = "1/1",
    isolate: bool = False,
) -> list[Failure]:
    """Only make the videos of :func:`evaluate`, whose arguments these are; returns what failed.

    ``shard``: "I/N" makes share I of N of the videos; see docs/scale.md.
    """
    from magbench.core.shard import Shard
    from magbench.generation import runner
    from magbench.runs.folder import Run, RunFolder

    check_models(models, isolate)
    mine = Shard.parse(shard)
    opened, folder = load_suite(suite), _folder(out, suite)
    RunFolder(folder).claim(Run.of(opened, seeds=seeds, limit=limit))
    with ProgressBar() as progress:
        named = progress.named("generate")
        return runner.generate(
            opened,
            models,
            folder,
            limit=limit,
            seeds=seeds,
            threads=threads,
            shard=mine,
            isolate=isolate,
            progress=named,
        )


def score(
    suite: str | Path | Suite,
    videos: str | Path,
    name: str,
    *,
    out: str | Path | None = None,
    references: bool = True,
    fit: bool = False,
    workers: int | None = None,
) -> Results:
    """Score a folder of finished videos, made anywhere, as the model ``name``, and write the report.

    Args:
        suite, out, workers: as in :func:`evaluate`.
        videos: one entry a clip: CLIP.mp4, .mkv, .webm, .npz or a folder of PNG files; see docs/inputs.md.
        name: what to call the model that made them.
        references: also make those that need no model (the truth, and ways to cheat or fail), which say what a score is
            worth and give retention its two ends.
        fit: change videos of another rate, size or length so that they fit, and say so in records and tables.

    Raises:
        MagbenchError: as :func:`evaluate`; also a name that is a registered model's, and a folder without a usable
            video.
    """
    from magbench.analysis.measure_noise import ensure
    from magbench.generation import runner
    from magbench.generation.import_videos import import_videos
    from magbench.models.registry import plain_references
    from magbench.runs.failures import set_unfit_apart
    from magbench.runs.folder import RunFolder
    from magbench.scoring import score as scoring

    opened, folder = load_suite(suite), _folder(out, suite)
    with ProgressBar() as progress:
        imported = import_videos(opened, Path(videos), name, folder, fit=fit, progress=progress.named("import"))
        failures = list(imported.failures)
        if references and imported.parts:
            limit, named = RunFolder(folder).read().limit, progress.named("generate")
            failures += set_unfit_apart(
                runner.generate(opened, plain_references(), folder, limit=limit, progress=named)
            )[1]
        failures += scoring.score(opened, folder, progress=progress.named("score"), workers=workers)
        ensure(opened, folder, progress=progress.named("noise"))
    return _reported(opened, folder, failures, str(imported))


def rescore(
    suite: str | Path | Suite, out: str | Path, *, workers: int | None = None, shard: str = "1/1"
) -> list[Failure]:
    """Only score the videos that a run's folder holds; returns what failed. Scores that are up to date are kept.

    ``shard``: "I/N" scores share I of N of the clips, and leaves the noise level to the run that collects.
    """
    from magbench.analysis.measure_noise import ensure
    from magbench.core.shard import WHOLE, Shard
    from magbench.scoring import score as scoring

    mine = Shard.parse(shard)
    opened, folder = load_suite(suite), Path(out)
    with ProgressBar() as progress:
        failures = scoring.score(opened, folder, progress=progress.named("score"), workers=workers, shard=mine)
        if mine == WHOLE:
            ensure(opened, folder, progress=progress.named("noise"))
    return failures


def report(suite: str | Path | Suite, out: str | Path) -> Results:
    """Write tables, plots and contact sheet from the scores that a run's folder holds."""
    return _reported(load_suite(suite), Path(out), ())


def open_run(folder: str | Path) -> Results:
    """Open a run that was made earlier, or a published one.

    Raises:
        MagbenchError: the folder is not a run's, or holds no scores.
    """
    return Results(Path(folder))


def load_suite(suite: str | Path | Suite) -> Suite:
    """Open a suite by its name or folder; what is a suite already is given back.

    Its ``clips`` hold frames (T, H, W, 3) uint8, decoded when they are read, the frame ``switch`` at which a model
    starts, camera numbers ``pose`` (T, P) float64 or None, and ``revisit`` (T,) int64, the latest earlier frame with
    the same view, -1 for none.

    Raises:
        MagbenchError: an unknown name, a missing or changed file.
    """
    from magbench.suites.format import Suite
    from magbench.suites.registry import open_suite

    if isinstance(suite, Suite):
        return suite
    with ProgressBar() as progress:
        return open_suite(str(suite), progress)


def check_models(models: Sequence[Given] | None, isolate: bool = False) -> None:
    """Refuse a model's name that means nothing, before anything is made.

    ``isolate``: files and modules are left to the processes that run them.
    """
    from magbench.models.naming import is_code, resolve

    for model in models or ():
        if not (isolate and is_code(model)):
            resolve(model)


def default_out(suite: str | Path | Suite) -> Path:
    """Folder of a run that is given none: runs/SUITE, of a suite in a folder runs/FOLDER."""
    name = suite if isinstance(suite, str | Path) else suite.name
    return Path("runs") / Path(name).name.replace(":", "-")


def _folder(out: str | Path | None, suite: str | Path | Suite) -> Path:
    return default_out(suite) if out is None else Path(out)


def _reported(
    suite: Suite, folder: Path, failures: Sequence[Failure], imported: str = "", skipped: Sequence[str] = ()
) -> Results:
    """Write the report; an error that lists the failures where there is nothing to report."""
    from magbench.report.report import report
    from magbench.runs.folder import RunFolder

    if failures and not RunFolder(folder).score_files():
        raise NothingDone(f"{folder}: nothing could be scored", failures)
    return Results(folder, failures, report(suite, folder), imported, skipped)
