"""How much two pictures look alike: features, robust two-view geometry, and the area that it maps.

SIFT (Lowe 2004) compared by square roots (Arandjelovic and Zisserman 2012), mutual nearest neighbours that pass the
ratio test, a fundamental matrix by MAGSAC (Barath et al. 2020), all by OpenCV. Its inliers are the evidence; a
homography through them says which part of a picture lies inside the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 320
"""Pixels of the longer side of the pictures that are compared."""
FEATURES = 700
RATIO = 0.8
NEAR = 2.0
"""Pixels from an epipolar line."""
LOOSE = 12.0
"""Pixels from where a homography puts a point: scenes are not flat."""
LEAST = 14
"""Matches below which there is no evidence."""
FLAT = 1e-6
"""Determinant below which a homography squeezes a picture into a line."""
SURE = 30
"""Matches from which there is no doubt."""


@dataclass(frozen=True, eq=False)
class Features:
    """Of one picture: places (n, 2) and descriptors (n, 128); its (height, width)."""

    places: NDArray[np.float32]
    descriptors: NDArray[np.float32]
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Overlap:
    """``share`` of a picture that another shows, the share of the other ``back``, from so many ``matches``.

    As a plane would be shown: ``homography`` (3, 3) leads from pixels of the first, brought to ``SIDE``, to those of
    the other; None without evidence.
    """

    share: float
    back: float
    matches: int
    homography: NDArray[np.float64] | None

    @property
    def confidence(self) -> float:
        """In [0, 1]: by the matches."""
        return float(np.clip((self.matches - LEAST) / (SURE - LEAST), 0, 1))

    @property
    def alike(self) -> float:
        """In [0, 1]: 1 for the same view, 0 without evidence."""
        return self.confidence * (self.share * self.back) ** 0.5


NOTHING = Overlap(0.0, 0.0, 0, None)


def small_grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w) uint8 of a picture (H, W, 3) uint8 RGB; its longer side is ``SIDE``."""
    scale = SIDE / max(frame.shape[:2])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.cvtColor(cv2.resize(frame, size, interpolation=way), cv2.COLOR_RGB2GRAY), np.uint8)


def features(grey: NDArray[np.uint8]) -> Features:
    """Of a picture of :func:`small_grey`."""
    found, descriptors = cv2.SIFT.create(nfeatures=FEATURES, contrastThreshold=0.02).detectAndCompute(grey, None)
    if descriptors is None:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32), grey.shape)
    roots = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9))
    return Features(np.array([point.pt for point in found], np.float32), roots.astype(np.float32), grey.shape)


def overlap(one: Features, other: Features) -> Overlap:
    """The share of the first picture that the second one shows."""
    pairs = _matches(one, other)
    if len(pairs) < LEAST:
        return NOTHING
    here, there = one.places[pairs[:, 0]], other.places[pairs[:, 1]]
    cv2.setRNGSeed(0)
    try:
        _, inlier = cv2.findFundamentalMat(here, there, cv2.USAC_MAGSAC, NEAR, 0.999, 2000)
    except cv2.error:  # OpenCV 5 raises where every sample is degenerate
        inlier = None
    if inlier is None or int(inlier.sum()) < LEAST:
        return NOTHING
    kept = inlier.ravel().astype(bool)
    homography, agree = cv2.findHomography(here[kept], there[kept], cv2.RANSAC, LOOSE, maxIters=500)
    if homography is None or int(agree.sum()) < LEAST or abs(np.linalg.det(homography)) < FLAT:
        return NOTHING
    back = _inside(np.linalg.inv(homography), other.size, one.size)
    share = _inside(homography, one.size, other.size)
    return Overlap(share, back, int(agree.sum()), np.asarray(homography, np.float64))


def _matches(one: Features, other: Features) -> NDArray[np.int64]:
    """(n, 2) pairs of features, each the other's nearest by far."""
    if min(len(one.places), len(other.places)) < 2:
        return np.zeros((0, 2), np.int64)
    alike = one.descriptors @ other.descriptors.T
    nearest, back = alike.argmax(axis=1), alike.argmax(axis=0)
    rows = np.arange(len(nearest))
    best, second = (np.sqrt(np.maximum(0, 2 - 2 * part)) for part in np.sort(alike, axis=1)[:, [-1, -2]].T)
    good = (back[nearest] == rows) & (best < RATIO * second)
    return np.stack([rows[good], nearest[good]], axis=1)


def _inside(homography: NDArray[np.float64], size: tuple[int, int], into: tuple[int, int]) -> float:
    """The share of a picture that a homography puts inside another."""
    rows, columns = np.meshgrid(np.linspace(0, size[0], 41), np.linspace(0, size[1], 61), indexing="ij")
    points = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ homography.T
    ahead = points[..., 2] > 1e-9
    x, y = (points[..., axis] / np.where(ahead, points[..., 2], 1) for axis in (0, 1))
    return float((ahead & (x >= 0) & (x <= into[1]) & (y >= 0) & (y <= into[0])).mean())
