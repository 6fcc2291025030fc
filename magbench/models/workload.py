"""What `magbench profile` asks of a model whose sizes are known: a block behind a clip of any length, and its price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Price:
    """What sizes alone say of a block and all its passes.

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
    """A model behind a history that fills its memory. Held by nobody else, so that dropping it frees the memory.

    Attributes:
        make: makes the block; can be said again, behind the same history.
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
        """Ready to make the last block of a clip of ``frames`` latent frames, the others made-up memory."""
        ...

    def price(self, frames: int) -> Price:
        """What the last block of a clip of ``frames`` latent frames costs."""
        ...

    def decoder(self) -> Callable[[], Tensor]:
        """What turns the latents of one block, in the middle of a video, into frames."""
        ...
