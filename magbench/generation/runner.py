"""Suite x model x clip x sample -> generations. Saying it again makes only what is not there yet."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.core.parallel import share, worth
from magbench.core.progress import Progress, Quiet
from magbench.core.seeds import task_seed
from magbench.core.shard import WHOLE, Shard
from magbench.generation.worker import Begin, Job, Source, Stopped, make_missing, one_line
from magbench.models.adapter import sees_depth, wanted_threads
from magbench.models.guard import Guard, Interruption, put_back
from magbench.models.naming import Candidate, Given, resolve
from magbench.models.protocol import Reference, ReferenceInput, Task, VideoModel
from magbench.models.registry import usable_names
from magbench.runs.failures import Failure
from magbench.runs.folder import Run, RunFolder
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.video.io import to_float

if TYPE_CHECKING:
    from magbench.models.command import Program


def generate(
    suite: Suite,
    given: Sequence[Given] | None,
    out: Path,
    *,
    limit: int | None = None,
    seeds: int = 1,
    threads: int | None = None,
    shard: Shard = WHOLE,
    progress: Progress,
) -> list[Failure]:
    """Make every missing generation of a run, or those of one share.

    Args:
        given: models and references in any way of :mod:`magbench.models.naming`; None for all registered models, then
            all references.
        out: the run's folder; finished generations in it are kept.
        limit: only the first clips of the suite.
        seeds: samples a clip.
        threads: processor threads of every model; None = what each asks for, else as many as torch takes.
        shard: which share of all (model, clip, sample); the others are left to other processes.

    Returns:
        What failed. An unknown name and a folder of another run are errors, before anything is made.
    """
    given = usable_names() if given is None else list(dict.fromkeys(given))
    kinds = {candidate.name: candidate.kind for candidate in map(resolve, given)}
    makers = find_sources(given, suite, threads)
    run = Run.of(suite, seeds=seeds, limit=limit)
    RunFolder(out).claim(run)
    tasks, place = run.tasks(suite), RunFolder(out).generation
    ordered = sorted(makers, key=lambda name: kinds[name] == "reference")  # stable: models first
    mine = shard.of_pairs(ordered, tasks)
    failures: list[Failure] = []
    for name in [name for name in mine if kinds[name] != "reference"]:
        failures += generate_from({name: makers[name]}, mine[name], place, progress)
    references = {name: own for name, own in mine.items() if kinds[name] == "reference"}
    return failures + _make_references(references, suite, place, progress)


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


def find_sources(given: Sequence[Given], suite: Suite, threads: int | None = None) -> dict[str, Callable[[], Source]]:
    """Find what makes each source, weights and all, by the name of its generations.

    An unknown name, and two of one name, are errors.
    """
    makers: dict[str, Callable[[], Source]] = {}
    for one in given:
        candidate = resolve(one)
        if candidate.name in makers:
            raise MagbenchError(f"{one}: another of these models is called '{candidate.name}' too")
        makers[candidate.name] = partial(_source, candidate, suite, threads)
    return makers


def _source(candidate: Candidate, suite: Suite, threads: int | None) -> Source:
    if candidate.program is not None:
        return _program(candidate.program)
    if candidate.reference is not None:
        return _reference(candidate.name, candidate.reference(), suite)
    with candidate.guard.inside():
        model = candidate.load()
    return _model(candidate.name, model, candidate.guard, suite, threads)


def generate_from(
    makers: Mapping[str, Callable[[], Source]],
    tasks: list[tuple[Clip, int]],
    place: Callable[[str, str, int], Path],
    progress: Progress,
) -> list[Failure]:
    """Make every missing generation of some sources; ``place``: (model, clip id, sample) -> its folder."""
    failures: list[Failure] = []
    with Interruption().watched() as interruption:
        for name, make in makers.items():
            progress.stage(name, len(tasks))
            gc.collect()  # so that memory of the model before is not counted to this one
            with put_back():
                try:
                    source = make()
                except (Exception, SystemExit, KeyboardInterrupt) as error:  # anybody's code; the other models go on
                    if isinstance(error, KeyboardInterrupt) and interruption.real:
                        raise
                    found = error if isinstance(error, Exception) else Stopped(error)
                    failures.append(Failure(name, None, None, one_line(found)))
                    continue
                jobs = [Job(clip, sample, place(source.name, clip.id, sample)) for clip, sample in tasks]
                failures += make_missing(source, jobs, progress.step, interruption)
    return failures


def make_task(clip: Clip, sample: int, *, depth: bool = False) -> Task:
    """What a model is asked for one sample of a clip, with the ``depth`` of the given frames if it sees that."""
    planes = clip.depth if depth else None
    return Task(
        context=to_float(clip.frames[: clip.switch]),
        prompt=clip.caption,
        pose=None if clip.pose is None else torch.from_numpy(clip.pose).float(),
        frames=len(clip),
        fps=clip.fps,
        seed=task_seed(clip.id, sample),
        intrinsics=None if clip.intrinsics is None else torch.from_numpy(clip.intrinsics),
        depth=None if planes is None else torch.from_numpy(planes[: clip.switch].copy()),
    )


def _model(name: str, model: VideoModel, guard: Guard, suite: Suite, threads: int | None) -> Source:
    depth = sees_depth(model) and any("depth" in clip.planes for clip in suite.clips)

    def start(clip: Clip, sample: int, folder: Path) -> Begin:
        return partial(guard.stream, partial(model.stream, make_task(clip, sample, depth=depth)))

    def holds() -> int | None:
        with guard.inside():
            return model.memory_bytes()

    return Source(
        name,
        "reference" if depth else "model",
        model.revision,
        start,
        holds,
        warms_up=True,
        threads=threads or wanted_threads(model),
    )


def _program(program: Program) -> Source:
    return Source(
        program.name,
        "model",
        program.revision,
        lambda clip, sample, folder: program.prepare(make_task(clip, sample), folder).stream,
        lambda: None,
        inside=False,
    )


def _reference(name: str, reference: Reference, suite: Suite) -> Source:
    return Source(
        name,
        "reference",
        reference.revision,
        lambda clip, sample, _: partial(_whole, reference, _reference_input(suite, clip, sample)),
        lambda: None,
    )


def _whole(reference: Reference, given: ReferenceInput) -> Iterator[Tensor]:
    yield reference.make(given)


def other_scene(suite: Suite, clip: Clip) -> Clip | None:
    """The next clip of the suite (after the last comes the first) with as many frames of the same size."""
    place = [other.id for other in suite.clips].index(clip.id)
    after = suite.clips[place + 1 :] + suite.clips[:place]
    return next((other for other in after if (len(other), other.size) == (len(clip), clip.size)), None)


def _reference_input(suite: Suite, clip: Clip, sample: int) -> ReferenceInput:
    other = other_scene(suite, clip)
    return ReferenceInput(
        video=to_float(clip.frames),
        switch=clip.switch,
        other=None if other is None else to_float(other.frames),
        seed=task_seed(clip.id, sample),
        prompt=clip.caption,
    )
