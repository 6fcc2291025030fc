"""Work shared among processes of one thread each, so that any number of them gives the same bytes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children, get_context
from typing import TypeVar

from magbench.core.children import deaf_children, end_with_parent
from magbench.core.errors import MagbenchError
from magbench.core.plugins import PluginWarning

WORTH_A_PROCESS = 5_000_000
"""Generated pixels from which a further process pays: it takes seconds to start."""

Job = TypeVar("Job")
Item = TypeVar("Item")
Result = TypeVar("Result")


def worth(pixels: int) -> int:
    """Processes that are worth starting for so many generated pixels, at most as many as torch would use threads."""
    import torch

    return max(1, min(torch.get_num_threads(), pixels // WORTH_A_PROCESS))


def started() -> int:
    """How many processes an earlier :func:`share` has left idle; 1 if none. For work that pays for no new ones."""
    return max(_pools, default=1)


def share(function: Callable[[Job, Item], Result], job: Job, items: Sequence[Item], workers: int) -> Iterator[Result]:
    """``function(job, item)`` for each item, in order.

    Args:
        function: of a module, so that other processes find it.
        workers: processes; 1 = this one.
    """
    if workers > 1:
        yield from _in_processes(function, job, items, workers)
    else:
        for item in items:
            with threads(1):  # sums are rounded as in every other process, whatever the number of cores
                result = function(job, item)
            yield result


def _in_processes(
    function: Callable[[Job, Item], Result], job: Job, items: Sequence[Item], workers: int
) -> Iterator[Result]:
    if workers not in _pools:
        _pools[workers] = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin)
    try:
        with deaf_children():
            results = _pools[workers].map(partial(_at, os.getcwd(), function, job), items)
        yield from results
    except BrokenProcessPool as error:
        del _pools[workers]
        raise MagbenchError(f"one of {workers} processes ended; with too little memory, use fewer") from error
    except KeyboardInterrupt:  # whoever is told that it has ended finds nothing at work; what is half done is left
        _pools.clear()
        for process in active_children():
            process.kill()
        raise


def _at(place: str, function: Callable[[Job, Item], Result], job: Job, item: Item) -> Result:
    """The result, by a process that may have been started in another folder: relative paths mean the same."""
    os.chdir(place)
    return function(job, item)


_pools: dict[int, ProcessPoolExecutor] = {}
"""Number of processes -> those that were started; they stay, idle, since to start one takes seconds."""


def _begin() -> None:
    """Make a process ready. An interruption is the first process's to answer; it does not hear of it."""
    import cv2
    import torch

    end_with_parent()
    warnings.simplefilter("ignore", PluginWarning)  # the first process has said it
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Use so many processor threads inside; None: as many as before."""
    import cv2
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    if number is not None:
        torch.set_num_threads(number)
        cv2.setNumThreads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
