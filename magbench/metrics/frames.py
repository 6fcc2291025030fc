"""What every metric asks of its input: one check, one message."""

from __future__ import annotations

from torch import Tensor, float32

from magbench.errors import MagbenchError


def check_frames(name: str, frames: Tensor) -> None:
    """Refuse anything but (n > 0, 3, H, W) float32 frames in [0, 1]; `name` stands in the message."""
    shape = tuple(frames.shape)
    if len(shape) != 4 or shape[1] != 3 or 0 in shape:
        raise MagbenchError(f"{name}: frames must be (n, 3, H, W), n > 0, not {shape}")
    if frames.dtype != float32:
        raise MagbenchError(f"{name}: frames must be float32, not {frames.dtype}")
    low, high = (value.item() for value in frames.aminmax())
    if not (low >= 0 and high <= 1):  # NaN fails every comparison, so it ends here too
        raise MagbenchError(f"{name}: frames must lie in [0, 1], found {low:g} to {high:g}")


def check_same_size(gen: Tensor, truth: Tensor) -> None:
    """Refuse generated and ground-truth frames that `check_frames` refuses or that differ in size."""
    check_frames("generated", gen)
    check_frames("ground truth", truth)
    if gen.shape[1:] != truth.shape[1:]:
        sizes = ["x".join(str(side) for side in frames.shape[2:]) for frames in (gen, truth)]
        raise MagbenchError(f"generated frames are {sizes[0]}, ground-truth frames {sizes[1]}")


def check_pair(gen: Tensor, truth: Tensor) -> None:
    """As `check_same_size`, and as many generated frames as ground-truth frames."""
    check_same_size(gen, truth)
    if len(gen) != len(truth):
        raise MagbenchError(f"{len(gen)} generated frames, but {len(truth)} ground-truth frames")
