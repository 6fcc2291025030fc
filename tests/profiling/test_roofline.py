"""Profiles of models whose sizes are known: a device with a clock of our own, and Wan at reduced sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from torch import Tensor

from cli import main
from magbench.core.errors import MagbenchError
from magbench.models.workload import Placed, WorkloadCost
from magbench.profiling import roofline
from magbench.profiling.latency_report import read_profile
from magbench.profiling.roofline import Device, check_lengths, measure_roofline, percentile
from magbench.profiling.roofline_report import roofline_grid, write_roofline
from tests.clock import Clock


@dataclass
class Ticking:
    """A block takes a second for each latent frame of the clip, the first of each memory one more."""

    name: str
    clock: Clock
    room: int = 1000
    shape: str = "1x1"
    block: int = 3
    pixels: int = 12
    device: str = "cpu"
    dtype: torch.dtype = torch.float32

    def behind(self, frames: int) -> Placed:
        if frames > self.room:
            raise torch.OutOfMemoryError("full")
        self.clock.order.append((self.name, frames))
        self.clock.wait(50)
        left = iter([1, 0, 0, 0])

        def make() -> Tensor:
            self.clock.wait(frames + next(left))
            return torch.zeros(3)

        return Placed(make, lambda: 10 * frames)

    def cost(self, frames: int) -> WorkloadCost:
        return WorkloadCost(flops=100 * frames, moved=30 * frames, history_bytes=10 * frames, weights_bytes=5)

    def decoder(self) -> Callable[[], Tensor]:
        def decode() -> Tensor:
            self.clock.wait(9)
            return torch.zeros(12)

        return decode


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(roofline.time, "perf_counter", clock.perf_counter)
    monkeypatch.setattr(roofline, "probe", lambda device, dtype: Device(flops=200, bandwidth=20))
    return clock


def test_every_figure_and_its_prediction(clock: Clock) -> None:
    device, (point,) = measure_roofline([Ticking("a", clock)], [6], rounds=2, decode=True)
    assert device == Device(200, 20)
    assert (point.seconds, point.p95, point.all_seconds) == (6, 6, (6.0,) * 6)
    assert (point.fps, point.fps_decoded) == (2, 12 / 15)
    assert (point.history, point.history_bytes, point.history_counted, point.peak_counted) == (1, 60, 60, 65)
    assert (point.flops, point.flops_per_second, point.share) == (600, 100, 0.5)
    assert point.predicted_seconds == 9  # 180 bytes at 20 a second take longer than 600 operations at 200


def test_models_take_turns_at_each_length(clock: Clock) -> None:
    steps: list[int] = []
    measure_roofline([Ticking("a", clock), Ticking("b", clock)], [3, 6], rounds=2, step=lambda: steps.append(1))
    assert clock.order == [("a", 3), ("b", 3), ("a", 6), ("b", 6)] * 2
    assert len(steps) == 4


def test_no_room_is_a_line_and_the_rest_goes_on(clock: Clock, tmp_path: Path) -> None:
    works = [Ticking("a", clock, room=5), Ticking("b", clock)]
    device, points = measure_roofline(works, [3, 6], rounds=2)
    assert [(p.model, p.frames, p.seconds) for p in points] == [("a", 3, 3), ("a", 6, None), ("b", 3, 3), ("b", 6, 6)]
    assert roofline_grid(points).rows[1] == ("6", "a", "no room", "-", "-", "-", "- / 60 B", "- / 65 B", "-", "-")
    source = {"magbench_version": "1", "commit": "abc", "command": "magbench profile a,b", "machine": {"cores": 1}}
    write_roofline(points, works, device, source, tmp_path)
    content = json.loads((tmp_path / "profile.json").read_text())
    assert content["points"][1]["seconds"] is None
    assert {key: content[key] for key in source} == source
    text = (tmp_path / "profile.md").read_text()
    assert "| 6 | **a** | no room |" in text
    assert "- command: `magbench profile a,b`\n- made by: magbench 1, commit abc\n- machine: cores 1\n" in text
    assert (tmp_path / "profile.png").stat().st_size > 0
    assert read_profile(tmp_path / "profile.json") == {"a": [(0, 3.0)], "b": [(0, 3.0), (1, 6.0)]}


def test_lengths_are_whole_blocks(clock: Clock) -> None:
    with pytest.raises(MagbenchError, match="--history 20: model 'a' counts latent frames in blocks of 3, as 21 or 60"):
        check_lengths([Ticking("a", clock)], [21, 20])


def test_95_of_100() -> None:
    assert percentile([float(i) for i in range(1, 101)], 0.95) == 95
    assert percentile([2.0, 1.0], 0.95) == 2


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_wan_without_a_gpu(tmp_path: Path) -> None:
    """What is in memory is what was counted; the reduced shape is said."""
    names = "wan:random,wan:random+mag,wan:random+window_sink:frames=6:sink=3,wan:random+ema_sink"
    options = ("--history", "3,12,21", "--resolution", "128x128", "--decode", "--rounds", 1, "--out", tmp_path)
    result = magbench_("profile", names, *options)
    assert result.exit_code == 0, result.stderr
    shape = "32x32, 2 layers of width 192, float32 on cpu (reduced, for want of a GPU, from 128x128, 30 layers"
    assert shape in result.stdout
    points = json.loads((tmp_path / "profile.json").read_text())["points"]
    frame = 2 * 2 * 4 * 192 * 4  # keys and values, layers, tokens, width, bytes
    attended = {(p["model"], p["frames"]): p["history_counted"] / frame for p in points}
    assert [attended[name, 21] for name in names.split(",")] == [21, 11, 12, 9]
    assert all(p["history_bytes"] == p["history_counted"] for p in points if p["model"] != "wan:random+ema_sink")
    assert all(p["fps_decoded"] < p["fps"] for p in points)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("wan:random", "--resolution", "830x480"), "frames of 830x480: both sides must be multiples of 16"),
        (("wan:random", "--history", "20"), "--history 20: model 'wan:random' counts latent frames"),
        (("wan:random+windw",), "unknown policy 'windw'; did you mean: window"),
        (("wan:random,mag",), "wan:random, mag: models of a family cannot be profiled together with others"),
        (("mag", "--decode"), "--resolution and --decode are for models of a family"),
        (("wan:longlive",), "weights of longlive: no generator here; type: magbench weights fetch longlive"),
    ],
)
def test_what_is_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path))
    result = magbench_("profile", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {message}") and result.stderr.count("\n") == 1


def test_a_resolution_is_width_by_height() -> None:
    result = magbench_("profile", "wan:random", "--resolution", "832")
    assert result.exit_code == 2 and "'832' is not WIDTHxHEIGHT, as 832x480 is" in result.stderr
