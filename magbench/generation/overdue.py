"""A video that does not end is named while its model may still be at work: nothing else would say where a run hangs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HINT_S = 600.0
"""Seconds that one video may take before a line names it."""


@contextmanager
def named_if_overdue(model: str, clip: str, sample: int) -> Iterator[None]:
    """Print one line to stderr if the block takes longer than ``HINT_S``. It goes on all the same."""
    line = (
        f"{model}: clip {clip}, sample {sample} has taken {HINT_S:g} s and goes on; if it never ends, stop the run and"
        " give the command again with --isolate, which ends a video after an hour"
    )
    # What stderr is now: the model may change it, and warnings too.
    timer = threading.Timer(HINT_S, lambda stream: print(line, file=stream, flush=True), (sys.stderr,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
