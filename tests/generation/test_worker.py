"""What goes on beside a stream, and what does not."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from torch import Tensor

from magbench.generation import worker
from magbench.generation.sources import make_task
from magbench.generation.worker import Job, Source, make_missing
from magbench.models.disturbance import Disturbance, Watch
from magbench.models.guard import Interruption
from magbench.models.protocol import Task
from magbench.runs.generation import read_generation
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from tests import fakes

PATIENCE = 20
"""Seconds until a test gives up that waits for what never comes."""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's weights are on an accelerator."""
    monkeypatch.setattr(worker, "device_in_use", lambda: "a card")


class Watched:
    """A source that notes when each clip is begun, streamed and saved; :attr:`until` holds a stream back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        self.until: dict[str, list[str]] = {}
        self._news = threading.Condition()
        write = worker.write_generation

        def saving(folder: Path, *given: object, **named: object) -> None:
            write(folder, *given, **named)  # type: ignore[arg-type]
            self.note(f"saved {folder.name}")

        monkeypatch.setattr(worker, "write_generation", saving)
        self.source = Source("watched", "model", "1", self.start, lambda: None)

    def note(self, event: str) -> None:
        with self._news:
            self.seen.append(event)
            self._news.notify_all()

    def start(self, clip: Clip, sample: int, _: Path) -> partial[Iterator[Tensor]]:
        self.note(f"begun {clip.id}")
        return partial(self.stream, clip, sample)

    def stream(self, clip: Clip, sample: int) -> Iterator[Tensor]:
        self.note(f"streams {clip.id}")
        with self._news:
            wanted = self.until.get(clip.id, [])
            assert self._news.wait_for(lambda: set(wanted) <= set(self.seen), PATIENCE), (wanted, self.seen)
        yield from fakes.noisy(make_task(clip, sample))
        self.note(f"streamed {clip.id}")

    def make(self, suite: Suite, out: Path) -> list[worker.Failure]:
        jobs = [Job(clip, 0, out / clip.id) for clip in suite.clips]
        return make_missing(self.source, jobs, lambda job, failure: None, Interruption())


def test_a_stream_of_the_processor_has_it_alone(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    assert watched.make(suite, tmp_path) == []
    each = ("begun", "streams", "streamed", "saved")
    assert watched.seen == [f"{what} {clip}" for clip in "abc" for what in each]


def test_saving_and_decoding_go_on_beside_an_accelerator(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: None
) -> None:
    watched = Watched(monkeypatch)
    watched.until = {"a": ["begun b"], "b": ["saved a", "begun c"], "c": ["saved b"]}
    assert watched.make(suite, tmp_path) == []
    assert watched.seen[-1] == "saved c"


def test_work_beside_an_accelerator_disturbs_no_time(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: None
) -> None:
    asked = []
    made = Watch.__init__
    monkeypatch.setattr(Watch, "__init__", lambda watch, alone: (asked.append(alone), made(watch, alone))[1])
    Watched(monkeypatch).make(suite, tmp_path / "accelerator")
    monkeypatch.setattr(worker, "device_in_use", lambda: worker.CPU)
    Watched(monkeypatch).make(suite, tmp_path / "processor")
    assert asked == [False] * 3 + [True] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is of a process elsewhere")
@pytest.mark.parametrize(("own", "beside"), [(0, 10), (15, 15)])
def test_what_works_beside_gives_way_and_never_asks_for_more(
    monkeypatch: pytest.MonkeyPatch, own: int, beside: int
) -> None:
    """A user without rights may not lower the niceness that the program was started with."""
    asked: list[int] = []
    monkeypatch.setattr(os, "getpriority", lambda which, who: own)
    monkeypatch.setattr(os, "setpriority", lambda which, who, value: asked.append(value))
    worker._gives_way()
    assert asked == [beside]


def test_clips_that_nobody_else_makes_are_one_stretch(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: None
) -> None:
    """Not two, those that are timed and the others, between which an accelerator would wait."""
    monkeypatch.setattr(worker, "TIMED", 1)
    watched = Watched(monkeypatch)
    watched.until = {"a": ["begun b"]}
    assert watched.make(suite, tmp_path) == []


def test_an_accelerator_changes_no_video(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Watched(monkeypatch).make(suite, tmp_path / "processor")
    monkeypatch.setattr(worker, "device_in_use", lambda: "a card")
    Watched(monkeypatch).make(suite, tmp_path / "accelerator")
    for clip in "abc":
        one, other = (tmp_path / place / clip / "frames.mkv" for place in ("processor", "accelerator"))
        assert one.read_bytes() == other.read_bytes()


def test_what_fails_beside_a_stream_is_told_of_its_own_clip(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: None
) -> None:
    watched = Watched(monkeypatch)
    write = worker.write_generation

    def odd(folder: Path, *given: object, **named: object) -> None:
        if folder.name == "b":
            raise ValueError("an odd clip")
        write(folder, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "write_generation", odd)
    (failure,) = watched.make(suite, tmp_path)
    assert str(failure).startswith("watched, clip b, sample 0: ValueError: an odd clip")
    assert [read_generation(tmp_path / clip) is not None for clip in "abc"] == [True, False, True]


def test_nothing_missing_begins_nothing(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Watched(monkeypatch).make(suite, tmp_path)
    again = Watched(monkeypatch)
    assert again.make(suite, tmp_path) == []
    assert again.seen == []


class Busy:
    """Says of each stream in turn what share of its time was lost; what it yields, and raises, is that of ``make``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *waited: float) -> None:
        self.left, self.begun = list(waited), 0
        monkeypatch.setattr(worker, "AGAIN", 2)
        monkeypatch.setattr(Watch, "seen", lambda _: Disturbance(self.left.pop(0), None))

    def times(self, suite: Suite, out: Path, make: Callable[[Task, int], Iterator[Tensor]]) -> list[float | None]:
        """What three clips are said to have lost."""

        def start(clip: Clip, sample: int, folder: Path) -> partial[Iterator[Tensor]]:
            self.begun += 1
            return partial(make, make_task(clip, sample), self.begun)

        source = Source("busy", "model", "1", start, lambda: None)
        jobs = [Job(clip, 0, out / clip.id) for clip in suite.clips]
        assert make_missing(source, jobs, lambda job, failure: None, Interruption()) == []
        made = [read_generation(job.folder) for job in jobs]
        return [one.waited for one in made if one is not None]


def noisy(task: Task, begun: int) -> Iterator[Tensor]:
    return fakes.noisy(task)


def test_a_disturbed_timing_is_taken_again(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Busy(monkeypatch, 0.5, 0.01, 0.02, 0.6, 0.03)
    assert busy.times(suite, tmp_path, noisy) == [0.01, 0.02, 0.03]
    assert (busy.begun, busy.left) == (5, [])


def test_a_busy_machine_is_tried_once(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Busy(monkeypatch, 0.5, 0.4, 0.3, 0.2)
    assert busy.times(suite, tmp_path, noisy) == [0.5, 0.3, 0.2]


def test_no_more_clips_are_timed_again_than_are_timed(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Busy(monkeypatch, 0.5, 0.0, 0.5, 0.0, 0.5)
    assert busy.times(suite, tmp_path, noisy) == [0.0, 0.0, 0.5]


def other_frames(task: Task, begun: int) -> Iterator[Tensor]:
    return (piece * (begun != 2) for piece in fakes.noisy(task))


def leaves(task: Task, begun: int) -> Iterator[Tensor]:
    if begun == 2:
        raise SystemExit
    yield from fakes.noisy(task)


@pytest.mark.parametrize(("make", "waited"), [(other_frames, (0.5, 0.0, 0.0, 0.0)), (leaves, (0.5, 0.0, 0.0))])
def test_the_first_frames_count(
    suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Task, int], Iterator[Tensor]],
    waited: tuple[float, ...],
) -> None:
    assert Busy(monkeypatch, *waited).times(suite, tmp_path / "busy", make) == [0.5, 0.0, 0.0]
    Busy(monkeypatch, 0.0, 0.0, 0.0).times(suite, tmp_path / "quiet", noisy)
    for clip in suite.clips:
        one, other = (read_generation(tmp_path / name / clip.id) for name in ("busy", "quiet"))
        assert one is not None and other is not None and one.frames_sha256 == other.frames_sha256
