"""Tiny networks with seeded weights, and their weights in the forms in which people publish them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from mag_model.wan.network import WanSizes
from mag_model.wan.spec import WanSpec
from mag_model.wan.text import TextSizes, empty_text
from mag_model.wan.vae import VaeSizes, empty_vae

SPEC = WanSpec(dim=12, layers=2, heads=2, hidden=16, channels=4, freq_dim=8, text=6, text_len=5)
WAN = WanSizes(SPEC)
VAE = VaeSizes(dim=4)
TEXT = TextSizes(dim=12, layers=2, heads=2, head_dim=4, hidden=20, vocabulary=40, buckets=8)
RANK, ALPHA = 3, 6.0


def wan_tensors(seed: int = 0, sizes: WanSizes = WAN) -> dict[str, Tensor]:
    """A state dict of the diffusion transformer."""
    random = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=random) for name, shape in sizes.shapes().items()}


def tiny_vae() -> Any:
    """An AutoencoderKLWan whose every weight matters."""
    return _seeded(empty_vae(VAE), 1)


def tiny_text() -> Any:
    """A UMT5EncoderModel whose every weight matters."""
    return _seeded(empty_text(TEXT), 2)


def _seeded(network: Any, seed: int) -> Any:
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random) * 0.3)
    return network.eval()


def save_folder(folder: Path, tensors: dict[str, Tensor], shards: int = 1, **config: int) -> Path:
    """What save_pretrained writes: config.json and the weights, in shards with their index if there are several."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"dim": SPEC.dim, "num_layers": SPEC.layers, "ffn_dim": SPEC.hidden, "num_heads": SPEC.heads, **config}
    (folder / "config.json").write_text(json.dumps({"_class_name": "CausalWanModel", **sizes}))
    stem = "diffusion_pytorch_model"
    if shards == 1:
        save_file(tensors, folder / f"{stem}.safetensors")
        return folder
    listed = {}
    names = list(tensors)
    for number in range(shards):
        file = f"{stem}-{number + 1:05d}-of-{shards:05d}.safetensors"
        own = names[number::shards]
        save_file({name: tensors[name] for name in own}, folder / file)
        listed.update(dict.fromkeys(own, file))
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": listed}))
    return folder


def wrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names as FSDP and a wrapper module leave them."""
    return {
        "model._fsdp_wrapped_module." + re.sub(r"^(blocks\.\d+)\.", r"\1._fsdp_wrapped_module.", name): value
        for name, value in tensors.items()
    }


def adapter_tensors(tensors: dict[str, Tensor], seed: int = 5) -> dict[str, Tensor]:
    """A LoRA of every linear layer of the blocks, with PEFT's names."""
    random = torch.Generator().manual_seed(seed)
    found = {}
    for name, value in tensors.items():
        if name.startswith("blocks.") and name.endswith(".weight") and value.ndim == 2:
            stem = f"base_model.model.{name.removesuffix('.weight')}"
            found[f"{stem}.lora_A.weight"] = torch.randn(RANK, value.shape[1], generator=random)
            found[f"{stem}.lora_B.weight"] = torch.randn(value.shape[0], RANK, generator=random)
    return found


def published_vae(name: str) -> str:
    """diffusers' name of a tensor of the autoencoder -> Wan2.1's own."""
    name = re.sub(r"^quant_conv", "conv1", name)
    name = re.sub(r"^post_quant_conv", "conv2", name)
    for new, old in (
        (r"\.conv_in\.", ".conv1."),
        (r"\.mid_block\.resnets\.0\.", ".middle.0."),
        (r"\.mid_block\.resnets\.1\.", ".middle.2."),
        (r"\.mid_block\.attentions\.0\.", ".middle.1."),
        (r"\.down_blocks\.", ".downsamples."),
    ):
        name = re.sub(new, old, name)
    found = re.search(r"\.up_blocks\.(\d)\.(resnets|upsamplers)\.(\d)\.", name)
    if found:
        place = 3 if found.group(2) == "upsamplers" else int(found.group(3))
        name = name.replace(found.group(), f".upsamples.{4 * int(found.group(1)) + place}.")
    if re.search(r"(middle\.[02]|downsamples\.\d+|upsamples\.\d+)\.(norm|conv)", name):
        for new, old in (("norm1", "residual.0"), ("conv1", "residual.2"), ("norm2", "residual.3")):
            name = name.replace(f".{new}.", f".{old}.")
        name = re.sub(r"\.conv2\.(?=\w+$)", ".residual.6.", name)
        name = name.replace(".conv_shortcut.", ".shortcut.")
    return name.replace(".norm_out.", ".head.0.").replace(".conv_out.", ".head.2.")


def published_text(name: str) -> str | None:
    """transformers' name of a tensor of the text encoder -> Wan2.1's own; None = it is not published twice."""
    if name == "encoder.embed_tokens.weight":
        return None
    for new, old in (
        ("shared.", "token_embedding."),
        ("encoder.final_layer_norm.", "norm."),
        (".layer.0.layer_norm.", ".norm1."),
        (".layer.0.SelfAttention.relative_attention_bias.", ".pos_embedding.embedding."),
        (".layer.0.SelfAttention.", ".attn."),
        (".layer.1.layer_norm.", ".norm2."),
        (".layer.1.DenseReluDense.wi_0.", ".ffn.gate.0."),
        (".layer.1.DenseReluDense.wi_1.", ".ffn.fc1."),
        (".layer.1.DenseReluDense.wo.", ".ffn.fc2."),
        ("encoder.block.", "blocks."),
    ):
        name = name.replace(new, old)
    return name


def save_sentencepiece(folder: Path) -> Path:
    """A tokenizer as google/umt5-xxl has it: a sentencepiece model and its configuration."""
    import sentencepiece

    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a cat on a mat", "the dog runs", "when the camera comes back"] * 20),
        model_prefix=str(folder / "spiece"),
        vocab_size=26,
        **{"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1, "pad_piece": "<pad>", "minloglevel": 2},
    )
    special = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 0, **special})
    )
    return folder


def save_tokenizer(folder: Path) -> Path:
    """A unigram tokenizer of single letters and a few words, which ends a text with </s> and pads with <pad>."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz&", "▁a", "▁cat"]
    tokenizer = Tokenizer(models.Unigram([(word, -float(i)) for i, word in enumerate(words)], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=64
    )
    fast.save_pretrained(folder)
    return folder
