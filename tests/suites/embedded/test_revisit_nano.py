"""The procedural worlds: exact revisits, balance, and a renderer checked against plain sampling."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from magbench.suites.clip import NO_REVISIT
from magbench.suites.embedded.revisit_nano import CLIPS, FRAMES, SIZE, SWITCH, WINDOW, film, scene
from magbench.suites.worlds.canvas import CANVAS, PIXELS_PER_VIEW, SUPERSAMPLE, render
from magbench.suites.worlds.paths import KINDS, SPEEDS, camera_path, revisits


def _path(kind: str, speed: str = "fast", seed: int = 0) -> np.ndarray:
    return camera_path(kind, speed, np.random.default_rng(seed), switch=SWITCH, frames=FRAMES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("speed", SPEEDS)
def test_revisit_is_the_latest_earlier_frame_with_the_same_camera(kind: str, speed: str) -> None:
    for seed in range(5):
        cameras = _path(kind, speed, seed)
        for frame, found in enumerate(revisits(cameras)):
            same = [past for past in range(frame) if np.array_equal(cameras[past], cameras[frame])]
            assert found == (same[-1] if same else NO_REVISIT)


@pytest.mark.parametrize("kind", KINDS)
def test_camera_leaves_and_comes_back(kind: str) -> None:
    cameras = _path(kind)
    away = np.linalg.norm(cameras[:, :2] - cameras[0, :2], axis=1) / np.exp(cameras[:, 2])
    assert away[:SWITCH].max() > 2
    back = revisits(cameras)[SWITCH:]
    assert (back != NO_REVISIT).sum() >= (FRAMES - SWITCH) // 2
    assert (np.arange(SWITCH, FRAMES) - back)[back != NO_REVISIT].max() >= WINDOW


def test_mirrored_paths_return_frame_by_frame() -> None:
    for kind in ("pan", "tilt", "diagonal", "zoom"):
        assert revisits(_path(kind))[SWITCH:].tolist() == list(range(SWITCH - 1, -1, -1))
    assert revisits(_path("loop"))[SWITCH:].tolist() == list(range(SWITCH))


@pytest.mark.parametrize(("speed", "low", "high"), [("slow", 0.6, 1.0), ("fast", 0.0, 0.3)])
def test_overlap_of_the_frames_of_a_block(speed: str, low: float, high: float) -> None:
    for seed in range(20):
        cameras = _path("pan", speed, seed)
        overlap = 1 - abs(cameras[2, 0] - cameras[0, 0]) / np.exp(cameras[0, 2])
        assert low <= max(overlap, 0.0) <= high


def test_a_wide_view_is_square_views_side_by_side() -> None:
    canvas = torch.rand(1, 3, CANVAS, CANVAS, generator=torch.Generator().manual_seed(0))
    wide = render(canvas, torch.tensor([[[2.0, 3.0, 0.0]]], dtype=torch.float64), (64, 96), (64, 96))[0, 0]
    for row in (0, 1):
        for column in (0, 1, 2):
            camera = torch.tensor([[[6.0 + column - 1, 6.0 + row - 0.5, 0.0]]], dtype=torch.float64)
            part = wide[:, 32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
            torch.testing.assert_close(part, render(canvas, camera, (32, 32))[0, 0], atol=1e-5, rtol=0)


def test_render_is_the_mean_of_bilinear_samples() -> None:
    canvas = torch.rand(1, 3, CANVAS, CANVAS, generator=torch.Generator().manual_seed(0))
    x, y, scale = 15.9, 0.03, 0.4
    frame = render(canvas, torch.tensor([[[x, y, scale]]], dtype=torch.float64), (SIZE, SIZE))[0, 0]
    picture, width = canvas[0].numpy(), np.exp(scale) * PIXELS_PER_VIEW
    for row, col in ((0, 0), (13, 29), (31, 31)):
        total = np.zeros(3)
        for i in range(SUPERSAMPLE**2):
            down = ((row + (i // SUPERSAMPLE + 0.5) / SUPERSAMPLE) / SIZE - 0.5) * width + y * PIXELS_PER_VIEW - 0.5
            right = ((col + (i % SUPERSAMPLE + 0.5) / SUPERSAMPLE) / SIZE - 0.5) * width + x * PIXELS_PER_VIEW - 0.5
            for dr in (0, 1):
                for dc in (0, 1):
                    r, c = int(np.floor(down)) + dr, int(np.floor(right)) + dc
                    weight = (1 - abs(down - r)) * (1 - abs(right - c))
                    total += weight * picture[:, r % CANVAS, c % CANVAS]
        np.testing.assert_allclose(frame[:, row, col].numpy(), total / SUPERSAMPLE**2, atol=2e-4)


def test_scenes_differ_and_cannot_be_guessed() -> None:
    first, second = (scene("dev", index).astype(float) / 255 for index in (0, 1))
    assert -10 * np.log10(((first - second) ** 2).mean()) < 14
    assert first.std() > 0.12


def test_frames_at_the_same_camera_are_the_same_bytes() -> None:
    cameras = _path("diagonal")
    frames = film(scene("dev", 0), cameras)
    assert frames.shape == (FRAMES, SIZE, SIZE, 3)
    assert np.array_equal(frames[SWITCH:], frames[:SWITCH][::-1])


def test_clips_are_balanced_by_construction() -> None:
    pairs = Counter((index % len(KINDS), index % len(SPEEDS)) for index in range(CLIPS["test"]))
    assert len(pairs) == len(KINDS) * len(SPEEDS)
    assert len(set(pairs.values())) == 1
    assert CLIPS["test"] >= 36
