"""The codec: pixels to latents and back. Here a linear one, which keeps the strongest components of a patch.

A frame is cut into square patches, and each patch is written in an orthonormal basis of its principal components,
so that the mean squared error of latents is, but for one factor, the mean squared error of pixels.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn


class PatchCodec(nn.Module):
    """Principal components of patches.

    Attributes:
        mean: (3 * patch * patch,) mean patch.
        basis: (channels, 3 * patch * patch) orthonormal rows.
        scale: () standard deviation that latents are divided by.
    """

    mean: Tensor
    basis: Tensor
    scale: Tensor

    def __init__(self, patch: int, channels: int) -> None:
        super().__init__()
        self.patch = patch
        size = 3 * patch * patch
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("basis", torch.zeros(channels, size))
        self.register_buffer("scale", torch.ones(()))

    @classmethod
    def fit(cls, frames: Tensor, patch: int, channels: int) -> PatchCodec:
        """The codec that keeps most of ``frames``, (N, 3, H, W) float32 in [0, 1]."""
        codec = cls(patch, channels)
        patches = codec._cut(frames).flatten(0, -2).double()
        mean = patches.mean(0)
        centred = patches - mean
        _, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
        basis = vectors.flip(1)[:, :channels].T
        codec.mean.copy_(mean)
        codec.basis.copy_(basis)
        codec.scale.copy_((centred @ basis.T).std())
        return codec

    def encode(self, frames: Tensor) -> Tensor:
        """(..., 3, H, W) float32 in [0, 1] -> (..., channels, H / patch, W / patch) with mean 0 and deviation 1."""
        latents = (self._cut(frames) - self.mean) @ self.basis.T / self.scale
        rows = frames.shape[-2] // self.patch
        return rearrange(latents, "... (h w) c -> ... c h w", h=rows)

    def decode(self, latents: Tensor) -> Tensor:
        """(..., channels, h, w) -> (..., 3, h * patch, w * patch) float32, clamped to [0, 1]."""
        patches = rearrange(latents, "... c h w -> ... h w c") * self.scale @ self.basis + self.mean
        frames = rearrange(patches, "... h w (c p q) -> ... c (h p) (w q)", c=3, p=self.patch)
        return frames.clamp(0, 1)

    def _cut(self, frames: Tensor) -> Tensor:
        """(..., 3, H, W) -> (..., patches, 3 * patch * patch)."""
        return rearrange(frames, "... c (h p) (w q) -> ... (h w) (c p q)", p=self.patch, q=self.patch)
