"""Profiling with a clock of our own: what is timed, in which order, and what a slope is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.models.disturbance import Disturbance
from magbench.profiling import latency
from magbench.profiling.latency import (
    ProfilePoint,
    as_history_model,
    profile,
    slope,
    slopes,
)
from magbench.profiling.latency_report import busy_notes, point_grid, read_profile, slope_grid, write_profile
from tests.clock import Clock


@dataclass
class Ticking:
    """A block takes ``base + slope * history`` seconds, the first a second more, and holds 100 bytes."""

    name: str
    clock: Clock
    base: float
    slope: float
    short: int = 0
    held: int = 0

    def stream_at(self, history: int, pieces: int, seed: int) -> Iterator[Tensor]:
        for piece in range(pieces - self.short):
            self.clock.wait(self.base + self.slope * history + (1 if piece == 0 else 0))
            self.clock.order.append(self.name)
            self.held = 100 * (history + 1)
            yield torch.zeros(3, 3, 4, 4)

    def memory_bytes(self) -> int | None:
        return self.held


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(latency.time, "perf_counter", clock.perf_counter)
    monkeypatch.setattr(latency, "Watch", Quiet)
    return clock


class Quiet:
    """Nobody else has the machine."""

    def seen(self) -> Disturbance:
        return Disturbance(0.0)


class Sometimes:
    """Other work has the machine at the calls that ``busy`` names."""

    def __init__(self, busy: Callable[[int], bool]) -> None:
        self.busy, self.calls = busy, 0

    def __call__(self) -> Sometimes:
        return self

    def seen(self) -> Disturbance:
        self.calls += 1
        return Disturbance(0.5 if self.busy(self.calls) else 0.0)


def test_disturbed_blocks_are_timed_again_and_left_out(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "Watch", Sometimes(lambda call: call <= 6))
    (point,) = profile([Ticking("full", clock, 0.1, 0.01)], [10], rounds=3)
    assert (len(point.all_seconds), point.left_out, point.disturbed) == (12, 6, False)  # one walk more
    assert point.seconds == pytest.approx(0.2)
    assert busy_notes([point]) == ["6 blocks that other work disturbed were timed again and are left out"]


def test_where_all_are_disturbed_that_is_said_everywhere(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(latency, "Watch", Sometimes(lambda call: True))
    points = profile([Ticking("full", clock, 0.1, 0.01), Ticking("mag", clock, 0.2, 0.003)], [40, 80], rounds=2)
    assert [(len(p.all_seconds), p.disturbed) for p in points] == [(12, True)] * 4
    assert all("†" in row[2] for row in point_grid(points).rows)
    assert all("†" in row[1] and row[2] == "-" for row in slope_grid(points).rows)
    assert busy_notes(points)[0].startswith("†: timed while other work had the machine")
    write_profile(points, {}, tmp_path)
    assert set(read_profile(tmp_path / "profile.json")) == {"full (busy)", "mag (busy)"}


def test_each_point_is_the_median_after_warm_up(clock: Clock) -> None:
    points = profile([Ticking("full", clock, 0.1, 0.01)], [10, 40], rounds=2)
    assert [(p.history, len(p.all_seconds)) for p in points] == [(10, 6), (40, 6)]
    assert [p.seconds for p in points] == pytest.approx([0.2, 0.5])
    assert [p.fps for p in points] == pytest.approx([15, 6])
    assert [p.history_bytes for p in points] == [1100, 4100]


def test_models_take_turns(clock: Clock) -> None:
    models = [Ticking("a", clock, 0.1, 0), Ticking("b", clock, 0.1, 0)]
    steps = []
    profile(models, [5, 6], rounds=1, step=lambda: steps.append(len(clock.order)))
    assert clock.order == ["a", "b"] * 8
    assert steps == [8, 16]


def test_slopes_and_their_ratio_to_the_first(clock: Clock) -> None:
    models = [Ticking("full", clock, 0.1, 0.01), Ticking("mag", clock, 0.2, 0.003)]
    found = slopes(profile(models, [10, 40, 80, 320]))
    assert [s.seconds_per_block for s in found] == pytest.approx([0.01, 0.003])
    assert [s.ratio for s in found] == pytest.approx([1, 0.3])


def test_histories_before_the_start_do_not_count_and_one_gives_no_slope() -> None:
    def point(history: int, seconds: float) -> ProfilePoint:
        return ProfilePoint("m", history, seconds, 1.0, None, (seconds,))

    assert slope([point(10, 9.0), point(40, 1.0), point(80, 2.0)]) == pytest.approx(0.025)
    assert slope([point(10, 9.0), point(40, 1.0)]) is None
    assert slope([point(10, 1.0), point(40, 4.0)], start=0) == pytest.approx(0.1)


def test_a_stream_that_ends_early_is_an_error(clock: Clock) -> None:
    with pytest.raises(MagbenchError, match="model 'full': stream_at gave fewer blocks than asked for"):
        profile([Ticking("full", clock, 0.1, 0.01, short=1)], [10])


def test_a_model_without_stream_at_is_an_error() -> None:
    with pytest.raises(MagbenchError, match="model 'other' cannot be profiled"):
        as_history_model(object(), "other")


def test_what_is_written_can_be_read(clock: Clock, tmp_path: Path) -> None:
    points = profile([Ticking("full", clock, 0.1, 0.01), Ticking("mag", clock, 0.2, 0.003)], [40, 80])
    write_profile(points, {"machine": {"cores": 2}}, tmp_path)
    content = json.loads((tmp_path / "profile.json").read_text())
    assert content["machine"] == {"cores": 2}
    assert content["slopes"][1]["ratio"] == pytest.approx(0.3)
    curves = read_profile(tmp_path / "profile.json")
    assert [x for x, _ in curves["mag"]] == [40, 80]
    assert [y for _, y in curves["mag"]] == pytest.approx([0.32, 0.44])
    assert (tmp_path / "profile.png").stat().st_size > 0
