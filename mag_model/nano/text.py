"""Text for the small backbone: a bag of words from a small vocabulary, and a token of its own for no text at all."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor


def bags(prompts: Sequence[str], words: Sequence[str]) -> Tensor:
    """(B, W + 1) float32: of each prompt, the share of each known word; the last column is 1 where none is known.

    Shares add up to 1. Other words say nothing.
    """
    rows = torch.zeros(len(prompts), len(words) + 1)
    for row, prompt in zip(rows, prompts, strict=True):
        found = {word for word in re.findall(r"[a-z]+", prompt.lower()) if word in words}
        for word in found or {None}:
            row[-1 if word is None else list(words).index(word)] = 1 / max(1, len(found))
    return rows


def without_text(batch: int, words: int) -> Tensor:
    """(B, W + 1): the empty text."""
    rows = torch.zeros(batch, words + 1)
    rows[:, -1] = 1
    return rows
