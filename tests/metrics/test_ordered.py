"""The ordered match: the best path against all paths, cameras at other speeds against ways to cheat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from magbench.metrics import PROTOCOLS, Pair, Truth, ordered
from magbench.metrics.ordered import RANGE, OrderedScores
from magbench.metrics.ordered import ordered as ordered_match

Positions = NDArray[np.float64]
COUNT = 24
FRAME = np.arange(COUNT, dtype=np.float64)
LAST = COUNT - 1.0

CURVES = {
    "slow": lambda apart: 0.3 * apart / COUNT,
    "like LPIPS": lambda apart: 0.4 * (1 - np.exp(-8 * apart / COUNT)),
    "fast": lambda apart: 0.2 * np.minimum(1, apart / 1.5),
}
"""Frames apart -> LPIPS."""

SPEEDS = {speed: np.minimum(LAST, speed * FRAME) for speed in (0.5, 0.75, 1.5, 2.0)}
HALF = COUNT // 2
CHEATS = {
    "first_return_freeze": 0 * FRAME,
    "last_return_freeze": 0 * FRAME + LAST,
    "middle_freeze": 0 * FRAME + HALF,
    "stalled": np.minimum(FRAME, HALF - 1),
    "stalled_at_first": np.maximum(0, FRAME - HALF),
    "leave_again": np.where(FRAME < HALF, FRAME, 2 * HALF - 1 - FRAME),
    "reversed": LAST - FRAME,
    "there_and_back_at_once": np.where(FRAME % 2 == 0, 0, LAST),
    "every_other_frame_elsewhere": np.where(FRAME % 2 == 0, FRAME / 2, LAST),
    "shuffled": np.random.default_rng(0).permutation(FRAME),
}


def match(
    distance: NDArray[np.float64], among: NDArray[np.float64], placed: NDArray[np.float64] | None = None
) -> OrderedScores | None:
    """The match where, unless told otherwise, everything is in its place."""
    return ordered_match(distance, among, np.ones_like(distance) if placed is None else placed)


def farther_half(among: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scale, written out plainly."""
    return np.array([np.mean(sorted(row, reverse=True)[: len(row) // 2]) for row in among])


def answer(curve: str, positions: Positions) -> OrderedScores:
    """The match of an answer that shows these places of a straight return."""
    far = CURVES[curve]
    distance = far(np.abs(positions[:, None] - FRAME))
    found = match(distance, far(np.abs(FRAME[:, None] - FRAME)))
    assert found is not None
    return found


@pytest.mark.parametrize("curve", CURVES)
def test_every_speed_is_above_every_cheat(curve: str) -> None:
    cheats = {name: answer(curve, positions).score.mean() for name, positions in CHEATS.items()}
    for speed, positions in SPEEDS.items():
        found = answer(curve, positions)
        assert found.score.mean() > 1.3 * max(cheats.values()), (speed, cheats)
        assert found.belonging.mean() > 0.95
    assert max(cheats.values()) < 0.4


@pytest.mark.parametrize("curve", CURVES)
def test_coverage_is_how_far_the_return_was_shown(curve: str) -> None:
    assert answer(curve, SPEEDS[2.0]).coverage.mean() == 1
    assert answer(curve, SPEEDS[0.5]).coverage.mean() == pytest.approx(0.5, abs=0.07)
    assert answer(curve, CHEATS["stalled"]).coverage.mean() == pytest.approx(0.5, abs=0.05)
    assert answer(curve, CHEATS["middle_freeze"]).coverage.mean() < 0.25


@pytest.mark.parametrize("curve", CURVES)
def test_the_truth_is_one_and_twice_its_speed_as_well(curve: str) -> None:
    for positions in (FRAME, SPEEDS[2.0]):
        found = answer(curve, positions)
        np.testing.assert_array_equal(found.score, 1)
        np.testing.assert_array_equal(found.belonging, 1)
    np.testing.assert_array_equal(answer(curve, FRAME).lpips, 0)
    np.testing.assert_array_equal(answer(curve, FRAME).path, np.stack([FRAME, FRAME], axis=1))


@pytest.mark.parametrize("late", [2, 4])
def test_an_offset_costs_what_it_hides(late: int) -> None:
    behind = answer("like LPIPS", np.maximum(0, FRAME - late))
    ahead = answer("like LPIPS", np.minimum(LAST, FRAME + late))
    assert behind.similarity.mean() == pytest.approx(1 - late / COUNT, abs=0.02)
    assert ahead.similarity.mean() == pytest.approx(1 - late / COUNT, abs=0.02)
    assert ahead.belonging.mean() == 1  # it stands at the end, where there is nothing left to show
    assert behind.belonging.mean() < 1 - late / COUNT + 0.1  # before its start it stands


def test_worse_frames_score_less_and_noise_nothing() -> None:
    far = CURVES["like LPIPS"]
    among = far(np.abs(FRAME[:, None] - FRAME))
    scores = [match(among + extra, among) for extra in (0, 0.05, 0.1, 0.2, 0.5)]
    means = [found.score.mean() for found in scores if found is not None]
    assert means == sorted(means, reverse=True)
    assert (means[0], means[-1]) == (1, 0)


def test_values_belong_to_true_frames() -> None:
    found = answer("fast", np.minimum(FRAME, HALF - 1))
    assert (found.similarity[:HALF] == 1).all()
    assert (found.similarity[HALF + 1 :] == 0).all()
    scale = farther_half(CURVES["fast"](np.abs(FRAME[:, None] - FRAME)))
    np.testing.assert_array_equal(found.lpips[:HALF], 0)
    np.testing.assert_allclose(found.lpips[HALF + 1 :], scale[HALF + 1 :])
    np.testing.assert_allclose(found.score, found.similarity * found.belonging.mean())


def test_a_static_return_has_no_range() -> None:
    assert match(np.full((4, 4), 0.1), (RANGE - 1e-3) * (1 - np.eye(4))) is None
    assert match(np.full((4, 4), 0.1), (RANGE + 1e-3) * (1 - np.eye(4))) is not None
    assert match(np.zeros((1, 1)), np.zeros((1, 1))) is None
    static = torch.full((3, 3, 32, 32), 0.5)
    assert ordered(static, static) is None
    assert PROTOCOLS["ordered"].score(Pair(static, Truth(static))) == {"score": None, "coverage": None, "lpips": None}


def every_path(count: int, frames: int) -> Iterator[list[tuple[int, int]]]:
    """Every way forward from every cell, one or two frames at a time in one of the videos, one in the other."""

    def onward(path: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        yield path
        i, j = path[-1]
        for cell in ((i + 1, j + 1), (i + 1, j + 2), (i + 2, j + 1)):
            if cell[0] < count and cell[1] < frames:
                yield from onward([*path, cell])

    for i in range(count):
        for j in range(frames):
            yield from onward([(i, j)])


@pytest.mark.parametrize("seed", range(5))
def test_the_best_of_all_paths_is_found(seed: int) -> None:
    """Its worth written out plainly: what each true frame shows, what each generated frame belongs."""
    rng = np.random.default_rng(seed)
    count, frames = 6, 5
    distance, among = rng.uniform(0, 0.3, (count, frames)), rng.uniform(0.1, 0.3, (frames, frames))
    np.fill_diagonal(among, 0)
    found = match(distance, among)
    assert found is not None
    scale = farther_half(among)
    similar = (1 - distance / scale).clip(0, 1)
    here = (1 - (distance - distance.min(axis=1, keepdims=True)) / (0.25 * scale)).clip(0, 1)
    shows, belongs = similar * here, (2 * similar).clip(0, 1) * here

    def worth(path: list[tuple[int, int]]) -> float:
        total = sum(shows[cell] + belongs[cell] for cell in path)
        for (i, j), (k, m) in zip(path, path[1:], strict=False):
            total += min(shows[i, j], shows[k, m]) if m == j + 2 else 0
            total += max(belongs[i + 1, j], belongs[i + 1, m]) if k == i + 2 else 0
        end, last = path[-1]
        return float(total + (belongs[end + 1 :, last].sum() if last == frames - 1 else 0))

    best = max(worth(path) for path in every_path(count, frames))
    assert found.similarity.sum() + found.belonging.sum() == pytest.approx(best, abs=1e-12)
