"""What each reference shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from magbench.core.errors import MagbenchError
from magbench.metrics import Pair, Truth
from magbench.metrics.ordered import ordered_of
from magbench.models import references
from magbench.models.protocol import Reference, ReferenceInput

ALL = [make() for make in references.CANARIES]
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
    assert torch.equal(references.oracle().make(GIVEN), truth)
    assert all(torch.equal(frame, GIVEN.video[SWITCH - 1]) for frame in references.freeze().make(GIVEN))
    assert torch.equal(references.backwards().make(GIVEN)[0], truth[-1])
    assert torch.equal(references.backwards().make(GIVEN)[-1], truth[0])
    assert torch.equal(references.wrong_scene().make(GIVEN), OTHER[SWITCH:])
    assert all(torch.equal(frame, GIVEN.video[:SWITCH].mean(dim=0)) for frame in references.mean_frame().make(GIVEN))


def test_noise_comes_from_the_seed_alone() -> None:
    state = torch.random.get_rng_state()
    assert torch.equal(references.noise().make(GIVEN), references.noise().make(GIVEN))
    assert not torch.equal(references.noise().make(GIVEN), references.noise().make(replace(GIVEN, seed=8)))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_wrong_scene_needs_another_clip() -> None:
    with pytest.raises(MagbenchError, match="no other clip"):
        references.wrong_scene().make(replace(GIVEN, other=None))


def test_which_references_do_not_see_the_future() -> None:
    later = torch.cat([GIVEN.video[:SWITCH], torch.rand(FRAMES - SWITCH, 3, 8, 8)])
    changed = replace(GIVEN, video=later)
    blind = {reference.name for reference in ALL if torch.equal(reference.make(GIVEN), reference.make(changed))}
    assert blind == {"freeze", "wrong_scene", "mean_frame", "noise"}


def test_cheats_that_use_the_truth() -> None:
    truth = GIVEN.video[SWITCH:]
    assert torch.equal(references.stalled().make(GIVEN), truth[[0, 1, 2, 2, 2, 2]])
    assert torch.equal(references.leave_again().make(GIVEN), truth[[0, 1, 2, 2, 1, 0]])
    odd = replace(GIVEN, video=GIVEN.video[:-1])
    assert torch.equal(references.leave_again().make(odd), truth[[0, 1, 1, 0, 0]])
    assert torch.equal(references.first_return_freeze().make(GIVEN), truth[[0] * 6])
    shuffled = references.shuffle().make(GIVEN)
    assert not torch.equal(shuffled, truth)
    assert torch.equal(shuffled.sort(dim=0).values, truth.sort(dim=0).values)


def test_a_blur_keeps_the_mean_and_little_else() -> None:
    video = torch.rand(3, 3, 40, 50, generator=torch.Generator().manual_seed(1))
    blurred = references.blur().make(replace(GIVEN, video=video, switch=1))
    torch.testing.assert_close(blurred.mean(dim=(2, 3)), video[1:].mean(dim=(2, 3)), atol=0.02, rtol=0)
    assert (blurred.var(dim=(2, 3)) < 0.02 * video[1:].var(dim=(2, 3))).all()


def test_a_return_of_one_frame() -> None:
    short = replace(GIVEN, video=GIVEN.video[: SWITCH + 1])
    for make in (references.stalled, references.leave_again, references.shuffle):
        assert torch.equal(make().make(short), GIVEN.video[SWITCH : SWITCH + 1])


def test_no_cheat_wins() -> None:
    """On one scene filmed there and back: the oracle is 1, a copy with noise next, then every cheat."""
    canvas = torch.rand(1, 3, 12, 24, generator=torch.Generator().manual_seed(5))
    canvas = torch.nn.functional.interpolate(canvas, size=(48, 96), mode="bilinear")[0]
    away = torch.stack([canvas[:, 8:40, 4 * t : 4 * t + 32] for t in range(12)])
    other = torch.cat([away, away.flip(0)]).roll(1, dims=1).flip(3)
    given = ReferenceInput(torch.cat([away, away.flip(0)]), 12, other, seed=3)
    truth = Truth(given.video[12:])

    def score(frames: torch.Tensor) -> float:
        found = ordered_of(Pair(frames.contiguous(), truth))
        assert found is not None
        return float(found.score.mean())

    assert score(references.oracle().make(given)) == 1
    noise = torch.randn(truth.video.frames.shape, generator=torch.Generator().manual_seed(6))
    remembered = score((truth.video.frames + 0.02 * noise).clamp(0, 1))
    cheats = {make().name: score(make().make(given)) for make in references.CHEATS}
    assert 0.6 < remembered < 1
    assert max(cheats.values()) < 0.5, cheats
