"""The photographs: balance, exact revisits, views inside the picture, and resizing checked against plain means."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections import Counter

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.embedded import revisit_nano
from magbench.suites.embedded.revisit_photo import CANVAS, LICENCE, WIDTH, fitting_path
from magbench.suites.format import Suite
from magbench.suites.registry import is_published, make_suite, open_suite
from magbench.suites.worlds import photographs
from magbench.suites.worlds.paths import KINDS, SPEEDS
from magbench.suites.worlds.photographs import PHOTOGRAPHS, load_canvas


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    folder = tmp_path_factory.mktemp("photo") / "suite"
    make_suite("revisit-photo", folder)
    return open_suite(str(folder))


@pytest.fixture
def made(suite: Suite) -> tuple[Clip, ...]:
    return suite.clips


def test_clips_are_balanced(made: tuple[Clip, ...]) -> None:
    assert len(made) == 36
    assert set(Counter(clip.speed for clip in made).values()) == {12}
    assert set(Counter(clip.category for clip in made).values()) == {5, 6}
    pairs = Counter((clip.category, clip.speed) for clip in made)
    assert len(pairs) == len(KINDS) * len(SPEEDS)
    photographs_at = {(clip.id.split("-")[1], clip.speed) for clip in made}
    assert photographs_at == {(one.name, speed) for one in PHOTOGRAPHS for speed in SPEEDS}


def test_clips_fit_what_runs_on_revisit_nano(made: tuple[Clip, ...]) -> None:
    for clip in made:
        assert (len(clip), clip.size, clip.switch, clip.fps) == (48, (32, 32), revisit_nano.SWITCH, revisit_nano.FPS)
        seen = clip.revisit != NO_REVISIT
        frames = clip.frames
        assert np.array_equal(frames[seen], frames[clip.revisit[seen]])
        assert (clip.out_of_window(revisit_nano.WINDOW)[clip.switch :]).sum() >= 8


def test_no_view_leaves_the_photograph_or_is_plain_all_along(made: tuple[Clip, ...]) -> None:
    for clip in made:
        assert clip.pose is not None
        half = np.exp(clip.pose[:, 2:]) / 2
        assert (clip.pose[:, :2] - half).min() > 0
        assert (clip.pose[:, :2] + half).max() < WIDTH
        assert clip.frames.astype(float).std(axis=(1, 2)).mean() > 5


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_path_fits(kind: str) -> None:
    for seed in range(20):
        cameras = fitting_path(kind, "fast", np.random.default_rng(seed))
        assert (cameras[:, :2] > 0).all()
        assert (cameras[:, :2] < WIDTH).all()


def test_the_suite_is_the_published_one(suite: Suite) -> None:
    assert is_published(suite)
    assert suite.licence == LICENCE


def test_every_photograph_is_credited() -> None:
    assert len({one.name for one in PHOTOGRAPHS}) == len(PHOTOGRAPHS) == 12
    assert all(f"{one.name} ({one.credit})" in LICENCE for one in PHOTOGRAPHS)


def test_a_canvas_is_made_of_means_over_areas() -> None:
    import cv2

    photograph = next(one for one in PHOTOGRAPHS if one.name == "hubble")
    side = photograph.side // 4
    picture = cv2.imread(str(photographs.data_folder() / photograph.file))[..., ::-1].astype(float)
    square = picture[photograph.top :, photograph.left :][: 4 * side, : 4 * side]
    plain = square.reshape(side, 4, side, 4, 3).mean(axis=(1, 3))
    assert np.abs(load_canvas(photograph, side) - plain).max() <= 0.5 + 1e-6
    assert load_canvas(photograph, CANVAS).shape == (CANVAS, CANVAS, 3)


def test_without_the_photographs_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MagbenchError, match=r"not installed: pip install \"magbench\[photo\]\""):
        load_canvas(PHOTOGRAPHS[0], CANVAS)


@pytest.mark.parametrize(("file", "words"), [("none.png", "is missing"), ("README.txt", "is another picture")])
def test_another_picture_is_refused(file: str, words: str) -> None:
    with pytest.raises(MagbenchError, match=words):
        load_canvas(dataclasses.replace(PHOTOGRAPHS[0], file=file), CANVAS)
