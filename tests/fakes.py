"""Small models for tests, good and broken; :func:`register` makes them known as a package would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from magbench.models.protocol import Task

BLOCK = 2


@dataclass
class Fake:
    """A model that is one function, and says that it holds 10 bytes a piece."""

    name: str
    make: Callable[[Task], Iterator[Tensor]]
    revision: str = "1"
    pieces: int = 0

    def stream(self, task: Task) -> Iterator[Tensor]:
        self.pieces = 0
        for piece in self.make(task):
            self.pieces += 1
            yield piece

    def memory_bytes(self) -> int | None:
        return 10 * self.pieces


def noisy(task: Task) -> Iterator[Tensor]:
    """The last given frame with noise from the task's seed, in blocks of two."""
    source = torch.Generator().manual_seed(task.seed)
    last = task.context[-1:]
    for _ in range(0, task.frames - len(task.context), BLOCK):
        yield (last + 0.1 * torch.randn(BLOCK, *last.shape[1:], generator=source)).clamp(0, 1)


def unseeded(task: Task) -> Iterator[Tensor]:
    """Forgets the task's seed."""
    yield torch.rand(task.frames - len(task.context), *task.context.shape[1:])


def _changed(change: Callable[[Tensor], Tensor], at: int = 1) -> Callable[[Task], Iterator[Tensor]]:
    def make(task: Task) -> Iterator[Tensor]:
        for index, piece in enumerate(noisy(task)):
            yield change(piece) if index == at else piece

    return make


def _with_nan(piece: Tensor) -> Tensor:
    piece = piece.clone()
    piece[1, 0, 3, 4] = float("nan")
    return piece


def _raising(task: Task) -> Iterator[Tensor]:
    yield next(noisy(task))
    raise RuntimeError("out of\n  paper")


def _too_few(task: Task) -> Iterator[Tensor]:
    yield from list(noisy(task))[:-1]


def _too_many(task: Task) -> Iterator[Tensor]:
    while True:
        yield from noisy(task)


def tiny() -> Fake:
    return Fake("tiny", noisy)


def forgetful() -> Fake:
    return Fake("forgetful", unseeded)


def unloadable() -> Fake:
    raise FileNotFoundError("weights.safetensors is not there")


def misnamed() -> Fake:
    return Fake("another", noisy)


BROKEN: dict[str, tuple[Callable[[Task], Iterator[Tensor]], str]] = {
    "nan": (_changed(_with_nan), "piece 1: frame 1 holds nan"),
    "too_few": (_too_few, "yields too few frames: 4, 6 wanted"),
    "too_many": (_too_many, "yields too many frames: 8 or more, 6 wanted"),
    "wrong_shape": (
        _changed(lambda piece: piece[..., :16]),
        "piece 1 has shape (2, 3, 32, 16), (n, 3, 32, 32)",
    ),
    "empty_piece": (_changed(lambda piece: piece[:0]), "piece 1 has shape (0, 3, 32, 32)"),
    "wrong_dtype": (_changed(lambda piece: piece.int()), "piece 1 is torch.int32, one of float32, float16,"),
    "out_of_range": (_changed(lambda piece: piece * 255), "outside [0, 1]"),
    "raising": (_raising, "RuntimeError: out of paper"),
}
"""Name -> what it does, and what has to be said about it."""


def __getattr__(name: str) -> Callable[[], Fake]:
    if name in BROKEN:
        return lambda: Fake(name, BROKEN[name][0])
    raise AttributeError(name)


def register(folder: Path) -> None:
    """Write the metadata of a package that registers these models, and magbench's own references."""
    models = ["tiny", "forgetful", "unloadable", "misnamed", *BROKEN]
    references = ["oracle", "freeze", "wrong_scene", "noise"]
    lines = ["[magbench.models]", *(f"{name} = tests.fakes:{name}" for name in models)]
    lines += ["[magbench.references]", *(f"{name} = magbench.models.references:{name}" for name in references)]
    info = folder / "fakes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fakes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
