"""What all code of a process shares and is costly to look at, put back when a model is done."""

from __future__ import annotations

import gc
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from magbench.core.plugins import PluginWarning
from magbench.models.guard import State

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1") if hasattr(signal, name)
)

Setting = tuple[str, Callable[[], Any], Callable[[Any], Any]]
"""What a setting is called, how it is read, and how it is set. Nobody is told of one without a name: imports change it,
or drawing a number, or the harness itself."""


def _umask() -> int:
    found = os.umask(0o077)
    os.umask(found)
    return found


def _flushes() -> bool:
    """Whether the processor takes the smallest numbers for 0; torch sets it and does not tell."""
    return not (torch.tensor(1e-310, dtype=torch.float64, device="cpu") * 1).item()


def _cv2_threads() -> int:
    import cv2

    return cv2.getNumThreads()


def _set_cv2_threads(number: int) -> None:
    import cv2

    cv2.setNumThreads(number)


def _replaced(there: Any, content: Any) -> None:
    there[:] = content


def _set_deterministic(on: bool) -> None:
    """Set it only where it is not so: torch imports its compiler to set it, for a second or more."""
    if torch.are_deterministic_algorithms_enabled() != on:
        torch.use_deterministic_algorithms(on)


SETTINGS: tuple[Setting, ...] = (
    ("", lambda: list(sys.path), lambda found: _replaced(sys.path, found)),
    ("", lambda: list(warnings.filters), lambda found: _replaced(warnings.filters, found)),
    ("the log level", lambda: logging.root.level, logging.root.setLevel),
    ("", lambda: list(logging.root.handlers), lambda found: _replaced(logging.root.handlers, found)),
    ("logging", lambda: logging.root.manager.disable, logging.disable),
    ("", random.getstate, random.setstate),
    ("", np.random.get_state, np.random.set_state),
    ("", torch.get_rng_state, torch.set_rng_state),
    ("numpy's errors", np.geterr, lambda found: np.seterr(**found)),
    ("", _cv2_threads, _set_cv2_threads),
    ("the precision of matrix products", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    ("deterministic algorithms", torch.are_deterministic_algorithms_enabled, _set_deterministic),
    ("autocast", lambda: torch.is_autocast_enabled("cpu"), lambda found: torch.set_autocast_enabled("cpu", found)),
    (
        "autocast on the GPU",
        lambda: torch.is_autocast_enabled("cuda"),
        lambda found: torch.set_autocast_enabled("cuda", found),
    ),
    (
        "cudnn.benchmark",
        lambda: torch.backends.cudnn.benchmark,
        lambda found: setattr(torch.backends.cudnn, "benchmark", found),
    ),
    ("TF32", lambda: torch.backends.cudnn.allow_tf32, lambda found: setattr(torch.backends.cudnn, "allow_tf32", found)),
    ("flushing of small numbers", _flushes, torch.set_flush_denormal),
    ("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    ("sys.excepthook", lambda: sys.excepthook, lambda found: setattr(sys, "excepthook", found)),
    ("the umask", _umask, os.umask),
    ("garbage collection", gc.isenabled, lambda found: gc.enable() if found else gc.disable()),
)


class ChangedState(PluginWarning):
    """A model changed what it shares with others."""


@contextmanager
def told_of(model: str) -> Iterator[list[str]]:
    """Say in one line, afterwards, what the list that it yields names."""
    changed: list[str] = []
    yield changed
    if changed:
        what = ", ".join(dict.fromkeys(changed))
        warnings.warn(f"{model} changed {what}; it was put back for the others", ChangedState, stacklevel=2)


@contextmanager
def put_back(changed: list[str]) -> Iterator[None]:
    """Put back, afterwards, what all code of a process shares and a model may change; ``changed`` then names it."""
    state = State.now()
    found = [(name, read, write, read()) for name, read, write in SETTINGS]
    main = threading.current_thread() is threading.main_thread()
    signals = {number: signal.getsignal(number) for number in SIGNALS} if main else {}
    try:
        yield
    finally:
        changed += state.apart(State.now())
        state.restore()
        for name, read, write, value in found:
            if name and read() != value:
                changed.append(name)
            write(value)
        for number, handler in signals.items():
            if handler is not None and signal.getsignal(number) is not handler:
                changed.append(f"the handler of {signal.Signals(number).name}")
                signal.signal(number, handler)
