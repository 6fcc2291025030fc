"""What a model may hand over, as float32 frames: converted where it is unambiguous, refused in one line where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from magbench.core.errors import MagbenchError

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def as_frames(piece: Any, where: str, size: tuple[int, int]) -> Tensor:
    """Convert one piece to (n, 3, H, W) float32 in [0, 1]; a float32 tensor is given back as it is.

    Args:
        piece: a tensor or array (n, 3, H, W): float32, float16, bfloat16 or float64 in [0, 1], or uint8, on any device;
            or a list of such frames (3, H, W).
        where: stands in messages.
        size: (H, W) that is wanted.

    Raises:
        MagbenchError: another layout, type or range. NaN and values beyond rounding are found when pixels are rounded.
    """
    frames = _tensor(piece, where)
    _check_layout(frames, where, size)
    if frames.dtype == torch.float32:
        return frames
    if frames.dtype == torch.uint8:
        return frames.float() / 255
    if frames.dtype in FLOATS:
        return frames.float()
    kinds = ", ".join(str(kind).removeprefix("torch.") for kind in (*FLOATS, torch.uint8))
    raise MagbenchError(f"{where} is {frames.dtype}, one of {kinds} wanted")


def _tensor(piece: Any, where: str) -> Tensor:
    if isinstance(piece, Tensor):
        return piece
    if isinstance(piece, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(piece))
    if isinstance(piece, list) and piece:
        frames = [_tensor(frame, where) for frame in piece]
        if {frame.ndim for frame in frames} == {3} and len({frame.shape for frame in frames}) == 1:
            return torch.stack(frames)
        shapes = sorted({tuple(frame.shape) for frame in frames})
        raise MagbenchError(f"{where} is a list of shapes {', '.join(map(str, shapes))}, frames (3, H, W) wanted")
    raise MagbenchError(f"{where} is a {type(piece).__name__}, a tensor or array (n, 3, H, W) wanted")


def _check_layout(frames: Tensor, where: str, size: tuple[int, int]) -> None:
    height, width = size
    shape = tuple(frames.shape)
    if frames.ndim == 4 and shape[1:] == (3, height, width) and shape[0] > 0:
        return
    wanted = f"(n, 3, {height}, {width}) wanted"
    if frames.ndim == 4 and shape[1:] == (height, width, 3):
        raise MagbenchError(f"{where} has shape {shape}: channels come last; {wanted}")
    raise MagbenchError(f"{where} has shape {shape}, {wanted}")
