"""Places that look alike: a view cannot be filled by two places that share nothing, so the better matched one stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def outdone(
    shares: NDArray[np.float64], back: NDArray[np.float64], matches: NDArray[np.int64], times: float
) -> NDArray[np.bool_]:
    """(n, n): another frame j' shows frame i too, and nothing of j, with more than ``times`` the matches.

    Only where j and j' together would show more of frame i than there is. Matches are counted with those of the
    neighbours in time, which a chance seldom has.

    Args:
        shares: (n, n), [i, j] is the share of frame i that frame j < i shows.
        back: (n, n), likewise the share of frame j that frame i shows.
        matches: (n, n) that speak for it.
        times: how much better the rival must be matched.
    """
    size = len(shares)
    padded = np.pad(matches, 1)
    support = np.sum([padded[a : a + size, b : b + size] for a in range(3) for b in range(3)], axis=0)
    apart = (shares + back) == 0
    apart &= apart.T
    np.fill_diagonal(apart, False)
    lost = np.zeros((size, size), bool)
    for i in range(size):
        here, strength = shares[i, :i], support[i, :i]
        rival = (
            apart[:i, :i] & (here[:, None] > 0) & (here[:, None] + here > 1) & (strength > times * strength[:, None])
        )
        lost[i, :i] = rival.any(axis=1)
    return lost
