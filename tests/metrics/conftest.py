"""The official scorer's inputs and outputs (tests/golden/README.md)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """golden.json."""
    loaded: dict[str, Any] = json.loads((GOLDEN / "golden.json").read_text())
    return loaded


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    return GOLDEN


@pytest.fixture(scope="session")
def golden_frames() -> Callable[[str], Tensor]:
    """Continuation name (or ground_truth) -> (12, 3, 96, 160) float32 in [0, 1]."""

    def load(name: str) -> Tensor:
        with np.load(GOLDEN / f"synth_pan__{name}.npz") as archive:
            return torch.from_numpy(archive["frames"]).permute(0, 3, 1, 2).float() / 255

    return load


@pytest.fixture(scope="session")
def unit_frames() -> tuple[Tensor, Tensor]:
    """Generated and ground-truth frames (5, 3, 64, 80) of the official functions' unit values."""
    with np.load(GOLDEN / "unit.npz") as archive:
        return torch.from_numpy(archive["gen01"][0]), torch.from_numpy(archive["gt01"][0])
