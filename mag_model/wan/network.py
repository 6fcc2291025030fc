"""Wan2.1's text-to-video transformer, with the published names of its weights. It knows nothing of caches or policies.

One network serves as the causal generator, as the memory model and as the bidirectional teacher: what its tokens see is
the attention's business, and a noise level is given for each frame. Source: Wan2.1 (arXiv 2503.20314), section 4.2.
Cross-attention has neither a mask nor a gate; its keys and values are made once per text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm, scaled_dot_product_attention

from mag_model.memory.attention import Attention
from mag_model.wan.published_names import Shape
from mag_model.wan.spec import WanSpec
from mag_model.wan.state_dict import shapes_of

TextKV = Sequence[tuple[Tensor, Tensor]]
"""For each layer the keys and values of a text, (B, H, words, D) each."""


class RMSNorm(nn.Module):
    """Root mean square norm over all heads together, in float32; then the gain in the dtype of the input."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x.float(), x.shape[-1:], eps=self.eps).type_as(x) * self.weight


class Projections(nn.Module):
    """What self-attention and cross-attention have in common: projections, with normed queries and keys."""

    def __init__(self, spec: WanSpec) -> None:
        super().__init__()
        self.heads = (spec.heads, spec.head_dim)
        self.q = nn.Linear(spec.dim, spec.dim)
        self.k = nn.Linear(spec.dim, spec.dim)
        self.v = nn.Linear(spec.dim, spec.dim)
        self.o = nn.Linear(spec.dim, spec.dim)
        self.norm_q = RMSNorm(spec.dim, spec.eps)
        self.norm_k = RMSNorm(spec.dim, spec.eps)

    def queries(self, x: Tensor) -> Tensor:
        """(B, N, dim) -> (B, N, H, D)."""
        return self.norm_q(self.q(x)).unflatten(-1, self.heads)

    def keys(self, x: Tensor) -> Tensor:
        return self.norm_k(self.k(x)).unflatten(-1, self.heads)

    def values(self, x: Tensor) -> Tensor:
        return self.v(x).unflatten(-1, self.heads)


class SelfAttention(Projections):
    def forward(self, x: Tensor, attention: Attention, layer: int) -> Tensor:
        """(B, N, dim) -> (B, N, dim)."""
        seen = _attend(attention, layer, self.queries(x), self.keys(x), self.values(x))
        return self.o(seen.flatten(2))


@torch.compiler.disable
def _attend(attention: Attention, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """A cache is written in place: a compiler has no business there."""
    return attention(layer, q, k, v)


class CrossAttention(Projections):
    def read(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, H, words, D) of an embedded text (B, words, dim)."""
        return self.keys(text).transpose(1, 2).contiguous(), self.values(text).transpose(1, 2).contiguous()

    def forward(self, x: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """(B, N, dim) -> (B, N, dim)."""
        seen = scaled_dot_product_attention(self.queries(x).transpose(1, 2), k, v)
        return self.o(seen.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """Self-attention and a feed-forward layer, modulated by each frame's noise level; cross-attention between them."""

    def __init__(self, spec: WanSpec) -> None:
        super().__init__()
        self.modulation = nn.Parameter(torch.zeros(1, 6, spec.dim))
        self.norm1 = nn.LayerNorm(spec.dim, spec.eps, elementwise_affine=False)
        self.self_attn = SelfAttention(spec)
        self.norm3 = nn.LayerNorm(spec.dim, spec.eps)
        self.cross_attn = CrossAttention(spec)
        self.norm2 = nn.LayerNorm(spec.dim, spec.eps, elementwise_affine=False)
        self.ffn = nn.Sequential(
            nn.Linear(spec.dim, spec.hidden), nn.GELU(approximate="tanh"), nn.Linear(spec.hidden, spec.dim)
        )

    def forward(
        self, x: Tensor, level: Tensor, text: tuple[Tensor, Tensor], attention: Attention, layer: int
    ) -> Tensor:
        """x (B, F * S, dim), level (B, F, 6, dim) -> x."""
        shift, scale, gate, shift_ff, scale_ff, gate_ff = (self.modulation + level).unbind(2)
        y = self.self_attn(_modulate(self.norm1(x), shift, scale), attention, layer)
        x = x + _gate(y, gate)
        x = x + self.cross_attn(self.norm3(x), *text)
        y = self.ffn(_modulate(self.norm2(x), shift_ff, scale_ff))
        return x + _gate(y, gate_ff)


class Head(nn.Module):
    """From tokens to the cells of their patches."""

    def __init__(self, spec: WanSpec) -> None:
        super().__init__()
        rows, cols = spec.patch[1:]
        self.modulation = nn.Parameter(torch.zeros(1, 2, spec.dim))
        self.norm = nn.LayerNorm(spec.dim, spec.eps, elementwise_affine=False)
        self.head = nn.Linear(spec.dim, rows * cols * spec.channels)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """x (B, F * S, dim), level (B, F, dim) -> (B, F, S, cells * C)."""
        shift, scale = (self.modulation + level[:, :, None]).unbind(2)
        return self.head(_modulate(self.norm(x), shift, scale)).unflatten(1, (level.shape[1], -1))


class Wan(nn.Module):
    """The transformer, which predicts the flow: noise minus clean latents."""

    def __init__(self, spec: WanSpec) -> None:
        super().__init__()
        self.spec = spec
        self.patch_embedding = nn.Conv3d(spec.channels, spec.dim, spec.patch, spec.patch)
        self.text_embedding = nn.Sequential(
            nn.Linear(spec.text, spec.dim), nn.GELU(approximate="tanh"), nn.Linear(spec.dim, spec.dim)
        )
        self.time_embedding = nn.Sequential(
            nn.Linear(spec.freq_dim, spec.dim), nn.SiLU(), nn.Linear(spec.dim, spec.dim)
        )
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(spec.dim, 6 * spec.dim))
        self.blocks = nn.ModuleList(Layer(spec) for _ in range(spec.layers))
        self.head = Head(spec)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights; all but norms and rotations is computed in it."""
        return self.head.head.weight.dtype

    @property
    def device(self) -> torch.device:
        """Device that holds the weights."""
        return self.head.head.weight.device

    def read(self, text: Tensor) -> TextKV:
        """Keys and values of an encoded text, (B, words, text), zero-padded; for all passes under it."""
        embedded = self.text_embedding(text.to(self.dtype))
        return [layer.cross_attn.read(embedded) for layer in self._layers]

    def compile_layers(self, backend: str = "inductor") -> None:
        """Compile what lies between attentions; the layers share their code."""
        for layer in self._layers:
            layer.compile(backend=backend)

    def forward(self, latents: Tensor, timestep: Tensor, text: TextKV, attention: Attention) -> Tensor:
        """One pass.

        Args:
            latents: (B, F, C, h, w), noised.
            timestep: (B, F) in 0..1000.
            text: see :meth:`read`.
            attention: what the tokens attend to.
        Returns:
            (B, F, C, h, w) the flow, in the dtype of the weights.
        """
        cells = self.patch_embedding(latents.to(self.dtype).transpose(1, 2))
        level = self.time_embedding(sinusoids(timestep, self.spec.freq_dim).to(self.dtype))
        modulation = self.time_projection(level).unflatten(-1, (6, -1))
        x = cells.flatten(2).transpose(1, 2)
        for number, layer in enumerate(self._layers):
            x = layer(x, modulation, text[number], attention, number)
        return self._unpatch(self.head(x, level), cells.shape[-2:])

    @property
    def _layers(self) -> Sequence[Layer]:
        return self.blocks  # type: ignore[return-value]

    def _unpatch(self, tokens: Tensor, grid: torch.Size) -> Tensor:
        """(B, F, S, cells * C) -> (B, F, C, h, w); inside a token, channels vary fastest."""
        cells = tokens.unflatten(-1, (*self.spec.patch[1:], -1)).unflatten(2, grid)
        return cells.permute(0, 1, 6, 2, 4, 3, 5).flatten(5, 6).flatten(3, 4)


def sinusoids(timestep: Tensor, frequencies: int) -> Tensor:
    """(...,) timesteps in 0..1000 -> (..., frequencies) float64: cosines, then sines."""
    half = frequencies // 2
    rate = 10_000.0 ** (-torch.arange(half, dtype=torch.float64, device=timestep.device) / half)
    phase = timestep.double()[..., None] * rate
    return torch.cat([phase.cos(), phase.sin()], dim=-1)


def _modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x (B, F * S, dim), each frame scaled and shifted by its own (B, F, dim)."""
    frames = x.unflatten(1, (shift.shape[1], -1))
    return (frames * (1 + scale[:, :, None]) + shift[:, :, None]).flatten(1, 2)


def _gate(x: Tensor, gate: Tensor) -> Tensor:
    return (x.unflatten(1, (gate.shape[1], -1)) * gate[:, :, None]).flatten(1, 2)


@dataclass(frozen=True)
class WanSizes:
    """Sizes of Wan's diffusion transformer; by default the 1.3B model."""

    spec: WanSpec = WanSpec()

    def config(self) -> dict[str, int]:
        spec = self.spec
        return {
            **{"dim": spec.dim, "num_layers": spec.layers, "ffn_dim": spec.hidden, "num_heads": spec.heads},
            **{"freq_dim": spec.freq_dim, "in_dim": spec.channels, "out_dim": spec.channels},
        }

    def shapes(self) -> dict[str, Shape]:
        with torch.device("meta"):
            return shapes_of(Wan(self.spec))
