"""What the harness asks of a model, and how models and references are found.

Packages register both by entry points: group ``magbench.models`` (name -> callable without arguments that
returns a :class:`VideoModel`) and group ``magbench.references`` (likewise, a :class:`Reference`). Group
``magbench.families`` holds whole families of models, ``PREFIX:TEXT``. A program in any language is a model too:
``command:FILE``, see :mod:`magbench.models.command`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Literal, Protocol

from magbench import __version__
from magbench.core.errors import MagbenchError, unknown
from magbench.core.files import SAFE_NAME, SAFE_TEXT

if TYPE_CHECKING:
    from torch import Tensor

    from magbench.models.workload import Workload

MODELS = "magbench.models"
REFERENCES = "magbench.references"
FAMILIES = "magbench.families"
COMMAND = "command:"
"""What the name of a model begins with that is a program."""

Kind = Literal["model", "reference"]


@dataclass(frozen=True)
class Task:
    """One video to be continued.

    Attributes:
        context: (switch, 3, H, W) float32 in [0, 1], the frames that are given.
        prompt: text, "" where the suite has none.
        pose: (T, P) float32 camera numbers of every frame, those to come included, or None.
        frames: T, the context included; the model makes T - switch.
        fps: frames per second.
        seed: 63 bits; the only source of randomness a model should use.
    """

    context: Tensor
    prompt: str
    pose: Tensor | None
    frames: int
    fps: int
    seed: int


class VideoModel(Protocol):
    """A model under test.

    ``revision`` changes whenever outputs may: package version and a digest of the weights.
    """

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str: ...

    def stream(self, task: Task) -> Iterator[Tensor]:
        """Yield (n, 3, H, W) float32 in [0, 1] as soon as the frames exist; T - switch frames in all."""
        ...

    def memory_bytes(self) -> int | None:
        """Bytes of history held now, or None if the model cannot say."""
        ...


class Family(Protocol):
    """Models that are told apart by what follows a prefix: ``wan:mag`` is ``mag`` of the family ``wan``.

    An entry point of ``magbench.families``: its name is the prefix, its value an object with these methods. ``text``
    is what follows the colon; what it means is the family's business, but it becomes part of a path: no slash.
    """

    def known(self) -> Iterable[tuple[str, str]]:
        """Some texts, and a line about each; for lists."""
        ...

    def kind(self, text: str) -> Kind:
        """What ``text`` names; a :class:`MagbenchError` if nothing. Reads no weights."""
        ...

    def load(self, text: str) -> VideoModel:
        """The model, whose name is the whole ``PREFIX:TEXT``."""
        ...

    def reference(self, text: str) -> Reference:
        """The reference, likewise: a model that is shown the truth as well."""
        ...

    def workload(self, text: str, resolution: tuple[int, int] | None) -> Workload:
        """What `magbench profile` times, for frames of ``resolution`` (H, W); None = the family's own."""
        ...


@dataclass(frozen=True)
class ReferenceInput:
    """What a reference is made from; unlike a model, it sees the truth.

    Attributes:
        video: (T, 3, H, W) float32 in [0, 1], the whole clip.
        switch: first frame of the return.
        other: the next clip of the suite with the same shape, or None if there is none.
        seed: as in :class:`Task`.
        prompt: likewise.
    """

    video: Tensor
    switch: int
    other: Tensor | None
    seed: int
    prompt: str = ""


@dataclass(frozen=True)
class Reference:
    """A return whose rank is known beforehand. ``make`` gives (T - switch, 3, H, W) float32 in [0, 1]."""

    name: str
    summary: str
    make: Callable[[ReferenceInput], Tensor]
    revision: str = f"magbench {__version__}"


def model_names() -> list[str]:
    """Registered models, sorted."""
    return sorted(_entries(MODELS))


def reference_names() -> list[str]:
    """Registered references, sorted."""
    return sorted(_entries(REFERENCES))


def families() -> dict[str, Family]:
    """Registered families by prefix."""
    return {prefix: entry.load() for prefix, entry in sorted(_entries(FAMILIES).items())}


def family_of(name: str) -> tuple[Family, str] | None:
    """The family of a model and what follows the prefix; None for a name that has no registered prefix."""
    prefix, colon, text = name.partition(":")
    if not colon or prefix not in _entries(FAMILIES):
        return None
    family: Family = _entry(FAMILIES, "family", prefix).load()
    if not SAFE_TEXT.fullmatch(text):
        raise MagbenchError(f"model name '{name}' may only hold letters, digits, and '.', '_', '-', '+', ':', '=', '@'")
    return family, text


def kind_of(name: str) -> Kind:
    """Whether a name is a model's or a reference's; neither is an error that gives the nearest names."""
    if name.startswith(COMMAND):
        from magbench.models.command import read_program

        read_program(name)
        return "model"
    member = family_of(name)
    if member is not None:
        family, text = member
        return family.kind(text)
    models, references = model_names(), reference_names()
    if not SAFE_NAME.fullmatch(name) and name in models + references:
        raise MagbenchError(f"model name '{name}' may only hold letters, digits, '.', '_' and '-'")
    if name in models and name in references:
        raise MagbenchError(f"'{name}' is registered both as a model and as a reference")
    if name in models:
        return "model"
    if name in references:
        return "reference"
    raise unknown("model", name, models + references)


def load_model(name: str) -> VideoModel:
    """Make a registered model; this is where weights are read."""
    if name.startswith(COMMAND):
        raise MagbenchError(f"'{name}' is a program: it can be run on clips, but nothing else can be asked of it")
    member = family_of(name)
    if member is not None:
        family, text = member
        model = family.load(text)
    else:
        model = _entry(MODELS, "model", name).load()()
    if model.name != name:
        raise MagbenchError(f"model '{name}' calls itself '{model.name}'")
    return model


def load_reference(name: str) -> Reference:
    """Make a registered reference."""
    member = family_of(name)
    if member is not None:
        family, text = member
        return family.reference(text)
    reference: Reference = _entry(REFERENCES, "reference", name).load()()
    return reference


def _entry(group: str, kind: str, name: str) -> EntryPoint:
    entries = _entries(group)
    if name not in entries:
        raise unknown(kind, name, entries)
    return entries[name]


def _entries(group: str) -> dict[str, EntryPoint]:
    entries: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        first = entries.setdefault(entry.name, entry)
        if first.value != entry.value:
            raise MagbenchError(f"'{entry.name}' of {group} is there twice: {first.value}, {entry.value}")
    return entries
