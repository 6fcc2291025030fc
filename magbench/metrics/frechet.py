"""How far two sets of frames are apart as distributions, in features that ship: the last layer of LPIPS' trunk.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule" (arXiv 1706.08500), equation 6, with AlexNet where they
have Inception: no number here is an FID, and sets of different sizes must not be compared, for small ones score higher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.frame.lpips import pooled
from magbench.metrics.frames import Video

if TYPE_CHECKING:
    from torch import Tensor

Features = NDArray[np.float64]


def content(frames: Tensor) -> Features:
    """(n, 256) features of frames (n, 3, H, W) uint8, sides >= 31: means over the cells of AlexNet's last layer."""
    import torch

    with torch.inference_mode():
        return pooled(Video("frames", frames)).double().numpy()


def frechet(a: Features, b: Features) -> float:
    """Squared Frechet distance of the Gaussians with the means and covariances of (n, D) and (m, D); 0 if equal.

    The trace of the root of C_a C_b is the sum of the singular values of X_a X_b^T, where C = X^T X.
    """
    roots = [(x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (a, b)]
    apart = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    spread = sum(np.square(root).sum() for root in roots)
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    return float(max(0.0, apart + spread - 2 * shared))
