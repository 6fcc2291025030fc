"""A stream is timed from outside, and what it yields is checked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.generation.sources import make_task
from magbench.models.meter import WARM_UP_PIECES, Expected, Metered, measure, warm_up
from magbench.suites.clip import Clip
from magbench.video.io import to_float
from tests import fakes
from tests.clock import Clock

EXPECTED = Expected(6, 32, 32)


def pieces(*sizes: int) -> Iterator[Tensor]:
    for size in sizes:
        yield torch.rand(size, 3, 32, 32)


def run(stream: Iterator[Tensor]) -> Metered:
    return measure(lambda: stream, lambda: None, EXPECTED, seed=1)


def test_frames_pieces_and_history(clips: list[Clip]) -> None:
    model = fakes.tiny()
    task = make_task(clips[0], 0)
    metered = measure(lambda: model.stream(task), model.memory_bytes, EXPECTED, task.seed)
    shown = to_float(metered.frames)
    assert torch.allclose(shown, torch.cat(list(model.stream(task))), atol=0.5 / 255)
    assert metered.pieces == [2, 2, 2]
    assert metered.history_bytes == [10, 20, 30]
    assert len(metered.seconds) == 3
    assert (metered.device, metered.device_peak_bytes) == ("cpu", None)


def test_pieces_may_differ_in_size() -> None:
    assert run(pieces(1, 2, 3)).pieces == [1, 2, 3]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("magbench.models.meter.time", clock)
    return clock


def test_only_the_model_is_timed(clock: Clock) -> None:
    def stream() -> Iterator[Tensor]:
        for seconds in (0.75, 0.5, 0.25):
            clock.wait(seconds)
            yield torch.rand(2, 3, 32, 32)
        clock.wait(8)

    def slow_to_say() -> int:
        clock.wait(64)
        return 1

    assert measure(stream, slow_to_say, EXPECTED, seed=1).seconds == [0.75, 0.5, 0.25]


def test_work_done_before_the_first_piece_is_timed(clock: Clock) -> None:
    def eager() -> Iterator[Tensor]:
        clock.wait(0.5)
        return pieces(3, 3)

    assert measure(eager, lambda: None, EXPECTED, seed=1).seconds == [0.5, 0]


def test_an_accelerator_has_finished_before_the_clock_is_read(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[float] = []

    def stream() -> Iterator[Tensor]:
        for _ in range(2):
            waiting.append(0.5)  # handed over, and not computed yet
            yield torch.rand(3, 3, 32, 32)

    def synchronize() -> None:
        while waiting:
            clock.wait(waiting.pop())

    for name, answer in (
        ("is_initialized", lambda: True),
        ("synchronize", synchronize),
        ("reset_peak_memory_stats", lambda: None),
        ("max_memory_allocated", lambda: 1234),
        ("get_device_name", lambda: "a card"),
    ):
        monkeypatch.setattr(torch.cuda, name, answer)
    metered = measure(stream, lambda: None, EXPECTED, seed=1)
    assert metered.seconds == [0.5, 0.5]
    assert (metered.device, metered.device_peak_bytes) == ("a card", 1234)


def test_warm_up_takes_the_first_pieces_only() -> None:
    taken: list[int] = []

    def stream() -> Iterator[Tensor]:
        for index in range(10):
            taken.append(index)
            yield torch.rand(1, 3, 32, 32)

    warm_up(stream)
    assert taken == list(range(WARM_UP_PIECES))
    warm_up(lambda: pieces(6))  # shorter than the warm-up


PEAKS = """
import numpy as np
from tests.models.test_meter import pieces, run

def hungry():
    held = np.ones(16_000_000)  # 128 MB
    del held
    yield from pieces(6)

print(run(pieces(6)) and run(hungry()).peak_rss_bytes, run(pieces(6)).peak_rss_bytes)
"""


def test_a_peak_is_not_inherited_from_the_stream_before() -> None:
    """In a process of its own, so that no memory freed by an earlier test serves the allocation."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", PEAKS], cwd=root, capture_output=True, text=True, check=True)
    high, low = done.stdout.split()
    if "None" in (high, low):
        pytest.skip("this system cannot restart its mark")
    assert int(high) - int(low) > 100_000_000


@pytest.mark.parametrize("name", fakes.BROKEN)
def test_what_is_not_video_is_refused(name: str, clips: list[Clip]) -> None:
    make, message = fakes.BROKEN[name]
    task = make_task(clips[0], 0)
    with pytest.raises((MagbenchError, RuntimeError)) as caught:
        run(make(task))
    said = " ".join(str(caught.value).split())
    assert message.removeprefix("RuntimeError: ") in said


def test_memory_is_known_always_or_never() -> None:
    sizes = iter([1, None, 3])
    with pytest.raises(MagbenchError, match=r"memory_bytes\(\) is None after 1 of 3 pieces"):
        measure(lambda: pieces(2, 2, 2), lambda: next(sizes), EXPECTED, seed=1)


def test_a_model_that_forgets_its_seed_still_repeats_itself(clips: list[Clip]) -> None:
    task = make_task(clips[0], 0)
    first, second = (run(fakes.unseeded(task)).frames for _ in range(2))
    assert np.array_equal(first, second)
