"""What nobody saw is inpainted (OpenCV, Telea 2004), coarsely: it is a guess."""

from __future__ import annotations

import cv2
import numpy as np

from baselines.spatial.held_view import Image, Mask

COARSE = 64
"""Pixels of the shorter side of the picture in which a guess is made."""
REACH = 3
"""Pixels around a hole that a guess is made from."""


def inpainted(image: Image, known: Mask, background: Image) -> Image:
    """Fill all that is not known.

    Args:
        background: (H, W, 3), whose mean colour fills a picture of which nothing is known.
    """
    if known.all():
        return image
    if not known.any():
        return np.broadcast_to(background.mean(axis=(0, 1)).round().astype(np.uint8), image.shape).copy()
    height, width = known.shape
    shrink = max(1.0, min(height, width) / COARSE)
    size = (round(width / shrink), round(height / shrink))
    share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(image * known[..., None].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = (colours / np.maximum(share, 1e-6)[..., None]).round().clip(0, 255).astype(np.uint8)
    guess = cv2.inpaint(small, (share <= 0).astype(np.uint8), REACH, cv2.INPAINT_TELEA)
    return np.where(known[..., None], image, cv2.resize(guess, (width, height), interpolation=cv2.INTER_LINEAR))
