"""LPIPS v0.1 on AlexNet, exact, each frame's features computed once.

Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (2018); the
spatial variant, which upsamples the layers' maps bilinearly to the frame and averages them. The mean of an
upsampled map is a fixed weighted mean of the map, and the heads are >= 0, so both fold into the features f:
LPIPS(a, b) = |f(a) - f(b)|^2.

The network always runs on `BATCH` frames (the last batch is filled up with zeros) and distances are taken
pair by pair, so a value depends on its two frames alone: not on the other frames, their order or the threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from magbench.errors import MagbenchError
from magbench.metrics.frames import check_pair, check_same_size

WEIGHTS = Path(__file__).with_name("weights") / "lpips_alexnet_v0.1.safetensors"
BATCH = 12
SMALLEST = 31  # pixels; below, the second pooling has nothing left
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
HELD_PIXELS = 32 * 480 * 832  # whose features are held for each side, at 42 bytes a pixel: about 0.5 GB
SLICE = 1024  # features summed in float32 at a time; slices are added in float64


@torch.inference_mode()
def lpips(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) LPIPS of frame i against frame i, 0 if equal; both (n, 3, H, W) float32 in [0, 1], sides >= 31."""
    check_pair(gen, truth)
    pairs = zip(_feature_blocks(gen), _feature_blocks(truth), strict=True)
    return np.concatenate([_distances(a[:, None], b[:, None])[:, 0, 0] for a, b in pairs])


@torch.inference_mode()
def lpips_matrix(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n, m) LPIPS of every generated frame (row) against every ground-truth frame (column).

    gen (n, 3, H, W) and truth (m, 3, H, W) float32 in [0, 1], sides >= 31. `HELD_PIXELS` bounds the memory:
    for more generated frames than that, the truth's features are computed again per further block of rows.
    """
    check_same_size(gen, truth)
    rows = [[_distances(a, b) for b in _feature_blocks(truth)] for a in _feature_blocks(gen)]
    return np.block(rows)


def _distances(a: Tensor, b: Tensor) -> NDArray[np.float64]:
    """Squared distances (..., n, m) between embeddings a (..., n, D) and b (..., m, D)."""
    total = torch.zeros(*a.shape[:-1], b.shape[-2], dtype=torch.float64)
    for x, y in zip(torch.split(a, SLICE, dim=-1), torch.split(b, SLICE, dim=-1), strict=True):
        total += torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").double() ** 2
    return total.numpy()


def _feature_blocks(frames: Tensor) -> Iterator[Tensor]:
    """Features of as many frames at a time as `HELD_PIXELS` admit, at least one batch."""
    frame_pixels = frames.shape[2] * frames.shape[3]
    for block in torch.split(frames, max(BATCH, HELD_PIXELS // frame_pixels)):
        yield _features(block)


def _features(frames: Tensor) -> Tensor:
    """(n, 3, H, W) in [0, 1] -> (n, D) float32 embeddings, through full batches only."""
    filled = F.pad(frames, (0, 0, 0, 0, 0, 0, 0, -len(frames) % BATCH))
    return torch.cat([_embed(batch) for batch in torch.split(filled, BATCH)])[: len(frames)]


def _embed(frames: Tensor) -> Tensor:
    """(BATCH, 3, H, W) in [0, 1] -> (BATCH, D): unit AlexNet features times sqrt(head * spatial weight)."""
    height, width = frames.shape[2:]
    if min(height, width) < SMALLEST:
        raise MagbenchError(f"LPIPS needs frames of at least {SMALLEST} pixels a side, not {height}x{width}")
    shift, scale = torch.tensor(SHIFT).view(3, 1, 1), torch.tensor(SCALE).view(3, 1, 1)
    x = (frames * 2 - 1 - shift) / scale
    parts = []
    for layer in _layers():
        if layer.pool:
            x = F.max_pool2d(x, kernel_size=3, stride=2)
        x = F.relu(F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding))
        unit = x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
        weight = layer.head.double()[:, None, None] * torch.outer(
            _upsampled_share(x.shape[2], height), _upsampled_share(x.shape[3], width)
        )
        parts.append((unit * weight.sqrt().float()).flatten(1))
    return torch.cat(parts, dim=1)


def _upsampled_share(small: int, large: int) -> Tensor:
    """(small,) float64: share of each cell in the mean of a row upsampled linearly to `large` cells."""
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
    if not WEIGHTS.is_file():
        raise MagbenchError(f"{WEIGHTS}: LPIPS weights are missing; install magbench again")
    tensors = load_file(WEIGHTS)
    shape = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))
    return tuple(
        _Layer(tensors[f"conv{i}.weight"], tensors[f"conv{i}.bias"], tensors[f"head{i}.weight"], *how)
        for i, how in enumerate(shape, start=1)
    )
