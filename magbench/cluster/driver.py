"""The units of a run, (model, clip, sample), handed to a Ray cluster; what comes back is written into the run's folder.

An actor holds one model. One that dies, with its machine or alone, is replaced, and its unit is done again. Each video
is scored by a processor of the cluster as soon as it is there. Ray places and watches; here is only the list of units.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from magbench.cluster.carried import carried
from magbench.cluster.workers import Files, Maker, score
from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic, written
from magbench.core.progress import Progress
from magbench.models.command import COMMAND
from magbench.models.naming import Given, resolve
from magbench.models.registry import usable_names
from magbench.runs.failures import Failure
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import GENERATION_FILE
from magbench.suites.format import Suite

TRIES = 3
"""Times that a unit is begun before its model is taken to have ended the process."""
WAIT_S = 5.0
"""Seconds after which the cluster is looked at again though nothing came back."""


@dataclass(frozen=True)
class Cluster:
    """Where to run: a Ray address or ``local``; cards for each model, None = one where the cluster has any."""

    address: str
    gpus_per_model: int | None = None


@dataclass
class _Unit:
    model: str
    index: int
    sample: int
    tries: int = 0


@dataclass
class _Work:
    """What is to be done and what became of it."""

    suite: Suite
    folder: RunFolder
    units: dict[str, deque[_Unit]]
    progress: Progress
    failures: list[Failure] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    scores: dict[Any, _Unit] = field(default_factory=dict)

    def place(self, unit: _Unit) -> tuple[str, str, int]:
        return unit.model, self.suite.clips[unit.index].id, unit.sample

    def fail(self, unit: _Unit, message: str) -> None:
        self.failures.append(Failure(*self.place(unit), message))


def run_on(
    cluster: Cluster,
    suite: Suite,
    given: Sequence[Given] | None,
    out: Path,
    *,
    limit: int | None = None,
    seeds: int = 1,
    threads: int | None = None,
    progress: Progress,
) -> list[Failure]:
    """Make and score every missing video of a run; arguments as of :func:`magbench.generation.runner.generate`.

    Raises:
        MagbenchError: Ray is not installed, the cluster cannot be reached or has too few cards.
    """
    named: dict[str, Given] = {}
    for one in usable_names() if given is None else dict.fromkeys(given):
        name = resolve(one).name
        if name in named:
            raise MagbenchError(f"{one}: another of these models is called '{name}' too")
        named[name] = _absolute(one)
    run = Run.of(suite, seeds=seeds, limit=limit)
    RunFolder(out).claim(run)
    tasks = [(index, sample) for index in range(len(suite.clips[:limit])) for sample in range(seeds)]
    units = {name: deque(_Unit(name, *task) for task in tasks) for name in named}
    progress.stage(f"{len(named)} models on Ray", 2 * len(tasks) * len(named))
    work = _Work(suite, RunFolder(out), units, progress)
    with _connected(cluster) as ray:
        _Loop(ray, work, named, threads, cluster.gpus_per_model).run()
    return work.failures


def _absolute(given: Given) -> Given:
    """A model's file by its whole path: workers start elsewhere."""
    if not isinstance(given, str | Path):
        return given
    text = str(given)
    if text.startswith(COMMAND):
        return COMMAND + str(Path(text.removeprefix(COMMAND)).absolute())
    place, colon, attribute = text.rpartition(":")
    return f"{Path(place).absolute()}:{attribute}" if colon and place.endswith(".py") else given


@contextmanager
def _connected(cluster: Cluster) -> Iterator[Any]:
    try:
        import ray
    except ImportError as error:
        raise MagbenchError("--ray needs Ray: pip install 'magbench[ray]'") from error
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise MagbenchError(f"--ray {cluster.address}: no cluster can be reached there ({reason})") from error
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


class _Loop:
    """Actors, each with at most one unit, until no unit is left; then what is still being scored."""

    def __init__(self, ray: Any, work: _Work, given: dict[str, Given], threads: int | None, gpus: int | None) -> None:
        self.ray, self.work, self.given, self.threads = ray, work, given, threads
        there = ray.cluster_resources().get("GPU", 0)
        self.gpus = min(1, int(there)) if gpus is None else gpus
        if self.gpus > there:
            raise MagbenchError(f"--gpus-per-model {self.gpus}: the cluster has {there:g}")
        self.suite = ray.put(carried(work.suite))
        self.maker = ray.remote(num_cpus=threads or 1, num_gpus=self.gpus, max_restarts=0)(Maker)
        self.scorer = ray.remote(num_cpus=1, max_retries=TRIES)(score)
        self.busy: dict[Any, tuple[Any, _Unit]] = {}  # what will come back -> actor and its unit

    def run(self) -> None:
        try:
            while self._start_more() or self.busy:
                for ref in self._came_back([*self.busy, *self.work.scores]):
                    if ref in self.busy:
                        self._made(ref)
                    else:
                        self._scored(ref)
        finally:
            for actor, _ in self.busy.values():
                self.ray.kill(actor)
        while self.work.scores:
            for ref in self._came_back(list(self.work.scores)):
                self._scored(ref)

    def _came_back(self, refs: list[Any]) -> list[Any]:
        return list(self.ray.wait(refs, num_returns=1, timeout=WAIT_S)[0])

    def _room(self) -> int:
        """Actors that fit the cluster as it is now; one processor in four is left for scoring."""
        there = self.ray.cluster_resources()
        processors = int(there.get("CPU", 0))
        fit = max(1, (processors - max(1, processors // 4)) // (self.threads or 1))
        return min(fit, int(there.get("GPU", 0)) // self.gpus) if self.gpus else fit

    def _start_more(self) -> bool:
        """Begin actors while there are units and room; whether any unit waits."""
        waiting = [name for name, units in self.work.units.items() if units]
        while waiting and len(self.busy) < self._room():
            at_work = [unit.model for _, unit in self.busy.values()]
            name = min(waiting, key=at_work.count)  # the first of those with the fewest actors
            actor = self.maker.remote(self.given[name], self.suite, self.threads)
            self._hand(actor, self.work.units[name].popleft())
            waiting = [name for name, units in self.work.units.items() if units]
        return bool(waiting)

    def _hand(self, actor: Any, unit: _Unit) -> None:
        there = _files(self.work.folder.generation(*self.work.place(unit)))
        unit.tries += 1
        self.busy[actor.make.remote(unit.index, unit.sample, there)] = actor, unit

    def _made(self, ref: Any) -> None:
        actor, unit = self.busy.pop(ref)
        work = self.work
        try:
            files, failures = self.ray.get(ref)
        except self.ray.exceptions.RayTaskError:
            raise
        except self.ray.exceptions.RayError as error:  # the actor died, or its machine did
            self.ray.kill(actor)
            if unit.tries < TRIES:
                work.units[unit.model].append(unit)
                return
            rest = len(work.units[unit.model]) if unit.model not in work.made else 0
            if rest:  # none of its videos was ever made: the others would only do it again
                work.units[unit.model].clear()
            untried = f"; {rest} other videos of it were not tried" if rest else ""
            work.fail(unit, f"its process ended {TRIES} times ({type(error).__name__}){untried}")
            return
        work.failures += failures
        if any(failure.clip is None for failure in failures):  # it cannot even be loaded
            work.units[unit.model].clear()
        _save(work.folder.generation(*work.place(unit)), files)
        work.progress.step()
        if GENERATION_FILE in files:
            work.made.add(unit.model)
            path = work.folder.score(*work.place(unit))
            there = path.read_bytes() if path.is_file() else None
            work.scores[self.scorer.remote(self.suite, unit.model, unit.index, unit.sample, files, there)] = unit
        if work.units[unit.model]:
            self._hand(actor, work.units[unit.model].popleft())
        else:
            self.ray.kill(actor)

    def _scored(self, ref: Any) -> None:
        unit = self.work.scores.pop(ref)
        path = self.work.folder.score(*self.work.place(unit))
        try:
            records, problem = self.ray.get(ref)
        except self.ray.exceptions.RayTaskError:
            raise
        except self.ray.exceptions.RayError as error:
            records, problem = None, f"scoring ended {TRIES} times ({type(error).__name__})"
        if records is None:
            path.unlink(missing_ok=True)
        elif not path.is_file() or path.read_bytes() != records:
            write_atomic(path, records.decode())
        if problem:
            self.work.fail(unit, problem)
        self.work.progress.step()


def _files(folder: Path) -> Files:
    """A finished video's files; none where it is not finished."""
    if not (folder / GENERATION_FILE).is_file():
        return {}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _save(folder: Path, files: Files) -> None:
    """Write a video's files, the one that makes it count last; the same ones are left alone."""
    if files and files == _files(folder):
        return
    (folder / GENERATION_FILE).unlink(missing_ok=True)
    for name in sorted(files, key=lambda name: name == GENERATION_FILE):
        with written(folder / name) as half:
            half.write_bytes(files[name])
