"""Who is better than whom: every pair of models on the same clips, corrected over the table, and the ranks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from magbench.stats import Paired, compare_all, detectable, ranks


@dataclass(frozen=True)
class Comparison:
    """Two ranked models, the better mean first; ``corrected_p`` is over all pairs of the table."""

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
        above, below = self._apart
        return 1 + above[model], len(self.ranks) - below[model]

    @cached_property
    def _apart(self) -> tuple[Counter[str], Counter[str]]:
        """For each model: how many above it, and how many below it, are apart from it."""
        apart = [pair for pair in self.pairs if pair.apart]
        return Counter(pair.second for pair in apart), Counter(pair.first for pair in apart)

    @property
    def neighbours(self) -> list[Comparison]:
        """Each model against the next."""
        place = {model: number for number, model in enumerate(self.ranks)}
        return [pair for pair in self.pairs if place[pair.second] - place[pair.first] == 1]

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
        models: name -> clip -> value, the best mean first; higher is better. Clips that one of them lacks are left
            out of every comparison.
        noise: the level below which a difference of means is not one; None where it was not measured.
    """
    names = list(models)
    clips = [clip for clip in models[names[0]] if all(clip in values for values in models.values())] if names else []
    compared = compare_all([[models[name][clip] for clip in clips] for name in names]) if clips else []
    pairs = tuple(
        Comparison(
            names[pair.first],
            names[pair.second],
            pair.found,
            pair.corrected_p,
            pair.found.told_apart(pair.corrected_p, noise or 0.0),
        )
        for pair in compared
    )
    apart = {(pair.first, pair.second) for pair in pairs if pair.apart}
    places = ranks([[(a, b) in apart for b in names] for a in names])
    return Ranking(dict(zip(names, places, strict=True)), pairs)
