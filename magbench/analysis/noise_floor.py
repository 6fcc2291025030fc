"""The noise panel: how far scores move when nothing changed but how the same frames were stored, cut or drawn.

A difference below that is not called a difference. The returns of one model of a run are scored again, from frames
that say the same thing: encoded by H.264, through 4:2:0 pixels, one frame late, (where a run has two samples a clip)
from another seed, and (where videos of another size were made to fit) through another size and back. A metric's level
is the largest shift of its mean over the panel's clips. It is measured by :mod:`magbench.analysis.measure_noise`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from magbench.core.errors import MagbenchError
from magbench.core.parsing import read_described
from magbench.runs.folder import RunFolder

if TYPE_CHECKING:
    from magbench.runs.records import Record

CRF = 18
"""Of H.264: visually lossless by custom; finished videos are seldom better."""

TIMED = ("aligned", "retention")
"""Protocols in which a frame's place is part of the answer: one frame late is an error there, shown but not noise."""
LATE = "late"
RESIZE = "resize"
MEMBERS = ("h264", "yuv420", LATE, "seed", RESIZE)


class Level(BaseModel):
    """One score: ``shifts`` of its mean by each member of the panel, and the largest that counts, in its unit."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    protocol: str
    protocol_version: int
    metric: str
    metric_version: int
    region: str
    level: float
    shifts: dict[str, float]


class Panel(BaseModel):
    """``noise.json``: what was measured, on which model's returns."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    model: str
    revision: str
    suite_digest: str
    clips: int
    crf: int
    levels: list[Level]

    def level(self, records: Sequence[Record]) -> float | None:
        """The level of one score, by its records; None where it was not measured, or with other versions."""
        return self.level_of({named(record) for record in records})

    def level_of(self, names: set[Named]) -> float | None:
        """The level of the one score that these are; None where they are several, or it was not measured."""
        return next((one.level for one in self.levels if {named(one)} == names), None)


Named = tuple[str, int, str, int, str]


def named(score: Level | Record) -> Named:
    """What a score is, with its versions."""
    return (score.protocol, score.protocol_version, score.metric, score.metric_version, score.region)


NOTHING_MEASURED = Panel(model="", revision="", suite_digest="", clips=0, crf=CRF, levels=[])


def read_noise(out: Path) -> Panel:
    """The panel of a run; one without levels where it was not measured."""
    path = RunFolder(out).noise
    if not path.exists():
        return NOTHING_MEASURED
    try:
        return read_described(path, Panel)
    except MagbenchError as error:
        raise MagbenchError(f"{error}; remove it to have it measured again") from error
