"""Suite x model x clip x sample -> generations. Saying it again makes only what is not there yet."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from magbench.core.parallel import share, worth
from magbench.core.progress import Progress, Quiet
from magbench.core.shard import WHOLE, Shard
from magbench.generation.isolated import PATIENCE_S, Isolated, make_isolated
from magbench.generation.shared import Shared
from magbench.generation.sources import candidates, find_sources, source_of
from magbench.generation.worker import generate_from, nowhere
from magbench.models.naming import Given, is_code
from magbench.models.registry import usable_names
from magbench.runs.failures import Failure
from magbench.runs.folder import Run, RunFolder
from magbench.suites.clip import Clip
from magbench.suites.format import Suite


def generate(
    suite: Suite,
    given: Sequence[Given] | None,
    out: Path,
    *,
    limit: int | None = None,
    seeds: int = 1,
    threads: int | None = None,
    shard: Shard = WHOLE,
    isolate: bool = False,
    patience_s: float = PATIENCE_S,
    workers: int | None = None,
    progress: Progress,
) -> list[Failure]:
    """Make every missing generation of a run, or those of one share.

    A model's first clips are made alone and timed. Where it was named and asks for one thread, processes of one thread
    each then share the others: the same bytes, in less time.

    Args:
        given: models and references in any way of :mod:`magbench.models.naming`; None for all registered models, then
            all references.
        out: the run's folder; finished generations in it are kept.
        limit: only the first clips of the suite.
        seeds: samples a clip.
        threads: processor threads of every model; None = what each asks for, else as many as torch takes.
        shard: which share of all (model, clip, sample); the others are left to other processes.
        isolate: each model in a process of its own, so that a crash is a failure and not the end. Programs and
            references are made as without.
        patience_s: seconds that one video of an isolated model may take.
        workers: processes that share clips; None = as many as torch would use threads.

    Returns:
        What failed. An unknown name and a folder of another run are errors, before anything is made.
    """
    given = usable_names() if given is None else _once(given)
    alone = [one for one in given if isolate and is_code(one)]  # not even imported here
    others = [one for one in given if not any(one is code for code in alone)]
    found = candidates(others)
    texts = dict(zip(found, others, strict=True))
    several = torch.get_num_threads() if workers is None else workers
    models = [name for name, candidate in found.items() if candidate.kind == "model"]
    run = Run.of(suite, seeds=seeds, limit=limit)
    RunFolder(out).claim(run)
    place = RunFolder(out).generation
    ordered = [*models, *map(str, alone), *(name for name in found if name not in models)]
    mine = shard.of_pairs(ordered, run.tasks(suite))
    failures: list[Failure] = []
    for name in [name for name in mine if name in models or name not in found]:
        tasks = mine[name]
        gc.collect()  # so that memory of the model before is not counted to this one
        if isolate and (name not in found or found[name].program is None):
            job = Isolated(texts.get(name, name), suite, out, threads, patience_s)
            failures += make_isolated(job, tasks, taken=list(found), progress=progress)
        else:
            makers = {name: partial(source_of, found[name], suite, threads)}
            shared = Shared(text, suite, threads, several) if isinstance(text := texts[name], str) else None
            elsewhere = nowhere if shared is None else shared.elsewhere
            failures += generate_from(makers, tasks, place, progress, elsewhere=elsewhere)
    references = {name: own for name, own in mine.items() if name in found and name not in models}
    return failures + _make_references(references, suite, place, progress)


def _once(given: Sequence[Given]) -> list[Given]:
    """Leave out what is named twice; objects need not be hashable or comparable."""
    found: list[Given] = []
    for one in given:
        if not any(one is other or (isinstance(one, str | Path) and one == other) for other in found):
            found.append(one)
    return found


@dataclass(frozen=True)
class _ReferenceJob:
    """What every process that makes references is told once."""

    suite: Suite
    tasks: Mapping[str, list[tuple[Clip, int]]]
    place: Callable[[str, str, int], Path]


def _make_references(
    tasks: Mapping[str, list[tuple[Clip, int]]],
    suite: Suite,
    place: Callable[[str, str, int], Path],
    progress: Progress,
) -> list[Failure]:
    """Nobody times a reference, so several processes share them."""
    names = list(tasks)
    every = [clip for own in tasks.values() for clip, _ in own]
    workers = min(len(names), worth(sum((len(clip) - clip.switch) * clip.size[0] * clip.size[1] for clip in every)))
    failures: list[Failure] = []
    if names:
        progress.stage(f"{len(names)} references" if len(names) > 1 else names[0], len(every))
    found_by_name = share(_make_reference, _ReferenceJob(suite, tasks, place), names, workers)
    for name, found in zip(names, found_by_name, strict=True):
        failures += found
        for _ in tasks[name]:
            progress.step()
    return failures


def _make_reference(job: _ReferenceJob, name: str) -> list[Failure]:
    return generate_from(find_sources([name], job.suite), job.tasks[name], job.place, Quiet())
