"""The rollout loop: sizes, determinism and causality."""

from __future__ import annotations

import pytest
import torch

from mag_model.memory.policy import FullHistory, Mag
from mag_model.nano.backbone import Posed
from mag_model.rollout import rollout, seeded
from tests.tiny import SPEC, clip_of, random_backbone


def test_same_seed_same_bits_other_seed_other_video() -> None:
    network = random_backbone(0)
    context, pose = clip_of(SPEC, 3)[0], clip_of(SPEC, 9)[1]
    first, again, other = (
        torch.cat(list(rollout(Posed.along(network, pose), Mag(), context, 9, seeded(seed))), 1) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_last_block_is_cut() -> None:
    context, pose = clip_of(SPEC, 3)[0], clip_of(SPEC, 8)[1]
    pieces = list(rollout(Posed.along(random_backbone(0), pose), Mag(), context, 8, seeded(0)))
    assert [piece.shape[1] for piece in pieces] == [3, 2]


def test_later_cameras_do_not_change_earlier_blocks() -> None:
    network = random_backbone(0)
    context, pose = clip_of(SPEC, 3)[0], clip_of(SPEC, 9)[1]
    moved = pose.clone()
    moved[:, 6:] += 1
    first, second = (
        list(rollout(Posed.along(network, p), FullHistory(), context, 9, seeded(0))) for p in (pose, moved)
    )
    assert torch.equal(first[0], second[0])
    assert not torch.allclose(first[1], second[1])


def test_context_of_half_a_block_is_refused() -> None:
    context, pose = clip_of(SPEC, 4)[0], clip_of(SPEC, 9)[1]
    with pytest.raises(ValueError, match="context of 4 frames"):
        next(rollout(Posed.along(random_backbone(0), pose), Mag(), context, 9, seeded(0)))
