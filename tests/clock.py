"""Time that passes only when a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Clock:
    """In place of ``time``.

    Attributes:
        now: seconds.
        order: what a test's models note when they are timed.
    """

    now: float = 0.0
    order: list[object] = field(default_factory=list)

    def perf_counter(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds
