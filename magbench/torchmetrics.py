"""The scores of a return as ``torchmetrics.Metric``, for a validation loop (extra ``[torchmetrics]``).

::

    from magbench.torchmetrics import ReturnScore

    score = ReturnScore("ordered", "score")
    for generated, truth in clips:          # (n, 3, H, W) float32 in [0, 1] each, one return a call
        score.update(generated, truth)
    score.compute()                         # mean over clips, as in a run's table
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from magbench.core.errors import MagbenchError, unknown
from magbench.metrics import PROTOCOLS, Pair, Truth

try:
    from torchmetrics import Metric
except ImportError as error:
    raise MagbenchError("magbench.torchmetrics needs torchmetrics: pip install 'magbench[torchmetrics]'") from error


class ReturnScore(Metric):
    """One score of returns, averaged over clips; it sums over processes.

    Args:
        protocol: ``ordered``, ``aligned`` or ``legacy``.
        metric: of that protocol, see ``magbench ls metrics``.

    Raises:
        MagbenchError: no such score, or frames that are not (n, 3, H, W) float32 in [0, 1] or uint8.
    """

    full_state_update = False
    total: Tensor
    clips: Tensor

    def __init__(self, protocol: str, metric: str, **options: Any) -> None:
        super().__init__(**options)
        if protocol not in PROTOCOLS:
            raise unknown("protocol", protocol, PROTOCOLS)
        self.protocol = PROTOCOLS[protocol]
        specs = {spec.name: spec for spec in self.protocol.metrics}
        if metric not in specs:
            raise unknown(f"metric of {protocol}", metric, specs)
        self.spec = specs[metric]
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("clips", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, generated: Tensor, truth: Tensor) -> None:
        """Add one return; a clip that cannot have this score (a true return without range) is left out.

        generated, truth: (n, 3, H, W), float32 in [0, 1] or uint8, of the same clip.
        """
        values = self.protocol.score(Pair(generated.cpu(), Truth(truth.cpu())))[self.spec.name]
        if values is not None:
            self.total += self.spec.average(values)
            self.clips += 1

    def compute(self) -> Tensor:
        """The mean over clips, float64; NaN before the first one."""
        return self.total / self.clips


class OrderedScore(ReturnScore):
    """The ordered score: was the return shown, in order? 0 to 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__("ordered", "score", **options)


class AlignedPSNR(ReturnScore):
    """PSNR of frame i against frame i, in dB."""

    def __init__(self, **options: Any) -> None:
        super().__init__("aligned", "psnr", **options)


class AlignedSSIM(ReturnScore):
    """SSIM of frame i against frame i."""

    def __init__(self, **options: Any) -> None:
        super().__init__("aligned", "ssim", **options)


class AlignedLPIPS(ReturnScore):
    """LPIPS of frame i against frame i."""

    def __init__(self, **options: Any) -> None:
        super().__init__("aligned", "lpips", **options)
