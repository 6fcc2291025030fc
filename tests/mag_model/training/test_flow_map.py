"""Few steps for many, against Gaussians: the flow of their posterior mean ends at a known place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from mag_model.denoiser import Pass
from mag_model.memory.attention import Attention
from mag_model.memory.frame_kv import Cameras
from mag_model.memory.masks import block_masks
from mag_model.memory.policy import Mag
from mag_model.rope import Rope
from mag_model.training import flow_map
from mag_model.training.flow_map import draw_states, flow_levels, flow_map_loss, follow

MEAN, SPREAD = 0.8, 0.3
SAMPLED = [1.0, 0.9375, 0.8333333134651184, 0.625]


def posterior(x: Tensor, s: Tensor | float) -> Tensor:
    """The mean of x0 ~ N(MEAN, SPREAD^2) given x = (1 - s) x0 + s e."""
    return MEAN + (1 - s) * SPREAD**2 / ((1 - s) ** 2 * SPREAD**2 + s**2) * (x - (1 - s) * MEAN)


def end(x: Tensor, s: Tensor | float) -> Tensor:
    """Where the flow through x at level s ends: as many deviations from the mean as it is now."""
    return MEAN + SPREAD * (x - (1 - s) * MEAN) / ((1 - s) ** 2 * SPREAD**2 + s**2) ** 0.5


def missed(levels: list[float]) -> float:
    """How far from where it should the flow of some noise ends."""
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64)
    return (follow(posterior, noise, levels)[1] - end(noise, 1.0)).abs().max().item()


def euler(levels: list[float]) -> float:
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64)
    x = noise
    for level, after in pairwise([*levels, 0.0]):
        x0 = posterior(x, level)
        x = x0 + after / level * (x - x0)
    return (x - end(noise, 1.0)).abs().max().item()


def even(count: int) -> list[float]:
    """Levels from 1 down to 0.02, evenly in the logarithm of signal to noise but for the first."""
    least, most = -math.log(49), math.log(49)
    return [1.0, *(1 / (1 + math.exp(least + (most - least) * i / count)) for i in range(count + 1))]


def test_a_flow_ends_where_the_gaussian_says_and_the_error_is_of_second_order() -> None:
    assert missed(even(128)) < 2e-3
    assert missed(even(32)) < euler(even(32)) / 4
    assert missed(flow_levels(SAMPLED)) < euler(flow_levels(SAMPLED))


def test_states_lie_on_the_path_at_their_levels() -> None:
    noise, levels = torch.linspace(-2, 2, 9, dtype=torch.float64), even(256)
    states, last = follow(posterior, noise, levels)
    assert len(states) == len(levels)
    assert torch.equal(states[0], noise)
    for state, level in zip(states, levels, strict=True):
        torch.testing.assert_close(end(state, level), last, rtol=0, atol=5e-3)


def test_one_step_from_noise_gives_the_mean() -> None:
    noise = torch.tensor([-1.0, 0.0, 2.0])
    assert torch.equal(follow(posterior, noise, [1.0])[1], torch.full((3,), MEAN))


def test_the_sampler_s_levels_are_among_those_of_the_flow() -> None:
    levels = flow_levels(SAMPLED)
    assert levels == sorted(levels, reverse=True)
    assert set(SAMPLED) < set(levels)
    assert levels[0] == 1
    assert levels[-1] > 0


def test_every_block_asks_at_one_level_and_all_are_asked() -> None:
    states = [torch.full((64, 6, 1, 1, 1), float(number)) for number in range(4)]
    chosen, which = draw_states(states, 3, torch.Generator().manual_seed(0))
    assert torch.equal(chosen[..., 0, 0, 0].long(), which)
    assert torch.equal(which.unflatten(1, (2, 3)).amax(2), which.unflatten(1, (2, 3)).amin(2))
    counts = which[:, ::3].flatten().bincount(minlength=4)
    assert counts.min() > 16  # 32 each expected


@dataclass(frozen=True)
class Knows:
    """A denoiser of blocks of three that is a function of latents and level, and looks at nothing."""

    answer: object
    asked: list[Tensor]
    block: int = 3
    rolling_window_blocks: int = 1
    rope: Rope = Rope((2, 2, 2), (1, 1))
    cameras: Cameras | None = None

    @property
    def sigmas(self) -> list[float]:
        return SAMPLED

    def at(self, frame: Tensor) -> Pass:
        def run(latents: Tensor, sigma: Tensor, attention: Attention) -> Tensor:
            self.asked.append(sigma)
            return self.answer(latents, sigma[..., None, None, None])  # type: ignore[operator]

        return run


def loss(answer: object, weight: Tensor | None = None) -> float:
    latents = torch.randn(4, 12, 2, 1, 1, generator=torch.Generator().manual_seed(1))
    frame, masks = torch.arange(12), block_masks(Mag(first_block_whole=False), 4, 3)
    weight = torch.ones(4, 12) if weight is None else weight
    generator, guide = Knows(answer, []), Knows(posterior, [])
    found = flow_map_loss(generator, guide, latents, frame, [], masks, weight, torch.Generator().manual_seed(0)).item()
    assert len(generator.asked) == 1
    assert {round(level, 4) for level in generator.asked[0].flatten().tolist()} <= {round(s, 4) for s in SAMPLED}
    assert len(guide.asked) == 1 + len(flow_levels(SAMPLED))  # once to write
    return found


@pytest.fixture
def fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow is followed in so many steps that it ends where it should."""
    monkeypatch.setattr(flow_map, "BETWEEN", tuple(even(128)[1:]))


@pytest.mark.usefixtures("fine")
def test_a_generator_that_knows_the_end_has_no_loss_and_one_that_knows_the_mean_has() -> None:
    assert loss(end) < 1e-5
    assert loss(posterior) > 1e-2


@pytest.mark.usefixtures("fine")
def test_the_first_block_does_not_count_and_the_others_by_their_weight() -> None:
    weight = torch.zeros(4, 12)
    weight[:, :3] = 100  # of no avail
    weight[:, 6:9] = 1

    def wrong_in_the_third(latents: Tensor, s: Tensor) -> Tensor:
        made = end(latents, s)
        made[:, 6:9] += 2
        return made

    def wrong_elsewhere(latents: Tensor, s: Tensor) -> Tensor:
        made = end(latents, s)
        made[:, :6] += 2
        made[:, 9:] += 2
        return made

    assert loss(wrong_in_the_third, weight) == pytest.approx(4, abs=0.02)
    assert loss(wrong_elsewhere, weight) < 1e-5
