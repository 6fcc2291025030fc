"""Somebody else's code is not trusted with our state: what a model changes stays its own.

A model may set torch's default dtype or device, switch gradients off, change the working folder or environment.
Between two calls the harness has its own state back, and the model finds its own again at the next call. What is costly
to look at so often is put back when the model is done, see :mod:`magbench.models.put_back`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor

_END: Any = object()
WORDS = {
    "dtype": "torch's default dtype",
    "device": "torch's default device",
    "grad": "torch's grad mode",
    "threads": "torch's threads",
    "folder": "the working folder",
    "out": "stdout",
    "err": "stderr",
    "environment": "the environment",
}
"""What the fields of :class:`State` are called."""


@dataclass(frozen=True)
class State:
    """What is cheap to look at, and swapped at every call."""

    dtype: torch.dtype
    device: torch.device
    grad: bool
    threads: int
    folder: str
    out: Any
    err: Any
    environment: dict[str, str]

    @classmethod
    def now(cls) -> State:
        return cls(
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.is_grad_enabled(),
            torch.get_num_threads(),
            _folder(),
            sys.stdout,
            sys.stderr,
            dict(os.environ),
        )

    def apart(self, other: State) -> list[str]:
        """What another state has differently, in words."""
        names = {name: getattr(self, name) != getattr(other, name) for name in WORDS}
        return [WORDS[name] for name, differs in names.items() if differs]

    def restore(self) -> None:
        there = State.now()
        if there.dtype != self.dtype:
            torch.set_default_dtype(self.dtype)
        if there.device != self.device:
            torch.set_default_device(self.device)
        if there.grad != self.grad:
            torch.set_grad_enabled(self.grad)
        if there.threads != self.threads:
            torch.set_num_threads(self.threads)
        if there.folder != self.folder and self.folder:
            os.chdir(self.folder)
        sys.stdout, sys.stderr = self.out, self.err
        if there.environment != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was deleted
        return ""


class Guard:
    """The state of one model, apart from the harness's own."""

    def __init__(self) -> None:
        self._theirs: State | None = None
        self._threads: int | None = None
        self._found: State | None = None

    @property
    def changed(self) -> list[str]:
        """What the model has otherwise than it found it, in words."""
        if self._found is None or self._theirs is None:
            return []
        return self._found.apart(replace(self._theirs, threads=self._threads or self._found.threads))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let the model's code run: in its state, which is put aside afterwards."""
        ours = State.now()
        self._found = self._found or ours
        if self._theirs is not None:
            replace(self._theirs, threads=self._threads or ours.threads).restore()
        given = torch.get_num_threads()
        try:
            yield
        finally:
            self._theirs = State.now()
            if self._theirs.threads != given:
                self._threads = self._theirs.threads  # its own choice; else the harness's counts at each call
            ours.restore()

    def stream(self, begin: Callable[[], Iterator[Tensor]]) -> Iterator[Tensor]:
        """The pieces of a stream, each made inside."""
        with self.inside():
            pieces = iter(begin())
        while True:
            with self.inside():
                piece = next(pieces, _END)
            if piece is _END:
                return
            yield piece


class Interruption:
    """Tells an interruption by the user from a ``KeyboardInterrupt`` that a model raises."""

    def __init__(self) -> None:
        self.real = threading.current_thread() is not threading.main_thread()

    @contextmanager
    def watched(self) -> Iterator[Interruption]:
        """Note a SIGINT while the block runs. Outside the main thread every interruption is taken for real."""
        usual = None if self.real else signal.getsignal(signal.SIGINT)
        if not callable(usual):  # ignored, as in a job in the background: no interruption can be the user's
            yield self
            return

        def note(number: int, frame: FrameType | None) -> None:
            self.real = True
            usual(number, frame)

        signal.signal(signal.SIGINT, note)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, usual)
