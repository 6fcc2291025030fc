"""What every metric asks of its input: one check, one message; and frames that are read a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from magbench.core.errors import MagbenchError
from magbench.video.frames import FrameSource

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def check_frames(name: str, frames: Tensor) -> None:
    """Refuse anything but (n > 0, 3, H, W) float32 frames in [0, 1]; `name` stands in the message."""
    shape = tuple(frames.shape)
    if len(shape) != 4 or shape[1] != 3 or 0 in shape:
        raise MagbenchError(f"{name}: frames must be (n, 3, H, W), n > 0, not {shape}")
    if str(frames.dtype) != "torch.float32":
        raise MagbenchError(f"{name}: frames must be float32, not {frames.dtype}")
    low, high = (value.item() for value in frames.aminmax())
    if not (low >= 0 and high <= 1):  # NaN fails every comparison, so it ends here too
        raise MagbenchError(f"{name}: frames must lie in [0, 1], found {low:g} to {high:g}")


def check_same_size(gen: Tensor, truth: Tensor) -> None:
    """Refuse generated and ground-truth frames that `check_frames` refuses or that differ in size."""
    check_frames("generated", gen)
    check_frames("ground truth", truth)
    _check_sizes(gen, truth)


def check_pair(gen: Tensor, truth: Tensor) -> None:
    """Refuse what `check_same_size` refuses, and other than as many generated frames as ground-truth frames."""
    check_same_size(gen, truth)
    _check_counts(gen, truth)


@dataclass(frozen=True, eq=False)
class Pixels:
    """The frames of a source (n, H, W, 3) as if they were a tensor (n, 3, H, W) uint8; those asked for are read."""

    source: FrameSource

    @property
    def shape(self) -> tuple[int, ...]:
        count, height, width, channels = self.source.shape
        return count, channels, height, width

    @property
    def dtype(self) -> torch.dtype:
        import torch

        return torch.uint8

    def __len__(self) -> int:
        return self.source.shape[0]

    def __getitem__(self, index: slice | Tensor) -> Tensor:
        """(k, 3, H, W): the frames at a slice or at (k,) int64 places."""
        import torch

        if isinstance(index, slice):
            chosen: Any = self.source[index]
        else:
            chosen = np.concatenate([self.source[place : place + 1] for place in index.tolist()])
        return torch.from_numpy(np.ascontiguousarray(chosen.transpose(0, 3, 1, 2)))


@dataclass(frozen=True, eq=False)
class Video:
    """(n, 3, H, W) frames, float32 in [0, 1] or uint8, of which a few at a time are made float32.

    A return of 96 frames at 832x480 takes 115 MB in uint8 and four times that in float32.
    """

    name: str  # stands in messages
    frames: Tensor | Pixels

    def __post_init__(self) -> None:
        check_frames(self.name, self.frames[:1] / 255 if str(self.frames.dtype) == "torch.uint8" else self.frames[:])

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> tuple[int, int]:
        """H, W in pixels."""
        height, width = self.frames.shape[2:]
        return height, width

    def part(self, index: slice | Tensor) -> Tensor:
        """(k, 3, H, W) float32 in [0, 1]: the frames at a slice or at (k,) int64 places."""
        chosen = self.frames[index]
        return chosen.float() / 255 if str(chosen.dtype) == "torch.uint8" else chosen


def check_videos(gen: Video, truth: Video) -> None:
    """Refuse videos that `check_pair` would refuse."""
    _check_sizes(gen.frames, truth.frames)
    _check_counts(gen.frames, truth.frames)


def _check_sizes(gen: Tensor | Pixels, truth: Tensor | Pixels) -> None:
    if gen.shape[1:] != truth.shape[1:]:
        sizes = ["x".join(str(side) for side in frames.shape[2:]) for frames in (gen, truth)]
        raise MagbenchError(f"generated frames are {sizes[0]}, ground-truth frames {sizes[1]}")


def _check_counts(gen: Tensor | Pixels, truth: Tensor | Pixels) -> None:
    if len(gen) != len(truth):
        raise MagbenchError(f"{len(gen)} generated frames, but {len(truth)} ground-truth frames")
