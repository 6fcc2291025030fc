"""The stages, in order, as data: what is trained, from what, on which clips, and what may be read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mag_model.memory.policy import CachePolicy, FullHistory, Mag, Window
from mag_model.training.data import ClipShape, choose_either, choose_stretch

WARM_UP = 60
"""Steps in which the learning rate rises at the start of a cycle."""


@dataclass(frozen=True)
class Phase:
    """Steps on clips of one shape.

    Attributes:
        steps: how many.
        clips: their shape.
        own_block: fraction of steps in which a block may read its own kept frames, which asks the writer to pack it; in
            the others it reads those of earlier blocks, which asks the writer to make them findable.
    """

    steps: int
    clips: ClipShape
    own_block: float = 0.0


@dataclass(frozen=True)
class Cycle:
    """Phases under one cycle of the learning rate.

    Attributes:
        rate: peak learning rate; it warms up to this and falls along half a cosine to a twentieth of it.
        phases: the curriculum.
    """

    rate: float
    phases: tuple[Phase, ...]

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def rate_at(self, step: int) -> float:
        """Learning rate of the cycle's own step number ``step``."""
        fall = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.rate * min(1.0, (step + 1) / WARM_UP) * fall


@dataclass(frozen=True)
class Stage:
    """One training stage.

    Attributes:
        name: of the stage and of its weights.
        summary: one line.
        start: stage whose weights this one starts from; None = from nothing.
        writer: stage whose frozen weights write the history; None = the network in training writes its own.
        policy: what stays in the history.
        cycles: of the learning rate, each with its curriculum.
        flow: stage whose network is imitated, with the full history that it writes itself, in place of the truth: in
            few steps what its flow gives in many, see :mod:`mag_model.training.flow_map`.
        both_ways: whether short clips are looked at both ways, with no history at all: the teacher.
        probe: weight of the packing probe's error, see :mod:`mag_model.training.probe`; 0 = no probe.
    """

    name: str
    summary: str
    start: str | None
    writer: str | None
    policy: CachePolicy
    cycles: tuple[Cycle, ...]
    flow: str | None = None
    both_ways: bool = False
    probe: float = 0.0

    @property
    def steps(self) -> int:
        return sum(cycle.steps for cycle in self.cycles)

    @property
    def packs(self) -> bool:
        """Whether blocks ever read their own kept frames."""
        return any(phase.own_block > 0 for cycle in self.cycles for phase in cycle.phases)

    def at(self, step: int) -> tuple[Phase, float]:
        """The phase and the learning rate of step number ``step``."""
        for cycle in self.cycles:
            if step < cycle.steps:
                rate = cycle.rate_at(step)
                for phase in cycle.phases:
                    if step < phase.steps:
                        return phase, rate
                    step -= phase.steps
            step -= cycle.steps
        raise ValueError(f"stage {self.name} has {self.steps} steps")


PAIRS = ClipShape(blocks=2, batch=16, leap=4)
SHORT = ClipShape(blocks=4, batch=16, leap=4)
LONG = ClipShape(blocks=8, batch=8, leap=2)
WIDE = ClipShape(blocks=4, batch=16, leap=4, span=16)
WIDE_LONG = ClipShape(blocks=8, batch=8, leap=2, span=16)
STRETCH = ClipShape(blocks=4, batch=16, span=16, choose=choose_stretch)
GLANCE = ClipShape(blocks=2, batch=16, span=16, choose=choose_stretch)
MIXED = ClipShape(blocks=4, batch=8, leap=4, span=16, choose=choose_either)
STRETCH_LONG = ClipShape(blocks=8, batch=8, span=16, choose=choose_stretch)

STAGES = {
    "base": Stage(
        name="base",
        summary="next block from full history",
        start=None,
        writer=None,
        policy=FullHistory(),
        cycles=(
            Cycle(1.5e-3, (Phase(850, SHORT), Phase(120, LONG))),
            Cycle(1.2e-3, (Phase(300, SHORT), Phase(80, LONG))),
            Cycle(1.0e-3, (Phase(200, WIDE), Phase(50, WIDE_LONG))),
            Cycle(1.2e-3, (Phase(600, WIDE), Phase(100, WIDE_LONG))),
        ),
    ),
    "memory": Stage(
        name="memory",
        summary="every block rebuilt from the kept frames of blocks up to itself",
        start="base",
        writer=None,
        policy=Mag(first_block_whole=False),
        cycles=(
            Cycle(1.5e-3, (Phase(900, PAIRS, own_block=0.5), Phase(600, WIDE, own_block=0.3))),
            Cycle(1.2e-3, (Phase(550, WIDE, own_block=0.3), Phase(150, WIDE_LONG, own_block=0.3))),
        ),
        probe=1.0,
    ),
    "joint": Stage(
        name="joint",
        summary="next block from what the frozen memory model wrote",
        start="memory",
        writer="memory",
        policy=Mag(first_block_whole=False),
        cycles=(
            Cycle(1.2e-3, (Phase(450, WIDE), Phase(50, WIDE_LONG))),
            Cycle(1.2e-3, (Phase(600, WIDE), Phase(100, WIDE_LONG))),
        ),
    ),
    "window": Stage(
        name="window",
        summary="next block from a sliding window, which the network writes itself",
        start="base",
        writer=None,
        policy=Window(),
        cycles=(
            Cycle(1.2e-3, (Phase(450, STRETCH), Phase(50, STRETCH_LONG))),
            Cycle(1.2e-3, (Phase(600, STRETCH), Phase(100, STRETCH_LONG))),
        ),
    ),
    "flow": Stage(
        name="flow",
        summary="in four steps what the flow of `base` gives in eight, from what the frozen memory model wrote",
        start="joint",
        writer="memory",
        policy=Mag(first_block_whole=False),
        cycles=(Cycle(1.0e-3, (Phase(800, MIXED),)),),
        flow="base",
    ),
    "teacher": Stage(
        name="teacher",
        summary="two blocks both ways, from text and camera, with no history: for `dmd`",
        start="base",
        writer=None,
        policy=FullHistory(),
        cycles=(Cycle(1.5e-3, (Phase(2000, GLANCE),)),),
        both_ways=True,
    ),
}
