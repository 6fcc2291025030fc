"""The codec: pieces equal the whole, which is what diffusers' own encode and decode give."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mag_model.wan.vae import VaeSizes, WanVae, check_sides, load_vae
from magbench.core.errors import MagbenchError
from tests.mag_model.wan import public_files


@pytest.fixture(scope="module")
def vae() -> WanVae:
    return WanVae(public_files.tiny_vae())


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return torch.rand(13, 3, 8, 16, generator=torch.Generator().manual_seed(3))


def reference_latents(vae: WanVae, frames: torch.Tensor) -> torch.Tensor:
    """diffusers' encode, then the 16 constants of Wan2.1's own code."""
    mean = [-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508]
    mean += [0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921]
    deviation = [2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743]
    deviation += [3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160]
    with torch.no_grad():
        latents = vae.network.encode((frames * 2 - 1).movedim(1, 0)[None]).latent_dist.mode()[0].movedim(0, 1)
    return (latents - torch.tensor(mean)[:, None, None]) / torch.tensor(deviation)[:, None, None]


def test_encoding_equals_diffusers_and_normalises(vae: WanVae, frames: torch.Tensor) -> None:
    latents = vae.encode(frames)
    assert latents.shape == (4, 16, 1, 2)
    assert latents.dtype == torch.float32
    torch.testing.assert_close(latents, reference_latents(vae, frames), atol=1e-5, rtol=1e-5)


def test_decoding_equals_diffusers(vae: WanVae, frames: torch.Tensor) -> None:
    latents = vae.encode(frames)
    mean, deviation = vae.constants()
    with torch.no_grad():
        wanted = vae.network.decode((latents * deviation + mean).movedim(1, 0)[None]).sample[0].movedim(0, 1)
    found = vae.decode(latents)
    assert found.shape == frames.shape
    torch.testing.assert_close(found, (wanted + 1) / 2, atol=1e-5, rtol=0)
    assert found.std() > 0.05


@pytest.mark.parametrize("cuts", [(2, 0, 5, 6), (1,) * 13, (9, 4)])
def test_pieces_of_frames_equal_the_whole(vae: WanVae, frames: torch.Tensor, cuts: tuple[int, ...]) -> None:
    stream = vae.encoder()
    pieces = [stream.push(piece) for piece in frames.split(list(cuts))]
    stream.finish()
    assert torch.equal(torch.cat(pieces), vae.encode(frames))
    assert [len(piece) for piece in pieces] == {
        (2, 0, 5, 6): [1, 0, 1, 2],
        (1,) * 13: [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1],
        (9, 4): [3, 1],
    }[cuts]


@pytest.mark.parametrize("cuts", [(3, 0, 1), (1, 1, 1, 1)])
def test_pieces_of_latents_equal_the_whole(vae: WanVae, frames: torch.Tensor, cuts: tuple[int, ...]) -> None:
    latents = vae.encode(frames)
    stream = vae.decoder()
    pieces = [stream.push(piece) for piece in latents.split(list(cuts))]
    assert torch.equal(torch.cat(pieces), vae.decode(latents))
    assert len(pieces[0]) == vae.pixel_frames(cuts[0])


def test_a_later_slice_alone_is_another_video(vae: WanVae, frames: torch.Tensor) -> None:
    latents = vae.encode(frames)
    alone = vae.decode(latents[1:])
    assert len(alone) == 9
    assert not torch.allclose(alone[-4:], vae.decode(latents)[-4:], atol=1e-3)


def test_frames_that_are_left_over_are_refused_until_they_are_cut(vae: WanVae) -> None:
    assert [vae.latent_frames(count) for count in (0, 1, 4, 5, 77, 80, 81)] == [0, 1, 1, 2, 20, 20, 21]
    assert [vae.pixel_frames(count) for count in (0, 1, 2, 20, 21)] == [0, 1, 5, 77, 81]
    frames = torch.rand(8, 3, 16, 16)
    with pytest.raises(MagbenchError, match="8 frames are 2 latent frames and 3 frames over; .* cut them to 5"):
        vae.encode(frames)
    assert torch.equal(vae.encode(vae.whole(frames)), vae.encode(frames[:5]))


def test_odd_resolutions_are_refused_with_the_nearest(vae: WanVae) -> None:
    with pytest.raises(MagbenchError, match="frames of 20x16: both sides must be multiples of 8, as 16x16 is"):
        vae.encode(torch.rand(1, 3, 16, 20))
    check_sides(480, 832, 16)
    with pytest.raises(MagbenchError, match="frames of 832x481: both sides must be multiples of 16, as 832x480 is"):
        check_sides(481, 832, 16)


def test_stored_weights_come_back_and_others_are_refused(vae: WanVae, frames: torch.Tensor, tmp_path: Path) -> None:
    path = tmp_path / "vae.safetensors"
    save_file({name: value.contiguous() for name, value in vae.network.state_dict().items()}, path)
    loaded = load_vae(path, public_files.VAE)
    assert torch.equal(loaded.encode(frames), vae.encode(frames))
    with pytest.raises(MagbenchError, match="vae.safetensors: tensor '.*' is .*, not .*of another shape"):
        load_vae(path, VaeSizes(dim=8))


def test_half_precision_stays_near(vae: WanVae, frames: torch.Tensor, tmp_path: Path) -> None:
    path = tmp_path / "vae.safetensors"
    save_file({name: value.contiguous() for name, value in vae.network.state_dict().items()}, path)
    half = load_vae(path, public_files.VAE, dtype=torch.bfloat16)
    latents = half.encode(frames[:5])
    assert latents.dtype == torch.float32
    wanted = vae.encode(frames[:5])
    assert (latents - wanted).norm() / wanted.norm() < 0.05
    assert half.decode(latents).dtype == torch.float32
