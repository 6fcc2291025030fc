"""Who is better than whom: every pair of models on the same clips, corrected over the table, and the ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from magbench.analysis.clipwise import paired
from magbench.stats import Paired, detectable, holm, ranks


@dataclass(frozen=True)
class Comparison:
    """Two ranked models, the better mean first; ``corrected_p`` is Holm's over all pairs of the table."""

    first: str
    second: str
    found: Paired
    corrected_p: float
    apart: bool


@dataclass(frozen=True)
class Ranking:
    """Ranks of the models that have one, best first, and the comparisons behind them."""

    ranks: Mapping[str, int]
    pairs: tuple[Comparison, ...]

    def bounds(self, model: str) -> tuple[int, int]:
        """The best and the worst rank that the comparisons leave to a ranked model."""
        above = sum(pair.apart for pair in self.pairs if pair.second == model)
        below = sum(pair.apart for pair in self.pairs if pair.first == model)
        return 1 + above, len(self.ranks) - below

    @property
    def neighbours(self) -> list[Comparison]:
        """Each model against the next."""
        order = list(self.ranks)
        return [pair for pair in self.pairs if order.index(pair.second) - order.index(pair.first) == 1]

    @property
    def spread(self) -> float | None:
        """Standard deviation of per-clip differences: the median over pairs."""
        spreads = [pair.found.spread for pair in self.pairs if pair.found.spread is not None]
        return median(spreads) if spreads else None

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that one comparison with this spread shows; None where there is no pair."""
        return None if self.spread is None else detectable(self.pairs[0].found.difference.n, self.spread)


def rank(models: Mapping[str, Mapping[str, float]], noise: float | None) -> Ranking:
    """Rank models that have a value on the same clips.

    Args:
        models: name -> clip -> value, the best mean first; higher is better.
        noise: the level below which a difference of means is not one; None where it was not measured.
    """
    compared = [(a, b, paired(models[a], models[b])) for a, b in combinations(models, 2)]
    known = [(a, b, found) for a, b, found in compared if found is not None]
    pairs = tuple(
        Comparison(a, b, found, p, found.told_apart(p, noise or 0.0))
        for (a, b, found), p in zip(known, holm([found.p for _, _, found in known]), strict=True)
    )
    apart = {(pair.first, pair.second) for pair in pairs if pair.apart}
    names = list(models)
    places = ranks([[(a, b) in apart for b in names] for a in names])
    return Ranking(dict(zip(names, places, strict=True)), pairs)
