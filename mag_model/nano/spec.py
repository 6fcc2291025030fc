"""Every size of a backbone, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from mag_model.rope import Rope


@dataclass(frozen=True)
class BackboneSpec:
    """Sizes of a causal diffusion transformer.

    Attributes:
        dim: width of the residual stream.
        layers: transformer blocks.
        heads: attention heads; ``dim`` is a multiple of it.
        hidden: width inside the feed-forward layer.
        channels: numbers of one latent token.
        grid: rows and columns of tokens in a frame.
        block: latent frames made together.
        pose: camera numbers a frame.
        rope: of the head dimension, how many channels turn with time, row and column; the others do not turn.
        shift: timestep shift of the flow (paper: 5).
        words: vocabulary of the text; empty = the network takes no text.
        steps: denoising timesteps out of 1000, before the shift (paper: 1000, 750, 500, 250).
    """

    dim: int
    layers: int
    heads: int
    hidden: int
    channels: int
    grid: tuple[int, int]
    block: int
    pose: int
    rope: tuple[int, int, int]
    shift: float = 5.0
    words: tuple[str, ...] = ()
    steps: tuple[float, ...] = (1000.0, 750.0, 500.0, 250.0)

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} is not a multiple of heads {self.heads}")
        if any(part % 2 for part in self.rope) or sum(self.rope) > self.head_dim:
            raise ValueError(f"rope {self.rope} must be even numbers that fit in the head dimension {self.head_dim}")

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads

    @property
    def turning(self) -> Rope:
        """How queries and keys turn."""
        return Rope(self.rope, self.grid)

    @property
    def tokens(self) -> int:
        """Tokens a frame."""
        return self.grid[0] * self.grid[1]
