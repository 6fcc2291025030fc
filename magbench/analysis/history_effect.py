"""History effect: how far a return moves towards another scene when the far history is swapped for that scene's.

With f the embedding whose squared distances are LPIPS, V the true frame, S what the other scene shows in its place,
and M and M' what the model makes of the true and of the swapped history (the same seed, the same last window)::

    effect = (f(M') - f(M)) . (f(S) - f(V)) / |f(S) - f(V)|^2
           = (d(M, S) - d(M', S) + d(M', V) - d(M, V)) / (2 d(V, S)),    d = LPIPS

the length of the model's move along the way from V to S: 0 if what lies further back than the window is ignored
(exactly 0 if the frames are the same), 1 if the output follows it all the way. A clip's value is the ratio of the sums
over its frames (see :mod:`magbench.analysis.history_swap`), so frames on which the two scenes look alike count
little. What changes without direction, such as noise, cancels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench import __version__
from magbench.analysis.history_swap import Swap, swap_of
from magbench.analysis.retention import NOISE
from magbench.core.errors import MagbenchError
from magbench.core.progress import Progress
from magbench.core.shard import WHOLE, Shard
from magbench.generation.sources import find_sources
from magbench.generation.worker import Source, generate_from
from magbench.metrics.spec import MainColumn, ScoreSpec
from magbench.models.naming import Given, resolve
from magbench.models.registry import model_names
from magbench.runs.failures import Failure
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import Generation, read_frames, read_generation
from magbench.runs.records import Record, read_records, write_records
from magbench.scoring.score_clip import identity
from magbench.suites.clip import Clip
from magbench.suites.format import Suite

EFFECT = ScoreSpec(
    protocol="history_effect",
    name="effect",
    version=1,
    better="higher",
    about="how far a return follows a swapped far history: 0 not at all, 1 all the way",
    main=MainColumn(11, "history effect ↑", optional=True),
    missing="was not measured; `magbench history-effect` does, of models only",
)

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class MeasuredEffects:
    """Effects of a run, what failed, and how many of its ``clips`` have no frame that counts, or no other scene."""

    records: list[Record]
    failures: list[Failure]
    clips: int
    left_out: int


def measure_history_effect(
    suite: Suite,
    names: Sequence[Given] | None,
    out: Path,
    *,
    limit: int | None = None,
    seeds: int = 1,
    shard: Shard = WHOLE,
    progress: Progress,
) -> MeasuredEffects:
    """Make what is missing of both generations of every clip, and compare them.

    Args:
        names: models; None for all.
        out: a run's folder. Its own generations are used, and made where they are missing.
        limit, seeds, shard: as in :func:`magbench.generation.runner.generate`; the first two are those of the run.
    """
    names = model_names() if names is None else names
    for candidate in map(resolve, names):
        if candidate.kind == "reference":
            raise MagbenchError(f"'{candidate.name}' is a reference; history effect is a property of models")
    makers = find_sources(names, suite)
    run = Run.of(suite, seeds=seeds, limit=limit)
    RunFolder(out).claim(run)
    clips = suite.clips[: run.limit]
    swaps = {clip.id: swap for clip in clips if (swap := swap_of(suite, clip)) is not None}
    tasks = [(clip, sample) for clip, sample in run.tasks(suite) if clip.id in swaps]
    records: list[Record] = []
    failures: list[Failure] = []
    for name, own in shard.of_pairs(makers, tasks).items():
        failures += _generate_both(name, cache(makers[name]), own, swaps, out, progress)
        for clip, sample in own:
            try:
                records += _score(suite, swaps[clip.id], name, sample, out)
            except MagbenchError as error:
                failures.append(Failure(name, clip.id, sample, str(error)))
    return MeasuredEffects(records, failures, len(clips), len(clips) - len(swaps))


def effect(ordinary: Frames, swapped: Frames, truth: Frames, target: Frames) -> float | None:
    """The effect over n frames, each (n, H, W, 3) uint8; None where truth and target look the same."""
    from magbench.metrics.frame.lpips import lpips
    from magbench.video.io import to_float

    made, other, true, aim = (to_float(frames) for frames in (ordinary, swapped, truth, target))
    apart = lpips(true, aim).mean()
    if apart < NOISE["lpips"]:
        return None
    towards = lpips(made, aim) - lpips(other, aim)
    away = lpips(other, true) - lpips(made, true)
    return float((towards + away).mean() / (2 * apart))


def read_effects(out: Path) -> list[Record]:
    """Every effect of the run in ``out`` that belongs to the generations there now, in order of file name."""
    records = []
    for file in RunFolder(out).swapped_score_files():
        for record in read_records(file):
            pair = _pair(out, record.model, record.clip, record.sample)
            if pair is not None and _digest(*pair) == record.generation_sha256:
                records.append(record)
    return records


def _generate_both(
    name: str,
    make: Callable[[], Source],
    tasks: list[tuple[Clip, int]],
    swaps: dict[str, Swap],
    out: Path,
    progress: Progress,
) -> list[Failure]:
    """The ordinary generations, then those from the swapped history; a model that cannot be made fails once."""

    def swapping() -> Source:
        source = make()
        return replace(source, revision=f"{source.revision}, swapped history v{EFFECT.version}")

    failures = generate_from({name: make}, tasks, RunFolder(out).generation, progress)
    if any(failure.clip is None for failure in failures):
        return failures
    swapped = [(swaps[clip.id].swapped_clip, sample) for clip, sample in tasks]
    label = f"{name}, swapped history"
    again = generate_from({label: swapping}, swapped, RunFolder(out).swapped_generation, progress)
    return failures + [replace(failure, model=label) for failure in again]


def _score(suite: Suite, swap: Swap, model: str, sample: int, out: Path) -> list[Record]:
    """The clip's record; none where one of its generations failed. One that is up to date is kept."""
    clip = swap.clip
    path = RunFolder(out).swapped_score(model, clip.id, sample)
    pair = _pair(out, model, clip.id, sample)
    if pair is None:
        path.unlink(missing_ok=True)
        return []
    digest = _digest(*pair)
    old = _read_old(path)
    if [(r.generation_sha256, r.metric_version, r.revision) for r in old] == [
        (digest, EFFECT.version, pair[0].revision)
    ]:
        return old
    ordinary = read_frames(RunFolder(out).generation(model, clip.id, sample), pair[0])
    swapped = read_frames(RunFolder(out).swapped_generation(model, clip.id, sample), pair[1])
    place = swap.frames - clip.switch
    value = effect(ordinary[place], swapped[place], *swap.truth_and_target())
    record = Record(
        suite=suite.name,
        suite_version=suite.version,
        suite_digest=suite.digest,
        split=suite.split,
        model=model,
        revision=pair[0].revision,
        kind="model",
        clip=clip.id,
        category=clip.category,
        speed=clip.speed,
        sample=sample,
        seed=pair[0].seed,
        **identity(EFFECT),
        region="out_of_window",
        value=value,
        n=0 if value is None else len(swap.frames),
        generation_sha256=digest,
        magbench_version=__version__,
    )
    write_records(path, [record])
    return [record]


def _read_old(path: Path) -> list[Record]:
    try:
        return read_records(path) if path.is_file() else []
    except MagbenchError:
        return []  # damaged, and made again from the frames


def _pair(out: Path, model: str, clip: str, sample: int) -> tuple[Generation, Generation] | None:
    """The finished generations from the true and from the swapped history."""
    ordinary = read_generation(RunFolder(out).generation(model, clip, sample))
    swapped = read_generation(RunFolder(out).swapped_generation(model, clip, sample))
    return None if ordinary is None or swapped is None else (ordinary, swapped)


def _digest(ordinary: Generation, swapped: Generation) -> str:
    """Names the frames of both."""
    return hashlib.sha256(f"{ordinary.frames_sha256} {swapped.frames_sha256}".encode()).hexdigest()
