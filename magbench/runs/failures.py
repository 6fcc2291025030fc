"""What could not be made or scored, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """Something that could not be made or scored; ``clip`` and ``sample`` are None for a whole model."""

    model: str
    clip: str | None
    sample: int | None
    message: str

    def __str__(self) -> str:
        where = "" if self.clip is None else f", clip {self.clip}, sample {self.sample}"
        return f"{self.model}{where}: {self.message}"
