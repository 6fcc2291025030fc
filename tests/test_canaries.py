"""What each reference shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from magbench import canaries
from magbench.errors import MagbenchError
from magbench.models import Reference, ReferenceInput

ALL = [make() for make in canaries.CANARIES]
SWITCH, FRAMES = 4, 10
OTHER = torch.rand(FRAMES, 3, 8, 8)
GIVEN = ReferenceInput(torch.rand(FRAMES, 3, 8, 8), SWITCH, OTHER, seed=7)


@pytest.mark.parametrize("reference", ALL, ids=lambda reference: reference.name)
def test_a_return_of_the_right_shape(reference: Reference) -> None:
    made = reference.make(GIVEN)
    assert (made.shape, made.dtype) == ((FRAMES - SWITCH, 3, 8, 8), torch.float32)
    assert made.min() >= 0
    assert made.max() <= 1


def test_what_they_show() -> None:
    truth = GIVEN.video[SWITCH:]
    assert torch.equal(canaries.oracle().make(GIVEN), truth)
    assert all(torch.equal(frame, GIVEN.video[SWITCH - 1]) for frame in canaries.freeze().make(GIVEN))
    assert torch.equal(canaries.backwards().make(GIVEN)[0], truth[-1])
    assert torch.equal(canaries.backwards().make(GIVEN)[-1], truth[0])
    assert torch.equal(canaries.wrong_scene().make(GIVEN), OTHER[SWITCH:])
    assert all(torch.equal(frame, GIVEN.video[:SWITCH].mean(dim=0)) for frame in canaries.mean_frame().make(GIVEN))


def test_noise_comes_from_the_seed_alone() -> None:
    state = torch.random.get_rng_state()
    assert torch.equal(canaries.noise().make(GIVEN), canaries.noise().make(GIVEN))
    assert not torch.equal(canaries.noise().make(GIVEN), canaries.noise().make(replace(GIVEN, seed=8)))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_wrong_scene_needs_another_clip() -> None:
    with pytest.raises(MagbenchError, match="no other clip"):
        canaries.wrong_scene().make(replace(GIVEN, other=None))


def test_only_the_oracle_sees_the_future() -> None:
    later = torch.cat([GIVEN.video[:SWITCH], torch.rand(FRAMES - SWITCH, 3, 8, 8)])
    changed = replace(GIVEN, video=later)
    seeing = {reference.name for reference in ALL if not torch.equal(reference.make(GIVEN), reference.make(changed))}
    assert seeing == {"oracle", "reversed"}
