"""What Wan costs: against torch's counter, against a cache that exists, and against the published sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from baselines.policies.mag_ring import MagRing
from baselines.policies.window_sink import WindowSink
from mag_model.memory.attention import CachedAttention
from mag_model.memory.cache import Memory
from mag_model.memory.policy import CachePolicy, FullHistory, Mag
from mag_model.wan.denoiser import Prompted
from mag_model.wan.network import Wan
from mag_model.wan.profiling.costs import block_cost, frame_bytes, parameters, pass_flops
from mag_model.wan.spec import WAN, WanSpec
from tests.mag_model.wan.golden import SPEC

FULL, GRID = WAN["1.3B"], (30, 52)
WINDOW = WindowSink(frames=6, sink=3)


@pytest.mark.parametrize(
    ("spec", "size", "history"),
    [(SPEC, (8, 12), 0), (SPEC, (8, 12), 7), (replace(FULL, layers=4), (60, 104), 57)],
    ids=["tiny, first block", "tiny", "4 layers of 1.3B at 832x480"],
)
def test_operations_are_those_that_torch_counts(spec: WanSpec, size: tuple[int, int], history: int) -> None:
    grid = spec.grid(*size)
    with torch.device("meta"):
        network = Wan(spec).bfloat16().requires_grad_(False)
        told = Prompted.by(network, torch.zeros(1, spec.text_len, spec.text), size)
        latents, level = torch.zeros(1, spec.block, spec.channels, *size), torch.zeros(1, spec.block)
        past = torch.zeros(1, history * grid[0] * grid[1], spec.heads, spec.head_dim, dtype=torch.bfloat16)
    frame, memory = torch.arange(history, history + spec.block), Memory()
    for layer in range(spec.layers if history else 0):
        memory.put(layer, past, past, tokens=grid[0] * grid[1])
        memory.layers[layer].frame = torch.arange(history)
    attention = CachedAttention(memory, FullHistory(), told.rope, frame, "meta")
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.inference_mode():
        told.at(frame)(latents, level, attention)
    assert pass_flops(spec, grid, spec.block, history).total == counter.get_total_flops()


def test_parts_of_a_pass_at_832x480() -> None:
    cost = pass_flops(FULL, GRID, frames=3, history=1)
    found = [round(part / 1e12, 2) for part in (cost.linear, cost.cross, cost.own)]
    assert found == [pytest.approx(11.70, abs=0.02), 0.44, 4.04]
    assert round(cost.history / 1e12, 3) == 1.346


# latent frames, TFLOP of the last block, GB at the end; of the window the block's own frames are counted
TABLE: dict[CachePolicy, list[tuple[int, int, float]]] = {
    FullHistory(): [(21, 202, 6.0), (60, 464, 17.3), (120, 868, 34.5), (240, 1676, 69.0)],
    WINDOW: [(21, 142, 3.5), (60, 142, 3.5), (120, 142, 3.5), (240, 142, 3.5)],
    Mag(): [(21, 135, 2.6), (60, 222, 6.3), (120, 357, 12.1), (240, 626, 23.6)],
    MagRing(): [(21, 135, 2.6), (60, 222, 6.3), (120, 236, 6.6), (240, 236, 6.6)],
}


@pytest.mark.parametrize(("policy", "rows"), TABLE.items(), ids=str)
def test_counted_bytes_and_operations_at_full_shape(policy: CachePolicy, rows: list[tuple[int, int, float]]) -> None:
    """Two layers of the real memory, of tensors without content, are filled block by block; there are 30."""
    layers = 2
    shape = (1, FULL.block * GRID[0] * GRID[1], FULL.heads, FULL.head_dim)
    content = torch.empty(shape, dtype=torch.bfloat16, device="meta")
    for frames, tera, giga in rows:
        memory = Memory()
        blocks = torch.arange(frames).split(FULL.block)
        memory.reserve(policy, list(blocks))
        for block in blocks:
            for layer in range(layers):
                memory.put(layer, content, content, tokens=GRID[0] * GRID[1])
            before = memory.bytes * FULL.layers // layers
            memory.keep(policy, block)
        cost = block_cost(FULL, GRID, policy, frames)
        held, allocated = (count * FULL.layers // layers for count in (memory.bytes, memory.allocated))
        assert (cost.held, cost.attended) == (held, before + FULL.block * frame_bytes(FULL, GRID, 2))
        assert held == len(memory.frame) * 287_539_200
        assert allocated == max(cost.attended, cost.held)
        assert round((cost.attended if policy == WINDOW else cost.held) / 1e9, 1) == giga
        assert round(cost.flops / 1e12) == pytest.approx(tera, abs=1)


@pytest.mark.parametrize("spec", [SPEC, FULL, WAN["14B"], replace(SPEC, hidden=7, text=5)], ids=lambda s: f"dim{s.dim}")
def test_parameters_are_counted(spec: WanSpec) -> None:
    with torch.device("meta"):
        assert parameters(spec) == sum(value.numel() for value in Wan(spec).parameters())
