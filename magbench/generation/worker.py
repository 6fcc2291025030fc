"""One source's missing generations, made one after another.

What the harness does around a stream is not timed, but it is waited for. So, while an accelerator works, the clip
before is saved and the clip after is decoded beside it. A stream that the processor computes has the processor alone
for its first clips; those are timed. The others of a model that asks for one thread may be made in other processes.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from torch import Tensor

from magbench.core.disk import DiskError, explained
from magbench.core.errors import Unfit
from magbench.core.parallel import threads
from magbench.core.progress import Progress
from magbench.core.seeds import task_seed
from magbench.generation.overdue import named_if_overdue
from magbench.generation.telling import Stopped, message, one_line
from magbench.models.disturbance import Disturbance
from magbench.models.guard import Interruption
from magbench.models.meter import CPU, Expected, Metered, device_in_use, measure, warm_up
from magbench.models.protocol import Kind
from magbench.models.put_back import put_back, told_of
from magbench.runs.failures import Failure
from magbench.runs.generation import discard_unless_current, write_generation
from magbench.suites.clip import Clip

Begin = Callable[[], Iterator[Tensor]]
"""Begins a stream."""

ELSEWHERE = "another process"
"""The device of a program, which nobody looked into."""


TIMED = 4
"""Clips of a model that are made alone and timed, before others are shared."""
BESIDE = 10
"""Niceness of the thread that saves and decodes beside a stream."""
AGAIN = TIMED
"""Clips of a model that are timed again where other work disturbed them; none after one that was disturbed again."""


@dataclass(frozen=True)
class Source:
    """A model, a program or a reference, seen as something that starts streams.

    Attributes:
        start: (clip, sample, folder of the generation) -> what begins the stream. What is done before is not timed.
        warms_up: whether the first stream is begun twice, so that what is paid once is not timed.
        threads: processor threads that it is given; None = as many as torch takes.
        inside: whether it runs in this process, whose memory then says something about it.
        changed: what it has changed by now of what a process shares, in words.
        timed: whether seconds and peak memory mean something; not where other processes work beside it.
    """

    name: str
    kind: Kind
    revision: str
    start: Callable[[Clip, int, Path], Begin]
    memory_bytes: Callable[[], int | None]
    warms_up: bool = False
    threads: int | None = None
    inside: bool = True
    timed: bool = True
    changed: Callable[[], list[str]] = list


@dataclass(frozen=True)
class Job:
    """One sample of one clip, and the folder of its generation."""

    clip: Clip
    sample: int
    folder: Path


Told = Callable[[Job, Failure | None], None]
"""Told of each job, in order, that it is there, now or before, or how it failed."""


Elsewhere = Callable[[Sequence[Job], float], "Iterator[tuple[Sequence[Job], list[Failure]]] | None"]
"""Jobs, and the seconds that one takes -> some that are done, and what failed of them, again and again; None if it is
not worth it to make them elsewhere."""


def nowhere(jobs: Sequence[Job], seconds: float) -> None:
    """An :data:`Elsewhere` that takes none."""


def make_missing(
    source: Source, jobs: Sequence[Job], told: Told, interruption: Interruption, elsewhere: Elsewhere = nowhere
) -> list[Failure]:
    """Make what is not there yet."""
    # All are looked at before the first is made: a run that stops early must not mix two revisions of a model.
    missing = []
    for job in jobs:
        if discard_unless_current(job.folder, source.revision):
            told(job, None)
        else:
            missing.append(job)
    if elsewhere is nowhere:
        return _make_here(source, missing, told, interruption)
    start, first, rest = time.perf_counter(), missing[:TIMED], missing[TIMED:]
    failures = _make_here(source, first, told, interruption)
    found = elsewhere(rest, (time.perf_counter() - start) / TIMED) if rest else None
    if found is None:
        return failures + _make_here(replace(source, warms_up=False), rest, told, interruption)
    for done, failed in found:
        failures += failed
        by_job = {(failure.clip, failure.sample): failure for failure in failed}
        for job in done:
            told(job, by_job.get((job.clip.id, job.sample)))
    return failures


def _make_here(source: Source, jobs: Sequence[Job], told: Told, interruption: Interruption) -> list[Failure]:
    failures: list[Failure] = []
    with threads(source.threads):
        for job, error in zip(jobs, _make(source, jobs, interruption), strict=True):
            failure = None
            if error is not None:
                told_as, unfit = message(error, job.folder), isinstance(error, Unfit)
                failure = Failure(source.name, job.clip.id, job.sample, told_as, unfit)
                failures.append(failure)
            told(job, failure)
    return failures


def generate_from(
    makers: Mapping[str, Callable[[], Source]],
    tasks: list[tuple[Clip, int]],
    place: Callable[[str, str, int], Path],
    progress: Progress,
    told: Told = lambda job, failure: None,
    elsewhere: Elsewhere = nowhere,
) -> list[Failure]:
    """Make every missing generation of some sources.

    Args:
        place: (model, clip id, sample) -> its folder.
        elsewhere: makes clips of a source that asks for one thread in other processes.
    """
    failures: list[Failure] = []

    def tell(job: Job, failure: Failure | None) -> None:
        if failure is None:
            progress.step()
        told(job, failure)

    with Interruption().watched() as interruption:
        for name, make in makers.items():
            progress.stage(name, len(tasks))
            with told_of(name) as changed, put_back(changed):
                try:
                    source = make()
                except (Exception, SystemExit, KeyboardInterrupt) as error:  # anybody's code; the other models go on
                    if isinstance(error, KeyboardInterrupt) and interruption.real:
                        raise
                    failures.append(Failure(name, None, None, one_line(error)))
                    continue
                jobs = [Job(clip, sample, place(source.name, clip.id, sample)) for clip, sample in tasks]
                shares = elsewhere if source.threads == 1 else nowhere
                failures += make_missing(source, jobs, tell, interruption, shares)
                changed += source.changed()
    return failures


def _make(source: Source, jobs: Sequence[Job], interruption: Interruption) -> Iterator[Exception | None]:
    """Make all, and say of each, in order, what went wrong.

    The one thread does its work in order too. So a clip can only be begun once the clip two before it is saved, and no
    more than two are ever in memory.
    """
    warm = not source.warms_up
    again = AGAIN if source.kind == "model" and source.inside and source.timed else 0
    ahead: Future[Begin] | None = None
    outcomes: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, initializer=_gives_way) as beside:
        for job, after in zip_longest(jobs, jobs[1:]):
            begun = ahead or beside.submit(_begin, source, job)
            wait([begun])
            accelerated = source.inside and device_in_use() != CPU
            ahead = beside.submit(_begin, source, after) if accelerated and after is not None else None
            try:
                begin = begun.result()
                with named_if_overdue(source.name, job.clip.id, job.sample) if source.inside else nullcontext():
                    if not warm:
                        warm_up(begin)
                        warm = True
                        begin = beside.submit(_begin, source, job).result()  # a model may have written into its task
                    metered = _measure(source, job, begin, not accelerated)
                if again and metered.disturbance.disturbed:
                    metered, helped = _timed_again(source, job, metered, interruption, not accelerated)
                    again = again - 1 if helped else 0
                outcomes.append(beside.submit(_save, source, job, metered))
            except (Exception, SystemExit, KeyboardInterrupt) as error:  # anybody's code; the other clips go on
                if isinstance(error, KeyboardInterrupt) and interruption.real:
                    raise
                if isinstance(error, DiskError):
                    raise
                failed: Future[None] = Future()
                failed.set_exception(error if isinstance(error, Exception) else Stopped(error))
                outcomes.append(failed)
            if not accelerated:
                wait(outcomes)
            while outcomes and outcomes[0].done():
                yield _error(outcomes.popleft())
        while outcomes:
            yield _error(outcomes.popleft())


def _gives_way() -> None:
    """Let the thread that drives an accelerator have a core first. Linux counts niceness by thread, others do not."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, max(BESIDE, os.getpriority(os.PRIO_PROCESS, 0)))  # nobody may be less nice


def _begin(source: Source, job: Job) -> Begin:
    try:
        return source.start(job.clip, job.sample, job.folder)
    except OSError as error:  # what a program reads could not be written
        raise explained(error, job.folder) from error


def _measure(source: Source, job: Job, begin: Begin, alone: bool) -> Metered:
    height, width = job.clip.size
    expected = Expected(len(job.clip) - job.clip.switch, height, width)
    metered = measure(begin, source.memory_bytes, expected, task_seed(job.clip.id, job.sample), alone)
    if not source.timed:
        return replace(metered, seconds=[], peak_rss_bytes=None)
    if source.inside:
        return metered
    return replace(metered, peak_rss_bytes=None, device=ELSEWHERE, device_peak_bytes=None, disturbance=Disturbance())


def _timed_again(
    source: Source, job: Job, first: Metered, interruption: Interruption, alone: bool
) -> tuple[Metered, bool]:
    """The stream once more, for its times alone: the better ones, and whether they are undisturbed.

    The frames are those of the first time. Times of a stream that made others, or failed, do not count.
    """
    try:
        second = _measure(source, job, _begin(source, job), alone)
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # anybody's code: it was made once, and that counts
        if isinstance(error, KeyboardInterrupt) and interruption.real:
            raise
        return first, False
    same = second.pieces == first.pieces and np.array_equal(second.frames, first.frames)
    if not same or second.disturbance.disturbed:
        return first, False
    return second, True


def _save(source: Source, job: Job, metered: Metered) -> None:
    name, revision, kind = source.name, source.revision, source.kind
    try:
        write_generation(job.folder, metered, job.clip, model=name, revision=revision, kind=kind, sample=job.sample)
    except OSError as error:  # none of the model's doing
        raise explained(error, job.folder) from error


def _error(outcome: Future[None]) -> Exception | None:
    """What went wrong with one job; what goes wrong with all is raised."""
    try:
        outcome.result()
    except DiskError:
        raise
    except Exception as error:
        return error
    return None
