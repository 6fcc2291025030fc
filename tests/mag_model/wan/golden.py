"""The stored reference values, and the tiny networks that made them; see README.md of the folders."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from mag_model.rollout import Noise
from mag_model.wan.denoiser import Prompted
from mag_model.wan.network import Wan
from mag_model.wan.spec import WanSpec

FOLDER = Path(__file__).parents[2] / "golden-wan"
ROLLING_FOLDER = Path(__file__).parents[2] / "golden-wan-rolling"
SPEC = WanSpec(dim=96, layers=3, heads=3, hidden=256, freq_dim=64, text=32, text_len=20)
ROLLING = replace(SPEC, steps=(1000.0, 800.0, 600.0, 400.0, 200.0), rolling_window_blocks=5)
SIZE = (8, 12)
ROLLING_SIZE = (4, 4)
FRAMES = 18
TOLERANCE = 3e-5
NOTHING = torch.zeros(1, 0, SPEC.channels, *SIZE)


@cache
def golden(name: str) -> dict[str, Tensor]:
    return load_file(FOLDER / f"{name}.safetensors")


@cache
def golden_rolling(name: str) -> dict[str, Tensor]:
    return load_file(ROLLING_FOLDER / f"{name}.safetensors")


@cache
def network(which: str, spec: WanSpec = SPEC) -> Wan:
    """``generator`` or ``memory``."""
    made = Wan(spec).eval().requires_grad_(False)
    made.load_state_dict(golden(f"weights_A_{which}"))
    return made


def prompted(which: str, text: str) -> Prompted:
    """A network under ``text`` or the ``empty`` text."""
    return Prompted.by(network(which), golden("inputs_b1")[text], SIZE)


def prompted_together(spec: WanSpec = ROLLING) -> Prompted:
    """The generator under the text, as one that makes blocks together."""
    return Prompted.by(network("generator", spec), golden("inputs_b1")["text"], ROLLING_SIZE)


def stored_noise() -> Noise:
    """The noise of the references: each block's first, then what was added after its steps."""
    given, first, again = golden("inputs_b1"), iter(range(0, FRAMES, 3)), iter(range(FRAMES))
    calls = iter(range(4 * FRAMES))

    def draw(size: torch.Size) -> Tensor:
        if next(calls) % 4 == 0:
            start = next(first)
            return given["noise"][:, start : start + 3]
        return given["renoise"][next(again)]

    return draw


def assert_near(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted, atol=TOLERANCE, rtol=0)
