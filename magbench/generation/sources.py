"""What starts the streams of a model, a program or a reference, however it was named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.core.seeds import task_seed
from magbench.generation.worker import Begin, Source
from magbench.models.adapter import sees_depth, wanted_threads
from magbench.models.guard import Guard
from magbench.models.naming import Candidate, Given, resolve
from magbench.models.protocol import Kind, Reference, ReferenceInput, Task, VideoModel
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.video.io import to_float

if TYPE_CHECKING:
    from magbench.models.command import Program


def find_sources(given: Sequence[Given], suite: Suite, threads: int | None = None) -> dict[str, Callable[[], Source]]:
    """Find what makes each source, weights and all, by the name of its generations.

    An unknown name, and two of one name, are errors.
    """
    return {name: partial(source_of, one, suite, threads) for name, one in candidates(given).items()}


def candidates(given: Sequence[Given]) -> dict[str, Candidate]:
    """What is named, by the name of its generations; two of one name are an error."""
    found: dict[str, Candidate] = {}
    for one in given:
        candidate = resolve(one)
        if candidate.name in found:
            raise MagbenchError(f"{one}: another of these models is called '{candidate.name}' too")
        found[candidate.name] = candidate
    return found


def source_of(candidate: Candidate, suite: Suite, threads: int | None = None) -> Source:
    """Make a source; this is where weights are read."""
    if candidate.program is not None:
        return _program(candidate.program)
    if candidate.reference is not None:
        return _reference(candidate.name, candidate.reference(), suite)
    with candidate.guard.inside():
        model = candidate.load()
    return _model(candidate.name, model, candidate.guard, suite, threads)


def make_task(clip: Clip, sample: int, *, depth: bool = False) -> Task:
    """What a model is asked for one sample of a clip, with the ``depth`` of the given frames if it sees that."""
    planes = clip.planes_part("depth", 0, clip.switch) if depth else None
    return Task(
        context=to_float(clip.part(0, clip.switch)),
        prompt=clip.caption,
        pose=None if clip.pose is None else torch.from_numpy(clip.pose).float(),
        frames=len(clip),
        fps=clip.fps,
        seed=task_seed(clip.id, sample),
        intrinsics=None if clip.intrinsics is None else torch.from_numpy(clip.intrinsics),
        depth=None if planes is None else torch.from_numpy(planes.copy()),
    )


def _model(name: str, model: VideoModel, guard: Guard, suite: Suite, threads: int | None) -> Source:
    depth = sees_depth(model) and any("depth" in clip.planes for clip in suite.clips)

    def start(clip: Clip, sample: int, folder: Path) -> Begin:
        return partial(guard.stream, partial(model.stream, make_task(clip, sample, depth=depth)))

    def holds() -> int | None:
        with guard.inside():
            return model.memory_bytes()

    with guard.inside():
        revision, wanted = model.revision, wanted_threads(model)
    kind: Kind = "reference" if depth else "model"
    return Source(
        name,
        kind,
        revision,
        start,
        holds,
        warms_up=True,
        threads=threads or wanted,
        changed=lambda: guard.changed,
    )


def _program(program: Program) -> Source:
    return Source(
        program.name,
        "model",
        program.revision,
        lambda clip, sample, folder: program.prepare(make_task(clip, sample), folder).stream,
        lambda: None,
        inside=False,
    )


def _reference(name: str, reference: Reference, suite: Suite) -> Source:
    return Source(
        name,
        "reference",
        reference.revision,
        lambda clip, sample, _: partial(_whole, reference, _reference_input(suite, clip, sample)),
        lambda: None,
    )


def _whole(reference: Reference, given: ReferenceInput) -> Iterator[Tensor]:
    yield reference.make(given)


def other_scene(suite: Suite, clip: Clip) -> Clip | None:
    """The next clip of the suite (after the last comes the first) with as many frames of the same size."""
    place = [other.id for other in suite.clips].index(clip.id)
    after = suite.clips[place + 1 :] + suite.clips[:place]
    return next((other for other in after if (len(other), other.size) == (len(clip), clip.size)), None)


def _reference_input(suite: Suite, clip: Clip, sample: int) -> ReferenceInput:
    other = other_scene(suite, clip)
    return ReferenceInput(
        video=to_float(clip.source),
        switch=clip.switch,
        other=None if other is None else to_float(other.source),
        seed=task_seed(clip.id, sample),
        prompt=clip.caption,
    )
