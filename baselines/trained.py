"""Ablations whose networks are trained for each setting: block sizes, writers and readers that fit each other, caches.

Those of block sizes and of pairs are of one size but for the block, see the presets ``block1`` to ``block5``, and learn
from the same clips: 60 frames, which every block size divides, so that each sees the same pixels in the same order.
Those of caches are of the size that ships.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from baselines.ablations import OneOfBlock
from baselines.policies.strided import Strided
from mag_model.memory.policy import CachePolicy, FullHistory, Mag, Window
from mag_model.nano.presets import BLOCK_SIZES, PRESETS, Preset
from mag_model.training.data import ClipShape
from mag_model.training.stages import STRETCH, STRETCH_LONG, WIDE, WIDE_LONG, Cycle, Phase, Stage
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
        size: preset of both.
        stages: that are trained: the writer's, where none is there that serves, then the reader's.
    """

    size: str
    stages: tuple[Stage, ...]

    @property
    def preset(self) -> Preset:
        return PRESETS[self.size]

    @property
    def block(self) -> int:
        """Frames of a block."""
        return self.preset.backbone.block

    @property
    def writer(self) -> Stage:
        return self.stages[0]

    @property
    def reader(self) -> Stage:
        return self.stages[-1]


def packed(block: int, name: str, policy: CachePolicy) -> Pair:
    """A memory model for ``policy``, and its reader."""
    writer = memory(f"{name}-memory", block, policy)
    return Pair(f"block{block}", (writer, reader(f"{name}-joint", block, policy, writer.name)))


BLOCKS = {str(block): packed(block, "last", Mag(first_block_whole=False)) for block in BLOCK_SIZES}
"""Block size -> MAG at this size."""

LAST = BLOCKS[str(BLOCK)]
PAIRS = {
    "last": LAST,
    "middle": packed(BLOCK, "middle", OneOfBlock(1)),
    "first": packed(BLOCK, "first", OneOfBlock(0)),
    "untrained, last": Pair(LAST.size, (base(BLOCK), reader("strided", BLOCK, Strided(sink=0), "base"))),
    "last, sink 2": Pair(LAST.size, (LAST.writer, reader("sink-joint", BLOCK, Mag(), LAST.writer.name))),
}
"""Who writes, which frame of a block is kept -> the pair."""

LINEAGE_STEPS = (780, 120)
"""On short clips, then on long ones; of every generator that is trained for its cache."""


def _lineage(
    name: str, policy: CachePolicy, writer: str | None, clips: tuple[ClipShape, ClipShape], start: str = "base"
) -> Pair:
    """A generator for a policy; it begins as a network that ships. ``writer`` None = it writes itself."""
    phases = tuple(Phase(steps, shape) for steps, shape in zip(LINEAGE_STEPS, clips, strict=True))
    cycles = (Cycle(1.2e-3, phases),)
    return Pair("nano", (Stage(name, "next block from what its cache holds", start, writer, policy, cycles),))


LINEAGES = {
    "mag": _lineage("joint", Mag(first_block_whole=False), "memory", (WIDE, WIDE_LONG)),
    "mag, begun as its writer": _lineage("own", Mag(first_block_whole=False), "memory", (WIDE, WIDE_LONG), "memory"),
    "full history": _lineage("full", FullHistory(), None, (WIDE, WIDE_LONG)),
    "strided": _lineage("strided", Strided(sink=0), "base", (WIDE, WIDE_LONG)),
    "window": _lineage("window", Window(), None, (STRETCH, STRETCH_LONG)),
}
"""Cache -> the generator that was trained for it."""


@dataclass(frozen=True)
class PairAblation:
    """What is varied.

    Attributes:
        head: what stands above table and plot, and which setting the others are held against.
        pairs: setting -> what is trained for it.
        rebuilds: whether it is also asked what a block is rebuilt to, and how long a frame takes.
        suite: what it is tried on; None = the long clips.
    """

    head: Heading
    pairs: Mapping[str, Pair]
    rebuilds: bool = False
    suite: str | None = None


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
    "lineage": PairAblation(
        head=Heading(
            title="Caches, each with a generator that was trained for it",
            varies="cache",
            reference="full history",
            about="Every generator begins as the base generator that ships, which has 2,300 steps behind it, and is"
            f" trained for its own cache for {sum(LINEAGE_STEPS)} more, at the same rates and on clips of the same"
            " number and length; those of the window follow one another, the others hold views that come again. *mag*"
            " reads what the memory model that ships wrote, a network with 2,200 steps of its own. *Begun as its"
            " writer*: as in the paper, the generator goes on from that network, and has its 2,200 steps behind it too."
            " *strided* reads the same frames, written by the base generator; *full history* and *window* write their"
            " own memory.",
        ),
        pairs=LINEAGES,
        suite="revisit-nano",
    ),
}
