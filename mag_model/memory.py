"""What a video model remembers: cached keys and values, frame by frame, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class FrameKV:
    """One layer's cached frames.

    Attributes:
        k: (B, F, S, H, D) keys before RoPE: positions are chosen on read.
        v: (B, F, S, H, D) values.
        frame: (F,) int64 absolute latent-frame index, ascending.
    """

    k: Tensor
    v: Tensor
    frame: Tensor

    @classmethod
    def empty(cls, like: FrameKV) -> FrameKV:
        """No frames, with the other sizes of ``like``."""
        return like.select(torch.zeros(0, dtype=torch.int64, device=like.frame.device))

    def select(self, index: Tensor) -> FrameKV:
        """The frames at ``index``: (n,) int64 places, or (F,) bool. All of them cost no copy."""
        if index.dtype == torch.bool and bool(index.all()):
            return self
        return FrameKV(self.k[:, index], self.v[:, index], self.frame[index])

    def append(self, newer: FrameKV) -> FrameKV:
        """These frames, then ``newer``."""
        return FrameKV(
            torch.cat([self.k, newer.k], 1),
            torch.cat([self.v, newer.v], 1),
            torch.cat([self.frame, newer.frame]),
        )

    @property
    def bytes(self) -> int:
        """Bytes of the keys and values."""
        return self.k.nbytes + self.v.nbytes


class Memory:
    """A :class:`FrameKV` per layer: the only mutable object of a rollout. Knows its bytes."""

    def __init__(self) -> None:
        self._layers: list[FrameKV] = []

    @property
    def layers(self) -> Sequence[FrameKV]:
        return self._layers

    @property
    def bytes(self) -> int:
        """Bytes of history held now, all layers together."""
        return sum(layer.bytes for layer in self._layers)

    @property
    def frame(self) -> Tensor:
        """(F,) int64 indices of the frames held; every layer holds the same ones."""
        return self._layers[0].frame if self._layers else torch.zeros(0, dtype=torch.int64)

    def replace(self, layers: Sequence[FrameKV]) -> None:
        """Hold these frames from now on."""
        self._layers = list(layers)
