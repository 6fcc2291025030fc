"""Geometric compression by age, as in FramePack (arXiv 2504.12626): the older a frame, the coarser its patches.

The newest ``whole`` frames stay as they are. Before them come ``each`` places that hold two frames, then ``each`` that
hold four, and so on: a place holds as many tokens as a frame, each of them the mean of as many adjacent tokens as the
place holds frames. So all of history stays, in a number of places that grows with its logarithm. Departs from the
source, which cuts patches anew and trains the network: here keys (after RoPE) and values are averaged, and patches grow
along the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Geometric(CachePolicy):
    """Keep the newest ``whole`` frames as they are, and older ones twice as coarse for every doubling of the age.

    Attributes:
        each: places of each coarseness.
    """

    whole: int = 6
    each: int = 2
    reindexes: ClassVar[bool] = False
    mixes: ClassVar[bool] = True
    untrained: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.whole < 1 or self.each < 1:
            raise ValueError(f"{self.whole} whole frames and {self.each} places of a kind; both must be at least 1")

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        merged, end = past.append(block), int(block.frame[-1]) + 1
        while (place := self._too_many(_spans(merged.frame.tolist(), end))) is not None:
            merged = _joined(merged, place)
        return merged

    def _too_many(self, spans: list[int]) -> int | None:
        """The first of two places to be joined, the older ones of the finest kind that has too many; None if none."""
        for span in sorted(set(spans)):
            places = [place for place, found in enumerate(spans) if found == span]
            if len(places) > (self.whole if span == 1 else self.each) + 1:
                return places[0]
        return None

    def held_at(self, made: int, block: int) -> Tensor:
        import torch

        spans: list[int] = []
        came, span, most = made, 1, self.whole + 1
        while came:
            joined = max(0, -(-(came - most) // 2))
            spans += [span] * (came - 2 * joined)
            came, span, most = joined, 2 * span, self.each + 1
        return made - torch.tensor(spans, dtype=torch.int64).cumsum(0).flip(0)

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """All frames, however coarse."""
        import torch

        return torch.arange(made)


def _spans(frame: list[int], end: int) -> list[int]:
    """How many frames each place holds; ``frame`` has the first one of each, ``end`` follows the last one."""
    first = [*frame, end]
    return [after - before for before, after in zip(first[:-1], first[1:], strict=True)]


def _joined(frames: FrameKV, place: int) -> FrameKV:
    """Two adjacent places made one, each token the mean of two."""
    import torch

    def halved(x: Tensor) -> Tensor:
        tokens = x[:, place : place + 2].flatten(1, 2)
        mean = tokens.unflatten(1, (-1, 2)).float().mean(2).to(x.dtype)[:, None]
        return torch.cat([x[:, :place], mean, x[:, place + 2 :]], 1)

    index = torch.cat([frames.frame[: place + 1], frames.frame[place + 2 :]])
    return FrameKV(halved(frames.k), halved(frames.v), index, frames.cameras)
