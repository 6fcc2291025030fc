"""Models that misbehave: their neighbours' bytes do not change, nor does what the process shares."""

from __future__ import annotations

import gc
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.models.protocol import Task
from magbench.models.put_back import ChangedState
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation
from magbench.suites.format import Suite
from tests import fakes


def quiet_handler(number: int, frame: object) -> None:
    pass


def writes_into_its_task(task: Task) -> None:
    task.context.zero_()
    if task.pose is not None:
        task.pose.zero_()


HOSTILE: dict[str, Callable[[Task], object]] = {
    "writes into what it was given": writes_into_its_task,
    "default dtype": lambda task: torch.set_default_dtype(torch.float64),
    "default dtype, half": lambda task: torch.set_default_dtype(torch.bfloat16),
    "default device": lambda task: torch.set_default_device("meta"),
    "gradients": lambda task: torch.set_grad_enabled(False),
    "threads": lambda task: torch.set_num_threads(3),
    "working folder": lambda task: os.chdir(tempfile.mkdtemp()),
    "torch's seed": lambda task: torch.manual_seed(7),
    "numpy's seed": lambda task: np.random.seed(7),
    "python's seed": lambda task: random.seed(7),
    "warnings": lambda task: warnings.simplefilter("error"),
    "logging": lambda task: logging.disable(logging.CRITICAL),
    "log level": lambda task: logging.getLogger().setLevel(1),
    "stdout": lambda task: setattr(sys, "stdout", open(os.devnull, "w")),  # noqa: SIM115
    "environment": lambda task: os.environ.update(HOSTILE="1"),
    "no environment": lambda task: os.environ.pop("PATH", None),
    "signal handlers": lambda task: signal.signal(signal.SIGTERM, quiet_handler),
    "ctrl-c": lambda task: signal.signal(signal.SIGINT, signal.SIG_IGN),
    "numpy's errors": lambda task: np.seterr(all="raise"),
    "opencv's threads": lambda task: cv2.setNumThreads(3),
    "automatic half precision": lambda task: torch.autocast("cpu", dtype=torch.bfloat16).__enter__(),
    "precision of products": lambda task: torch.set_float32_matmul_precision("medium"),
    "only repeatable kernels": lambda task: torch.use_deterministic_algorithms(True),
    "smallest numbers": lambda task: torch.set_flush_denormal(True),
    "import path": lambda task: sys.path.insert(0, os.sep),
    "depth of calls": lambda task: sys.setrecursionlimit(5000),
    "file permissions": lambda task: os.umask(0o777),
    "garbage": lambda task: gc.disable(),
    "what an error prints": lambda task: setattr(sys, "excepthook", quiet_handler),
    "a thread that stays": lambda task: threading.Thread(target=threading.Event().wait, daemon=True).start(),
}


SAID = {
    "default dtype": "torch's default dtype",
    "default dtype, half": "torch's default dtype",
    "default device": "torch's default device",
    "gradients": "torch's grad mode",
    "threads": "torch's threads",
    "working folder": "the working folder",
    "logging": "logging",
    "log level": "the log level",
    "stdout": "stdout",
    "environment": "the environment",
    "no environment": "the environment",
    "signal handlers": "the handler of SIGTERM",
    "ctrl-c": "the handler of SIGINT",
    "numpy's errors": "numpy's errors",
    "automatic half precision": "autocast",
    "precision of products": "the precision of matrix products",
    "only repeatable kernels": "deterministic algorithms",
    "smallest numbers": "flushing of small numbers",
    "depth of calls": "the recursion limit",
    "file permissions": "the umask",
    "garbage": "garbage collection",
    "what an error prints": "sys.excepthook",
}
"""What is told of it; of the others nothing: drawing a number, importing something, or threads of OpenCV alone."""
EARLY = """
from tests.generation.test_guard import HOSTILE

def change():
    if "given" not in {what!r}:
        HOSTILE[{what!r}](None)

change()

class Early:
    revision = "1"
    def __init__(self):
        change()
    def stream(self, task):
        for _ in range(task.frames - len(task.context)):
            yield task.context[-1:]
"""


def shared() -> tuple[object, ...]:
    """What all code of the process shares."""
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        Path.cwd(),
        sys.stdout,
        dict(os.environ),
        list(warnings.filters),
        logging.root.manager.disable,
        logging.getLogger().level,
        signal.getsignal(signal.SIGTERM),
        signal.getsignal(signal.SIGINT),
        torch.get_rng_state().tolist(),
        random.getstate(),
        np.random.get_state()[1].tolist(),  # type: ignore[index, union-attr]
        np.geterr(),
        cv2.getNumThreads(),
        torch.is_autocast_enabled("cpu"),
        torch.get_float32_matmul_precision(),
        torch.are_deterministic_algorithms_enabled(),
        (torch.tensor(1e-310, dtype=torch.float64) * 1).item(),
        list(sys.path),
        sys.getrecursionlimit(),
        gc.isenabled(),
        sys.excepthook,
    )


def hashes(out: Path, model: str) -> list[str | None]:
    made = [read_generation(RunFolder(out).generation(model, clip, 0)) for clip in "ab"]
    return [None if one is None else one.frames_sha256 for one in made]


@pytest.fixture(autouse=True)
def no_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("magbench.runs.generation.write_preview", lambda *_: False)


@pytest.fixture(autouse=True)
def heeds_ctrl_c() -> Iterator[None]:
    """A shell that starts the tests in the background has them ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


_ALONE: list[list[str | None]] = []


@pytest.fixture
def expected(suite: Suite, registered: None, tmp_path: Path) -> list[str | None]:
    """What a well-behaved model makes alone."""
    if not _ALONE:
        assert generate(suite, ["tiny"], tmp_path / "alone", limit=2, progress=Quiet()) == []
        _ALONE.append(hashes(tmp_path / "alone", "tiny"))
    return _ALONE[0]


@pytest.mark.parametrize("what", HOSTILE)
def test_neighbours_make_the_same_and_nothing_stays_changed(
    suite: Suite, expected: list[str | None], tmp_path: Path, what: str
) -> None:
    class Hostile:
        name, revision = "hostile", "1"

        def stream(self, task: Task) -> Iterator[Tensor]:
            HOSTILE[what](task)
            last = torch.zeros(1, *task.context.shape[1:], dtype=torch.float32, device="cpu")
            for _ in range(task.frames - len(task.context)):
                HOSTILE[what](task)
                yield last

        def memory_bytes(self) -> None:
            if what != "writes into what it was given":
                HOSTILE[what](None)  # type: ignore[arg-type]

    path = tmp_path / "early.py"  # the same when it is imported, and when it is made
    path.write_text(EARLY.format(what=what))
    os.chdir(tmp_path)
    torch.use_deterministic_algorithms(False)  # at its first call torch imports its compiler, which writes os.environ
    before = shared()
    relative = Path("out")
    given = [Hostile(), f"{path}:Early", "tiny"]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ChangedState)
        failures = generate(suite, given, relative, limit=2, progress=Quiet())  # type: ignore[arg-type]
    assert failures == []
    lines = [str(one.message) for one in told if one.category is ChangedState]
    both = ("hostile", "Early") if what in SAID else ()
    assert lines == [f"{model} changed {SAID[what]}; it was put back for the others" for model in both]
    assert hashes(tmp_path / "out", "tiny") == expected
    assert None not in hashes(tmp_path / "out", "hostile") + hashes(tmp_path / "out", "Early")
    after = shared()
    assert after == before


@pytest.mark.parametrize("error", [SystemExit, SystemExit(3), KeyboardInterrupt, RecursionError("deep")])
@pytest.mark.parametrize("where", ["constructor", "first", "middle"])
def test_what_ends_a_program_ends_only_the_model(
    suite: Suite, expected: list[str | None], tmp_path: Path, error: BaseException, where: str
) -> None:
    class Leaving:
        name, revision = "leaving", "1"

        def stream(self, task: Task) -> Iterator[Tensor]:
            for i, piece in enumerate(fakes.noisy(task)):
                if i == (0 if where == "first" else 1):
                    raise error
                yield piece

        def memory_bytes(self) -> None:
            return None

    path = tmp_path / "leaving.py"
    if where == "constructor":
        name = error.__name__ if isinstance(error, type) else repr(error)
        path.write_text(
            f"class Leaving:\n    def __init__(self):\n        raise {name}\n    def stream(self, task): ...\n"
        )
        given: object = f"{path}:Leaving"
    else:
        given = Leaving()
    failures = generate(suite, [given, "tiny"], tmp_path / "out", limit=2, progress=Quiet())  # type: ignore[list-item]
    assert failures and all(failure.model in ("leaving", "Leaving") for failure in failures)
    assert all("\n" not in str(failure) for failure in failures)
    kind = error.__name__ if isinstance(error, type) else type(error).__name__
    assert all(kind in failure.message for failure in failures)
    assert hashes(tmp_path / "out", "tiny") == expected


def endless(task: Task) -> Iterator[Tensor]:
    while True:
        yield task.context[-1:]


def one_more(task: Task) -> Iterator[Tensor]:
    yield task.context[-1:].repeat(task.frames - len(task.context), 1, 1, 1)
    yield task.context[-1:]


def nothing_for_ever(task: Task) -> Iterator[Tensor]:
    while True:
        yield task.context[:0]


def no_piece(task: Task) -> Iterator[Tensor | None]:
    yield task.context[-1:]
    yield None
    yield from endless(task)


def changed_class(task: Task) -> Iterator[Tensor]:
    yield torch.full((1, *task.context.shape[1:]), float("inf"))


def raises_at_the_end(task: Task) -> Iterator[Tensor]:
    yield task.context[-1:].repeat(task.frames - len(task.context), 1, 1, 1)
    raise ValueError("too late")


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (endless, "yields too many frames: 7 or more, 6 wanted"),
        (one_more, "yields too many frames: 7 or more, 6 wanted"),
        (nothing_for_ever, "piece 0 has shape (0, 3, 32, 32)"),
        (no_piece, "piece 1 is a NoneType"),
        (changed_class, "frame 0 holds inf"),
        (raises_at_the_end, "ValueError: too late"),
    ],
)
def test_what_no_video_is_costs_only_the_model(
    suite: Suite, expected: list[str | None], tmp_path: Path, stream: Callable[[Task], Iterator[Tensor]], said: str
) -> None:
    given = [fakes.Fake("hostile", stream), "tiny"]
    failures = generate(suite, given, tmp_path / "out", limit=2, progress=Quiet())  # type: ignore[arg-type]
    assert len(failures) == 2
    assert all(failure.model == "hostile" and said in failure.message for failure in failures)
    assert hashes(tmp_path / "out", "tiny") == expected


def test_pieces_that_change_after_they_were_yielded(suite: Suite, registered: None, tmp_path: Path) -> None:
    """Views of one buffer, and a reference that is kept and overwritten: what counts is what was handed over."""

    class Buffer:
        name, revision = "buffer", "1"

        def stream(self, task: Task) -> Iterator[Tensor]:
            buffer = torch.zeros(1, *task.context.shape[1:])
            for i in range(task.frames - len(task.context)):
                buffer.fill_(i / 10)
                yield buffer[:]
            buffer.fill_(1.0)

        def memory_bytes(self) -> None:
            return None

    assert generate(suite, [Buffer()], tmp_path / "out", limit=1, progress=Quiet()) == []
    from magbench.runs.generation import read_frames

    folder = RunFolder(tmp_path / "out").generation("buffer", "a", 0)
    made = read_generation(folder)
    assert made is not None
    assert read_frames(folder, made)[:, 0, 0, 0].tolist() == [round(255 * i / 10) for i in range(6)]
