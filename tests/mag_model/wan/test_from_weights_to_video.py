"""A checkpoint in two of the published forms, fetched, loaded, and run from pixels to pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mag_model.policy import Mag
from mag_model.rollout import rollout, seeded
from mag_model.wan import store
from mag_model.wan.checkpoints import CHECKPOINTS, Checkpoint, Part
from mag_model.wan.load import load_codec, load_text_encoder, load_transformer
from mag_model.wan.prompted import Prompted
from mag_model.wan.store import Request
from mag_model.wan.tensors import WanSizes, official_text, official_vae
from mag_model.wan.text import embed_once
from magbench.runner import Quiet
from tests.mag_model.wan import published

LENGTH = 8
SPEC = replace(published.SPEC, channels=published.VAE.channels, text=published.TEXT.dim, words=LENGTH)
ENTRY = Checkpoint(
    name="tiny-mag",
    about="generator, memory model and all that they need",
    repository="someone/tiny-mag",
    licence="MIT",
    parts=(
        Part("generator", ("dmd.pt",), WanSizes(SPEC), branches=("generator_ema",)),
        Part("memory", ("memory/*.safetensors", "memory/*.json"), WanSizes(SPEC)),
        Part("vae", ("Wan2.1_VAE.pth",), published.VAE, rename=official_vae),
        Part("text", ("t5.pth",), published.TEXT, rename=official_text),
        Part("tokenizer", ("umt5/*",), None),
    ),
    spec=SPEC,
)


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(CHECKPOINTS, ENTRY.name, ENTRY)
    folder, sizes = tmp_path / "repository", WanSizes(SPEC)
    small = [{name: 0.3 * value for name, value in published.wan_tensors(seed, sizes).items()} for seed in (0, 1)]
    published.save_folder(folder / "memory", small[1], shards=2, in_dim=SPEC.channels)
    torch.save({"generator_ema": published.wrapped(small[0])}, folder / "dmd.pt")
    vae, text = published.tiny_vae().state_dict(), published.tiny_text().state_dict()
    torch.save({published.published_vae(name): value for name, value in vae.items()}, folder / "Wan2.1_VAE.pth")
    named = {published.published_text(name): value for name, value in text.items()}
    torch.save({name: value for name, value in named.items() if name}, folder / "t5.pth")
    published.save_sentencepiece(folder / "umt5")
    store.fetch(ENTRY.name, Request(folder=folder), Quiet())
    return ENTRY.name


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
