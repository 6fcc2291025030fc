"""Uncertainty of means over clips, comparison of two models, ranks with ties, and what a suite can detect."""

from magbench.stats.interval import Interval, bootstrap_mean
from magbench.stats.paired import ALPHA, LEAST_CLIPS, Paired, compare_paired, holm, sign_flip_p
from magbench.stats.pairwise import Pair, compare_all
from magbench.stats.power import detectable
from magbench.stats.prior import detectable_line
from magbench.stats.ranks import ranks
from magbench.stats.unpaired import compare_unpaired

__all__ = [
    "ALPHA",
    "LEAST_CLIPS",
    "Interval",
    "Pair",
    "Paired",
    "bootstrap_mean",
    "compare_all",
    "compare_paired",
    "compare_unpaired",
    "detectable",
    "detectable_line",
    "holm",
    "ranks",
    "sign_flip_p",
]
