"""A model in a process of its own: if that crashes, one video failed, and a fresh process goes on with the next.

What is made is the same as in this process: the same frames, from the same number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from torch import Tensor

from magbench.core.children import deaf_children, end_group, end_with_parent, first_to_go, how_it_ended, lead_group
from magbench.core.errors import MagbenchError
from magbench.core.progress import Progress, Quiet
from magbench.generation.sources import find_sources
from magbench.generation.telling import one_line
from magbench.generation.worker import Begin, Job, Source, generate_from
from magbench.models.naming import Given
from magbench.runs.failures import Failure
from magbench.runs.folder import RunFolder
from magbench.suites.clip import Clip
from magbench.suites.format import Suite

PATIENCE_S = 3600.0
"""Seconds that one video may take."""
CRASHES = 3
"""In a row, after which the rest of a model's videos is not tried."""
LEAVING_S = 5.0
"""Seconds that a process is given to end once its work is done."""

Key = tuple[str, int]
"""(clip id, sample)."""


@dataclass(frozen=True)
class Isolated:
    """A model to be run apart, and what for; see :func:`magbench.generation.runner.generate`."""

    given: Given
    suite: Suite
    out: Path
    threads: int | None
    patience_s: float


@dataclass
class _Heard:
    """What was heard of one model, from all of its processes."""

    name: str
    open: list[Key]
    begun: Key | None = None
    done: bool = False
    failures: list[Failure] = field(default_factory=list)


def make_isolated(
    job: Isolated, tasks: Sequence[tuple[Clip, int]], *, taken: Sequence[str], progress: Progress
) -> list[Failure]:
    """Make a model's missing videos in a process of its own, or in several where it crashes.

    ``taken``: names of the other models of the run.
    """
    if not isinstance(job.given, str | Path):
        raise MagbenchError("an object cannot be run in a process of its own; name the model as file.py:Name")
    heard = _Heard(str(job.given), [(clip.id, sample) for clip, sample in tasks])
    progress.stage(heard.name, len(tasks))
    crashes = 0
    while heard.open:
        before = len(heard.open)
        how = _listen(job, heard, taken, progress)
        if how is None:
            break
        crashes = 1 if len(heard.open) < before else crashes + 1
        clip, sample = heard.begun or (None, None)
        heard.failures.append(Failure(heard.name, clip, sample, how))
        if heard.begun is None:
            break  # before the first video: it would only do it again
        heard.open.remove(heard.begun)
        heard.begun = None
        if crashes == CRASHES and heard.open:
            rest = f"its process crashed {CRASHES} times in a row; {len(heard.open)} videos were not tried"
            heard.failures.append(Failure(heard.name, None, None, rest))
            break
    return heard.failures


def _listen(job: Isolated, heard: _Heard, taken: Sequence[str], progress: Progress) -> str | None:
    """Start a process and listen until all is done, None, or it ends otherwise: how it did."""
    import torch

    context = get_context("spawn")  # arguments must be short: of more than a pipe holds it waits for a dead child
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs,), name=f"magbench {heard.name}")
    with deaf_children():
        process.start()
    theirs.close()
    try:
        with suppress(OSError):  # it is gone already: that is heard next
            ours.send((job, list(heard.open), torch.get_num_threads()))
        while not heard.done:
            if not ours.poll(job.patience_s if heard.begun else None):
                return f"was ended: one video took more than {job.patience_s:g} s"
            try:
                event = ours.recv()
            except (EOFError, ConnectionError):
                process.join(LEAVING_S)
                return f"its process {how_it_ended(process.exitcode or 0)}"
            _note(event, heard, progress)
            if heard.name in taken and heard.name != str(job.given):
                return f"another of these models is called '{heard.name}' too"
        process.join(LEAVING_S)
        return None
    finally:
        pid = process.pid or 0
        end_group(pid)
        process.kill()
        process.join()
        ours.close()
        if heard.begun is not None:  # what it was writing is nobody's now
            for half in RunFolder(job.out).generation(heard.name, *heard.begun).glob(f".*.{pid}.*.tmp"):
                half.unlink(missing_ok=True)


def _note(event: tuple[str, Any], heard: _Heard, progress: Progress) -> None:
    match event:
        case "named", str(name):
            heard.name = name
        case "begun", key:
            heard.begun = key
        case "made", key:
            heard.open.remove(key)
            heard.begun = None
            progress.step()
        case "failed", Failure() as failure:
            heard.failures.append(failure)
            if failure.clip is not None and failure.sample is not None:
                heard.open.remove((failure.clip, failure.sample))
                heard.begun = None
        case _:
            heard.done = True


def _run(connection: Connection) -> None:
    """Do the work that is heard of, in a process of its own."""
    import cv2
    import torch

    end_with_parent()
    lead_group()
    first_to_go()
    job, keys, processor_threads = connection.recv()
    torch.set_num_threads(processor_threads)
    cv2.setNumThreads(processor_threads)

    def send(what: str, value: Any) -> None:
        connection.send((what, value))

    def told(one: Job, failure: Failure | None) -> None:
        send("made", (one.clip.id, one.sample)) if failure is None else send("failed", failure)

    try:
        ((name, make),) = find_sources([job.given], job.suite, job.threads).items()
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # anybody's code
        send("failed", Failure(str(job.given), None, None, one_line(error)))
        send("done", None)
        return
    send("named", name)
    tasks = [(job.suite.clip(clip), sample) for clip, sample in keys]
    found = generate_from({name: lambda: _telling(make(), send)}, tasks, RunFolder(job.out).generation, Quiet(), told)
    for failure in found:
        if failure.clip is None:
            send("failed", failure)
    send("done", None)


def _telling(source: Source, send: Callable[[str, Any], None]) -> Source:
    """The source, which says when a stream is begun."""

    def start(clip: Clip, sample: int, folder: Path) -> Begin:
        return partial(_begun, source.start(clip, sample, folder), (clip.id, sample), send)

    return replace(source, start=start)


def _begun(begin: Begin, key: Key, send: Callable[[str, Any], None]) -> Iterator[Tensor]:
    send("begun", key)
    return begin()
