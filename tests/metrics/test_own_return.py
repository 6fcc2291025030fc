"""A return to what was made: a hand-computed case, real worlds score high, and no cheat does."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.own_return import CHEATS
from magbench.metrics.own_return import first_shown, measure, own_return
from magbench.suites.clip import Clip
from magbench.suites.embedded import revisit_nano_v2 as v2


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """A slow pan, a tilt of medium speed and a fast one."""
    return [v2.clip("dev", v2.v1.CLIPS["dev"] + number) for number in (0, 1, 5)]


def test_places_follow_the_views() -> None:
    assert first_shown(np.array([-1, -1, -1, 2, 1, -1, 4])).tolist() == [0, 1, 2, 2, 1, 5, 1]


def test_it_is_what_it_is_by_hand() -> None:
    """Two given frames and a way of three new ones and back; views that differ are 1 apart, neighbours 0.5."""
    revisit = np.array([-1, -1, -1, -1, -1, 4, 3, 2])
    place = first_shown(revisit)
    apart = np.abs(place[:, None] - place)
    distance = np.select([apart == 0, apart == 1], [0.0, 0.5], 1.0)
    distance[7, 2] = distance[2, 7] = 0.25  # the last frame is not quite the one that it repeats
    found = own_return(distance, np.ones((8, 8)), np.ones(8), revisit, switch=2)
    assert found is not None
    assert found.frame.tolist() == [5, 6, 7]
    assert found.source.tolist() == [4, 3, 2]
    # The farther half, by place: frame 5 (place 4) has four frames one or two places away, at .5, 1, .5, 1 (two of its
    # own place are nearer); frame 6 (place 3) has four, one place away each; frame 7 as frame 5.
    np.testing.assert_allclose(found.similar, [1, 1, 1 - 0.25 / 0.75])
    assert found.linked == 1.0
    assert found.sharp == 1.0
    np.testing.assert_allclose(found.fresh, 1)
    np.testing.assert_allclose(found.spread, 1)
    np.testing.assert_allclose(found.score, found.similar)


def test_what_never_comes_back_has_no_score() -> None:
    assert own_return(np.ones((4, 4)), np.ones((4, 4)), np.ones(4), np.array([-1, -1, -1, 0]), switch=2) is None
    assert own_return(np.zeros((4, 4)), np.ones((4, 4)), np.ones(4), np.array([-1, -1, -1, 2]), switch=2) is None


def test_a_real_world_scores_high(clips: list[Clip]) -> None:
    for clip in clips:
        found = measure(clip.frames, clip.revisit, clip.switch)
        assert found is not None
        assert found.scores.frame.tolist() == list(range(30, 48))
        assert found.values["lpips"].max() == 0
        assert found.values["psnr"].min() == 100
        assert found.scores.score.mean() > 0.7
        np.testing.assert_allclose(found.values["score"], found.scores.similar * found.scores.worth)


@pytest.mark.parametrize("cheat", CHEATS)
def test_no_cheat_scores(clips: list[Clip], cheat: str) -> None:
    means = []
    for clip in clips:
        video = clip.frames
        made = CHEATS[cheat](clip, video)
        assert made.shape == video[clip.switch :].shape
        found = measure(np.concatenate([video[: clip.switch], made]), clip.revisit, clip.switch)
        assert found is not None
        means.append((found.scores.score.mean(), found.scores.ordered.mean()))
    assert np.mean(means, axis=0).max() < 0.2
