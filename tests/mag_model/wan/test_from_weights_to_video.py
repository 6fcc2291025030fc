"""A checkpoint in two of the published forms, fetched, loaded, and run from pixels to pixels."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mag_model.memory.policy import Mag
from mag_model.rollout import rollout, seeded
from mag_model.wan.denoiser import Prompted
from mag_model.wan.text import embed_once
from mag_model.wan.weights.load import load_codec, load_text_encoder, load_transformer
from tests.mag_model.wan import tiny
from tests.mag_model.wan.tiny import LENGTH, SPEC


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = tiny.known(monkeypatch, tmp_path / "cache")
    (tmp_path / "repository").mkdir()
    tiny.publish(tmp_path / "repository")
    tiny.fetch(tmp_path / "repository")
    return name


def continued(name: str, frames: Tensor, prompt: str, blocks: int) -> Tensor:
    """The frames that follow ``frames``, (12 * blocks, 3, H, W)."""
    vae = load_codec(name)
    text = embed_once(lambda: load_text_encoder(name, length=LENGTH, dtype=torch.float32), [prompt, ""])
    generator, memory = (load_transformer(name, part, dtype=torch.float32) for part in ("generator", "memory"))
    context = vae.encode(frames)
    size = (context.shape[-2], context.shape[-1])
    made = rollout(
        Prompted.by(generator, text[prompt], size),
        Mag(first_block_whole=True),
        context[None],
        len(context) + SPEC.block * blocks,
        seeded(7),
        writer=Prompted.by(memory, text[""], size),
    )
    decoder = vae.decoder()
    decoder.push(context)
    return torch.cat([decoder.push(block[0]) for block in made])


def test_a_clip_is_continued_and_again_the_same(fetched: str) -> None:
    frames = torch.rand(9, 3, 16, 32, generator=torch.Generator().manual_seed(0))
    video = continued(fetched, frames, "a cat", blocks=2)
    assert video.shape == (24, 3, 16, 32)
    assert video.dtype == torch.float32
    assert 0 <= float(video.min()) < float(video.max()) <= 1
    assert torch.equal(video, continued(fetched, frames, "a cat", blocks=2))
    assert not torch.equal(video, continued(fetched, frames, "the dog", blocks=2))
    assert not torch.equal(video, continued(fetched, frames.flip(0), "a cat", blocks=2))
