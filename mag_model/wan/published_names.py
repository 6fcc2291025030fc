"""Names of tensors as they are published, and as they are kept here.

Source: Wan2.1's published state dicts. Stored weights bear the generator's own names, for the codec those of
diffusers' AutoencoderKLWan and for the text encoder those of transformers' UMT5EncoderModel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

Shape = tuple[int, ...]
Rename = Callable[[str], str]


class Sizes(Protocol):
    """Sizes of a network, from which the shapes of its tensors follow."""

    def shapes(self) -> dict[str, Shape]: ...

    def config(self) -> dict[str, int]:
        """What a published ``config.json`` must say where it says anything."""
        ...


WRAPPERS = {"_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_orig_mod"}


def bare(name: str) -> str:
    """A name without what trainers wrap modules in: of ``model._fsdp_wrapped_module.head.head.bias`` the last three."""
    words = [word for word in name.split(".") if word not in WRAPPERS]
    while len(words) > 1 and words[0] == "model":
        words = words[1:]
    return ".".join(words)


def shared_once(name: str) -> str:
    """A name of transformers' UMT5EncoderModel, in which the embedding may stand twice."""
    return "shared.weight" if name == "encoder.embed_tokens.weight" else name


def official_text(name: str) -> str:
    """Wan's own name of a tensor of the text encoder -> transformers'."""
    return _replace(
        name,
        (r"^token_embedding\.", "shared."),
        (r"^norm\.", "encoder.final_layer_norm."),
        (r"^blocks\.(\d+)\.", r"encoder.block.\1."),
        (r"\.norm1\.", ".layer.0.layer_norm."),
        (r"\.attn\.", ".layer.0.SelfAttention."),
        (r"\.pos_embedding\.embedding\.", ".layer.0.SelfAttention.relative_attention_bias."),
        (r"\.norm2\.", ".layer.1.layer_norm."),
        (r"\.ffn\.gate\.0\.", ".layer.1.DenseReluDense.wi_0."),
        (r"\.ffn\.fc1\.", ".layer.1.DenseReluDense.wi_1."),
        (r"\.ffn\.fc2\.", ".layer.1.DenseReluDense.wo."),
    )


def official_vae(name: str) -> str:
    """Wan2.1's own name of a tensor of the autoencoder (two residual blocks a stage) -> diffusers'."""
    name = _replace(
        name,
        (r"^conv1\.", "quant_conv."),
        (r"^conv2\.", "post_quant_conv."),
        (r"^(encoder|decoder)\.conv1\.", r"\1.conv_in."),
        (r"\.head\.0\.", ".norm_out."),
        (r"\.head\.2\.", ".conv_out."),
        (r"\.middle\.0\.", ".mid_block.resnets.0."),
        (r"\.middle\.1\.", ".mid_block.attentions.0."),
        (r"\.middle\.2\.", ".mid_block.resnets.1."),
        (r"\.residual\.0\.", ".norm1."),
        (r"\.residual\.2\.", ".conv1."),
        (r"\.residual\.3\.", ".norm2."),
        (r"\.residual\.6\.", ".conv2."),
        (r"\.shortcut\.", ".conv_shortcut."),
        (r"\.downsamples\.", ".down_blocks."),
    )
    return re.sub(r"\.upsamples\.(\d+)\.", _up_block, name)


def _up_block(found: re.Match[str]) -> str:
    """Three residual blocks and one upsampler make a stage of the decoder."""
    stage, place = divmod(int(found.group(1)), 4)
    inner = "upsamplers.0" if place == 3 else f"resnets.{place}"
    return f".up_blocks.{stage}.{inner}."


def _replace(name: str, *rules: tuple[str, str]) -> str:
    for pattern, new in rules:
        name = re.sub(pattern, new, name)
    return name
