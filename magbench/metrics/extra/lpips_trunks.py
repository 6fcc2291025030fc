"""LPIPS on VGG and SqueezeNet as the lpips package computes it (extra ``[lpips]``), where the trunks' weights are here.

The package brings the LPIPS heads. The trunks are torchvision's ImageNet weights, which its own download puts into
torch's cache; nothing is fetched here. They are read with torch's restricted loader, which runs no code.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.metrics.frames import check_pair
from magbench.metrics.spec import FrameMetric

if TYPE_CHECKING:
    from torch import Tensor

TRUNKS = {"vgg": "vgg16-397923af.pth", "squeeze": "squeezenet1_1-b8a52dc0.pth"}
"""Network of the lpips package -> torchvision's file in torch's cache."""


def vgg(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) LPIPS v0.1 on VGG-16 of frame i against frame i; both (n, 3, H, W) float32 in [0, 1], sides >= 16."""
    return _distances("vgg", gen, truth)


def squeeze(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) LPIPS v0.1 on SqueezeNet 1.1 of frame i against frame i; both (n, 3, H, W) float32, sides >= 17."""
    return _distances("squeeze", gen, truth)


def _distances(name: str, gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    import torch

    check_pair(gen, truth)
    network = _network(name)
    with torch.inference_mode():
        pairs = zip(gen, truth, strict=True)
        return np.array([float(network(a[None], b[None], normalize=True)) for a, b in pairs])


@cache
def _network(name: str) -> Any:
    import torch

    try:
        import lpips
    except ImportError as error:
        raise MagbenchError(f"lpips_{name} needs the lpips package: pip install 'magbench[lpips]'") from error
    path = Path(torch.hub.get_dir()) / "checkpoints" / TRUNKS[name]
    if not path.is_file():
        raise MagbenchError(f"{path}: lpips_{name} needs torchvision's weights there")
    network = lpips.LPIPS(net=name, pnet_rand=True, verbose=False).eval()
    trunk = torch.load(path, map_location="cpu", weights_only=True)
    features = {key.removeprefix("features."): value for key, value in trunk.items() if key.startswith("features.")}
    own = network.net.state_dict()  # slices of torchvision's features, numbered as those are: slice2.5.weight
    network.net.load_state_dict({key: features[key.partition(".")[2]] for key in own})
    return network


VGG = FrameMetric(
    name="lpips_vgg",
    title="LPIPS (VGG)",
    version=1,
    better="lower",
    about="LPIPS v0.1 on VGG-16, 0 if equal",
    function=vgg,
    smallest=16,
)
"""LPIPS v0.1 on VGG-16, 0 if equal."""

SQUEEZE = FrameMetric(
    name="lpips_squeeze",
    title="LPIPS (SqueezeNet)",
    version=1,
    better="lower",
    about="LPIPS v0.1 on SqueezeNet 1.1, 0 if equal",
    function=squeeze,
    smallest=17,
)
"""LPIPS v0.1 on SqueezeNet 1.1, 0 if equal."""
