"""One layer's cached frames, as a policy sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Cameras:
    """Where the camera stood in each frame of a clip.

    Attributes:
        pose: (B, T, P) cameras.
        frame: (T,) int64 ascending absolute indices of their frames. Frames beyond the last one have its camera.
    """

    pose: Tensor
    frame: Tensor

    def of(self, frame: Tensor) -> Tensor:
        """(B, F, P) the cameras of the frames ``frame`` (F,)."""
        import torch

        return self.pose[:, torch.searchsorted(self.frame, frame.clamp(max=int(self.frame[-1])))]


@dataclass(frozen=True)
class FrameKV:
    """One layer's cached frames, as a policy sees them.

    Attributes:
        k: (B, F, S, H, D) keys: after RoPE at their own indices if the policy never reads them at others, else before
            it.
        v: (B, F, S, H, D) values.
        frame: (F,) int64 absolute latent-frame index, ascending.
        cameras: of all frames of the clip; None where the backbone is told none.
        q: (B, F, S, H, D) queries of the pass that wrote the frames, turned as ``k`` is; only of the newest block, and
            only for a policy that uses them.
        note: (B, F, S, H) float32, what a policy noted about each token and head; None where it notes nothing.
    """

    k: Tensor
    v: Tensor
    frame: Tensor
    cameras: Cameras | None = None
    q: Tensor | None = None
    note: Tensor | None = None

    @classmethod
    def empty(cls, like: FrameKV) -> FrameKV:
        """No frames, with the other sizes of ``like``."""
        import torch

        return like.select(torch.zeros(0, dtype=torch.int64, device=like.frame.device))

    @classmethod
    def numbered(cls, number: Tensor, frame: Tensor, cameras: Cameras | None = None) -> FrameKV:
        """Frames that carry a number each, (F,) int64, in place of keys and values; see :meth:`numbers`."""
        content = number.reshape(1, -1, 1, 1, 1)
        return cls(content, content, frame, cameras)

    @property
    def numbers(self) -> Tensor:
        """(F,) the numbers that :meth:`numbered` was given, wherever a policy has moved them."""
        return self.k.flatten()

    def select(self, index: Tensor) -> FrameKV:
        """The frames at ``index``: (n,) int64 places, or (F,) bool. All of them cost no copy."""
        import torch

        if index.dtype == torch.bool and bool(index.all()):
            return self
        q, note = (None if part is None else part[:, index] for part in (self.q, self.note))
        return replace(self, k=self.k[:, index], v=self.v[:, index], frame=self.frame[index], q=q, note=note)

    def append(self, newer: FrameKV) -> FrameKV:
        """These frames, then ``newer``. Notes of frames without any are 0; queries are left out."""
        import torch

        note = None
        if self.note is not None or newer.note is not None:
            note = torch.cat([self.notes(), newer.notes()], 1)
        return FrameKV(
            torch.cat([self.k, newer.k], 1),
            torch.cat([self.v, newer.v], 1),
            torch.cat([self.frame, newer.frame]),
            self.cameras or newer.cameras,
            note=note,
        )

    def notes(self) -> Tensor:
        """(B, F, S, H) float32: the notes, 0 where there are none."""
        import torch

        return torch.zeros(self.k.shape[:-1], device=self.k.device) if self.note is None else self.note
