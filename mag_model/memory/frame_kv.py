"""One layer's cached frames, as a policy sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FrameKV:
    """One layer's cached frames, as a policy sees them.

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
        import torch

        return like.select(torch.zeros(0, dtype=torch.int64, device=like.frame.device))

    @classmethod
    def numbered(cls, number: Tensor, frame: Tensor) -> FrameKV:
        """Frames that carry a number each, (F,) int64, in place of keys and values; see :meth:`numbers`."""
        content = number.reshape(1, -1, 1, 1, 1)
        return cls(content, content, frame)

    @property
    def numbers(self) -> Tensor:
        """(F,) the numbers that :meth:`numbered` was given, wherever a policy has moved them."""
        return self.k.flatten()

    def select(self, index: Tensor) -> FrameKV:
        """The frames at ``index``: (n,) int64 places, or (F,) bool. All of them cost no copy."""
        import torch

        if index.dtype == torch.bool and bool(index.all()):
            return self
        return FrameKV(self.k[:, index], self.v[:, index], self.frame[index])

    def append(self, newer: FrameKV) -> FrameKV:
        """These frames, then ``newer``."""
        import torch

        return FrameKV(
            torch.cat([self.k, newer.k], 1),
            torch.cat([self.v, newer.v], 1),
            torch.cat([self.frame, newer.frame]),
        )
