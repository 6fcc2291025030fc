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

from magbench.models.guard import State

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1") if hasattr(signal, name)
)

Setting = tuple[Callable[[], Any], Callable[[Any], Any]]
"""How a setting is read, and how it is set."""


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


SETTINGS: tuple[Setting, ...] = (
    (lambda: list(sys.path), lambda found: _replaced(sys.path, found)),
    (lambda: list(warnings.filters), lambda found: _replaced(warnings.filters, found)),
    (lambda: logging.root.level, logging.root.setLevel),
    (lambda: list(logging.root.handlers), lambda found: _replaced(logging.root.handlers, found)),
    (lambda: logging.root.manager.disable, logging.disable),
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
    (torch.get_rng_state, torch.set_rng_state),
    (np.geterr, lambda found: np.seterr(**found)),
    (_cv2_threads, _set_cv2_threads),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    (lambda: torch.is_autocast_enabled("cpu"), lambda found: torch.set_autocast_enabled("cpu", found)),
    (lambda: torch.is_autocast_enabled("cuda"), lambda found: torch.set_autocast_enabled("cuda", found)),
    (lambda: torch.backends.cudnn.benchmark, lambda found: setattr(torch.backends.cudnn, "benchmark", found)),
    (lambda: torch.backends.cudnn.allow_tf32, lambda found: setattr(torch.backends.cudnn, "allow_tf32", found)),
    (_flushes, torch.set_flush_denormal),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (lambda: sys.excepthook, lambda found: setattr(sys, "excepthook", found)),
    (_umask, os.umask),
    (gc.isenabled, lambda found: gc.enable() if found else gc.disable()),
)


@contextmanager
def put_back() -> Iterator[None]:
    """Put back, afterwards, what all code of a process shares and a model may have changed."""
    state = State.now()
    found = [(write, read()) for read, write in SETTINGS]
    main = threading.current_thread() is threading.main_thread()
    signals = {number: signal.getsignal(number) for number in SIGNALS} if main else {}
    try:
        yield
    finally:
        state.restore()
        for write, value in found:
            write(value)
        for number, handler in signals.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
