"""Peak signal-to-noise ratio of single frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.frames import check_pair
from magbench.metrics.spec import FrameMetric, MainColumn

if TYPE_CHECKING:
    from torch import Tensor

CAP = 100.0
"""dB given to a frame without error, and to any frame above: 8-bit rounding alone is about 59 dB."""


def psnr(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) PSNR in dB of frame i against frame i, at most `CAP`; both (n, 3, H, W) float32 in [0, 1]."""
    return np.minimum(uncapped_psnr(gen, truth), CAP)


def uncapped_psnr(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) PSNR in dB, infinite for a frame without error; arguments as `psnr`."""
    check_pair(gen, truth)
    pairs = zip(gen, truth, strict=True)
    error = np.array([(a.double() - b.double()).square().mean().item() for a, b in pairs])
    with np.errstate(divide="ignore"):
        decibels: NDArray[np.float64] = -10 * np.log10(error)
    return decibels


METRIC = FrameMetric(
    name="psnr",
    title="PSNR",
    version=1,
    unit="dB",
    better="higher",
    about="peak signal-to-noise ratio, at most 100",
    function=psnr,
    main=MainColumn(2, "PSNR dB ↑", interval=True, short="PSNR"),
    noise=1.0,
    cap=40.0,
)
