"""Generations on disk x protocols -> records. What was scored from the same frames and metrics is kept.

One clip after another, every model's return of it, so that the truth is decoded and prepared once. Clips may be
shared among processes: each has one thread and writes its own files, so any number of them gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.core.parallel import share, worth
from magbench.core.progress import Progress
from magbench.core.shard import WHOLE, Shard
from magbench.runs.failures import Failure
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import check_frames, open_frames, read_generation
from magbench.runs.records import Record, read_records, write_records
from magbench.scoring.costs import COST
from magbench.scoring.score_clip import Scene, cost_records, of_absent_metrics, score_records, stamp, wanted
from magbench.suites.format import Suite


@dataclass(frozen=True)
class _Job:
    """What every process is told once."""

    suite: Suite
    folder: RunFolder
    models: list[str]
    samples: int


def score(
    suite: Suite, out: Path, *, progress: Progress, workers: int | None = None, shard: Shard = WHOLE
) -> list[Failure]:
    """Score every finished generation of the run in ``out``, or those of one share of the clips.

    Args:
        suite: the suite it was made from.
        workers: processes; None for as many as torch would use threads, or fewer where there is little to score.
            Processes import the main module: a script that calls this needs the usual ``if __name__ == "__main__"``.
        shard: which share of the clips; a clip's returns are scored together, so that its truth is prepared once.

    Returns:
        What could not be scored: damaged generations, values that are not numbers.
    """
    folder = RunFolder(out)
    run = folder.read()
    folder.claim(Run.of(suite, seeds=run.seeds, limit=run.limit))
    if workers is not None and workers < 1:
        raise MagbenchError(f"workers must be 1 or more, not {workers}")
    models = folder.generated_models()
    mine = shard.of(range(len(suite.clips[: run.limit])))
    clips = [suite.clips[index] for index in mine]
    job = _Job(suite, folder, models, run.seeds)
    each = len(models) * run.seeds
    pixels = sum((len(clip) - clip.switch) * clip.size[0] * clip.size[1] * each for clip in clips)
    workers = min(len(clips), worth(pixels) if workers is None else workers)
    progress.stage(f"{len(models)} models", len(clips) * each)
    failures: list[Failure] = []
    for found in share(_score_clip, job, mine, workers):
        failures += found
        for _ in range(each):
            progress.step()
    return sorted(failures, key=lambda failure: failure.model)  # stable: clips and samples stay in order


def _score_clip(job: _Job, index: int) -> list[Failure]:
    """Score every model's returns of one clip."""
    clip = job.suite.clips[index]
    scene = Scene(job.suite, clip)
    failures: list[Failure] = []
    for model in job.models:
        for sample in range(job.samples):
            path = job.folder.score(model, clip.id, sample)
            try:
                score_one(scene, job.folder.generation(model, clip.id, sample), path)
            except MagbenchError as error:
                path.unlink(missing_ok=True)
                failures.append(Failure(model, clip.id, sample, str(error)))
    return failures


def score_one(scene: Scene, folder: Path, path: Path) -> None:
    """Score the video in ``folder``; its records become ``path``, and stay as they are where nothing changed."""
    generation = read_generation(folder)
    if generation is None:
        path.unlink(missing_ok=True)
        return
    old = _read_old(path)
    scores = [record for record in old if record.protocol != COST]
    absent = of_absent_metrics(scores, generation, scene.suite)
    if {stamp(r) for r in scores} - {stamp(r) for r in absent} != wanted(generation, scene):
        scores = score_records(scene, open_frames(folder, generation, scene.clip), generation) + absent
    else:
        check_frames(folder, generation)
    records = scores + cost_records(scene, generation)
    if records != old:
        write_records(path, records)


def _read_old(path: Path) -> list[Record]:
    try:
        return read_records(path) if path.is_file() else []
    except MagbenchError:
        return []  # damaged, and made again from the frames
