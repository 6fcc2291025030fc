"""Distribution matching without data, piece by piece (the paper, section 3; DMD, arXiv 2311.18828; DMD2, 2405.14867).

A generator's own videos are noised; a teacher says where clean ones would lie if they were real, a critic where they
lie among those that the generator makes. The generator moves from the second to the first. All networks here predict
clean latents: with x_s = (1 - s) x + s e, a predicted mean m stands for the score ((1 - s) m - x_s) / s^2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mag_model.training.loss import Levels

LEAST = 1e-3
"""Below this mean distance between a video and what the teacher makes of it the gradient grows no more."""


def guided(prompted: Tensor, empty: Tensor, guidance: float) -> Tensor:
    """Lead a prediction away from that of the empty text: empty + guidance (prompted - empty).

    Classifier-free guidance, arXiv 2207.12598, equation 6, in clean latents. ``guidance`` 1 = the prompted one; the
    paper's teacher has 3.
    """
    return empty + guidance * (prompted - empty)


def matching_gradient(made: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """Where the generator's videos are less real than they should be: (fake - real) / mean |made - real|.

    DMD, arXiv 2311.18828, equations 7 and 8. The difference of the scores of critic and teacher is (1 - s) (fake -
    real) / s^2; its factor is part of the weight of a noise level, which the normaliser, a mean over each clip, makes
    even.

    Args:
        made: (B, F, C, h, w) videos of the generator.
        real, fake: what teacher and critic predict from the noised ``made``.
    """
    size = (made - real).abs().mean((1, 2, 3, 4), keepdim=True).clamp(min=LEAST)
    return (fake - real) / size


def matching_loss(made: Tensor, gradient: Tensor) -> Tensor:
    """() a loss whose gradient with respect to ``made`` is ``gradient`` / numbers in ``made``.

    DMD2, arXiv 2405.14867, section 3: half the squared distance to where a step against the gradient would lead.
    """
    return 0.5 * (made - (made - gradient).detach()).square().mean()


def critic_loss(predicted: Tensor, made: Tensor, sigma: Tensor, levels: Levels) -> Tensor:
    """() the critic's error on the generator's own videos, noised to levels (B, F): it is to know their distribution.

    DMD, arXiv 2311.18828, equation 6, in clean latents.
    """
    return levels.even(predicted - made.detach(), sigma).square().mean()


def exit_step(steps: int, random: torch.Generator) -> int:
    """The denoising step after which all blocks of a rollout end, uniform over [0, steps).

    Self Forcing, arXiv 2506.08009, algorithm 1: only this step's pass has a gradient, and each gets its share of them.
    """
    return int(torch.randint(steps, (1,), generator=random))


def history_text(text: Tensor, block: int, share: float, random: torch.Generator) -> Tensor:
    """The historical consistency loss: what the generator is told, (B, F, W + 1).

    The paper, section 3: of a share lambda of the clips (0.6; the released code has 0.8), all blocks after the first
    get the empty text, so that only history says what the scene is, while teacher and critic keep the text. In
    expectation the gradient is (1 - lambda) that of distribution matching + lambda that of history.

    Args:
        text: (B, F, W + 1), see :func:`mag_model.nano.text.bags`.
        block: frames of a block.
        share: lambda.
    """
    dropped = torch.rand(text.shape[0], generator=random) < share
    empty = torch.zeros_like(text[:, block:])
    empty[..., -1] = 1
    told = text.clone()
    told[:, block:] = torch.where(dropped[:, None, None], empty, text[:, block:])
    return told
