"""Which timings may be averaged: those of one machine and card that nothing disturbed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from magbench.runs.records import Record
from magbench.scoring.costs import COST, TIMES

Place = tuple[str | None, str | None]
"""(accelerator or "cpu", machine) of a timing."""


class Timed(Protocol):
    """A record, or as much of it as says where a timing was taken."""

    @property
    def value(self) -> float | None: ...
    @property
    def device(self) -> str | None: ...
    @property
    def machine(self) -> str | None: ...
    @property
    def disturbed(self) -> bool | None: ...


T = TypeVar("T", bound=Timed)


@dataclass(frozen=True)
class Timings:
    """What is known of one model's timings that stand together.

    Attributes:
        n: how many are shown.
        place: where they were taken.
        busy: nothing better is there than timings that were disturbed.
        elsewhere: timings on another machine or card, which are left out.
        disturbed: timings that were disturbed, whether shown or left out.
    """

    n: int = 0
    place: Place = (None, None)
    busy: bool = False
    elsewhere: int = 0
    disturbed: int = 0


def is_timing(record: Record) -> bool:
    """Whether a record is seconds or what follows from them."""
    return record.protocol == COST and record.metric in TIMES


def comparable(records: Iterable[T]) -> tuple[list[T], Timings]:
    """Choose the timings of one score that may be averaged: of the place with most of them, the undisturbed ones.

    Where all are disturbed they are kept, and :attr:`Timings.busy` says so.
    """
    known = [record for record in records if record.value is not None]
    if not known:
        return [], Timings()
    place, _ = Counter((record.device, record.machine) for record in known).most_common(1)[0]
    own = [record for record in known if (record.device, record.machine) == place]
    quiet = [record for record in own if not record.disturbed]
    shown = quiet or own
    return shown, Timings(len(shown), place, not quiet, len(known) - len(own), len(own) - len(quiet))


def place_name(place: Place) -> str:
    """A place in words."""
    device, machine = place
    return " on ".join(part for part in (device, machine) if part) or "an unknown machine"


def notes(timings: Sequence[tuple[str, Timings]]) -> list[str]:
    """What has to be said of the timings of a table; (model, its timings of one score) each."""
    lines = []
    if busy := [model for model, found in timings if found.busy]:
        lines.append(
            f"† timed while other work had the machine, so it says little about the model: {', '.join(busy)}; remove"
            " its generations and run it again alone"
        )
    for model, found in timings:
        if found.disturbed and not found.busy:
            lines.append(f"{model}: {found.disturbed} disturbed timings are left out")
        if found.elsewhere:
            lines.append(
                f"{model}: timings of {place_name(found.place)}; {found.elsewhere} of another machine are left out"
            )
    places = {found.place for _, found in timings if found.n}
    if len(places) > 1:
        lines.append("Times of different machines stand in this table and cannot be compared: ")
        lines[-1] += "; ".join(f"{model} {place_name(found.place)}" for model, found in timings if found.n)
    return lines
