"""What stays in the cache. A policy never sees a network; a network never sees a policy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mag_model.memory.frame_kv import FrameKV

if TYPE_CHECKING:
    from torch import Tensor


class CachePolicy(ABC):
    """What a cache keeps and what is read from it. Subclasses are frozen dataclasses; their fields are all they know.

    All methods are pure, so that training and inference share them.

    Attributes:
        uses_content: whether keys and values matter to it. If not, it only chooses among frames, the same in each
            layer, and the memory hands it numbers instead of contents.
        reindexes: whether it reads frames at other indices than their own. If not, keys are turned once and for all
            when they are written.
        packs: whether the frames that it keeps hold a whole block each, if a trained memory network writes them.
        uses_queries: whether ``write`` looks at the queries of the newest block (``block.q``).
        uses_cameras: whether it looks at cameras of 3 numbers a frame: x, y and logarithm of the width of a view.
        notes: whether it notes a number about each token and head of a frame.
        mixes: whether one place of its cache may hold several frames at once, averaged.
        untrained: whether its source trained the network for it; here it meets weights that were not.
    """

    uses_content: ClassVar[bool] = True
    reindexes: ClassVar[bool] = True
    packs: ClassVar[bool] = False
    uses_queries: ClassVar[bool] = False
    uses_cameras: ClassVar[bool] = False
    notes: ClassVar[bool] = False
    mixes: ClassVar[bool] = False
    untrained: ClassVar[bool] = False

    @abstractmethod
    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        """Once per block and layer: the cache after ``block`` (all frames of the newest block) was made."""

    def read(self, past: FrameKV, query: Tensor) -> FrameKV:
        """Once per block and layer: what the block with frames ``query`` (F,) attends to, and at which indices.

        Where several blocks are made together, ``query`` has the frames of all of them.
        """
        return past

    def read_to_write(self, past: FrameKV, query: Tensor) -> FrameKV:
        """The same for the pass that writes the block with frames ``query`` (F,)."""
        return self.read(past, query)

    def covers(self, held: Tensor, made: int, block: int) -> Tensor:
        """(T,) int64: the frames whose views the frames ``held`` (F,) hold, at most.

        Their own; their blocks', if the policy packs. A policy that chooses by contents says which could be there.

        Args:
            made: frames that were made so far, the last block of ``block`` frames included.
        """
        if not self.packs:
            return held
        import torch

        size = torch.arange(block)
        return torch.unique((held // block * block)[:, None] + size)

    def held_at(self, made: int, block: int) -> Tensor:
        """(F,) int64: the frames of the cache once ``made`` frames are, a multiple of ``block``.

        Here by walking there; a policy that can say it at once overrides this.
        """
        import torch

        frame = torch.arange(made)
        past = FrameKV.empty(FrameKV.numbered(frame[:block], frame[:block]))
        for newest in frame.split(block):
            past = self.write(past, FrameKV.numbered(newest, newest))
        return past.frame

    @property
    def bits(self) -> int | None:
        """Bits of a number in the cache; None = as the network computes."""
        return None

    def frame_bytes(self, tokens: int, heads: int, width: int, itemsize: int) -> int:
        """Bytes of one frame of one layer in the cache.

        Args:
            width: channels of a head.
            itemsize: bytes of a number of the network.
        """
        return tokens * heads * (2 * width * itemsize + 4 * self.notes)

    @property
    def chooses(self) -> bool:
        """Whether some of what is kept may not be read, or be read otherwise."""
        return not self.reads_once or type(self).read is not CachePolicy.read

    @property
    def reads_once(self) -> bool:
        """Whether the pass that writes a block reads what the passes that make it read."""
        return type(self).read_to_write is CachePolicy.read_to_write


class FrameRule(CachePolicy):
    """A policy that decides by frame index alone, and reads frames where they were written."""

    uses_content: ClassVar[bool] = False
    reindexes: ClassVar[bool] = False

    @abstractmethod
    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        """(F,) bool: which of the frames ``frame`` (F,) stay once the frames ``block`` (size of a block,) are made."""

    def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
        merged = past.append(block)
        return merged.select(self.keeps(merged.frame, block.frame))

    def held_at(self, made: int, block: int) -> Tensor:
        """What the rule keeps of all frames: what it once dropped it would never keep again."""
        import torch

        frame = torch.arange(made)
        return frame[self.keeps(frame, frame[-block:])] if made else frame


@dataclass(frozen=True)
class FullHistory(FrameRule):
    """Keep every frame."""

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        import torch

        return torch.ones_like(frame, dtype=torch.bool)


@dataclass(frozen=True)
class Mag(FrameRule):
    """Keep the last frame of each block (MAG, arXiv 2512.18741, section 3).

    The memory is one frame in three only if a trained writer packs the block into that frame.

    Attributes:
        first_block_whole: keep all frames of the first block, as the released inference does.
        recent: how many of the newest blocks are kept whole.
    """

    first_block_whole: bool = True
    recent: int = 0
    packs: ClassVar[bool] = True

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        size = len(block)
        last = frame % size == size - 1
        newest = frame > block[-1] - self.recent * size
        first = (frame < size) & self.first_block_whole
        return last | newest | first
