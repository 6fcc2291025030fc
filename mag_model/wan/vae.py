"""Wan2.1's codec: diffusers' AutoencoderKLWan, fed and read a piece at a time.

One latent frame holds the first pixel frame, each further one four: n latent frames are 4 (n - 1) + 1 pixel frames.
The network is causal: what it needs of earlier frames stays in a cache, so that pieces equal the whole. Latents are
normalised with the network's constants, one mean and one deviation a channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mag_model.wan.optional import extra
from mag_model.wan.published_names import Shape
from mag_model.wan.state_dict import shapes_of
from magbench.core.errors import MagbenchError


@dataclass(frozen=True)
class VaeSizes:
    """Sizes of the video autoencoder; by default Wan2.1's.

    Each but the first of ``mult`` halves the picture's sides, and each True of ``temporal`` the frame rate."""

    dim: int = 96
    channels: int = 16
    mult: tuple[int, ...] = (1, 2, 4, 4)
    residual: int = 2
    temporal: tuple[bool, ...] = (False, True, True)

    def config(self) -> dict[str, int]:
        return {"base_dim": self.dim, "z_dim": self.channels, "num_res_blocks": self.residual}

    def shapes(self) -> dict[str, Shape]:
        with torch.device("meta"):
            return shapes_of(empty_vae(self))


def empty_vae(sizes: VaeSizes) -> Any:
    """An AutoencoderKLWan without weights."""
    return extra("diffusers").AutoencoderKLWan(
        base_dim=sizes.dim,
        z_dim=sizes.channels,
        dim_mult=list(sizes.mult),
        num_res_blocks=sizes.residual,
        temperal_downsample=list(sizes.temporal),
    )


def placed(network: Any, device: str, dtype: torch.dtype) -> Any:
    """The network, moved by torch: diffusers' own method warns of modules that Wan's codec does not have."""
    return nn.Module.to(network, device=device, dtype=dtype)


class WanVae:
    """The codec.

    Args:
        network: an AutoencoderKLWan with its weights, on its device, in its dtype.

    Attributes:
        side: pixels along a side of one latent cell (8).
        stride: pixel frames of every latent frame but the first (4).
    """

    def __init__(self, network: Any) -> None:
        self.network = network.eval().requires_grad_(False)
        self.side = 2 ** (len(network.config.dim_mult) - 1)
        self.stride = 2 ** sum(network.config.temperal_downsample)
        self.channels = int(network.config.z_dim)

    def latent_frames(self, frames: int) -> int:
        """Latent frames that ``frames`` pixel frames fill: 1 + (T - 1) // 4. Up to three pixel frames are left over."""
        return 1 + (frames - 1) // self.stride if frames > 0 else 0

    def pixel_frames(self, latents: int) -> int:
        """Pixel frames of the first ``latents`` latent frames: 4 (n - 1) + 1."""
        return 1 + (latents - 1) * self.stride if latents > 0 else 0

    def filling_frames(self, frames: int) -> int:
        """The fewest latent frames whose pixel frames are ``frames`` or more."""
        return self.latent_frames(frames + self.stride - 1)

    def whole(self, frames: Tensor) -> Tensor:
        """The frames (T, ...) without those at the end that fill no latent frame."""
        return frames[: self.pixel_frames(self.latent_frames(len(frames)))]

    def encode(self, frames: Tensor) -> Tensor:
        """(T, 3, H, W) float32 in [0, 1] -> (1 + (T - 1) // 4, C, H / 8, W / 8) float32, normalised.

        Raises:
            MagbenchError: frames are left over (see :meth:`whole`), or a side is not a multiple of 8.
        """
        stream = self.encoder()
        latents = stream.push(frames)
        stream.finish()
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """(n, C, h, w) normalised, from a video's first frame on -> (4 (n - 1) + 1, 3, 8 h, 8 w) float32 in [0, 1]."""
        return self.decoder().push(latents)

    def encoder(self) -> Encoder:
        """A new video to encode."""
        return Encoder(self)

    def decoder(self) -> Decoder:
        """A new video to decode."""
        return Decoder(self)

    def constants(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the latents, (C, 1, 1) float32 each. The source has them in the network's dtype."""
        config, device = self.network.config, next(self.network.parameters()).device
        mean, deviation = (
            torch.tensor(values, device=device)[:, None, None] for values in (config.latents_mean, config.latents_std)
        )
        return mean, deviation


class Encoder:
    """Pixel frames of one video in, latents out as soon as they are whole."""

    def __init__(self, vae: WanVae) -> None:
        self._vae = vae
        self._cache: list[Any] = [None] * sum(1 for _ in vae.network.encoder.modules())
        self._waiting: list[Tensor] = []
        self._done = 0

    def push(self, frames: Tensor) -> Tensor:
        """(t, 3, H, W) float32 in [0, 1], t >= 0 -> the latents that are whole now, (n, C, h, w) float32, n >= 0."""
        vae = self._vae
        height, width = frames.shape[-2:]
        check_sides(height, width, vae.side)
        self._waiting.extend(frames)
        made = [frames.new_zeros(0, vae.channels, height // vae.side, width // vae.side)]
        while len(self._waiting) >= (wanted := 1 if self._done == 0 else vae.stride):
            piece, self._waiting = self._waiting[:wanted], self._waiting[wanted:]
            made.append(self._encode(torch.stack(piece)))
            self._done += 1
        return torch.cat(made)

    def finish(self) -> None:
        """The video is over.

        Raises:
            MagbenchError: some of its last frames fill no latent frame.
        """
        if self._waiting:
            vae, over = self._vae, len(self._waiting)
            total = vae.pixel_frames(self._done) + over
            raise MagbenchError(
                f"{total} frames are {self._done} latent frames and {over} frames over; lengths are 1 + a multiple of"
                f" {vae.stride}: cut them to {total - over}"
            )

    @torch.no_grad()
    def _encode(self, frames: Tensor) -> Tensor:
        """(1 or 4, 3, H, W) in [0, 1] -> (1, C, h, w) float32."""
        network = self._vae.network
        like = next(network.parameters())
        x = (frames * 2 - 1).to(like).transpose(0, 1)[None]
        moments = network.quant_conv(network.encoder(x, feat_cache=self._cache, feat_idx=[0]))
        mean, deviation = self._vae.constants()
        latents = moments[0, : self._vae.channels].transpose(0, 1).float()
        return ((latents - mean) / deviation).to(frames.device)


class Decoder:
    """Latents of one video in, pixel frames out: one for its first latent frame, four for each further one."""

    def __init__(self, vae: WanVae) -> None:
        self._vae = vae
        self._cache: list[Any] = [None] * sum(1 for _ in vae.network.decoder.modules())
        self._done = 0

    def push(self, latents: Tensor) -> Tensor:
        """(n, C, h, w) normalised, n >= 0 -> their pixel frames (m, 3, H, W) float32 in [0, 1]."""
        vae = self._vae
        height, width = latents.shape[-2:]
        made = [torch.zeros(0, 3, height * vae.side, width * vae.side, device=latents.device)]
        made += [self._decode(latent) for latent in latents]
        return torch.cat(made)

    @torch.no_grad()
    def _decode(self, latent: Tensor) -> Tensor:
        """(C, h, w) -> (1 or 4, 3, H, W)."""
        network = self._vae.network
        like = next(network.parameters())
        mean, deviation = self._vae.constants()
        z = network.post_quant_conv((latent.to(mean) * deviation + mean).to(like)[None, :, None])
        first = self._done == 0
        x = network.decoder(z, feat_cache=self._cache, feat_idx=[0], first_chunk=first)
        self._done += 1
        return ((x[0].transpose(0, 1).float() + 1) / 2).clamp(0, 1).to(latent.device)


def load_vae(
    path: Path, sizes: VaeSizes | None = None, *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> WanVae:
    """The codec from weights that :mod:`mag_model.wan.weights.store` keeps."""
    from mag_model.wan.state_dict import check_shapes, read_safetensors

    network = empty_vae(sizes or VaeSizes())
    tensors = read_safetensors(path)
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    check_shapes(path, {name: tuple(value.shape) for name, value in tensors.items()}, wanted)
    network.load_state_dict(tensors)
    return WanVae(placed(network, device, dtype))


def check_sides(height: int, width: int, unit: int) -> None:
    """Refuse a picture whose sides are not multiples of ``unit`` pixels: the codec's 8, or 16 with the patches."""
    if height % unit or width % unit or not height or not width:
        near = "x".join(str(max(round(side / unit), 1) * unit) for side in (width, height))
        raise MagbenchError(f"frames of {width}x{height}: both sides must be multiples of {unit}, as {near} is")
