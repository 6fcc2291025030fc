"""Few bits a number, around any other policy: keys and values are stored in 8 or 4 bits, and read as they then are.

See :mod:`mag_model.memory.quantise` for the form and its source. A policy given ``bits`` is this: ``mag:bits=4``. What
is stored for a block is all that fewer bits change: the pass at hand still computes as the network does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mag_model.memory.policy import CachePolicy, FullHistory
from mag_model.memory.quantise import OVERHEAD, rounded

if TYPE_CHECKING:
    from torch import Tensor

    from mag_model.memory.frame_kv import FrameKV


@dataclass(frozen=True)
class Quantised(CachePolicy):
    """Keep what another policy keeps (every frame, unless one is given), in ``bits`` bits a number.

    Attributes:
        stored: bits, 8 or 4.
        of: the other policy.
    """

    stored: int = 8
    of: CachePolicy = field(default_factory=FullHistory)

    def __post_init__(self) -> None:
        if self.stored not in (4, 8):
            raise ValueError(f"{self.stored} bits; 8 and 4 are known")
        looks = ("uses_content", "uses_queries", "uses_cameras")
        for name in (*looks, "reindexes", "packs", "notes", "mixes", "untrained"):
            object.__setattr__(self, name, getattr(self.of, name))

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        import torch

        kept = self.of.write(past, block)
        if not kept.k.is_floating_point():  # frame indices alone are followed
            return kept
        k, v = rounded(torch.stack([kept.k, kept.v]), self.stored)
        return replace(kept, k=k, v=v)

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        return self.of.read(past, query)

    def read_to_write(self, past: FrameKV, query: Tensor) -> FrameKV:
        return self.of.read_to_write(past, query)

    @property
    def reads_once(self) -> bool:
        return self.of.reads_once

    def held_at(self, made: int, block: int) -> Tensor:
        return self.of.held_at(made, block)

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        return self.of.covers(held, made, block)

    @property
    def bits(self) -> int:
        return self.stored

    def frame_bytes(self, tokens: int, heads: int, width: int, itemsize: int) -> int:
        return tokens * heads * (2 * (width * self.stored // 8 + OVERHEAD) + 4 * self.notes)
