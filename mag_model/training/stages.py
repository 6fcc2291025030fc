"""The three stages, in order, as data: what is trained, from what, on which clips, and what may be read."""

from __future__ import annotations

from dataclasses import dataclass

from mag_model.policy import CachePolicy, FullHistory, Mag
from mag_model.training.data import ClipShape


@dataclass(frozen=True)
class Phase:
    """Steps on clips of one shape.

    Attributes:
        steps: how many.
        clips: their shape.
    """

    steps: int
    clips: ClipShape


@dataclass(frozen=True)
class Stage:
    """One training stage.

    Attributes:
        name: ``base``, ``memory`` or ``joint``.
        summary: one line.
        start: stage whose weights this one starts from; None = from nothing.
        writer: stage whose frozen weights write the history; None = the network in training writes its own.
        policy: what stays in the history.
        own_block: fraction of steps in which a block may read its own kept frames, which asks the writer to pack it.
        phases: the curriculum.
        rate: peak learning rate.
    """

    name: str
    summary: str
    start: str | None
    writer: str | None
    policy: CachePolicy
    own_block: float
    phases: tuple[Phase, ...]
    rate: float

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def phase_at(self, step: int) -> Phase:
        """The phase that step number ``step`` belongs to."""
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        raise ValueError(f"stage {self.name} has {self.steps} steps")


STAGES = {
    "base": Stage(
        name="base",
        summary="next block from full history",
        start=None,
        writer=None,
        policy=FullHistory(),
        own_block=0.0,
        phases=(
            Phase(850, ClipShape(frames=12, batch=16, leap=12)),
            Phase(120, ClipShape(frames=24, batch=8, leap=6)),
        ),
        rate=1.5e-3,
    ),
    "memory": Stage(
        name="memory",
        summary="every block rebuilt from the kept frames of blocks up to itself",
        start="base",
        writer=None,
        policy=Mag(first_block_whole=False),
        own_block=1.0,
        phases=(
            Phase(400, ClipShape(frames=6, batch=32, speeds=("fast",), leap=12)),
            Phase(350, ClipShape(frames=12, batch=16, leap=12)),
        ),
        rate=1.5e-3,
    ),
    "joint": Stage(
        name="joint",
        summary="next block from what the frozen memory model wrote",
        start="memory",
        writer="memory",
        policy=Mag(),
        own_block=0.0,
        phases=(
            Phase(600, ClipShape(frames=12, batch=16, leap=12)),
            Phase(150, ClipShape(frames=24, batch=8, leap=6)),
        ),
        rate=1.2e-3,
    ),
}
