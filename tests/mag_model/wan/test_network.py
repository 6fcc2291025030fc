"""The network: published names and sizes, an independent implementation, text read once, narrow types, compilation."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

import diffusers
import pytest
import torch

from mag_model.memory.attention import SequenceAttention
from mag_model.memory.policy import Mag
from mag_model.rollout import rollout, seeded
from mag_model.wan.denoiser import Prompted
from mag_model.wan.network import Wan
from mag_model.wan.spec import WAN, WanSpec
from tests.mag_model.wan.golden import FOLDER, NOTHING, SIZE, SPEC, golden, network, prompted


def test_the_published_names_shapes_and_number_of_parameters() -> None:
    published = json.loads((FOLDER / "keys_1p3B.json").read_text())
    with torch.device("meta"):
        made = Wan(WAN["1.3B"])
    state = made.state_dict()
    assert len(state) == published["n_keys"] == 825
    assert sum(value.numel() for value in state.values()) == published["total"] == 1_418_996_800
    assert sum(value.numel() for value in made.blocks[0].state_dict().values()) == published["per_block"]
    patterns = {name: (list(value.shape), 0) for name, value in state.items()}
    counts = Counter(re.sub(r"blocks\.\d+\.", "blocks.N.", name) for name in patterns)
    shapes = {re.sub(r"blocks\.\d+\.", "blocks.N.", name): shape for name, (shape, _) in patterns.items()}
    assert {name: [shapes[name], counts[name]] for name in counts} == published["patterns"]


def test_sizes_from_a_published_configuration() -> None:
    config = json.loads((FOLDER / "index.json").read_text())["weights_A_generator"]["config"]
    assert WanSpec.published(config) == SPEC


def test_both_ways_it_is_the_published_transformer() -> None:
    """Against diffusers: other code, other names, one timestep for the whole clip, and sinusoids made in float32."""
    theirs = diffusers.WanTransformer3DModel(
        num_attention_heads=SPEC.heads,
        attention_head_dim=SPEC.head_dim,
        text_dim=SPEC.text,
        freq_dim=SPEC.freq_dim,
        ffn_dim=SPEC.hidden,
        num_layers=SPEC.layers,
    )
    names = {
        **{"time_embedding.0": "condition_embedder.time_embedder.linear_1"},
        **{"time_embedding.2": "condition_embedder.time_embedder.linear_2"},
        **{"text_embedding.0": "condition_embedder.text_embedder.linear_1"},
        **{"text_embedding.2": "condition_embedder.text_embedder.linear_2"},
        **{"time_projection.1": "condition_embedder.time_proj", "head.modulation": "scale_shift_table"},
        **{"head.head": "proj_out", "modulation": "scale_shift_table", "ffn.0": "ffn.net.0.proj", "ffn.2": "ffn.net.2"},
        **{"self_attn": "attn1", "cross_attn": "attn2", ".o.": ".to_out.0.", "norm3": "norm2"},
        **{f".{name}.": f".to_{name}." for name in "qkv"},
    }
    renamed = {}
    for name, value in golden("weights_A_generator").items():
        for old, new in names.items():
            name = name.replace(old, new)
        renamed[name] = value
    theirs.load_state_dict(renamed)
    inputs = golden("inputs_b1")
    latents, level = inputs["noise"][:, :5], torch.tensor([700.0])
    turn = SPEC.rope(SPEC.grid(*SIZE), torch.float32).turns(torch.arange(5))
    ours = network("generator")
    with torch.inference_mode():
        text = ours.read(inputs["text"])
        flow = ours(latents, level[:, None].expand(1, 5), text, SequenceAttention(turn))
        wanted = theirs.eval()(latents.transpose(1, 2), level, inputs["text"]).sample.transpose(1, 2)
    torch.testing.assert_close(flow, wanted, atol=1e-4, rtol=0)


def test_a_clip_in_a_batch_is_the_clip_alone() -> None:
    inputs = golden("inputs_b1")
    both = Prompted.by(network("generator"), torch.cat([inputs["empty"], inputs["text"]]), SIZE)

    def one(size: torch.Size) -> torch.Tensor:
        return seeded(3)(torch.Size((1, *size[1:]))).expand(size)

    alone = torch.cat(list(rollout(prompted("generator", "text"), Mag(), NOTHING, 6, one)), 1)
    together = torch.cat(list(rollout(both, Mag(), NOTHING.expand(2, -1, -1, -1, -1), 6, one)), 1)
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


def test_a_text_is_read_once_for_all_passes() -> None:
    reads: list[int] = []
    made = network("generator")
    handles = [
        module.register_forward_hook(lambda module, given, out: reads.append(1))
        for module in (made.text_embedding, *(layer.cross_attn.k for layer in made.blocks))
    ]
    list(rollout(prompted("generator", "text"), Mag(), NOTHING, 9, seeded(0)))
    for handle in handles:
        handle.remove()
    assert len(reads) == 1 + SPEC.layers


def test_bfloat16_is_near_float32() -> None:
    narrow = Wan(SPEC).eval().requires_grad_(False)
    narrow.load_state_dict(golden("weights_A_generator"))
    told = Prompted.by(narrow.bfloat16(), golden("inputs_b1")["text"], SIZE)
    assert told.rope.dtype == torch.complex64
    made, wanted = (
        torch.cat(list(rollout(one, Mag(), NOTHING, 6, seeded(0))), 1) for one in (told, prompted("generator", "text"))
    )
    assert made.dtype == torch.float32
    assert (made - wanted).norm() / wanted.norm() < 0.03


def test_compiled_layers_give_the_same() -> None:
    compiled = Wan(SPEC).eval().requires_grad_(False)
    compiled.load_state_dict(golden("weights_A_generator"))
    compiled.compile_layers(backend="eager")
    told = Prompted.by(compiled, golden("inputs_b1")["text"], SIZE)
    torch._dynamo.reset()
    made, wanted = (
        torch.cat(list(rollout(one, Mag(), NOTHING, 9, seeded(0))), 1) for one in (told, prompted("generator", "text"))
    )
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=0)


def test_bad_sizes_are_named() -> None:
    with pytest.raises(ValueError, match="latent frames of 12x7 do not split into patches of 2x2"):
        SPEC.grid(7, 12)
    with pytest.raises(ValueError, match="dim 96 does not split into 5 heads"):
        replace(SPEC, heads=5)
    with pytest.raises(ValueError, match="joins latent frames"):
        replace(SPEC, patch=(2, 2, 2))
