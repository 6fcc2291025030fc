"""Wan as a denoiser: a network that has been told a text and a resolution."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mag_model.denoiser import Pass
from mag_model.flow import clean_from_flow, sampling_sigmas
from mag_model.memory.attention import Attention
from mag_model.memory.frame_kv import Cameras
from mag_model.rope import Rope
from mag_model.wan.network import TextKV, Wan


@dataclass(frozen=True)
class Prompted:
    """A :class:`mag_model.denoiser.Denoiser`.

    Attributes:
        network: the transformer.
        text: keys and values of the text, one pair a layer; made once.
        grid: rows and columns of tokens in a frame.
        cameras: for policies that look at them; the network is told nothing of them.
    """

    network: Wan
    text: TextKV
    grid: tuple[int, int]
    cameras: Cameras | None = None

    @classmethod
    def by(cls, network: Wan, text: Tensor, size: tuple[int, int], cameras: Cameras | None = None) -> Prompted:
        """Tell a network an encoded text (B, words, text), zero-padded, and the height and width of latent frames.

        Raises:
            ValueError: the patch does not divide the size.
        """
        return cls(network, network.read(text), network.spec.grid(*size), cameras)

    @property
    def block(self) -> int:
        return self.network.spec.block

    @property
    def sigmas(self) -> list[float]:
        return sampling_sigmas(self.network.spec.steps, self.network.spec.shift)

    @property
    def rolling_window_blocks(self) -> int:
        return self.network.spec.rolling_window_blocks

    @property
    def rope(self) -> Rope:
        return self.network.spec.rope(self.grid, self.network.dtype)

    def at(self, frame: Tensor) -> Pass:
        return self._run

    def _run(self, latents: Tensor, sigma: Tensor, attention: Attention) -> Tensor:
        flow = self.network(latents, 1000 * sigma, self.text, attention)
        return clean_from_flow(latents, flow, sigma)
