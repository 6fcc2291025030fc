"""Derived masks against the masks that the paper describes, written out by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.masks import block_masks, token_mask
from mag_model.memory.policy import CachePolicy, FullHistory, Mag

FRAMES, SIZE = 12, 3


def _by_hand(rule: object) -> Tensor:
    return torch.tensor([[bool(rule(query, key)) for key in range(FRAMES)] for query in range(FRAMES)])  # type: ignore[operator]


def test_masks_of_mag_are_those_of_the_paper() -> None:
    masks = block_masks(Mag(first_block_whole=False), FRAMES // SIZE, SIZE)
    assert torch.equal(masks.own, _by_hand(lambda q, k: q // 3 == k // 3))
    assert torch.equal(masks.before, _by_hand(lambda q, k: k % 3 == 2 and k // 3 < q // 3))
    assert torch.equal(masks.after, _by_hand(lambda q, k: k % 3 == 2 and k // 3 <= q // 3))


def test_masks_of_full_history_are_block_causal() -> None:
    masks = block_masks(FullHistory(), FRAMES // SIZE, SIZE)
    assert torch.equal(masks.before, _by_hand(lambda q, k: k // 3 < q // 3))


def test_token_mask_repeats_each_frame() -> None:
    mask = token_mask(torch.tensor([[True, False], [True, True]]), 2)
    wanted = [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert mask.int().tolist() == wanted


def test_a_policy_that_moves_frames_has_no_mask() -> None:
    @dataclass(frozen=True)
    class Moving(CachePolicy):
        def write(self, past: FrameKV, block: FrameKV) -> FrameKV:
            return past.append(block)

        def read(self, past: FrameKV, query: Tensor) -> FrameKV:
            return replace(past, frame=past.frame + 1)

    with pytest.raises(ValueError, match="at other indices"):
        block_masks(Moving(), 2, SIZE)
