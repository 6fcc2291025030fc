"""Rollouts against the released code's: each pass, the final caches, and what sub-modules give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.policies.window_sink import WindowSink
from mag_model.memory.cache import Memory
from mag_model.memory.policy import CachePolicy, FullHistory, Mag
from mag_model.rollout import rollout
from tests.mag_model.wan.golden import FRAMES, NOTHING, assert_near, golden, network, prompted, stored_noise


@dataclass
class Seen:
    """What a rollout did: of each pass the latents, the flow, and every module's last output."""

    latents: list[Tensor] = field(default_factory=list)
    flows: list[Tensor] = field(default_factory=list)
    modules: list[dict[str, Tensor]] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    output: Tensor = field(default_factory=lambda: torch.zeros(0))


@contextmanager
def _watched(root: nn.Module, seen: Seen) -> Iterator[None]:
    outputs: dict[str, Tensor] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            outputs[name] = out
            if not name:
                seen.latents.append(given[0])
                seen.flows.append(out)
                seen.modules.append(dict(outputs))

        return hook

    handles = [module.register_forward_hook(note(name)) for name, module in root.named_modules()]
    yield
    for handle in handles:
        handle.remove()


def _run(policy: CachePolicy, writer: str, text: str) -> Seen:
    seen = Seen()
    with _watched(network("generator"), seen), _watched(network("memory"), seen):
        pieces = rollout(
            prompted("generator", "text"),
            policy,
            NOTHING,
            FRAMES,
            stored_noise(),
            writer=prompted(writer, text),
            memory=seen.memory,
        )
        seen.output = torch.cat(list(pieces), 1)
    return seen


@pytest.fixture(scope="module")
def mag() -> Seen:
    return _run(Mag(), "memory", "empty")


def _assert_same_passes(seen: Seen, wanted: dict[str, Tensor]) -> None:
    assert len(seen.flows) == 30
    for call, (latents, flow) in enumerate(zip(seen.latents, seen.flows, strict=True)):
        assert_near(flow, wanted[f"call{call:03d}.flow"])
        if f"call{call:03d}.x" in wanted:
            assert_near(latents, wanted[f"call{call:03d}.x"])
    assert_near(seen.output, wanted["output"])


def test_mag_with_its_memory_model(mag: Seen) -> None:
    _assert_same_passes(mag, golden("mag_bc_sink2"))


@pytest.mark.parametrize(
    ("policy", "name"), [(FullHistory(), "mag_orig_full"), (WindowSink(frames=6, sink=3), "mag_orig_w6_sink3")], ids=str
)
def test_the_generator_writes_under_its_own_text(policy: CachePolicy, name: str) -> None:
    _assert_same_passes(_run(policy, "generator", "text"), golden(name))


@pytest.mark.parametrize(
    ("policy", "writer", "text"),
    [(Mag(first_block_whole=False), "memory", "empty"), (Mag(), "generator", "empty"), (Mag(), "memory", "text")],
    ids=["no first block", "other writer", "other text"],
)
def test_a_wrong_choice_is_seen(policy: CachePolicy, writer: str, text: str) -> None:
    wanted = golden("mag_bc_sink2")["output"]
    wrong = _run(policy, writer, text).output - wanted
    assert wrong[:, 3:].norm() / wanted[:, 3:].norm() > 4e-2
    assert_near(wrong[:, :3], torch.zeros_like(wrong[:, :3]))


@pytest.mark.parametrize("layer", [0, 2])
def test_the_cache_holds_the_keys_that_the_released_one_holds(mag: Seen, layer: int) -> None:
    """The released code keeps frames 0 and 1 apart, and the last frame of each block in a ring."""
    held, wanted = mag.memory.layers[layer], golden("mag_bc_sink2")
    assert held.frame.tolist() == [0, 1, 2, 5, 8, 11, 14, 17]
    for number, name in enumerate("kv"):
        ring = torch.cat([wanted[f"cache.{layer}.sink_{name}"], wanted[f"cache.{layer}.{name}"]], 1)
        assert_near(held.kv[number, :, :, : held.end].transpose(1, 2), ring)


@pytest.mark.parametrize("call", [4, 15])
def test_sub_modules(mag: Seen, call: int) -> None:
    """A writing pass and a denoising pass. A text is read once, before the first pass."""
    wanted = golden("mag_bc_sink2_intermediates")
    names = {name.removeprefix(f"call{call:03d}.") for name in wanted if name.startswith(f"call{call:03d}.")}
    once = {"text_embedding", "blocks.0.cross_attn.norm_k"}
    assert len(names - once) == 17
    for name in names - once:
        value = wanted[f"call{call:03d}.{name}"]
        assert_near(mag.modules[call][name].reshape(value.shape), value)


def test_a_text_is_read_as_the_released_code_reads_it() -> None:
    wanted, inputs = golden("mag_bc_sink2_intermediates"), golden("inputs_b1")
    for call, which, text in ((4, "memory", "empty"), (15, "generator", "text")):
        embedded = network(which).text_embedding(inputs[text])
        assert_near(embedded, wanted[f"call{call:03d}.text_embedding"])
    keys, _ = prompted("memory", "empty").text[0]
    assert_near(keys.transpose(1, 2).flatten(2), wanted["call004.blocks.0.cross_attn.norm_k"])
