"""Rotary embedding against complex multiplication, and its one property: only differences of positions count."""

from __future__ import annotations

import torch

from mag_model.rope import Rope, rotate
from tests.tiny import SPEC

ROPE = Rope(SPEC.rope, SPEC.grid, torch.complex128)


def test_equals_complex_multiplication() -> None:
    frame = torch.tensor([0, 5, 317])
    x = torch.randn(2, 3 * SPEC.tokens, SPEC.heads, SPEC.head_dim, dtype=torch.float64)
    turned = rotate(x, ROPE.turns(frame))
    cols = SPEC.grid[1]
    for token in range(3 * SPEC.tokens):
        place = (int(frame[token // SPEC.tokens]), token % SPEC.tokens // cols, token % cols)
        channel = 0
        for axis, width in enumerate(SPEC.rope):
            for pair in range(width // 2):
                angle = torch.tensor(place[axis] * 1e4 ** (-2 * pair / width), dtype=torch.float64)
                turn = torch.polar(torch.ones_like(angle), angle)
                wanted = torch.view_as_complex(x[:, token, :, channel : channel + 2].contiguous()) * turn
                got = torch.view_as_complex(turned[:, token, :, channel : channel + 2].contiguous())
                torch.testing.assert_close(got, wanted, atol=1e-12, rtol=0)
                channel += 2
        assert torch.equal(turned[:, token, :, channel:], x[:, token, :, channel:])


def test_scores_depend_on_the_distance_in_time_alone() -> None:
    q, k = torch.randn(2, 1, SPEC.tokens, SPEC.heads, SPEC.head_dim, dtype=torch.float64)

    def score(query: int, key: int) -> torch.Tensor:
        turned = [rotate(x, ROPE.turns(torch.tensor([at]))) for x, at in ((q, query), (k, key))]
        return torch.einsum("bnhd,bmhd->bhnm", *turned)

    torch.testing.assert_close(score(7, 2), score(905, 900))
    assert not torch.allclose(score(7, 2), score(7, 3))
