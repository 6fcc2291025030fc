"""LPIPS v0.1 on AlexNet, exact, each frame's features computed once.

Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (2018); the
spatial variant, which upsamples the layers' maps bilinearly to the frame and averages them. The mean of an
upsampled map is a fixed weighted mean of the map, and the heads are >= 0, so both fold into the features f:
LPIPS(a, b) = |f(a) - f(b)|^2.

The network always runs on full batches (the last one is filled up with zeros), whose size is decided by the
frame size, and `lpips` takes its distances pair by pair: its values depend on the two frames alone, not on the
other frames, their order or the threads. A matrix (:mod:`magbench.metrics.matrix`) uses the same features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.metrics.frames import Video, check_pair
from magbench.metrics.spec import FrameMetric, MainColumn

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = Path(__file__).with_name("weights") / "lpips_alexnet_v0.1.safetensors"
BATCH = 12  # frames that go through the network together, if they are small
BATCH_PIXELS = BATCH * 128 * 128  # larger frames go fewer at a time: no faster together, and memory is bounded
SMALLEST = 31  # pixels; below, the second pooling has nothing left
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
SLICE = 1024  # features summed in float32 at a time; slices are added in float64


def lpips(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) LPIPS of frame i against frame i, 0 if equal; both (n, 3, H, W) float32 in [0, 1], sides >= 31."""
    import torch

    check_pair(gen, truth)
    sides = Video("generated", gen), Video("ground truth", truth)
    step = batch_size(gen.shape[2], gen.shape[3])
    parts = [slice(start, min(start + step, len(gen))) for start in range(0, len(gen), step)]
    with torch.inference_mode():
        return np.concatenate([distances(*(features(side, part) for side in sides)) for part in parts])


def batch_size(height: int, width: int) -> int:
    """Frames of this size that go through the network together."""
    return min(BATCH, max(1, BATCH_PIXELS // (height * width)))


def distances(a: Tensor, b: Tensor) -> NDArray[np.float64]:
    """(k,) squared distances of row i and row i, both (k, D) float32; exact to rounding, 0 where equal."""
    return np.array([_distance(x, y) for x, y in zip(a.numpy(), b.numpy(), strict=True)], np.float64)


def _distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Squared distance of two (D,) rows, one pair at a time: the same sum whatever stands beside it."""
    apart = a - b
    np.square(apart, out=apart)
    whole = len(apart) // SLICE * SLICE
    sums = apart[:whole].reshape(-1, SLICE).sum(axis=1)
    return float(sums.sum(dtype=np.float64) + apart[whole:].sum(dtype=np.float64))


def features(video: Video, part: slice) -> Tensor:
    """(k, D) float32 embeddings of frames [start, stop), through full batches only."""
    import torch
    import torch.nn.functional as F

    count, size = part.stop - part.start, batch_size(*video.size)
    found = torch.empty(0, dtype=torch.float32)
    for start in range(0, count, size):
        frames = video.part(slice(part.start + start, min(part.start + start + size, part.stop)))
        batch = _embed(F.pad(frames, (0, 0, 0, 0, 0, 0, 0, size - len(frames))))
        if start == 0:
            found = torch.empty(
                count, batch.shape[1], dtype=torch.float32
            )  # filled in place: there may be no room for two copies
        found[start : start + len(frames)] = batch[: len(frames)]
    return found


def _embed(frames: Tensor) -> Tensor:
    """(k, 3, H, W) in [0, 1] -> (k, D): unit AlexNet features times sqrt(head * spatial weight)."""
    import torch

    height, width = frames.shape[2:]
    cells = enumerate(_units(frames))
    parts = [(unit * _weight(i, (unit.shape[2], unit.shape[3]), (height, width))).flatten(1) for i, unit in cells]
    return torch.cat(parts, dim=1)


def _units(frames: Tensor) -> Iterator[Tensor]:
    """(k, 3, H, W) in [0, 1] -> for each layer (k, C, h, w), AlexNet features of unit length."""
    import torch
    import torch.nn.functional as F

    height, width = frames.shape[2:]
    if min(height, width) < SMALLEST:
        raise MagbenchError(f"LPIPS needs frames of at least {SMALLEST} pixels a side, not {width}x{height}")
    shift, scale = (torch.tensor(three, dtype=torch.float32).view(3, 1, 1) for three in (SHIFT, SCALE))
    x = (frames * 2 - 1 - shift) / scale
    for layer in _layers():
        if layer.pool:
            x = F.max_pool2d(x, kernel_size=3, stride=2)
        x = F.relu(F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding))
        yield x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)


def pooled(video: Video) -> Tensor:
    """(T, C) float32: the mean over its cells of the last layer, unit AlexNet features, of each frame."""
    import torch

    step = batch_size(*video.size)
    starts = range(0, len(video), step)
    batches = (video.part(slice(start, min(start + step, len(video)))) for start in starts)
    return torch.cat([list(_units(batch))[-1].mean(dim=(2, 3)) for batch in batches])


def lpips_maps(gen: Tensor, truth: Tensor) -> Tensor:
    """(n, H, W) float32 whose means are the LPIPS of frame i against frame i: distances of layers, upsampled linearly.

    Both (n, 3, H, W) float32 in [0, 1], no more of them than :func:`batch_size` says.
    """
    import torch
    import torch.nn.functional as F

    size = gen.shape[2:]
    total = torch.zeros(len(gen), 1, *size)
    with torch.inference_mode():
        for layer, a, b in zip(_layers(), _units(gen), _units(truth), strict=True):
            apart = ((a - b).square() * layer.head[:, None, None]).sum(dim=1, keepdim=True)
            total += F.interpolate(apart, size=size, mode="bilinear", align_corners=False)
    return total[:, 0]


@lru_cache(maxsize=10)  # two frame sizes; at 832x480 each takes 16 MB
def _weight(index: int, cells: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """(C, h, w) float32: sqrt(head * share of each cell in the mean of its map) of one layer."""
    import torch

    head = _layers()[index].head.double()
    rows, columns = (_upsampled_share(small, large) for small, large in zip(cells, size, strict=True))
    return (head[:, None, None] * torch.outer(rows, columns)).sqrt().float()


def _upsampled_share(small: int, large: int) -> Tensor:
    """(small,) float64: share of each cell in the mean of a row upsampled linearly to `large` cells."""
    import torch
    import torch.nn.functional as F

    rows = torch.eye(small, dtype=torch.float64)[None]
    return F.interpolate(rows, size=large, mode="linear", align_corners=False)[0].mean(dim=1)


@dataclass(frozen=True)
class _Layer:
    """One convolution of the trunk and its LPIPS head."""

    weight: Tensor  # (out, in, k, k)
    bias: Tensor  # (out,)
    head: Tensor  # (out,), >= 0
    stride: int
    padding: int
    pool: bool  # a 3x3 max pooling of stride 2 comes before


@cache
def _layers() -> tuple[_Layer, ...]:
    """The five layers of AlexNet (torchvision's, ImageNet) with the LPIPS v0.1 heads."""
    from safetensors.torch import load_file

    if not WEIGHTS.is_file():
        raise MagbenchError(f"{WEIGHTS}: LPIPS weights are missing; install magbench again")
    tensors = load_file(WEIGHTS)
    shape = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))
    return tuple(
        _Layer(tensors[f"conv{i}.weight"], tensors[f"conv{i}.bias"], tensors[f"head{i}.weight"], *how)
        for i, how in enumerate(shape, start=1)
    )


METRIC = FrameMetric(
    name="lpips",
    title="LPIPS",
    version=2,
    better="lower",
    about="LPIPS v0.1 on AlexNet, 0 if equal",
    function=lpips,
    shared=lambda pair: pair.lpips,
    main=MainColumn(4, "LPIPS ↓", interval=True, short="LPIPS"),
    noise=0.01,
)
