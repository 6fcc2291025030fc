"""Schedules, sinusoids and rotations against the released code's tables."""

from __future__ import annotations

import pytest
import torch

from mag_model.flow import add_noise, clean_from_flow, sampling_sigmas
from mag_model.rope import Rope, rotate
from mag_model.wan.network import sinusoids
from mag_model.wan.schedule import levels, nearest, training_weights
from mag_model.wan.spec import WanSpec
from tests.mag_model.wan.golden import SPEC, assert_near, golden

UNITS = golden("units")


def test_noise_levels_and_their_weights() -> None:
    assert_near(levels(5), UNITS["sigmas"])
    assert_near(levels(8), UNITS["sigmas_shift8"])
    torch.testing.assert_close(1000 * levels(5), UNITS["timesteps"])
    torch.testing.assert_close(training_weights(5), UNITS["training_weights"])


def test_four_steps() -> None:
    steps = 1000 * torch.tensor(sampling_sigmas(SPEC.steps, SPEC.shift))
    torch.testing.assert_close(steps, UNITS["denoising_step_list"])


def test_noise_and_its_removal() -> None:
    sigma = nearest(UNITS["an_t"], SPEC.shift)[None]
    clean, noise = UNITS["an_x0"][None], UNITS["an_noise"][None]
    assert_near(add_noise(clean, noise, sigma)[0], UNITS["an_out"])
    assert_near(clean_from_flow(clean, UNITS["x0_flow"][None], sigma)[0], UNITS["x0_out"])


def test_sinusoids_of_the_timestep() -> None:
    torch.testing.assert_close(sinusoids(UNITS["sin_t"], 256), UNITS["sin_out"], atol=1e-12, rtol=0)


@pytest.mark.parametrize("spec", [WanSpec(), SPEC], ids=["128", "32"])
def test_rotations_equal(spec: WanSpec) -> None:
    """Row r of the stored tables is what a token at frame r, row r and column r turns by."""
    for number, index in enumerate(UNITS["rope_rows"].tolist()):
        side = index + 1
        table = spec.rope((1, 1), torch.float32)
        parts = []
        for axis, channels in enumerate(table.channels):
            alone = tuple(channels if place == axis else 0 for place in range(3))
            grid = (side if axis == 1 else 1, side if axis == 2 else 1)
            rope = Rope((alone[0], alone[1], alone[2]), grid, torch.complex128)
            parts.append(rope.turns(torch.tensor([index]))[-1, 0])
        turn = torch.cat(parts)
        assert torch.equal(turn.real, UNITS[f"rope{spec.head_dim}_real"][number])
        assert torch.equal(turn.imag, UNITS[f"rope{spec.head_dim}_imag"][number])


def test_rotated_keys_equal() -> None:
    turn = SPEC.rope((4, 6), torch.float32).turns(torch.tensor([117, 118]))
    assert torch.equal(rotate(UNITS["rope_in"], turn), UNITS["rope_out_start117"])
