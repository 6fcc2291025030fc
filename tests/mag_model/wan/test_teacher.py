"""The teacher: guidance is a straight line through two predictions, and every frame sees every other."""

from __future__ import annotations

import torch

from mag_model.wan.teacher import Teacher
from tests.mag_model.wan.golden import golden, prompted

LATENTS, LEVEL = golden("inputs_b1")["noise"][:, :4], torch.tensor([0.7])


def test_guidance_leads_away_from_the_empty_text() -> None:
    with_text, without = prompted("generator", "text"), prompted("generator", "empty")
    zero, one, three = (Teacher(with_text, without, guidance)(LATENTS, LEVEL) for guidance in (0, 1, 3))
    torch.testing.assert_close(three, zero + 3 * (one - zero))
    torch.testing.assert_close(zero, Teacher(without, without, 5)(LATENTS, LEVEL))
    assert not torch.allclose(zero, one, atol=1e-2)


def test_earlier_frames_see_later_ones() -> None:
    teacher = Teacher(prompted("generator", "text"), prompted("generator", "empty"), 1)
    changed = LATENTS.clone()
    changed[:, -1] += 1
    first, second = (teacher(latents, LEVEL)[:, 0] for latents in (LATENTS, changed))
    assert not torch.allclose(first, second, atol=1e-3)
