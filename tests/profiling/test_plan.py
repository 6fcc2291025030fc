"""The plan against numbers worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.profiling.plan import Known, disk_bytes, plan, read_known, scorer_bytes, scoring_seconds
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation
from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.format import Suite


class Shape:
    """Frames that are never read."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __array__(self, *_: object) -> np.ndarray:
        raise AssertionError("a plan decodes nothing")


def clip(name: str, frames: int, switch: int, height: int, width: int) -> Clip:
    return Clip(
        id=name,
        caption="",
        category="",
        speed="",
        fps=16,
        switch=switch,
        frames=Shape(frames, height, width, 3),  # type: ignore[arg-type]
        pose=None,
        revisit=np.full(frames, NO_REVISIT),
    )


def a_suite(suite: Suite, count: int) -> Suite:
    return replace(suite, clips=tuple(clip(f"{i}", 24, 12, 480, 832) for i in range(count)))


def test_a_curve_is_followed_block_by_block() -> None:
    """Blocks of 3 frames, 4 of them given, 4 made behind 4, 5, 6, 7: 1, 1.5, 2 and, along the last line, 2.5 s."""
    known = Known("p", curve=((4, 1.0), (6, 2.0)), block=3)
    assert known.seconds(clip("a", 24, 12, 8, 8)) == pytest.approx(7.0)
    assert Known("p", curve=((40, 1.0), (60, 2.0)), block=3).seconds(clip("a", 24, 12, 8, 8)) == pytest.approx(4.0)
    assert Known("r", per_pixel=1e-6).seconds(clip("a", 24, 12, 480, 832)) == pytest.approx(12 * 480 * 832 / 1e6)


def test_shares_hours_and_the_longest(suite: Suite) -> None:
    """Videos of 10 and 30 s, 4 clips, 2 seeds, 4 devices: 80 + 240 s; of 4 shares of 4 videos the last two take 120."""
    frame = 12 * 480 * 832
    known = {"a": Known("x", per_pixel=10 / frame), "b": Known("y", per_pixel=30 / frame, memory=7)}
    found = plan(a_suite(suite, 4), ["a", "b"], known, devices=4, seeds=2)
    assert found.videos == 16
    assert found.seconds == pytest.approx(320)
    assert found.longest == pytest.approx(120)
    assert found.loads == 4
    assert [share.memory for share in found.shares] == [None, 7]
    assert found.scoring == pytest.approx(16 * frame * 1.63e-6)
    three = plan(a_suite(suite, 4), ["a", "b"], known, devices=3, seeds=2)  # 5, 5 and 6 videos: one has both models
    assert three.loads == 4
    assert three.longest == pytest.approx(6 * 30)
    assert three.seconds == pytest.approx(320)


def test_scoring_grows_with_a_return_and_its_memory_does_not(suite: Suite) -> None:
    """Features of 48 frames of 832x480 are held: 96 frames pass twice, the true ones once, half of them once more."""
    pixels = 96 * 480 * 832
    assert scoring_seconds(clip("a", 192, 96, 480, 832)) == pytest.approx(pixels * (1.13e-6 + 3.5 * 0.25e-6))
    held = [scorer_bytes(clip("a", frames, 0, 480, 832)) for frames in (12, 48, 96, 4000)]
    assert held[0] < held[1] == held[2] == held[3] < 2e9
    assert plan(a_suite(suite, 2), ["a"], {}).scorer == held[0]


def test_what_is_not_known_is_not_guessed(suite: Suite) -> None:
    found = plan(a_suite(suite, 2), ["a", "new"], {"a": Known("x", per_pixel=1e-6)}, devices=2)
    assert found.unknown == ("new",)
    assert found.longest is None
    assert [share.seconds is None for share in found.shares] == [False, True]
    assert found.disk == 4 * disk_bytes(clip("0", 24, 12, 480, 832))


def test_an_earlier_run_and_a_profile_are_read(suite: Suite, registered: None, tmp_path: Path) -> None:
    assert generate(suite, ["tiny", "freeze"], tmp_path / "run", limit=2, progress=Quiet()) == []
    known = read_known(tmp_path / "run")
    assert set(known) == {"tiny"}  # a reference's time says nothing
    folders = [RunFolder(tmp_path / "run").generation("tiny", name, 0) for name in "ab"]
    made = [one for one in map(read_generation, folders) if one is not None]
    seconds = [sum(one.seconds) for one in made]
    assert known["tiny"].seconds(suite.clips[0]) == pytest.approx(sum(seconds) / 2)
    points = [
        {"model": "deep", "history": history, "seconds": 0.5, "fps": 6.0, "peak_bytes": history} for history in (10, 20)
    ]
    (tmp_path / "profile.json").write_text(json.dumps({"points": [*points, {**points[0], "seconds": None}]}))
    (deep,) = read_known(tmp_path / "profile.json").values()
    assert (deep.block, deep.memory, deep.curve) == (3, 20, ((10.0, 0.5), (20.0, 0.5)))
    (tmp_path / "profile.json").write_text("{}")
    with pytest.raises(MagbenchError, match=r"profile\.json: not a profile"):
        read_known(tmp_path / "profile.json")
    (tmp_path / "profile.json").unlink()
    with pytest.raises(MagbenchError, match=r"holds neither generations of a model nor profile\.json"):
        read_known(tmp_path)
