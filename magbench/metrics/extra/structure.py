"""MS-SSIM and VIF as torchmetrics computes them (extra ``[torchmetrics]``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.metrics.frames import check_pair
from magbench.metrics.spec import FrameMetric

if TYPE_CHECKING:
    from torch import Tensor


def ms_ssim(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) multi-scale SSIM of frame i against frame i (Wang et al. 2003); both (n, 3, H, W) float32, sides >= 161."""
    image = _image()
    check_pair(gen, truth)
    score = image.multiscale_structural_similarity_index_measure
    return np.array(
        [float(score(a[None], b[None], data_range=1.0, normalize="relu")) for a, b in zip(gen, truth, strict=True)]
    )


def vif(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) visual information fidelity (Sheikh and Bovik 2006), pixel domain; both (n, 3, H, W) float32, sides >= 41.

    The noise variance of the method is set for values from 0 to 255, so frames are taken there.
    """
    image = _image()
    check_pair(gen, truth)
    pairs = zip(gen, truth, strict=True)
    return np.array([float(image.visual_information_fidelity(a[None] * 255, b[None] * 255)) for a, b in pairs])


def _image() -> Any:
    try:
        from torchmetrics.functional import image
    except ImportError as error:
        raise MagbenchError("ms_ssim and vif need torchmetrics: pip install 'magbench[torchmetrics]'") from error
    return image


MS_SSIM = FrameMetric(
    name="ms_ssim",
    title="MS-SSIM",
    version=1,
    better="higher",
    about="SSIM over five scales, as torchmetrics computes it",
    function=ms_ssim,
    smallest=161,
)
"""SSIM over five scales, as torchmetrics computes it; frames of at least 161 pixels a side."""

VIF = FrameMetric(
    name="vif",
    title="VIF",
    version=1,
    better="higher",
    about="visual information fidelity in the pixel domain, as torchmetrics computes it",
    function=vif,
    smallest=41,
)
"""Visual information fidelity in the pixel domain, as torchmetrics computes it; at least 41 pixels a side."""
