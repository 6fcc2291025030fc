"""A share of a list of work, for runs that many machines make together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from magbench.core.errors import MagbenchError

Item = TypeVar("Item")
Key = TypeVar("Key")


@dataclass(frozen=True)
class Shard:
    """Share ``index`` of ``count``, counted from 1; the shares of a list are disjoint and make the whole.

    A share is a stretch of the list, so that a machine loads few models. Sizes differ by one at most.
    """

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise MagbenchError(f"shard {self}: I/N is share I of N, with I from 1 to N")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/64``."""
        index, _, count = text.partition("/")
        if not (index.isdecimal() and count.isdecimal()):
            raise MagbenchError(f"shard '{text}' is not I/N, as 3/64 is")
        return cls(int(index), int(count))

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """This share of ``items``, in order."""
        start, stop = (len(items) * end // self.count for end in (self.index - 1, self.index))
        return items[start:stop]

    def of_pairs(self, keys: Iterable[Key], items: Sequence[Item]) -> dict[Key, list[Item]]:
        """This share of every (key, item), keys first, as the items of each key that has any."""
        found: dict[Key, list[Item]] = defaultdict(list)
        for key, item in self.of([(key, item) for key in keys for item in items]):
            found[key].append(item)
        return dict(found)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


WHOLE = Shard()
