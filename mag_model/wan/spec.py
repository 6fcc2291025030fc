"""Every size of a Wan backbone, and how its few-step descendants sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from mag_model.rope import Rope


@dataclass(frozen=True)
class WanSpec:
    """Sizes of Wan2.1's text-to-video transformer, causal or not; by default those of the 1.3B model.

    Attributes:
        dim: width of the residual stream.
        layers: transformer blocks.
        heads: attention heads; ``dim`` is a multiple of it.
        hidden: width inside the feed-forward layer.
        channels: of a latent cell, in and out.
        freq_dim: sinusoids of the timestep.
        text: width of the text encoder's output.
        text_len: text positions; shorter texts are padded with zeros, and attended to without a mask.
        patch: latent frames, rows and columns of a token; one frame.
        eps: of all norms.
        block: latent frames made together.
        steps: denoising timesteps out of 1000, before the shift.
        shift: timestep shift of the flow; 1 = none.
        rolling_window_blocks: blocks in the making at once, each an equal share of the steps behind the one before it;
            1 = a block begins once the one before it is done.
    """

    dim: int = 1536
    layers: int = 30
    heads: int = 12
    hidden: int = 8960
    channels: int = 16
    freq_dim: int = 256
    text: int = 4096
    text_len: int = 512
    patch: tuple[int, int, int] = (1, 2, 2)
    eps: float = 1e-6
    block: int = 3
    steps: tuple[float, ...] = (1000.0, 750.0, 500.0, 250.0)
    shift: float = 5.0
    rolling_window_blocks: int = 1

    def __post_init__(self) -> None:
        if self.dim % self.heads or self.head_dim % 2:
            raise ValueError(f"dim {self.dim} does not split into {self.heads} heads of even width")
        if self.patch[0] != 1:
            raise ValueError(f"patch {self.patch} joins latent frames; a cache keeps frames apart")
        if len(self.steps) % self.rolling_window_blocks:
            raise ValueError(
                f"{len(self.steps)} steps cannot be shared among {self.rolling_window_blocks} blocks made together"
            )

    @classmethod
    def published(cls, config: Mapping[str, Any]) -> WanSpec:
        """The sizes in a published ``config.json``; what it does not state is as in the 1.3B model."""
        names = {
            **{"dim": "dim", "num_layers": "layers", "num_heads": "heads", "ffn_dim": "hidden", "in_dim": "channels"},
            **{"freq_dim": "freq_dim", "text_dim": "text", "text_len": "text_len", "eps": "eps"},
        }
        return cls(**{ours: config[theirs] for theirs, ours in names.items() if theirs in config})

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of tokens in a latent frame of that size.

        Raises:
            ValueError: the patch does not divide it.
        """
        rows, cols = self.patch[1:]
        if height % rows or width % cols:
            raise ValueError(f"latent frames of {width}x{height} do not split into patches of {cols}x{rows}")
        return height // rows, width // cols

    def rope(self, grid: tuple[int, int], dtype: torch.dtype) -> Rope:
        """Two of every six channels turn with the row and two with the column; the rest turn with time.

        Weights in ``dtype`` float32 or float64 are turned in float64, narrower ones in float32.
        """
        side = 2 * (self.head_dim // 6)
        import torch

        from mag_model.rope import Rope

        exact = dtype in (torch.float32, torch.float64)
        turn = torch.complex128 if exact else torch.complex64
        return Rope((self.head_dim - 2 * side, side, side), grid, turn)


WAN = {
    "1.3B": WanSpec(),
    "14B": WanSpec(dim=5120, layers=40, heads=40, hidden=13824),
}
