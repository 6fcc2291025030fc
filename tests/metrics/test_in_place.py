"""Agreement in place: by hand, indifferent to light and codec; the right pixels elsewhere earn little on any suite."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.cheats import Camera, camera, elsewhere
from magbench.metrics import Pair, Truth
from magbench.metrics.frames import Video
from magbench.metrics.in_place import CELLS, Layout, counted, in_place
from magbench.metrics.ordered import ordered
from magbench.models.references import blurred
from magbench.suites.clip import Clip
from magbench.suites.registry import open_suite
from magbench.video.io import to_float, to_uint8

SUITES = {"revisit-nano": range(0, 42, 6), "revisit-photo": range(0, 36, 6), "revisit-3d": range(0, 12, 3)}
"""Suite -> some of its clips; every speed and several kinds are among them."""
SIDE = 4 * CELLS


def things(count: int, seed: int = 0) -> Tensor:
    """A pan by a cell a frame over blobs of colour: (count, 3, SIDE, SIDE)."""
    canvas = torch.rand(1, 3, 12, 24, generator=torch.Generator().manual_seed(seed))
    canvas = torch.nn.functional.interpolate(canvas, size=(SIDE, 2 * SIDE), mode="bicubic")[0].clamp(0, 1)
    return torch.stack([canvas[:, :, 4 * t : 4 * t + SIDE] for t in range(count)])


def agreement(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) of frame i with frame i."""
    return np.diagonal(in_place(*(Layout.of(Video("frames", frames)) for frames in (gen, truth))))


def test_the_truth_agrees_and_views_elsewhere_do_not() -> None:
    truth = things(12)
    found = in_place(*[Layout.of(Video("truth", truth))] * 2)
    np.testing.assert_allclose(np.diagonal(found), 1)
    assert found[0, 6:].max() < 0.2
    assert agreement(things(12, seed=1), truth).max() < 0.2


def test_light_blur_and_noise_change_little() -> None:
    truth = things(12)
    noise = 0.05 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(2))
    for frames in (truth * 0.8, (truth + 0.1).clamp(0, 1), blurred(truth, 1 / 32), (truth + noise).clamp(0, 1)):
        assert agreement(frames, truth).min() > 0.85


def test_what_is_elsewhere_or_of_another_colour_does_not_agree() -> None:
    truth = things(12)
    for name, frames in elsewhere(truth):
        assert np.mean(agreement(frames, truth)) < 0.2, name


def test_half_a_step_along_the_motion_is_allowed_for_and_nothing_across_it() -> None:
    canvas = things(1)
    wide = torch.cat([canvas[0], things(13)[12]], dim=2)
    truth = torch.stack([wide[:, :, 16 * t : 16 * t + SIDE] for t in range(5)])
    between = torch.stack([wide[:, :, 16 * t + 8 : 16 * t + 8 + SIDE] for t in range(4)])
    assert agreement(between, truth[:4]).mean() > 0.8
    assert agreement(between.roll(8, 2), truth[:4]).mean() < 0.3


def test_grey_frames_agree_in_colour_and_plain_ones_in_all() -> None:
    grey = things(12).mean(1, keepdim=True).repeat(1, 3, 1, 1)
    np.testing.assert_allclose(agreement(grey.flip(1), grey), 1)
    plain = torch.full((3, 3, SIDE, SIDE), 0.5)
    np.testing.assert_allclose(agreement(plain + 0.1, plain), 1)


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (480, 832), (96, 40)])
def test_every_size_has_its_cells(size: tuple[int, int]) -> None:
    layout = Layout.of(Video("frames", torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))))
    shape = layout.luma.shape[1:]
    assert min(shape) == CELLS
    assert shape[0] / shape[1] == pytest.approx(size[0] / size[1], rel=0.05)


def test_the_best_of_five_frames_counts_up_to_its_full() -> None:
    np.testing.assert_allclose(counted(np.array([0.4, 0, 0, 0, 0, 0.2])), [0.5, 0.5, 0.5, 0.25, 0.25, 0.25])
    np.testing.assert_allclose(counted(np.array([0.9])), [1])


def test_the_match_counts_what_is_in_place() -> None:
    """Agreement of frame i with its match, one half: both what is shown and what belongs are five eighths."""
    apart = np.abs(np.arange(8)[:, None] - np.arange(8.0))
    whole = ordered(apart / 8, apart / 8, np.ones((8, 8)))
    half = ordered(apart / 8, apart / 8, np.where(apart == 0, 0.5, 0))
    assert whole is not None
    assert half is not None
    np.testing.assert_allclose(half.similarity, 0.625 * whole.similarity)
    np.testing.assert_allclose(half.belonging, 0.625 * whole.belonging)
    np.testing.assert_array_equal(half.path, whole.path)


Scored = dict[str, tuple[float, float]]
"""Answer -> mean over clips of the out-of-window score with places left out, and as it is."""


@cache
def scored(name: str) -> Scored:
    """Twists, camera speeds and worse copies of some clips of a suite."""
    suite, found = open_suite(name), defaultdict(list)
    for number in SUITES[name]:
        clip = suite.clips[number]
        true = to_float(clip.frames)[clip.switch :]
        target = Truth(true)
        far = clip.out_of_window(suite.window)[clip.switch :]
        for answer, frames in answers(clip, true, camera(suite, number, clip, true)).items():
            pair = Pair(frames.contiguous(), target)
            both = [
                ordered(pair.distances, pair.among, placed) for placed in (np.ones((len(pair),) * 2), pair.in_place)
            ]
            found[answer].append([np.nan if match is None else match.score[far].mean() for match in both])
    return {answer: (float(a), float(b)) for answer, rows in found.items() for a, b in [np.nanmean(rows, axis=0)]}


def answers(clip: Clip, true: Tensor, shot: Camera) -> dict[str, Tensor]:
    """By name: what begins with a number is a camera speed, with "copy" a worse copy, anything else a twist."""
    frame = np.arange(len(true), dtype=np.float64)
    made = dict(elsewhere(true))
    made |= {f"{speed}x": shot(np.minimum(speed * frame, len(true) - 1)) for speed in (0.5, 0.75, 1.25, 1.5, 2.0)}
    noise = torch.randn(true.shape, generator=torch.Generator().manual_seed(len(clip)))
    made |= {f"copy, noise {level}": (true + level * noise).clamp(0, 1) for level in (0.02, 0.05, 0.1)}
    made["copy, blurred"] = blurred(true, 1 / 32)
    made["copy, 32 levels"] = to_float(to_uint8(true) // 8 * 8)
    return made


@pytest.mark.parametrize("name", SUITES)
def test_the_right_pixels_of_the_wrong_place_are_below_a_quarter(name: str) -> None:
    twists = {answer: value for answer, (_, value) in scored(name).items() if answer.startswith("the truth")}
    assert len(twists) == 8
    assert max(twists.values()) < 0.25, twists


@pytest.mark.parametrize("name", SUITES)
def test_camera_speeds_and_copies_keep_their_scores_and_their_order(name: str) -> None:
    honest = {answer: pair for answer, pair in scored(name).items() if not answer.startswith("the truth")}
    for answer, (without, value) in honest.items():
        assert without - 0.02 <= value <= without, answer
    order = [sorted(honest, key=lambda answer: honest[answer][which]) for which in (0, 1)]
    assert order[0] == order[1]
