"""What a model may hand over: converted as plain arithmetic would, or refused in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from magbench.core.errors import MagbenchError
from magbench.models.meter import Expected, measure
from magbench.models.pixels import as_frames

FRAMES = torch.rand(2, 3, 8, 10, generator=torch.Generator().manual_seed(1))
SIZE = (8, 10)


def test_float32_is_given_back_as_it_is() -> None:
    assert as_frames(FRAMES, "piece 0", SIZE) is FRAMES


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_converted(dtype: torch.dtype) -> None:
    found = as_frames(FRAMES.to(dtype), "piece 0", SIZE)
    assert found.dtype == torch.float32
    assert torch.equal(found, torch.tensor(FRAMES.to(dtype).tolist(), dtype=torch.float32))


def test_bytes_are_pixels() -> None:
    pixels = (FRAMES * 255).round().to(torch.uint8)
    found = as_frames(pixels, "piece 0", SIZE)
    assert np.array_equal(np.rint(found.numpy().astype(np.float64) * 255), pixels.numpy())


@pytest.mark.parametrize("form", [lambda f: f.numpy(), lambda f: list(f), lambda f: [x.numpy() for x in f]])
def test_arrays_and_lists_of_frames(form: Any) -> None:
    assert torch.equal(as_frames(form(FRAMES), "piece 0", SIZE), FRAMES)


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (FRAMES.permute(0, 2, 3, 1), r"piece 3 has shape \(2, 8, 10, 3\): channels come last; \(n, 3, 8, 10\) wanted"),
        (FRAMES[0], r"piece 3 has shape \(3, 8, 10\), \(n, 3, 8, 10\) wanted"),
        (FRAMES.int(), "piece 3 is torch.int32, one of float32, float16, bfloat16, float64, uint8 wanted"),
        ([FRAMES, FRAMES], "piece 3 is a list of shapes"),
        ("frames", "piece 3 is a str, a tensor or array"),
        (None, "piece 3 is a NoneType"),
    ],
)
def test_what_is_ambiguous_is_refused(piece: Any, message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        as_frames(piece, "piece 3", SIZE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f * 2 - 1, r"piece 0: values span .* outside \[0, 1\]; of frames in \[-1, 1\] add 1 and halve them"),
        (lambda f: f * 255, r"piece 0: values span .* outside \[0, 1\]$"),
    ],
)
def test_another_range_is_named(change: Any, message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        measure(lambda: iter([change(FRAMES)]), lambda: None, Expected(2, 8, 10), seed=0)
