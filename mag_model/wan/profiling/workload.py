"""Wan as `magbench profile` times it: a policy, networks, sizes; memory and latents are noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from mag_model.memory.attention import CachedAttention
from mag_model.memory.cache import Memory
from mag_model.memory.frame_kv import Cameras
from mag_model.memory.masks import kept_frames
from mag_model.memory.policy import CachePolicy
from mag_model.nano.camera import to_and_fro
from mag_model.rollout import denoise, rising_levels, seeded, write
from mag_model.wan.denoiser import Prompted
from mag_model.wan.network import Wan, WanSizes
from mag_model.wan.profiling.costs import block_cost, parameters
from mag_model.wan.spec import WanSpec
from mag_model.wan.vae import VaeSizes, WanVae, check_sides, empty_vae, placed
from magbench.models.workload import Placed, WorkloadCost

RESOLUTION = (480, 832)
SIDE = 8
"""Pixels along a side of a latent cell."""

SMALLER = 4
"""By how much sides are divided where there is no GPU."""

REDUCED = WanSpec(dim=192, layers=2, heads=6, hidden=1120, freq_dim=64, text=64, text_len=64)
"""An eighth of the width: at a quarter of the resolution a frame of history then weighs about half as much, against the
linear work, as it does in the 1.3B model at 832x480."""
REDUCED_VAE = VaeSizes(dim=4)


@dataclass(frozen=True)
class Shape:
    """Sizes of a workload.

    Attributes:
        spec: of the transformers.
        vae: of the codec.
        size: (H, W) of a frame in pixels.
        device, dtype: where and in which type.
        note: what was reduced, "" if nothing was.
    """

    spec: WanSpec
    vae: VaeSizes
    size: tuple[int, int]
    device: str
    dtype: torch.dtype
    note: str = ""

    def __str__(self) -> str:
        spec, (height, width) = self.spec, self.size
        kind = str(self.dtype).removeprefix("torch.")
        return f"{width}x{height}, {spec.layers} layers of width {spec.dim}, {kind} on {self.device}{self.note}"

    @property
    def latent(self) -> tuple[int, int]:
        """Height and width of a latent frame."""
        return self.size[0] // SIDE, self.size[1] // SIDE


def shape_of(
    resolution: tuple[int, int] | None, spec: WanSpec, device: str, dtype: torch.dtype, *, reducible: bool
) -> Shape:
    """The sizes that are asked for; with ``reducible``, those of a small likeness where there is no GPU.

    Raises:
        MagbenchError: the codec's cells and the patches do not divide a side.
    """
    height, width = resolution or RESOLUTION
    unit = SIDE * max(spec.patch[1:])
    check_sides(height, width, unit)
    if device != "cpu" or not reducible:
        return Shape(spec, VaeSizes(), (height, width), device, dtype)
    size = (_smaller(height, unit), _smaller(width, unit))
    note = f" (reduced, for want of a GPU, from {width}x{height}, {spec.layers} layers of width {spec.dim})"
    reduced = replace(REDUCED, steps=spec.steps, shift=spec.shift, rolling_window_blocks=spec.rolling_window_blocks)
    return Shape(reduced, REDUCED_VAE, size, device, dtype, note)


def _smaller(side: int, unit: int) -> int:
    return max(round(side / SMALLER / unit), 1) * unit


@dataclass(frozen=True)
class Networks:
    """What takes part. ``codec`` is read when it is asked for."""

    generator: Wan
    writer: Wan
    codec: Callable[[], WanVae]


@cache
def random_networks(shape: Shape) -> Networks:
    """Seeded weights, the same networks for every policy; the generator writes the memory."""
    network = random_wan(shape.spec, shape.device, shape.dtype)
    return Networks(network, network, lambda: random_codec(shape))


def random_wan(spec: WanSpec, device: str, dtype: torch.dtype, seed: int = 0) -> Wan:
    """A network with seeded weights, made where they stay."""
    random = torch.Generator(device).manual_seed(seed)
    with torch.device("meta"):
        network = Wan(spec)
    weights = {
        name: torch.empty(shape, device=device, dtype=dtype).normal_(0, 0.02, generator=random)
        for name, shape in WanSizes(spec).shapes().items()
    }
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


def random_codec(shape: Shape) -> WanVae:
    """A codec with seeded weights; the random numbers of others are left alone."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return WanVae(placed(empty_vae(shape.vae), shape.device, shape.dtype))


class WanWorkload:
    """A :class:`magbench.models.workload.Workload`."""

    def __init__(self, name: str, policy: CachePolicy, shape: Shape, networks: Networks) -> None:
        self.name, self.shape = name, str(shape)
        self.device, self.dtype = shape.device, shape.dtype
        self.block, self.pixels = shape.spec.block, 4 * shape.spec.block
        self._sizes, self._policy, self._networks = shape, policy, networks

    def behind(self, frames: int) -> Placed:
        spec, latent, policy = self._sizes.spec, self._sizes.latent, self._policy
        rows, cols = spec.grid(*latent)
        start, window = frames - spec.block, spec.rolling_window_blocks * spec.block
        held = kept_frames(policy, start // spec.block, spec.block)
        like = torch.zeros(1, rows * cols, spec.heads, spec.head_dim, device=self.device, dtype=self.dtype)
        memory = Memory.made_up(spec.layers, like, held, room=window, seed=0, bits=policy.bits)
        memory.cameras = Cameras(to_and_fro(start + window, 3), torch.arange(start + window))
        nothing = torch.zeros(1, window, spec.channels, *latent, device=self.device)
        text = torch.zeros(1, spec.text_len, spec.text, device=self.device)
        with torch.no_grad():
            generator = Prompted.by(self._networks.generator, text, latent)
            writer = generator
            if self._networks.writer is not self._networks.generator:
                writer = Prompted.by(self._networks.writer, text, latent)

        before = [(layer.frame, layer.note, layer.packed) for layer in memory.layers]
        frame, levels = torch.arange(start, start + window), rising_levels(generator)

        @torch.inference_mode()
        def make() -> Tensor:
            for layer, (frames, note, packed) in zip(memory.layers, before, strict=True):
                layer.frame, layer.note, layer.packed = frames, note, packed
            attention = CachedAttention(memory, policy, generator.rope, frame, self.device)
            made = denoise(generator.at(frame), attention, nothing, levels, seeded(0))
            block = made[:, : spec.block]
            write(writer, policy, memory, attention, frame[: spec.block], block)
            return block

        return Placed(make, lambda: memory.allocated)

    def cost(self, frames: int) -> WorkloadCost:
        spec, networks = self._sizes.spec, self._networks
        cost = block_cost(spec, spec.grid(*self._sizes.latent), self._policy, frames, self.dtype.itemsize)
        copies = 1 if networks.writer is networks.generator else 2
        weights = copies * parameters(spec) * self.dtype.itemsize
        return WorkloadCost(cost.flops, cost.moved, cost.attended, weights)

    def decoder(self) -> Callable[[], Tensor]:
        latents = torch.zeros(self.block, self._sizes.spec.channels, *self._sizes.latent, device=self.device)
        decoder = self._networks.codec().decoder()
        decoder.push(latents)
        return lambda: decoder.push(latents)
