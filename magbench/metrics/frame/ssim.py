"""Structural similarity of single frames, as pytorch_msssim defines it.

Source: Wang et al., "Image quality assessment: from error visibility to structural similarity" (2004), eq.
13, per colour channel. torchmetrics gives other values per frame (by up to 0.03), hence the few lines here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.metrics.frames import check_pair
from magbench.metrics.spec import FrameMetric, MainColumn

if TYPE_CHECKING:
    from torch import Tensor

TAPS = 11
C1 = 0.01**2
C2 = 0.03**2
HALF_WINDOW = (0.26601171493530273, 0.21300552785396576, 0.10936068743467331, 0.036000773310661316,
               0.0075987582094967365, 0.0010283803567290306)  # fmt: skip
"""The Gaussian from its centre outwards, rounded to float32 as in the reference: its sum is 3e-8 off 1, which
the difference of squares in the variances carries into the sixth digit of a score."""
WINDOW = np.array(HALF_WINDOW[:0:-1] + HALF_WINDOW)


def ssim(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) SSIM of frame i against frame i, 1 if equal; both (n, 3, H, W) float32 in [0, 1], H and W >= 11.

    11-tap Gaussian window of sigma 1.5, data range 1; mean over the channels and the pixels whose window lies
    inside the frame. Computed in float64.
    """
    check_pair(gen, truth)
    height, width = gen.shape[2:]
    if min(height, width) < TAPS:
        raise MagbenchError(f"SSIM needs frames of at least {TAPS} pixels a side, not {width}x{height}")
    images = (frames.permute(0, 2, 3, 1).double().numpy() for frames in (gen, truth))
    return np.array([_ssim(a, b) for a, b in zip(*images, strict=True)])


def _ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(ssim_map(a, b).mean())


def ssim_map(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H - 10, W - 10, 3) SSIM of two (H, W, 3) float64 images in [0, 1] around each pixel that is 5 from the edge."""
    mean_a, mean_b, square_a, square_b, product = (_blur(image) for image in (a, b, a * a, b * b, a * b))
    variance_a, variance_b = square_a - mean_a**2, square_b - mean_b**2
    covariance = product - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    structure = (2 * covariance + C2) / (variance_a + variance_b + C2)
    return luminance * structure


def _blur(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W, K) -> (H - 10, W - 10, K): Gaussian window, valid region only."""
    import cv2

    edge = TAPS // 2
    blurred = np.asarray(cv2.sepFilter2D(maps, -1, WINDOW, WINDOW), dtype=np.float64)
    return np.ascontiguousarray(blurred[edge:-edge, edge:-edge])


METRIC = FrameMetric(
    name="ssim",
    title="SSIM",
    version=1,
    better="higher",
    about="structural similarity, 1 if equal",
    function=ssim,
    shared=lambda pair: pair.ssim(np.arange(len(pair))),
    main=MainColumn(3, "SSIM ↑", interval=True),
    noise=0.02,
)
