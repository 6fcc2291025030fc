"""Somebody's object as a :class:`~magbench.models.protocol.VideoModel`: the one place that asks what it has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    from torch import Tensor

    from magbench.models.protocol import Task, VideoModel


@dataclass(frozen=True)
class AdaptedModel:
    """A model that lacks something the harness asks for, with that filled in.

    Attributes:
        streams: task -> pieces of frames.
        holds: bytes of history, None if the model cannot say.
    """

    name: str
    revision: str
    streams: Callable[[Task], Iterator[Any]]
    holds: Callable[[], int | None]

    def stream(self, task: Task) -> Iterator[Tensor]:
        return self.streams(task)

    def memory_bytes(self) -> int | None:
        return self.holds()


def adapted(model: Any, name: str, digest: str = "") -> VideoModel:
    """Check that an object can be run, and fill in what it may leave out.

    It needs ``stream(task)`` or ``generate(task)``; ``memory_bytes()`` may be missing, and ``revision`` where there is
    a ``digest`` of its code. An object that has everything is given back as it is.

    Args:
        name: what to call it where it has no name of its own.
        digest: stands for its revision where it has none; "" makes the revision a must.

    Raises:
        MagbenchError: it can do neither, or has no revision.
    """
    has = {part: hasattr(model, part) for part in ("name", "revision", "stream", "generate", "memory_bytes")}
    if not (has["stream"] or has["generate"]):
        raise MagbenchError(f"model '{name}' has neither stream(task) nor generate(task)")
    if all(has[part] for part in ("name", "revision", "stream", "memory_bytes")):
        whole: VideoModel = model
        return whole
    if not (has["revision"] or digest):
        raise MagbenchError(f"model '{name}' has no revision: a text that changes whenever its outputs may")
    return AdaptedModel(
        name=model.name if has["name"] else name,
        revision=model.revision if has["revision"] else digest,
        streams=model.stream if has["stream"] else lambda task: whole_video(model.generate, task),
        holds=model.memory_bytes if has["memory_bytes"] else lambda: None,
    )


def wanted_threads(model: object) -> int | None:
    """How many processor threads a model profits from, as its attribute ``threads`` says; None where it says nothing.

    A small network gains little from many and loses much where other work runs beside it.
    """
    found = getattr(model, "threads", None)
    if found is not None and (not isinstance(found, int) or found < 1):
        raise MagbenchError(f"model '{getattr(model, 'name', '?')}': threads is {found!r}, not a whole number from 1")
    return found


def sees_depth(model: object) -> bool:
    """Whether a model asks for the depth of the given frames, as its attribute ``sees_depth`` says."""
    return bool(getattr(model, "sees_depth", False))


def whole_video(generate: Callable[[Task], Any], task: Task) -> Iterator[Any]:
    """Yield what ``generate`` makes as one piece, without the given frames where it has them too."""
    frames = generate(task)
    new = task.frames - len(task.context)
    yield frames[-new:] if len(frames) == task.frames else frames


def code_digest(model: Any) -> str:
    """Name the source code of an object's class; "" where it cannot be had."""
    try:
        return f"code {sha256(inspect.getsource(type(model)).encode()).hexdigest()[:12]}"
    except (OSError, TypeError):
        return ""
