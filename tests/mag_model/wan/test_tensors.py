"""Names and shapes: against the published patterns, against the real classes, against diffusers' own converter."""

from __future__ import annotations

import json
import math
import re

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

from mag_model.wan.network import WanSizes
from mag_model.wan.published_names import bare, official_text, official_vae
from mag_model.wan.text import TextSizes
from mag_model.wan.vae import VaeSizes
from tests.mag_model.wan import public_files
from tests.mag_model.wan.golden import FOLDER

GOLDEN = json.loads((FOLDER / "keys_1p3B.json").read_text())


def test_the_patterns_of_the_largest_model_are_the_published_ones() -> None:
    shapes = WanSizes().shapes()
    found: dict[str, list[tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        found.setdefault(re.sub(r"^blocks\.\d+\.", "blocks.N.", name), []).append(shape)
    assert {name: [list(each[0]), len(each)] for name, each in found.items()} == GOLDEN["patterns"]
    assert all(len(set(each)) == 1 for each in found.values())
    assert len(shapes) == GOLDEN["n_keys"] == 825
    assert sum(math.prod(shape) for shape in shapes.values()) == GOLDEN["total"] == 1_418_996_800
    block = sum(math.prod(shape) for name, shape in shapes.items() if name.startswith("blocks.7."))
    assert block == GOLDEN["per_block"]


def test_the_text_encoder_has_the_tensors_of_the_real_class() -> None:
    network = public_files.tiny_text()
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert wanted.pop("encoder.embed_tokens.weight") == wanted["shared.weight"]
    assert public_files.TEXT.shapes() == wanted
    largest = TextSizes().shapes()
    assert len(largest) == 242
    assert sum(math.prod(shape) for shape in largest.values()) == 5_680_910_336


def test_published_names_of_the_text_encoder() -> None:
    for name in TextSizes().shapes():
        old = public_files.published_text(name)
        assert old is not None and old != name
        assert official_text(old) == name
    assert official_text("blocks.23.pos_embedding.embedding.weight") == (
        "encoder.block.23.layer.0.SelfAttention.relative_attention_bias.weight"
    )


def test_published_names_of_the_codec_against_the_converter_of_diffusers() -> None:
    names = VaeSizes().shapes()
    assert len(names) == 194
    assert sum(math.prod(shape) for shape in names.values()) == 126_892_531
    old = {public_files.published_vae(name): torch.tensor(i) for i, name in enumerate(names)}
    assert len(old) == len(names)
    converted = convert_wan_vae_to_diffusers(dict(old))
    assert {name: int(value) for name, value in converted.items()} == {name: i for i, name in enumerate(names)}
    assert {official_vae(name): int(value) for name, value in old.items()} == {name: i for i, name in enumerate(names)}


@pytest.mark.parametrize(
    "name",
    [
        "model.head.head.bias",
        "head.head.bias",
        "model.model.head.head.bias",
        "_fsdp_wrapped_module.model._fsdp_wrapped_module.head.head.bias",
        "model._orig_mod.head._checkpoint_wrapped_module.head.bias",
    ],
)
def test_wrappers_are_taken_off(name: str) -> None:
    assert bare(name) == "head.head.bias"
