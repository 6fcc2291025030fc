"""Wan2.1's text: transformers' UMT5EncoderModel over cleaned prompts, 512 tokens, zeros where a prompt has ended.

The zeros are attended to: the diffusion transformer knows no mask. The empty prompt is one end token and zeros.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mag_model.wan.optional import extra
from mag_model.wan.published_names import Shape, shared_once
from mag_model.wan.state_dict import shapes_of
from magbench.core.errors import MagbenchError


@dataclass(frozen=True)
class TextSizes:
    """Sizes of the UMT5 text encoder; by default umt5-xxl's."""

    dim: int = 4096
    layers: int = 24
    heads: int = 64
    head_dim: int = 64
    hidden: int = 10240
    vocabulary: int = 256384
    buckets: int = 32

    def config(self) -> dict[str, int]:
        return {"d_model": self.dim, "num_layers": self.layers, "num_heads": self.heads, "d_ff": self.hidden}

    def shapes(self) -> dict[str, Shape]:
        with torch.device("meta"):
            found = shapes_of(empty_text(self))
        return {name: shape for name, shape in found.items() if shared_once(name) == name}


LENGTH = 512


def clean(prompt: str) -> str:
    """A prompt as the checkpoints were trained on it: broken Unicode and HTML mended, runs of white space one space."""
    mended = extra("ftfy").fix_text(prompt)
    return re.sub(r"\s+", " ", html.unescape(html.unescape(mended))).strip()


class TextEncoder:
    """Prompts to embeddings.

    Args:
        tokenizer: transformers' tokenizer, which ends a text with its end token and pads.
        network: UMT5EncoderModel with its weights, on its device, in its dtype.
        length: tokens a prompt; longer prompts are cut.
    """

    def __init__(self, tokenizer: Any, network: Any, length: int = LENGTH) -> None:
        self.tokenizer = tokenizer
        self.network = network.eval().requires_grad_(False)
        self.length = length

    @torch.no_grad()
    def __call__(self, prompts: Sequence[str]) -> Tensor:
        """Embeddings (B, length, dim) in the network's dtype, on its device; rows after a prompt's end are zero."""
        tokens = self.tokenizer(
            [clean(prompt) for prompt in prompts],
            padding="max_length",
            truncation=True,
            max_length=self.length,
            add_special_tokens=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        device = next(self.network.parameters()).device
        mask = tokens["attention_mask"].to(device)
        states = self.network(input_ids=tokens["input_ids"].to(device), attention_mask=mask).last_hidden_state
        return states * mask[..., None].to(states.dtype)


def embed_once(load: Callable[[], TextEncoder], prompts: Sequence[str], device: str = "cpu") -> dict[str, Tensor]:
    """Embeddings (1, length, dim) of each prompt on ``device``; the encoder, 11 GB in half precision, is freed."""
    encoder = load()
    found = {prompt: encoder([prompt]).to(device) for prompt in dict.fromkeys(prompts)}
    del encoder
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return found


def load_text(
    path: Path,
    tokenizer: Path,
    sizes: TextSizes | None = None,
    *,
    length: int = LENGTH,
    device: str = "cpu",
    dtype: torch.dtype = torch.bfloat16,
) -> TextEncoder:
    """The encoder from weights and tokenizer that :mod:`mag_model.wan.weights.store` keeps."""
    from mag_model.wan.state_dict import check_shapes, read_safetensors

    sizes = sizes or TextSizes()
    tensors = read_safetensors(path)
    check_shapes(path, {name: tuple(value.shape) for name, value in tensors.items()}, sizes.shapes())
    with torch.device("meta"):
        network = empty_text(sizes)
    tensors = {name: value.to(dtype) for name, value in tensors.items()}
    tensors["encoder.embed_tokens.weight"] = tensors["shared.weight"]
    network.load_state_dict(tensors, assign=True)
    return TextEncoder(load_tokenizer(tokenizer), network.to(device), length)


def empty_text(sizes: TextSizes) -> Any:
    """A UMT5EncoderModel without weights."""
    transformers = extra("transformers")
    config = transformers.UMT5Config(
        vocab_size=sizes.vocabulary,
        d_model=sizes.dim,
        d_kv=sizes.head_dim,
        d_ff=sizes.hidden,
        num_layers=sizes.layers,
        num_heads=sizes.heads,
        relative_attention_num_buckets=sizes.buckets,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
    )
    return transformers.UMT5EncoderModel(config)


def load_tokenizer(folder: Path) -> Any:
    """transformers' tokenizer from its folder."""
    try:
        return extra("transformers").AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise MagbenchError(f"{folder}: no tokenizer that can be read ({reason})") from error
