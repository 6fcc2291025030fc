"""Quantiles of Student's t for whole degrees of freedom, without scipy."""

from __future__ import annotations

import math
from functools import lru_cache


def t_cdf(t: float, freedom: int) -> float:
    """P(T <= t), from the finite series (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan2(t, math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= square * (k - 1) / k
        total += term
    inside = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return (1 + inside) / 2


@lru_cache(maxsize=256)
def t_quantile(probability: float, freedom: int) -> float:
    """The t with P(T <= t) = probability, 0 < probability < 1, by bisection to 1e-12."""
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < probability:
        high *= 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, freedom) < probability else (low, middle)
    return high
