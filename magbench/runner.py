"""Suite x model x clip x sample -> generations. Saying it again makes only what is not there yet."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from magbench.errors import MagbenchError
from magbench.generation import discard_unless_current, generation_folder, write_error, write_generation
from magbench.meter import Expected, measure, warm_up
from magbench.models import (
    Kind,
    Reference,
    ReferenceInput,
    Task,
    kind_of,
    load_model,
    load_reference,
    model_names,
    reference_names,
)
from magbench.run import claim, run_of
from magbench.seeds import task_seed
from magbench.suites.clip import Clip
from magbench.suites.disk import Suite
from magbench.video import to_float

MESSAGE_LENGTH = 300


class Progress(Protocol):
    """Told how far the work is: a stage of ``total`` steps, then each step."""

    def stage(self, label: str, total: int) -> None: ...

    def step(self) -> None: ...


class Quiet:
    """A :class:`Progress` that says nothing."""

    def stage(self, label: str, total: int) -> None:
        pass

    def step(self) -> None:
        pass


@dataclass(frozen=True)
class Failure:
    """Something that could not be made or scored; ``clip`` and ``sample`` are None for a whole model."""

    model: str
    clip: str | None
    sample: int | None
    message: str

    def __str__(self) -> str:
        where = "" if self.clip is None else f", clip {self.clip}, sample {self.sample}"
        return f"{self.model}{where}: {self.message}"


@dataclass(frozen=True)
class _Source:
    """A model or a reference, seen as something that starts streams."""

    name: str
    kind: Kind
    revision: str
    start: Callable[[Clip, int], Callable[[], Iterator[Tensor]]]
    memory_bytes: Callable[[], int | None]


def generate(
    suite: Suite,
    names: Sequence[str] | None,
    out: Path,
    *,
    limit: int | None = None,
    seeds: int = 1,
    progress: Progress,
) -> list[Failure]:
    """Make every missing generation of a run.

    Args:
        names: models and references; None for all models, then all references.
        out: the run's folder; finished generations in it are kept.
        limit: only the first clips of the suite.
        seeds: samples a clip.

    Returns:
        What failed. An unknown name and a folder of another run are errors, before anything is made.
    """
    names = model_names() + reference_names() if names is None else list(dict.fromkeys(names))
    kinds = {name: kind_of(name) for name in names}
    run = run_of(suite, seeds=seeds, limit=limit)
    claim(out, run)
    tasks = run.tasks(suite)
    failures: list[Failure] = []
    for name, kind in kinds.items():
        progress.stage(name, len(tasks))
        gc.collect()  # so that memory of the model before is not counted to this one
        try:
            source = _model(name) if kind == "model" else _reference(name, suite)
        except Exception as error:  # anybody's code, and the other models still have to run
            failures.append(Failure(name, None, None, _one_line(error)))
            continue
        failures += _generate(source, tasks, out, progress)
    return failures


def make_task(clip: Clip, sample: int) -> Task:
    """What a model is asked for one sample of a clip."""
    return Task(
        context=to_float(clip.frames[: clip.switch]),
        prompt=clip.caption,
        pose=None if clip.pose is None else torch.from_numpy(clip.pose).float(),
        frames=len(clip),
        fps=clip.fps,
        seed=task_seed(clip.id, sample),
    )


def _model(name: str) -> _Source:
    model = load_model(name)
    return _Source(
        name,
        "model",
        model.revision,
        lambda clip, sample: partial(model.stream, make_task(clip, sample)),
        model.memory_bytes,
    )


def _reference(name: str, suite: Suite) -> _Source:
    reference = load_reference(name)
    return _Source(
        name,
        "reference",
        reference.revision,
        lambda clip, sample: partial(_whole, reference, _reference_input(suite, clip, sample)),
        lambda: None,
    )


def _whole(reference: Reference, given: ReferenceInput) -> Iterator[Tensor]:
    yield reference.make(given)


def _reference_input(suite: Suite, clip: Clip, sample: int) -> ReferenceInput:
    place = [other.id for other in suite.clips].index(clip.id)
    after = suite.clips[place + 1 :] + suite.clips[:place]
    alike = [other for other in after if (len(other), other.size) == (len(clip), clip.size)]
    return ReferenceInput(
        video=to_float(clip.frames),
        switch=clip.switch,
        other=to_float(alike[0].frames) if alike else None,
        seed=task_seed(clip.id, sample),
    )


def _generate(source: _Source, tasks: list[tuple[Clip, int]], out: Path, progress: Progress) -> list[Failure]:
    folders = [generation_folder(out, source.name, clip.id, sample) for clip, sample in tasks]
    # All of them before the first is made: a run that stops early must not mix two revisions of a model.
    done = [discard_unless_current(folder, source.revision) for folder in folders]
    failures: list[Failure] = []
    warm = source.kind == "reference"
    for (clip, sample), folder, skip in zip(tasks, folders, done, strict=True):
        if not skip:
            try:
                stream = source.start(clip, sample)
                if not warm:
                    warm_up(stream)
                    warm = True
                height, width = clip.size
                expected = Expected(len(clip) - clip.switch, height, width)
                metered = measure(stream, source.memory_bytes, expected, task_seed(clip.id, sample))
                write_generation(
                    folder,
                    metered,
                    clip,
                    model=source.name,
                    revision=source.revision,
                    kind=source.kind,
                    sample=sample,
                )
            except MagbenchError as error:
                failures.append(Failure(source.name, clip.id, sample, _one_line(error)))
            except Exception as error:  # anybody's code, and the other clips still have to be made
                message = f"{_one_line(error)} (traceback in {write_error(folder, error)})"
                failures.append(Failure(source.name, clip.id, sample, message))
        progress.step()
    return failures


def _one_line(error: Exception) -> str:
    name = "" if type(error) is MagbenchError else f"{type(error).__name__}: "
    return " ".join(f"{name}{error}".split())[:MESSAGE_LENGTH]
