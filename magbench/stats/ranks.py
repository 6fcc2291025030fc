"""Ranks with ties: what cannot be told apart shares a rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def ranks(apart: Sequence[Sequence[bool]]) -> list[int]:
    """Ranks of models that stand best mean first; ``apart[i][j]`` for i < j: i and j can be told apart.

    A rank begins where every model above is told apart from every model from there on. So two models that
    cannot be told apart always share a rank, and sharing is transitive: if A cannot be told from B, nor B from
    C, all three share, even where A and C alone could be told apart. A rank is one more than the number of models
    above the first that has it (1, 1, 3).
    """
    table = np.asarray(apart, dtype=bool).reshape(len(apart), len(apart))
    found: list[int] = []
    for k in range(len(table)):
        begins = table[:k, k:].all()
        found.append(k + 1 if begins else found[-1])
    return found
