"""What could not be made or scored, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """Something that could not be made or scored; ``clip`` and ``sample`` are None for a whole model.

    ``unfit``: nothing is broken, the clip only has a form that the model does not make.
    """

    model: str
    clip: str | None
    sample: int | None
    message: str
    unfit: bool = False

    def __str__(self) -> str:
        where = "" if self.clip is None else f", clip {self.clip}, sample {self.sample}"
        return f"{self.model}{where}: {self.message}"


def set_unfit_apart(failures: Sequence[Failure]) -> tuple[list[str], list[Failure]]:
    """(a line for each model and reason that clips do not fit it, what failed otherwise)."""
    clips: dict[tuple[str, str], int] = {}
    for failure in failures:
        if failure.unfit:
            key = failure.model, failure.message
            clips[key] = clips.get(key, 0) + 1
    lines = [f"{model}: {reason} ({count} clip{'s' * (count > 1)})" for (model, reason), count in clips.items()]
    return lines, [failure for failure in failures if not failure.unfit]
