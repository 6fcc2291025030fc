"""What `magbench profile` asks of a model whose sizes are known: a block behind a clip of any length, and its cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class WorkloadCost:
    """The cost of a block with all its passes, computed from sizes alone.

    Attributes:
        flops: floating-point operations; a multiplication with its addition counts as two.
        moved: bytes that must at least be moved.
        history_bytes: keys and values in reach, those of the block included.
        weights_bytes: of the networks that take part.
    """

    flops: int
    moved: int
    history_bytes: int
    weights_bytes: int


@dataclass(frozen=True)
class Placed:
    """A model with a full history behind it. Nothing else refers to it, so that dropping it frees the memory.

    Attributes:
        make: makes the block; can be called again, behind the same history.
        allocated: bytes of the buffers that hold keys and values now.
    """

    make: Callable[[], Tensor]
    allocated: Callable[[], int]


class Workload(Protocol):
    """A model at fixed sizes, on its device.

    Attributes:
        name: of the model.
        shape: its sizes, in a line.
        block: latent frames made together.
        pixels: frames of video in a block.
        device, dtype: where and in which type it computes.
    """

    name: str
    shape: str
    block: int
    pixels: int
    device: str
    dtype: torch.dtype

    def behind(self, frames: int) -> Placed:
        """Prepare the last block of a clip of ``frames`` latent frames, behind a synthetic history of the others."""
        ...

    def cost(self, frames: int) -> WorkloadCost:
        """Compute the cost of the last block of a clip of ``frames`` latent frames."""
        ...

    def decoder(self) -> Callable[[], Tensor]:
        """Give a function that decodes the latents of one block, in the middle of a video, into frames."""
        ...
