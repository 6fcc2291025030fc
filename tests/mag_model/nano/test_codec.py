"""The codec against an independent singular value decomposition of the same patches."""

from __future__ import annotations

import torch

from mag_model.nano.codec import PatchCodec


def _frames() -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(40, 3, 4, 4, generator=random)
    return torch.nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")


def test_keeps_the_strongest_components() -> None:
    frames = _frames()
    codec = PatchCodec.fit(frames, patch=8, channels=6)
    rebuilt = codec.decode(codec.encode(frames))
    patches = torch.stack([frames[:, :, r : r + 8, c : c + 8].flatten(1) for r in (0, 8) for c in (0, 8)], 1).flatten(
        0, 1
    )
    values = torch.linalg.svdvals((patches - patches.mean(0)).double())
    lost = values[6:].square().sum() / patches.numel()
    torch.testing.assert_close((rebuilt - frames).square().mean().double(), lost, rtol=1e-2, atol=1e-7)


def test_latents_have_shape_mean_and_deviation() -> None:
    frames = _frames()
    latents = PatchCodec.fit(frames, patch=8, channels=6).encode(frames[:, None])
    assert latents.shape == (40, 1, 6, 2, 2)
    assert abs(latents.mean().item()) < 1e-4
    assert abs(latents.std().item() - 1) < 1e-3


def test_error_in_latents_is_error_in_pixels_but_for_one_factor() -> None:
    codec = PatchCodec.fit(_frames(), patch=8, channels=6)
    a, b = torch.randn(2, 5, 6, 2, 2) * 0.02
    in_pixels = (codec.decode(a) - codec.decode(b)).square().mean()
    torch.testing.assert_close(in_pixels, (a - b).square().mean() * codec.scale**2 * 6 / 192, rtol=1e-3, atol=0)
