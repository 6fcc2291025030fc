"""Ablations that train nothing: one choice of MAG's memory varied at a time, on the weights that ship."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from baselines.policies.mag_ring import MagRing
from baselines.policies.strided import Strided
from mag_model.memory.policy import CachePolicy, FrameRule, Mag
from magbench.report.settings import Heading

if TYPE_CHECKING:
    from torch import Tensor

    from mag_model.nano.model import NanoModel

ALL = 999
"""Blocks that no clip has."""


@dataclass(frozen=True)
class OneOfBlock(FrameRule):
    """Keep frame ``place`` of each block, from 0."""

    place: int
    packs: ClassVar[bool] = True

    def keeps(self, frame: Tensor, block: Tensor) -> Tensor:
        return frame % len(block) == self.place


@dataclass(frozen=True)
class Trained:
    """A policy, and the training stages of who reads and who writes; ``name`` is its folder's in a run."""

    name: str
    policy: CachePolicy
    generator: str
    writer: str

    def model(self) -> NanoModel:
        """Load its weights."""
        from mag_model.nano.model import NanoModel

        return NanoModel(self.name, self.policy, self.generator, self.writer)


@dataclass(frozen=True)
class Ablation:
    """What is varied.

    Attributes:
        head: what stands above table and plot, and which setting the others are held against.
        lines: who writes and reads -> setting -> model; each line has the reference.
    """

    head: Heading
    lines: Mapping[str, Mapping[str, Trained]]

    @property
    def models(self) -> list[Trained]:
        """Each model once."""
        return list({model.name: model for line in self.lines.values() for model in line.values()}.values())


PACKED = Trained("packed", Mag(first_block_whole=False), "joint", "memory")
UNPACKED = Trained("unpacked", Strided(sink=0), "base", "base")
TRAINED, UNTRAINED = "memory model writes, its generator reads", "the base generator writes and reads"

ABLATIONS = {
    "recent": Ablation(
        head=Heading(
            title="Newest blocks kept whole",
            varies="blocks kept whole",
            reference="0",
            about="The last frame of each block stays, and all frames of the newest blocks. The networks are those of"
            " recent 0; none was trained for another.",
        ),
        lines={
            TRAINED: {
                "0": PACKED,
                "1": Trained("packed-recent1", Mag(False, recent=1), "joint", "memory"),
                "2": Trained("packed-recent2", Mag(False, recent=2), "joint", "memory"),
            }
        },
    ),
    "sink": Ablation(
        head=Heading(
            title="First frames kept",
            varies="sink",
            reference="0",
            about="The last frame of each block stays, and the first frames of the clip: none, one, or two, which"
            " with the block's last frame are the whole first block, as the released inference has it.",
        ),
        lines={
            TRAINED: {
                "0": PACKED,
                "1": Trained("packed-sink1", MagRing(ALL, sink=1), "joint", "memory"),
                "2 (whole)": Trained("packed-sink2", MagRing(ALL, sink=2), "joint", "memory"),
            },
            UNTRAINED: {
                "0": UNPACKED,
                "1": Trained("unpacked-sink1", Strided(sink=1), "base", "base"),
                "2 (whole)": Trained("unpacked-sink2", Strided(sink=2), "base", "base"),
            },
        },
    ),
    "kept": Ablation(
        head=Heading(
            title="Which frame of a block is kept",
            varies="kept frame",
            reference="last",
            about="One frame of each block stays. The memory model was trained to pack a block into its last frame,"
            " and no writer was trained for the others: what its line shows is that the packing is where it was"
            " put, not which frame is best. The base generator was trained for none of the three.",
        ),
        lines={
            TRAINED: {
                "first": Trained("packed-first", OneOfBlock(0), "joint", "memory"),
                "middle": Trained("packed-middle", OneOfBlock(1), "joint", "memory"),
                "last": PACKED,
            },
            UNTRAINED: {
                "first": Trained("unpacked-first", OneOfBlock(0), "base", "base"),
                "middle": Trained("unpacked-middle", OneOfBlock(1), "base", "base"),
                "last": UNPACKED,
            },
        },
    ),
    "writer": Ablation(
        head=Heading(
            title="Who writes the memory",
            varies="writer",
            reference="memory",
            about="The last frame of each block stays; who reads is the same along a line. MAG's generator (joint)"
            " was trained on what the memory model writes, the base generator on what it writes itself, every"
            " frame of it.",
        ),
        lines={
            "MAG's generator reads": {
                "memory": PACKED,
                "joint": Trained("joint-writes-joint", Mag(False), "joint", "joint"),
                "base": Trained("base-writes-joint", Mag(False), "joint", "base"),
            },
            "the base generator reads": {
                "memory": Trained("memory-writes-base", Mag(False), "base", "memory"),
                "joint": Trained("joint-writes-base", Mag(False), "base", "joint"),
                "base": UNPACKED,
            },
        },
    ),
}
