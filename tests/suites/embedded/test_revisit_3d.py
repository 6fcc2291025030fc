"""What ships of revisit-3d: balanced, still, disjoint from training, and the same as what the engine draws."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from magbench.suites.embedded import revisit_3d
from magbench.suites.embedded.revisit_3d import CLIPS, ON_THE_SPOT, SUITE, TURNS, WINDOW, clip, small_clip
from magbench.suites.format import load_suite
from magbench.suites.worlds.doom.camera import SCREENS, on_lattice, still_map
from magbench.suites.worlds.doom.film import film, film_depth
from magbench.suites.worlds.doom.maps import SPLITS
from magbench.suites.worlds.doom.paths import FRAMES, KINDS, LAP, SPEEDS, SWITCH
from magbench.suites.worlds.doom.planned import planned
from magbench.suites.worlds.doom.settle import settled
from magbench.suites.worlds.doom.stretched import EXPLORE_SWITCH, EXPLORE_TURN, LONG_FRAMES, LONG_SWITCH, stretched
from magbench.suites.worlds.paths import revisits
from magbench.video.io import frames_sha256

PLANS = planned("test")


def test_kinds_and_speeds_are_balanced_and_maps_are_for_tests() -> None:
    assert len(PLANS) == CLIPS["test"] == len({plan.id for plan in PLANS}) == len({plan.caption for plan in PLANS})
    assert Counter(plan.category for plan in PLANS) == dict.fromkeys(KINDS, 8)
    assert set(Counter((plan.category, plan.speed) for plan in PLANS).values()) <= {2, 3}
    assert {plan.speed for plan in PLANS} == set(SPEEDS)
    assert {plan.place for plan in PLANS} <= set(SPLITS["test"])
    for plan in PLANS:
        assert plan.poses.shape == (FRAMES, 5)
        assert np.array_equal(on_lattice(plan.poses), plan.poses)
        assert len(plan.caption) > 40


@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_clip_is_what_was_drawn(number: int) -> None:
    plan = PLANS[number]
    clip = small_clip(plan)
    assert frames_sha256(clip.frames) == plan.sha256["96x64"]
    back = np.flatnonzero(clip.revisit >= 0)
    assert (len(back) == 0) == (plan.category == "detour")
    assert np.array_equal(clip.frames[back], clip.frames[clip.revisit[back]])
    assert (clip.gap[SWITCH:] >= WINDOW).any()


def test_development_clips_are_of_other_maps() -> None:
    plans = planned("dev")
    assert len(plans) == CLIPS["dev"] == len({plan.caption for plan in plans})
    assert {plan.place for plan in plans} <= set(SPLITS["dev"])
    assert {plan.category for plan in plans} == set(KINDS)
    for plan in plans:
        assert plan.poses.shape == (FRAMES, 5) and not plan.ships
        assert np.array_equal(on_lattice(plan.poses), plan.poses)


def test_clips_that_explore_come_back_to_what_was_made() -> None:
    plans = stretched("explore")
    assert len(plans) == CLIPS["explore"] and {plan.category for plan in plans} == {"explore"}
    for plan in plans:
        back = revisits(plan.poses)
        assert back.max() == EXPLORE_TURN - 1
        assert (back[:EXPLORE_TURN] == -1).all()
        assert np.array_equal(back[EXPLORE_TURN + 1 :], np.arange(EXPLORE_TURN - 1, EXPLORE_SWITCH, -1))
        gap = np.arange(FRAMES) - back
        assert (gap[back >= 0] >= WINDOW).any()


def test_long_clips_last_405_frames_on_ways_of_the_test_split() -> None:
    plans = stretched("long")
    assert Counter(plan.category for plan in plans) == {"turn": 3, "walk": 3, "loop": 3}
    for plan in plans:
        first = next(each for each in PLANS if each.caption == plan.caption).poses
        assert plan.poses.shape == (LONG_FRAMES, 5) and plan.place in SPLITS["test"]
        assert np.array_equal(plan.poses[0, :2], first[0, :2])
        assert (revisits(plan.poses)[LONG_SWITCH:] >= 0).all()
        nearest = np.abs(plan.poses[:, None, :2] - first[None, :, :2]).sum(axis=-1).min(axis=1)
        assert nearest.max() < np.abs(np.diff(first[:LAP, :2], axis=0)).sum(axis=-1).max() + 1e-3


def test_the_engine_draws_what_is_published_of_a_stretched_clip() -> None:
    pytest.importorskip("vizdoom")
    clip = revisit_3d.clip("explore", 2)
    assert frames_sha256(clip.frames) == stretched("explore")[2].sha256["96x64"]
    assert clip.explores and (clip.gap[EXPLORE_TURN + 1 :] >= 2).all()
    assert (clip.gap[EXPLORE_SWITCH:EXPLORE_TURN] == -1).all()


def test_the_engine_draws_what_ships() -> None:
    pytest.importorskip("vizdoom")
    plan = PLANS[1]
    screen = SCREENS["96x64"]
    few = plan.poses[[0, 40, 104]]
    np.testing.assert_array_equal(settled(film(plan.place, screen, few)), plan.frames()[[0, 40, 104]])
    lens = screen.intrinsics()
    np.testing.assert_array_equal(
        film_depth(plan.shape, lens, (64, 96), few), film_depth(still_map(plan.place), lens, (64, 96), few)
    )


def test_other_frames_than_the_published_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisit_3d, "film", lambda name, screen, poses: np.zeros((2, 64, 96, 3), np.uint8))
    with pytest.warns(revisit_3d.DrawnOtherwise, match=f"clip {PLANS[0].id}: drawn here has sha256"):
        revisit_3d._drawn(PLANS[0], "96x64")


@pytest.mark.rare
def test_the_whole_split_is_the_published_one(tmp_path: Path) -> None:
    SUITE.write("test", tmp_path / "made")
    suite = load_suite(tmp_path / "made")
    assert suite.digest == SUITE.digest["test"]
    seen = np.concatenate([clip.gap[SWITCH:] for clip in suite.clips])
    assert (seen >= WINDOW).mean() > 0.2


@pytest.mark.rare
def test_turns_are_the_middle_of_what_ships_at_half_the_size() -> None:
    plans = [plan for plan in PLANS if plan.category in ON_THE_SPOT]
    assert len(plans) == CLIPS[TURNS]
    for number in (0, 1):
        made, plan = clip(TURNS, number), plans[number]
        assert (plan.poses[:, :3] == plan.poses[0, :3]).all()
        whole = small_clip(plan)
        for frame, one in zip(np.asarray(made.frames), np.asarray(whole.frames), strict=True):
            wanted = cv2.resize(one[:, 16:80], (32, 32), interpolation=cv2.INTER_AREA)
            assert np.abs(frame - wanted.astype(float)).max() <= 1
        assert made.intrinsics is not None
        assert whole.intrinsics is not None
        assert made.intrinsics[0] / 32 == pytest.approx(whole.intrinsics[0] / 64)  # 64 of its columns are seen
        assert made.size == (32, 32)


def test_a_large_clip_is_what_was_drawn() -> None:
    pytest.importorskip("vizdoom")
    plan = PLANS[3]
    clip = revisit_3d.large_clip(plan)
    assert clip.size == (480, 832)
    assert clip.planes == {"depth": (FRAMES, 480, 832), "pixel_gap": (FRAMES, 480, 832)}
    assert frames_sha256(clip.frames) == plan.sha256["832x480"]
