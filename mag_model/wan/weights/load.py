"""The networks of a fetched checkpoint, ready to run."""

from __future__ import annotations

import torch

from mag_model.wan.network import Wan, WanSizes
from mag_model.wan.state_dict import check_shapes, read_safetensors
from mag_model.wan.text import LENGTH, TextEncoder, TextSizes, load_text
from mag_model.wan.vae import VaeSizes, WanVae, load_vae
from mag_model.wan.weights.catalog import checkpoint
from mag_model.wan.weights.store import part_path, part_sizes


def load_transformer(
    name: str, part: str = "generator", *, device: str = "cpu", dtype: torch.dtype = torch.bfloat16
) -> Wan:
    """A diffusion transformer: ``generator`` or, where the checkpoint has one, ``memory``."""
    path, spec = part_path(name, part), checkpoint(name).spec
    tensors = read_safetensors(path)
    check_shapes(path, {key: tuple(value.shape) for key, value in tensors.items()}, WanSizes(spec).shapes())
    with torch.device("meta"):
        network = Wan(spec)
    network.load_state_dict({key: value.to(device, dtype) for key, value in tensors.items()}, assign=True)
    return network.eval().requires_grad_(False)


def load_codec(name: str, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> WanVae:
    """The codec of a checkpoint."""
    return load_vae(part_path(name, "vae"), part_sizes(name, "vae", VaeSizes), device=device, dtype=dtype)


def load_text_encoder(
    name: str, *, length: int = LENGTH, device: str = "cpu", dtype: torch.dtype = torch.bfloat16
) -> TextEncoder:
    """The text encoder of a checkpoint, with its tokenizer."""
    path, tokenizer = part_path(name, "text"), part_path(name, "tokenizer")
    sizes = part_sizes(name, "text", TextSizes)
    return load_text(path, tokenizer, sizes, length=length, device=device, dtype=dtype)
