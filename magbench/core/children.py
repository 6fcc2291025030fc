"""Python processes that we start: they end with us, however we end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path


def end_with_parent() -> None:
    """End this process, of :mod:`multiprocessing`, as soon as the one that started it is gone, killed or not."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes that are started inside never hear of an interruption: it is ours to answer, at the end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def lead_group() -> None:
    """Begin a group of processes, so that what this one starts can be ended with it."""
    if hasattr(os, "setsid"):
        os.setsid()


def end_group(pid: int) -> None:
    """Kill a process and all of its group; one that is gone is no error."""
    with suppress(ProcessLookupError, PermissionError):  # gone already (macOS calls that forbidden)
        os.killpg(pid, signal.SIGKILL)


def first_to_go() -> None:
    """Ask Linux to end this process before others where memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def how_it_ended(code: int) -> str:
    """What an exit code means; minus a number is a signal's."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (", perhaps for want of memory" if code == -signal.SIGKILL else "")
