"""Records -> one value a clip, which is what every mean and every comparison is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from magbench.runs.records import Record
from magbench.stats import Paired, bootstrap_mean, compare_paired


@dataclass(frozen=True)
class Cell:
    """Mean over ``n`` clips and its 95 % interval; None where no clip has the value (never 0, never NaN)."""

    mean: float | None
    low: float | None
    high: float | None
    n: int
    method: str = "none"


NO_VALUE = Cell(None, None, None, 0)


@dataclass(frozen=True, eq=False)
class Clips:
    """Names of clips, sorted, which many scores share."""

    names: tuple[str, ...]

    @cached_property
    def places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}


@dataclass(frozen=True, eq=False)
class ClipValues(Mapping[str, float]):
    """Clip -> value, in eight bytes a value: what :func:`by_clip` gives of a handful of records, of millions."""

    clips: Clips
    values_: NDArray[np.float64]

    def __getitem__(self, clip: str) -> float:
        return float(self.values_[self.clips.places[clip]])

    def __iter__(self) -> Iterator[str]:
        return iter(self.clips.names)

    def __len__(self) -> int:
        return len(self.clips.names)


def by_clip(records: Iterable[Record]) -> dict[str, float]:
    """Clip -> value, its samples averaged, sorted; clips without a value are left out."""
    found: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.value is not None:
            found[record.clip].append(record.value)
    return {clip: sum(values) / len(values) for clip, values in sorted(found.items())}


def cell_of(values: Mapping[str, float]) -> Cell:
    """The mean over clips with its interval."""
    if not values:
        return NO_VALUE
    interval = bootstrap_mean(list(values.values()))
    return Cell(interval.mean, interval.low, interval.high, interval.n, interval.method)


def summarise(records: Iterable[Record]) -> Cell:
    """Samples of a clip are averaged first, then clips; clips without such a frame are not in n."""
    return cell_of(by_clip(records))


def paired(a: Mapping[str, float], b: Mapping[str, float]) -> Paired | None:
    """A minus B over the clips that both have; None if there is none."""
    shared = [clip for clip in a if clip in b]
    return compare_paired([a[clip] for clip in shared], [b[clip] for clip in shared]) if shared else None
