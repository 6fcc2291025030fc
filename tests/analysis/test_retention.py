"""Retention: 0 for another scene, 1 for the ceiling, a known half-life found again, nothing made up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from magbench.analysis.retention import retention, without_value
from magbench.analysis.retention_curve import gap_curves, half_life
from magbench.runs.records import Record, read_parquet

CLIPS = [f"c{i:02d}" for i in range(20)]
GAPS = list(range(1, 48, 2))
FAR = 9
ENDS = {"psnr": (11.0, 31.0), "ssim": (0.1, 0.9), "lpips": (0.23, 0.005)}  # another scene, the codec


def record(model: str, clip: str, metric: str, values: Sequence[float], gaps: Sequence[int]) -> list[Record]:
    """The aligned records of one generation, both regions."""
    common: dict[str, Any] = {
        "suite": "made-up",
        "suite_version": 1,
        "suite_digest": "d" * 64,
        "split": "test",
        "model": model,
        "revision": "1",
        "kind": "model",
        "clip": clip,
        "category": "pan",
        "speed": "slow",
        "sample": 0,
        "seed": 1,
        "protocol": "aligned",
        "metric": metric,
        "metric_version": 3,
        "unit": "dB" if metric == "psnr" else "",
        "better": "lower" if metric == "lpips" else "higher",
        "generation_sha256": "e" * 64,
        "magbench_version": "0",
    }
    far = [value for value, gap in zip(values, gaps, strict=True) if gap >= FAR]
    frames = {"per_frame": list(values), "frame": list(range(24, 24 + len(values))), "gap": list(gaps)}
    return [
        Record(**common, region="all", value=fmean(values), n=len(values), **frames),
        Record(**common, region="out_of_window", value=fmean(far) if far else None, n=len(far)),
    ]


def run(retained: Callable[[int, int], float], *, gaps: Sequence[int] = GAPS, noise: float = 0.0) -> list[Record]:
    """Floor, ceiling and a ``model`` that retains ``retained(clip number, gap)`` of every metric."""
    made = []
    for metric, (floor, ceiling) in ENDS.items():
        for number, clip in enumerate(CLIPS):
            rng = np.random.default_rng(number)
            kept = [retained(number, gap) + noise * rng.normal() for gap in gaps]
            for model, values in (
                ("wrong_scene", [floor] * len(gaps)),
                ("codec", [ceiling] * len(gaps)),
                ("model", [floor + (ceiling - floor) * value for value in kept]),
            ):
                made += record(model, clip, metric, values, gaps)
    return made


def values(records: list[Record], model: str, metric: str, region: str) -> list[float | None]:
    return [r.value for r in records if (r.model, r.metric, r.region) == (model, metric, region)]


@pytest.mark.parametrize("metric", ENDS)
def test_another_scene_is_zero_and_the_ceiling_one(metric: str) -> None:
    found = retention(run(lambda clip, gap: 0.25 if gap < FAR else 0.75))
    for region, wanted in (("in_window", 0.25), ("out_of_window", 0.75)):
        assert values(found, "wrong_scene", metric, region) == [0.0] * len(CLIPS)
        assert values(found, "codec", metric, region) == [1.0] * len(CLIPS)
        assert values(found, "model", metric, region) == pytest.approx([wanted] * len(CLIPS))
    one = next(r for r in found if (r.model, r.metric, r.region) == ("model", metric, "all"))
    assert (one.protocol, one.unit, one.better, one.metric_version) == ("retention", "", "higher", 3)
    assert one.gap == GAPS
    assert one.per_frame == pytest.approx([0.25] * 4 + [0.75] * 20)
    assert one.n == 24


def test_it_is_not_clipped() -> None:
    found = retention(run(lambda clip, gap: -0.4 if gap < FAR else 1.2))
    assert values(found, "model", "lpips", "in_window") == pytest.approx([-0.4] * len(CLIPS))
    assert values(found, "model", "lpips", "out_of_window") == pytest.approx([1.2] * len(CLIPS))


def test_a_region_is_the_ratio_of_its_means() -> None:
    made = [
        *record("wrong_scene", "a", "ssim", [0.1, 0.5], [11, 13]),
        *record("codec", "a", "ssim", [0.9, 0.7], [11, 13]),
        *record("model", "a", "ssim", [0.5, 0.5], [11, 13]),
    ]
    assert values(retention(made), "model", "ssim", "all") == pytest.approx([(0.5 - 0.3) / (0.8 - 0.3)])


def test_without_a_codec_the_oracle_is_the_ceiling_and_psnr_is_capped() -> None:
    made = []
    for model, decibels in (("wrong_scene", 10.0), ("oracle", 100.0), ("model", 25.0)):
        made += record(model, "a", "psnr", [decibels] * 3, [11, 13, 15])
    found = retention(made)
    assert values(found, "oracle", "psnr", "all") == [1.0]
    assert values(found, "model", "psnr", "all") == [0.5]


def test_no_floor_or_no_ceiling_gives_nothing() -> None:
    made = run(lambda clip, gap: 0.5)
    assert retention([r for r in made if r.model != "wrong_scene"]) == []
    assert retention([r for r in made if r.model != "codec"]) == []
    assert retention([]) == []


def test_clips_without_a_range_are_counted() -> None:
    made = [r for r in run(lambda clip, gap: 0.5) if r.clip not in CLIPS[:3] or r.model != "wrong_scene"]
    for clip in CLIPS[:2]:  # the floor is as good as the ceiling; of the third clip there is no floor at all
        made += record("wrong_scene", clip, "lpips", [0.006] * len(GAPS), GAPS)
    found = retention(made)
    assert without_value(found, "lpips", "out_of_window") == {"codec": 3, "model": 3, "wrong_scene": 2}
    assert values(found, "model", "lpips", "all")[:4] == [None, None, None, pytest.approx(0.5)]
    assert [r.n for r in found if (r.model, r.metric, r.region) == ("model", "lpips", "all")][:4] == [0, 0, 0, 24]


def test_frames_without_a_range_are_left_out_and_views_never_seen_have_no_region() -> None:
    made = [
        *record("wrong_scene", "a", "lpips", [0.2, 0.005, 0.2], [3, 11, -1]),
        *record("codec", "a", "lpips", [0.0, 0.0, 0.0], [3, 11, -1]),
        *record("model", "a", "lpips", [0.1, 0.1, 0.1], [3, 11, -1]),
    ]
    whole, far, near = (r for r in retention(made) if r.model == "model")
    assert (whole.frame, whole.gap, whole.per_frame) == ([24, 26], [3, -1], [0.5, 0.5])
    assert (far.value, far.n) == (None, 0)
    assert (near.value, near.n) == (0.5, 1)


@pytest.mark.parametrize("known", [4.0, 12.0, 30.0])
def test_a_known_half_life_is_found_again(known: float) -> None:
    found = retention(run(lambda clip, gap: 2 ** (-gap / known), noise=0.1))
    (curve,) = [curve for curve in gap_curves(found) if curve.model == "model"]
    life = curve.half_life
    assert life.gap == pytest.approx(known, rel=0.15)
    assert life.low is not None and life.high is not None
    assert life.low <= known <= life.high
    assert life.high - life.low < known / 2
    assert len(curve.points) == 8
    assert curve.points[0].retained.mean == pytest.approx(fmean(2 ** (-g / known) for g in (1, 3, 5)), abs=0.08)
    assert curve.points[0].retained.n == len(CLIPS)
    assert (curve.points[0].first, curve.points[-1].last) == (1, 47)


def test_the_band_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    gaps = np.array(GAPS)
    hits = 0
    for _ in range(30):
        lives = 15 * np.exp(rng.normal(0, 0.3, (20, 1)))
        life = half_life(gaps, 2 ** (-gaps / lives) + 0.05 * rng.normal(size=(20, len(gaps))))
        many = 15 * np.exp(np.random.default_rng(1).normal(0, 0.3, (20000, 1)))
        grid = np.linspace(1, 47, 2000)
        truth = np.interp(-0.5, -(2 ** (-grid / many[:500])).mean(axis=0), grid)
        assert life.low is not None and life.high is not None
        hits += life.low - 1 <= truth <= life.high + 1  # gaps lie 2 frames apart
    assert hits >= 27


def test_outcomes_that_are_no_number() -> None:
    found = retention(run(lambda clip, gap: 0.9 if clip % 2 else 0.8))
    lives = {curve.model: curve.half_life for curve in gap_curves(found)}
    assert (lives["model"].gap, str(lives["model"])) == (math.inf, "> 47 [> 47, > 47]")
    assert (lives["wrong_scene"].gap, str(lives["wrong_scene"])) == (-math.inf, "< 1 [< 1, < 1]")
    one = half_life(np.array([3, 5]), np.array([[0.75, 0.25]]))
    assert (one.gap, one.low, str(one)) == (4.0, None, "4.0")


def test_a_window_forgets_at_its_step() -> None:
    found = retention(run(lambda clip, gap: 0.95 if gap < FAR else 0.02, noise=0.1))
    lives = {curve.model: curve.half_life for curve in gap_curves(found)}
    assert 7 <= lives["model"].gap <= 9


def test_samples_of_a_clip_count_once() -> None:
    made = run(lambda clip, gap: 0.8)
    again = [r.model_copy(update={"sample": 1}) for r in made]
    once, twice = (gap_curves(retention(records)) for records in (made, made + again))
    assert once == twice


def test_the_published_run() -> None:
    path = Path(__file__).parents[2] / "leaderboards/revisit-nano/records.parquet"
    found = retention(read_parquet(path))
    mean = {
        model: fmean(v for v in values(found, model, "lpips", "out_of_window") if v is not None)
        for model in ("wrong_scene", "window", "strided", "mag", "full_history", "codec")
    }
    assert mean["wrong_scene"] == 0
    assert mean["codec"] == 1
    assert mean["window"] < 0.2
    assert mean["window"] < mean["strided"] < mean["mag"] < mean["full_history"] < 1
    assert without_value(found, "lpips", "out_of_window")["mag"] == 0
    lives = {curve.model: curve.half_life.gap for curve in gap_curves(found)}
    assert lives["full_history"] == lives["mag"] == math.inf
    assert 6 <= lives["window"] <= 12
