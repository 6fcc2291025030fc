"""What long work tells of how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told how far the work is: a stage of ``total`` steps, then each step."""

    def stage(self, label: str, total: int) -> None: ...

    def step(self) -> None: ...


class Quiet:
    """A :class:`Progress` that says nothing."""

    def stage(self, label: str, total: int) -> None:
        pass

    def step(self) -> None:
        pass
