"""What a rollout, and training, ask of a backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from mag_model.memory.attention import Attention
from mag_model.memory.frame_kv import Cameras
from mag_model.rope import Rope


class Pass(Protocol):
    """Forward passes over certain frames."""

    def __call__(self, latents: Tensor, sigma: Tensor, attention: Attention) -> Tensor:
        """One pass over whole blocks.

        Args:
            latents: (B, F, C, h, w) float32, noised to ``sigma``.
            sigma: (B, F) noise level in [0, 1]; 0 = clean, which is how history is written.
            attention: what the tokens attend to.
        Returns:
            (B, F, C, h, w) float32 predicted clean latents.
        """
        ...


class Denoiser(Protocol):
    """A backbone that has been told what to show (text, cameras) and at which resolution."""

    @property
    def block(self) -> int:
        """Latent frames made together."""
        ...

    @property
    def sigmas(self) -> Sequence[float]:
        """Noise levels of its denoising steps, descending."""
        ...

    @property
    def rolling_window_blocks(self) -> int:
        """Blocks in the making at once; the number of steps is a multiple of it."""
        ...

    @property
    def cameras(self) -> Cameras | None:
        """Of the clip's frames, for policies that look at them; None if there are none to tell."""
        ...

    @property
    def rope(self) -> Rope:
        """How its queries and keys turn."""
        ...

    def at(self, frame: Tensor) -> Pass:
        """All passes over the frames ``frame``, (F,) int64 absolute indices in whole blocks, on the CPU."""
        ...
