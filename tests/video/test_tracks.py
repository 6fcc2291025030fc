"""Points followed through pictures that move as is known."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from magbench.video.tracks import Film, completed, flow, grid, inside, leap, moved, sampled, texture

SIZE = (120, 160)


def picture(seed: int = 0) -> NDArray[np.uint8]:
    """(240, 320) blotches of some pixels."""
    noise = np.random.default_rng(seed).normal(size=(240, 320))
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def cut(row: int, column: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture()[row : row + SIZE[0], column : column + SIZE[1]])


def test_points_go_where_the_picture_goes_and_come_back() -> None:
    film = Film.of([cut(20 + 2 * t, 20 + 3 * t) for t in range(9)])
    points = grid(SIZE)
    there = film.follow(points, 0, 8)[8]
    kept = ~np.isnan(there[..., 0])
    expected = points - np.array([24, 16], np.float32)
    assert (kept != inside(expected, SIZE, 0.05)).mean() < 0.05
    assert np.median(np.linalg.norm(there - expected, axis=-1)[kept]) < 1.2
    back = film.follow(points, 8, 0)[0]
    off = np.linalg.norm(sampled(back, there, SIZE) - points, axis=-1)
    assert np.nanmedian(off) < 1.2
    assert list(film.follow(points, 5, 3)) == [5, 4, 3]


def test_a_plain_part_moves_as_its_surroundings() -> None:
    one, other = cut(20, 20), cut(20, 26)
    for each in (one, other):
        each[40:80, 60:110] = 128
    plain, seen = flow(one, other), texture(one)
    middle = np.s_[25:35, 35:50]
    assert np.abs(completed(plain, seen)[middle][..., 0].mean() + 6) < np.abs(plain[middle][..., 0].mean() + 6)
    assert np.abs(completed(plain, seen)[middle][..., 0].mean() + 6) < 1.5
    assert seen[middle].mean() < 0.3 < 0.7 < seen[:10].mean()


def test_a_leap_follows_a_homography_and_what_is_left() -> None:
    homography = np.array([[1.0, 0, -40], [0, 1, 0], [0, 0, 1]])
    by = leap(cut(20, 20), cut(22, 61), homography)
    there = moved(grid(SIZE), by, SIZE)
    kept = inside(there, SIZE)
    assert np.abs(np.median((there - grid(SIZE))[kept], axis=0) - [-41, -2]).max() < 0.3
    assert kept.mean() < 0.8
