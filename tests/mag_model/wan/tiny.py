"""A checkpoint of tiny networks, published in two forms and fetched: as `wan:tiny-mag` it runs in the harness."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from baselines.policies.mag_ring import MagRing
from baselines.wan_recipes import RELEASED, Released
from mag_model.wan.network import WanSizes
from mag_model.wan.published_names import official_text, official_vae
from mag_model.wan.weights import store
from mag_model.wan.weights.catalog import CHECKPOINTS, Checkpoint, Part
from mag_model.wan.weights.store import Request
from magbench.core.progress import Quiet
from tests.mag_model.wan import public_files

LENGTH = 8
SPEC = replace(public_files.SPEC, channels=public_files.VAE.channels, text=public_files.TEXT.dim, text_len=LENGTH)
ENTRY = Checkpoint(
    name="tiny-mag",
    about="generator, memory model and all that they need",
    repository="someone/tiny-mag",
    licence="MIT",
    parts=(
        Part("generator", ("dmd.pt",), lambda: WanSizes(SPEC), branches=("generator_ema",)),
        Part("memory", ("memory/*.safetensors", "memory/*.json"), lambda: WanSizes(SPEC)),
        Part("vae", ("Wan2.1_VAE.pth",), lambda: public_files.VAE, rename=official_vae),
        Part("text", ("t5.pth",), lambda: public_files.TEXT, rename=official_text),
        Part("tokenizer", ("umt5/*",), None),
    ),
    spec=SPEC,
)
HOW = Released(MagRing(ring=2, sink=2), writer="memory", writer_sees_prompt=False)


def publish(folder: Path) -> None:
    """The checkpoint's files, as in its repository."""
    sizes = WanSizes(SPEC)
    small = [{name: 0.3 * value for name, value in public_files.wan_tensors(seed, sizes).items()} for seed in (0, 1)]
    public_files.save_folder(folder / "memory", small[1], shards=2, in_dim=SPEC.channels)
    torch.save({"generator_ema": public_files.wrapped(small[0])}, folder / "dmd.pt")
    vae, text = public_files.tiny_vae().state_dict(), public_files.tiny_text().state_dict()
    torch.save({public_files.published_vae(name): value for name, value in vae.items()}, folder / "Wan2.1_VAE.pth")
    named = {public_files.published_text(name): value for name, value in text.items()}
    torch.save({name: value for name, value in named.items() if name}, folder / "t5.pth")
    public_files.save_sentencepiece(folder / "umt5")


def known(monkeypatch: pytest.MonkeyPatch, cache: Path) -> str:
    """Make the checkpoint known, its weights to be in ``cache``; returns its name."""
    monkeypatch.setenv("MAGBENCH_CACHE", str(cache))
    monkeypatch.setitem(CHECKPOINTS, ENTRY.name, ENTRY)
    monkeypatch.setitem(RELEASED, ENTRY.name, HOW)
    return ENTRY.name


def fetch(folder: Path) -> None:
    """Fetch it from where :func:`publish` put it."""
    store.fetch(ENTRY.name, Request(folder=folder), Quiet())
