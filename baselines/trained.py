"""Ablations whose networks are trained for each setting: block sizes, and writers and readers that fit each other.

All are of one size but for the block, see the presets ``block1`` to ``block5``, and learn from the same clips: 60
frames, which every block size divides, so that each sees the same pixels in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from baselines.ablations import OneOfBlock
from baselines.policies.strided import Strided
from mag_model.memory.policy import CachePolicy, FullHistory, Mag
from mag_model.nano.presets import BLOCK_SIZES, PRESETS, Preset
from mag_model.training.data import ClipShape
from mag_model.training.stages import Cycle, Phase, Stage
from magbench.report.settings import Heading

FRAMES, BATCH = 60, 2
WRITER_STEPS, READER_STEPS = 450, 200
"""Every pair has as many behind it, trained in this order."""
BLOCK = 3
"""Frames of a block where that is not what is varied."""


def _cycles(block: int, rate: float, steps: int, own_block: float = 0.0) -> tuple[Cycle, ...]:
    return (Cycle(rate, (Phase(steps, ClipShape(FRAMES // block, BATCH), own_block),)),)


def base(block: int) -> Stage:
    """The next block from full history, which the network writes itself."""
    return Stage(
        "base", "next block from full history", None, None, FullHistory(), _cycles(block, 1.5e-3, WRITER_STEPS)
    )


def memory(name: str, block: int, policy: CachePolicy) -> Stage:
    """Every block rebuilt from what ``policy`` keeps of blocks up to itself; it begins from nothing."""
    cycles = _cycles(block, 1.5e-3, WRITER_STEPS, own_block=0.6)
    return Stage(name, "every block rebuilt from its kept frame", None, None, policy, cycles, probe=1.0)


def reader(name: str, block: int, policy: CachePolicy, writer: str) -> Stage:
    """The next block from what the frozen ``writer`` wrote; it begins as the writer."""
    return Stage(name, "next block from kept frames", writer, writer, policy, _cycles(block, 1.2e-3, READER_STEPS))


@dataclass(frozen=True)
class Pair:
    """A writer and the reader that was trained on what it writes.

    Attributes:
        block: frames of a block.
        stages: the writer's, then the reader's.
    """

    block: int
    stages: tuple[Stage, Stage]

    @property
    def preset(self) -> Preset:
        return PRESETS[f"block{self.block}"]

    @property
    def writer(self) -> Stage:
        return self.stages[0]

    @property
    def reader(self) -> Stage:
        return self.stages[-1]


def packed(block: int, name: str, policy: CachePolicy) -> Pair:
    """A memory model for ``policy``, and its reader."""
    writer = memory(f"{name}-memory", block, policy)
    return Pair(block, (writer, reader(f"{name}-joint", block, policy, writer.name)))


BLOCKS = {str(block): packed(block, "last", Mag(first_block_whole=False)) for block in BLOCK_SIZES}
"""Block size -> MAG at this size."""

LAST = BLOCKS[str(BLOCK)]
PAIRS = {
    "last": LAST,
    "middle": packed(BLOCK, "middle", OneOfBlock(1)),
    "first": packed(BLOCK, "first", OneOfBlock(0)),
    "untrained, last": Pair(BLOCK, (base(BLOCK), reader("strided", BLOCK, Strided(sink=0), "base"))),
    "last, sink 2": Pair(BLOCK, (LAST.writer, reader("sink-joint", BLOCK, Mag(), LAST.writer.name))),
}
"""Who writes, which frame of a block is kept -> the pair."""


@dataclass(frozen=True)
class PairAblation:
    """What is varied.

    Attributes:
        head: what stands above table and plot, and which setting the others are held against.
        pairs: setting -> what is trained for it.
        rebuilds: whether it is also asked what a block is rebuilt to, and how long a frame takes.
    """

    head: Heading
    pairs: Mapping[str, Pair]
    rebuilds: bool = False


SAME = (
    f" Each pair is trained from nothing, the writer for {WRITER_STEPS} steps and its reader for {READER_STEPS} more,"
    f" on the same {BATCH} clips of {FRAMES} frames a step, and tried on paths of {FRAMES} frames out and {FRAMES} back"
    " over the test scenes of revisit-nano. All networks are of one size (preset `block3` and its like), and all"
    " latents go through one codec of 48 numbers for a patch of 16x16 pixels."
)

ABLATIONS = {
    "block": PairAblation(
        head=Heading(
            title="Block size",
            varies="block",
            reference="3",
            about="The last frame of each block stays, so that a block of n frames is packed n to 1. *Rebuilt*: each"
            " block of the true return from its own kept frame alone, by the memory model, in one pass. *Generated*:"
            " the return, behind the true way out." + SAME,
        ),
        pairs=BLOCKS,
        rebuilds=True,
    ),
    "pair": PairAblation(
        head=Heading(
            title="Writers and readers that were trained for each other",
            varies="writer, kept frame",
            reference="last",
            about="Blocks of three frames, of which one is kept. *first*, *middle*, *last*: a memory model that was"
            " trained to pack a block into this frame. *untrained*: the base generator writes as it does for full"
            " history, and the reader was trained to make the most of it. *sink 2*: the first block whole, and a reader"
            " trained so." + SAME,
        ),
        pairs=PAIRS,
    ),
}
