"""What passes of Wan cost, counted from its sizes: floating-point operations, bytes of history, bytes moved.

A multiplication with its addition counts as two operations. Element-wise work and the text, read once, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from mag_model.memory.masks import reach
from mag_model.memory.policy import CachePolicy, FullHistory
from mag_model.wan.spec import WanSpec

FULL_HISTORY = FullHistory()


@dataclass(frozen=True)
class PassFlops:
    """Operations of one pass over some frames of one clip.

    Attributes:
        linear: all projections, the patches and the modulation.
        cross: attention to the text.
        own: attention of the frames to each other.
        history: attention to the frames of the history.
    """

    linear: int
    cross: int
    own: int
    history: int

    @property
    def total(self) -> int:
        return self.linear + self.cross + self.own + self.history


def pass_flops(spec: WanSpec, grid: tuple[int, int], frames: int, history: int) -> PassFlops:
    """Count a pass over ``frames`` frames with ``grid`` rows and columns of tokens, behind ``history`` frames."""
    frame = grid[0] * grid[1]
    tokens, cells = frames * frame, spec.patch[1] * spec.patch[2] * spec.channels
    layer = 6 * spec.dim**2 + 2 * spec.dim * spec.hidden
    modulation = frames * spec.dim * (spec.freq_dim + 7 * spec.dim)
    attention = 4 * tokens * spec.dim * spec.layers
    return PassFlops(
        linear=2 * (tokens * (spec.layers * layer + 2 * spec.dim * cells) + modulation),
        cross=attention * spec.text_len,
        own=attention * tokens,
        history=attention * frame * history,
    )


def frame_bytes(spec: WanSpec, grid: tuple[int, int], itemsize: int, policy: CachePolicy = FULL_HISTORY) -> int:
    """Bytes of one latent frame in a policy's cache, all layers; the network's numbers have ``itemsize`` bytes."""
    return spec.layers * policy.frame_bytes(grid[0] * grid[1], spec.heads, spec.dim // spec.heads, itemsize)


def parameters(spec: WanSpec) -> int:
    """Numbers in the weights."""
    cells = spec.patch[1] * spec.patch[2] * spec.channels
    attention = 4 * spec.dim * (spec.dim + 1) + 2 * spec.dim
    feed_forward = 2 * spec.dim * spec.hidden + spec.hidden + spec.dim
    layer = 2 * attention + feed_forward + 8 * spec.dim
    embeddings = (cells + spec.text + spec.dim + spec.freq_dim + spec.dim + 6 * spec.dim) * spec.dim + 11 * spec.dim
    head = spec.dim * cells + cells + 2 * spec.dim
    return spec.layers * layer + embeddings + head


@dataclass(frozen=True)
class BlockCost:
    """What a late block costs: the passes until it is done, and the pass that writes it.

    Attributes:
        flops: operations of all passes.
        attended: bytes of the keys and values that are in reach of a pass, at most, its own included.
        held: bytes of keys and values that are kept once it is written.
        moved: bytes that all passes must at least move: weights, history and own keys and values, once a pass.
    """

    flops: int
    attended: int
    held: int
    moved: int


def block_cost(spec: WanSpec, grid: tuple[int, int], policy: CachePolicy, frames: int, itemsize: int = 2) -> BlockCost:
    """Count what the last block costs of a clip of ``frames`` latent frames, a multiple of the block.

    Where blocks are made together, of the block that ends there in the middle of a longer clip: as many passes over all
    of them as lie between one block's end and the next one's.
    """
    frame, weights = frame_bytes(spec, grid, itemsize), itemsize * parameters(spec)
    found = reach(policy, frames // spec.block, spec.block, spec.rolling_window_blocks)
    passes = len(spec.steps) // spec.rolling_window_blocks
    window = spec.rolling_window_blocks * spec.block
    making = pass_flops(spec, grid, window, found.making)
    writing = pass_flops(spec, grid, spec.block, found.writing)
    seen = [(found.making + window) * frame] * passes + [(found.writing + spec.block) * frame]
    return BlockCost(
        flops=passes * making.total + writing.total,
        attended=max(seen),
        held=found.held * frame_bytes(spec, grid, itemsize, policy),
        moved=len(seen) * weights + sum(seen),
    )
