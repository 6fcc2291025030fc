"""A model's clips shared among processes of one thread each: the same bytes in less time, and untimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from magbench.core.parallel import share
from magbench.generation.sources import find_sources
from magbench.generation.worker import Job, make_missing
from magbench.models.guard import Interruption
from magbench.models.put_back import put_back
from magbench.runs.failures import Failure
from magbench.suites.format import Suite

WORTH_SHARING = 6.0
"""Seconds of work from which further processes pay: to start them takes seconds."""
PARTS = 3
"""Into how many parts each process's clips are cut: each is made with the model loaded anew."""


@dataclass(frozen=True)
class Shared:
    """What every process that makes clips of a model is told.

    Attributes:
        given: the model's name.
        workers: how many processes there are.
    """

    given: str
    suite: Suite
    threads: int | None
    workers: int

    def elsewhere(self, jobs: Sequence[Job], seconds: float) -> Iterator[tuple[Sequence[Job], list[Failure]]] | None:
        """See :data:`magbench.generation.worker.Elsewhere`."""
        if self.workers < 2 or seconds * len(jobs) < WORTH_SHARING:
            return None
        parts = self.workers * PARTS
        chunks = [jobs[part::parts] for part in range(parts) if jobs[part::parts]]
        return zip(chunks, share(_make_untimed, self, chunks, self.workers), strict=True)


def _make_untimed(shared: Shared, jobs: Sequence[Job]) -> list[Failure]:
    (make,) = find_sources([shared.given], shared.suite, shared.threads).values()
    with Interruption().watched() as interruption, put_back([]):
        source = replace(make(), timed=False, warms_up=False)
        return make_missing(source, jobs, lambda job, failure: None, interruption)
