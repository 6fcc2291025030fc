"""Distribution matching against closed forms: for Gaussians every score, mean and gradient is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mag_model.flow import add_noise
from mag_model.memory.policy import FullHistory, Mag, Window
from mag_model.nano.backbone import Posed
from mag_model.rollout import rollout, seeded
from mag_model.training.loss import Levels
from mag_model.training.matching import critic_loss, exit_step, guided, history_text, matching_gradient, matching_loss
from mag_model.training.self_rollout import self_rollout
from tests.tiny import SPEC, clip_of, random_backbone

MADE_MEAN, REAL_MEAN, SPREAD = 1.7, -0.4, 0.6


def posterior(noised: Tensor, s: float, mean: float) -> Tensor:
    """The mean of x given (1 - s) x + s e, for x ~ N(mean, SPREAD^2)."""
    variance = (1 - s) ** 2 * SPREAD**2 + s**2
    return mean + (1 - s) * SPREAD**2 / variance * (noised - (1 - s) * mean)


@pytest.mark.parametrize("s", [0.1, 0.5, 0.9])
def test_the_gradient_is_that_of_the_divergence_of_two_gaussians(s: float) -> None:
    random = torch.Generator().manual_seed(0)
    shape = (2, 3, 1, 2, 2)
    made = (MADE_MEAN + SPREAD * torch.randn(shape, generator=random)).double()
    noised = (1 - s) * made + s * torch.randn(shape, generator=random).double()
    real, fake = posterior(noised, s, REAL_MEAN), posterior(noised, s, MADE_MEAN)
    gradient = matching_gradient(made, real, fake)

    mean = torch.tensor(MADE_MEAN, dtype=torch.float64, requires_grad=True)
    variance = (1 - s) ** 2 * SPREAD**2 + s**2
    divergence = ((1 - s) * (mean - REAL_MEAN)) ** 2 / (2 * variance)  # KL of the noised ones, which share a variance
    (wanted,) = torch.autograd.grad(divergence, mean)
    weight = s**2 / (1 - s) ** 2 / (made - real).abs().mean((1, 2, 3, 4), keepdim=True)
    torch.testing.assert_close(gradient, (weight * wanted).expand(shape), rtol=1e-5, atol=1e-5)


def test_the_loss_hands_on_the_gradient() -> None:
    made = torch.randn(2, 3, 1, 2, 2, requires_grad=True)
    gradient = torch.randn(2, 3, 1, 2, 2)
    matching_loss(made, gradient).backward()
    torch.testing.assert_close(made.grad, gradient / made.numel(), rtol=1e-5, atol=1e-7)


def test_a_generator_that_has_arrived_stays() -> None:
    made = torch.randn(2, 3, 1, 2, 2)
    same = torch.randn(2, 3, 1, 2, 2)
    assert matching_gradient(made, same, same).abs().max() == 0
    assert matching_gradient(made, made, made + 1).max() == pytest.approx(1000)  # no division by nothing


def test_the_critic_that_knows_the_posterior_has_no_gradient() -> None:
    """A line through four points with the moments of the Gaussians: its least squares are the posterior mean."""
    s = 0.4
    x = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64) * SPREAD + MADE_MEAN
    noised = (1 - s) * x + s * torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    variance = (1 - s) ** 2 * SPREAD**2 + s**2
    exact = (1 - s) * SPREAD**2 / variance
    slope = torch.tensor(exact, dtype=torch.float64, requires_grad=True)
    bias = torch.tensor(MADE_MEAN - exact * (1 - s) * MADE_MEAN, dtype=torch.float64, requires_grad=True)
    critic_loss(slope * noised + bias, x, torch.full((1, 1), s), Levels()).backward()
    assert slope.grad is not None and bias.grad is not None
    assert abs(float(slope.grad)) < 1e-10
    assert abs(float(bias.grad)) < 1e-10


def test_errors_over_their_level_are_those_of_the_flow() -> None:
    x0, noise, predicted = torch.randn(3, 2, 3, 1, 2, 2, dtype=torch.float64)
    sigma = torch.tensor([[0.2, 0.2, 0.9], [0.5, 1.0, 0.04]], dtype=torch.float64)
    noised, level = add_noise(x0, noise, sigma), sigma[:, :, None, None, None]
    flow = (noise - x0) - (noised - predicted) / level
    torch.testing.assert_close(Levels(least=0.01).even(predicted - x0, sigma), flow)
    assert torch.equal(Levels().even(predicted - x0, sigma), predicted - x0)
    wanted = (predicted - x0) / sigma.new_tensor([[0.2, 0.2, 0.9], [0.5, 1.0, 0.1]])[:, :, None, None, None]
    assert torch.equal(Levels(least=0.1).even(predicted - x0, sigma), wanted)


def test_guidance() -> None:
    a, b = torch.randn(2, 3), torch.randn(2, 3)
    torch.testing.assert_close(guided(a, b, 1.0), a)
    torch.testing.assert_close(guided(a, b, 3.0), 3 * a - 2 * b)


def test_exit_steps_are_uniform() -> None:
    random = torch.Generator().manual_seed(0)
    counts = torch.bincount(torch.tensor([exit_step(4, random) for _ in range(4000)]), minlength=4)
    assert (counts - 1000).abs().max() < 4 * math.sqrt(4000 * 3 / 16)


def test_history_text_drops_whole_clips_after_the_first_block() -> None:
    text = torch.zeros(4000, 9, 5)
    text[..., 1] = 1
    told = history_text(text, 3, 0.6, torch.Generator().manual_seed(0))
    assert torch.equal(told[:, :3], text[:, :3])
    dropped = told[:, 3:, -1]
    assert bool(((dropped == 0) | (dropped == 1)).all())
    assert torch.equal(dropped, dropped[:, :1].expand(-1, 6))
    assert abs(float(dropped[:, 0].mean()) - 0.6) < 4 * math.sqrt(0.24 / 4000)
    assert torch.equal(told.sum(-1), torch.ones(4000, 9))
    for share, wanted in ((0.0, 0.0), (1.0, 1.0)):
        assert history_text(text, 3, share, torch.Generator())[:, 3:, -1].mean() == wanted


def test_the_history_loss_mixes_the_two_gradients() -> None:
    """A linear generator of text and history, Gaussian teacher and critic: (1 - lambda) g_text + lambda g_history."""
    share, clips, s = 0.6, 500, 0.5
    text = torch.zeros(clips, 2, 2, dtype=torch.float64)
    text[..., 0] = 1
    told = history_text(text, 1, share, torch.Generator().manual_seed(3))
    dropped = told[:, 1, -1].mean()

    def gradient(given: Tensor) -> Tensor:
        weight = torch.tensor([0.9, 0.2], dtype=torch.float64, requires_grad=True)  # what each text makes of a block
        made = (given @ weight)[:, 1:, None, None, None]
        noised = (1 - s) * made.detach()
        real, fake = posterior(noised, s, REAL_MEAN), posterior(noised, s, MADE_MEAN)
        matching_loss(made, fake - real).backward()
        assert weight.grad is not None
        return weight.grad

    empty = text.clone()
    empty[:, 1:] = torch.tensor([0.0, 1.0], dtype=torch.float64)
    mixed = (1 - dropped) * gradient(text) + dropped * gradient(empty)
    torch.testing.assert_close(gradient(told), mixed, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    "policy", [FullHistory(), Mag(first_block_whole=False), Window()], ids=lambda p: type(p).__name__
)
def test_a_rollout_to_learn_from_is_the_real_one(policy: FullHistory) -> None:
    generator, writer = random_backbone(0), random_backbone(1)
    context, pose = clip_of(SPEC, 3)[0], clip_of(SPEC, 12)[1]
    told, told_writer = Posed.along(generator, pose), Posed.along(writer, pose)
    real = torch.cat(list(rollout(told, policy, context, 12, seeded(5), writer=told_writer)), 1)
    last = len(told.sigmas) - 1
    made = self_rollout(told, policy, told_writer, context, 12, last, seeded(5))
    torch.testing.assert_close(made[:, 3:], real.clone(), rtol=1e-4, atol=1e-4)
    made[:, 3:].sum().backward()
    assert all(p.grad is None for p in writer.parameters())
    assert sum(float(p.grad.abs().sum()) for p in generator.parameters() if p.grad is not None) > 0


def test_history_is_a_constant() -> None:
    """The gradient of the last block does not change if the blocks before it are given instead of made."""
    network, pose = random_backbone(0), clip_of(SPEC, 6)[1]
    told = Posed.along(network, pose)
    empty = torch.zeros(2, 0, SPEC.channels, *SPEC.grid)

    def gradients(context: Tensor, skip: int) -> list[Tensor]:
        noise = seeded(1)
        for _ in range(skip):
            noise(torch.Size((2, 3, SPEC.channels, *SPEC.grid)))
        network.zero_grad()
        made = self_rollout(told, FullHistory(), told, context, 6, 0, noise)
        made[:, 3:].square().sum().backward()
        return [p.grad.clone() for p in network.parameters() if p.grad is not None]

    with torch.no_grad():
        first = self_rollout(told, FullHistory(), told, empty, 3, 0, seeded(1))
    for one, other in zip(gradients(empty, 0), gradients(first, 1), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
