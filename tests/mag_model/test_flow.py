"""The flow's numbers as the paper gives them."""

from __future__ import annotations

import pytest
import torch

from mag_model.flow import add_noise, sampling_sigmas


def test_four_steps_of_the_paper() -> None:
    assert sampling_sigmas((1000, 750, 500, 250), 5.0) == pytest.approx([1, 0.9375, 0.833333333, 0.625])


def test_noise_is_a_straight_line() -> None:
    x0, noise = torch.randn(2, 2, 3, 4, 2, 2)
    sigma = torch.tensor([[0.0, 1.0, 0.25], [0.5, 0.5, 0.5]])
    noised = add_noise(x0, noise, sigma)
    assert torch.equal(noised[0, 0], x0[0, 0])
    assert torch.equal(noised[0, 1], noise[0, 1])
    torch.testing.assert_close(noised[0, 2], 0.75 * x0[0, 2] + 0.25 * noise[0, 2])
