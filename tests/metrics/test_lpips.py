"""LPIPS against the official matrices, against a plain implementation, and its promise of repeatable bits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.metrics.frame.lpips import WEIGHTS, lpips
from magbench.metrics.matrix import lpips_matrix

CONTINUATIONS = ["noisy", "frozen", "slow", "away"]


def random_frames(n: int, height: int, width: int, seed: int) -> Tensor:
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(seed))


def plain_lpips(a: Tensor, b: Tensor) -> NDArray[np.float64]:
    """The textbook order of operations in float64: difference, head, upsampling, mean."""
    weights = {name: tensor.double() for name, tensor in load_file(WEIGHTS).items()}
    constants = torch.tensor([[-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]], dtype=torch.float64)
    shift, scale = constants.view(2, 1, 3, 1, 1)
    x, y = ((frames.double() * 2 - 1 - shift) / scale for frames in (a, b))
    total = torch.zeros(len(a), dtype=torch.float64)
    for i, (stride, padding) in enumerate([(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)], start=1):
        kernel, bias = weights[f"conv{i}.weight"], weights[f"conv{i}.bias"]
        if i in (2, 3):
            x, y = F.max_pool2d(x, 3, 2), F.max_pool2d(y, 3, 2)
        x, y = (F.relu(F.conv2d(z, kernel, bias, stride=stride, padding=padding)) for z in (x, y))
        difference = (F.normalize(x, eps=1e-10) - F.normalize(y, eps=1e-10)) ** 2
        layer = (difference * weights[f"head{i}.weight"].view(1, -1, 1, 1)).sum(1, keepdim=True)
        total += F.interpolate(layer, size=a.shape[2:], mode="bilinear", align_corners=False).mean((1, 2, 3))
    return total.numpy()


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def test_weights_are_the_pinned_ones() -> None:
    note = WEIGHTS.with_name("lpips_alexnet_v0.1.LICENSE.txt").read_text()
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in note


@pytest.mark.parametrize("name", CONTINUATIONS)
def test_matrix_equals_the_official_one(name: str, golden_frames: Callable[[str], Tensor], golden_folder: Path) -> None:
    with np.load(golden_folder / "lpips_matrices.npz") as archive:
        official = archive[f"synth_pan__{name}"]
    ours = lpips_matrix(golden_frames(name), golden_frames("ground_truth"))
    np.testing.assert_allclose(ours, official, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (31, 47), (64, 80)])
def test_equals_a_plain_implementation(height: int, width: int) -> None:
    gen, truth = random_frames(3, height, width, seed=1), random_frames(3, height, width, seed=2)
    np.testing.assert_allclose(lpips(gen, truth), plain_lpips(gen, truth), rtol=0, atol=1e-6)


def test_unit_values(unit_frames: tuple[Tensor, Tensor], golden: dict[str, Any]) -> None:
    gen, truth = unit_frames
    assert lpips(gen, truth).mean() == pytest.approx(golden["unit"]["lpips"], abs=1e-6)
    corners = (gen[:, :, :32, :32], truth[:, :, :32, :32])
    tiny = lpips(*((corner + 1) / 2 for corner in corners)).mean()  # made with [0, 1] where [-1, 1] is meant
    assert tiny == pytest.approx(float(golden["unit"]["tiny_32x32_lpips"]), abs=1e-6)
    longer = lpips_matrix(gen, truth[:3])
    assert longer.shape == (5, 3)


def test_equal_frames_have_distance_zero() -> None:
    frames = random_frames(2, 32, 32, seed=3)
    assert lpips(frames, frames).tolist() == [0.0, 0.0]


def test_a_value_depends_on_its_two_frames_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    gen, truth = random_frames(15, 32, 48, seed=4), random_frames(15, 32, 48, seed=5)
    whole = lpips(gen, truth)
    np.testing.assert_array_equal(lpips(gen[4:7], truth[4:7]), whole[4:7])
    np.testing.assert_array_equal(lpips(gen.flip(0), truth.flip(0)), whole[::-1])
    with threads(2):
        np.testing.assert_array_equal(lpips(gen, truth), whole)


def test_too_small_frames_are_refused() -> None:
    frames = random_frames(1, 16, 40, seed=6)
    with pytest.raises(MagbenchError, match="at least 31 pixels a side, not 40x16"):
        lpips(frames, frames)
