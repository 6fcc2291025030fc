"""What the harness asks of a model, of a family of models, and of a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from magbench import __version__

if TYPE_CHECKING:
    from torch import Tensor

    from magbench.models.workload import Workload

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
        intrinsics: (4,) float64 fx, fy, cx, cy of the camera in pixels, or None where the suite does not tell.
        depth: (switch, H, W) float32 of the given frames along the camera's axis, for models that ask for it by an
            attribute ``sees_depth``; else None. Where a suite has depth, such a model has no rank: it sees more.
    """

    context: Tensor
    prompt: str
    pose: Tensor | None
    frames: int
    fps: int
    seed: int
    intrinsics: Tensor | None = None
    depth: Tensor | None = None


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
    is what follows the ``joint``, a colon or a plus; what it means is the family's business.
    """

    @property
    def joint(self) -> str: ...

    def known(self) -> Iterable[tuple[str, str]]:
        """Some texts, and a line about each; for lists."""
        ...

    def label(self, text: str) -> str:
        """``text`` as a name in tables and of folders: without a slash, the same for the same weights."""
        ...

    def kind(self, text: str) -> Kind:
        """What ``text`` names; a :class:`MagbenchError` if nothing. Reads no weights."""
        ...

    def load(self, text: str) -> VideoModel:
        """The model, whose name is the whole of prefix, joint and label."""
        ...

    def reference(self, text: str) -> Reference:
        """The reference, likewise: a model that is shown the truth as well."""
        ...

    def workload(self, text: str, resolution: tuple[int, int] | None) -> Workload | None:
        """What `magbench profile` times, for frames of ``resolution`` (H, W); None = the family's own.

        A family whose models are timed by ``stream_at`` (see :mod:`magbench.profiling.latency`) gives None.
        """
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
