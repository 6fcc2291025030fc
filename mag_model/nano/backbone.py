"""The small causal diffusion transformer. It reads top to bottom, and knows nothing of caches or policies.

A token is one latent cell of one frame. Where it looks is given by the camera: Fourier features of the world
coordinates of its own cell, and of the same cell in every frame of its block, enter the token, its query and its key.
The latter are the addresses under which one frame can hold the content of a whole block. Each frame has its own noise
level; 0 means clean, which is how history is written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm

from mag_model.denoiser import Pass
from mag_model.flow import sampling_sigmas
from mag_model.memory.attention import Attention
from mag_model.memory.frame_kv import Cameras
from mag_model.nano.camera import PLACE_FEATURES, place_features
from mag_model.nano.spec import BackboneSpec
from mag_model.nano.text import without_text
from mag_model.rope import Rope

TIME_FEATURES = 64


@dataclass(frozen=True)
class Condition:
    """What a pass is told besides the latents. One serves every pass over the same frames.

    Attributes:
        token: (B, F, S, dim) where and in which place of its block a token stands.
        layers: for each layer what is added to queries and keys, (B, F, S, H, D) each.
    """

    token: Tensor
    layers: list[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Modulation:
    """What a pass is told of the noise. One serves every pass over as many frames at the same levels.

    Attributes:
        layers: for each layer what :meth:`Layer.modulated` gives.
        head: shift and scale before the last projection.
    """

    layers: list[tuple[Tensor, ...]]
    head: tuple[Tensor, Tensor]


def addressed_frame(spec: BackboneSpec, head: int) -> int | None:
    """The frame of a key's block whose place a head begins by looking for; None = the key's own."""
    return head % spec.block if head < spec.heads // 2 else None


class Layer(nn.Module):
    """Self-attention and a feed-forward layer, both modulated by the noise level (adaLN, arXiv 2212.09748)."""

    def __init__(self, spec: BackboneSpec) -> None:
        super().__init__()
        self.spec = spec
        places = PLACE_FEATURES * (1 + spec.block)
        self.modulation = nn.Parameter(torch.zeros(6, spec.dim))
        self.qkv = nn.Linear(spec.dim, 3 * spec.dim)
        self.norm_q = nn.RMSNorm(spec.head_dim)
        self.norm_k = nn.RMSNorm(spec.head_dim)
        self.place_q = nn.Linear(places, spec.dim, bias=False)
        self.place_k = nn.Linear(places, spec.dim, bias=False)
        self.out = nn.Linear(spec.dim, spec.dim)
        self.up = nn.Linear(spec.dim, spec.hidden)
        self.down = nn.Linear(spec.hidden, spec.dim)
        for head in range(spec.heads):
            self.point_at_places(head)

    @torch.no_grad()
    def point_at_places(self, head: int) -> None:
        """Let a head look where the camera looks.

        It compares the query's own place with the key's own place or, see :func:`addressed_frame`, with the place of
        one frame of the key's block. Only the channels that RoPE leaves alone are used.
        """
        spec, gain = self.spec, 1.2
        free = spec.head_dim - sum(spec.rope)
        match = torch.randn(free, PLACE_FEATURES) * gain / math.sqrt(max(free, 1))
        frame = addressed_frame(spec, head)
        start = 0 if frame is None else (1 + frame) * PLACE_FEATURES
        end = (head + 1) * spec.head_dim
        for place in (self.place_q, self.place_k):
            place.weight[end - spec.head_dim : end].zero_()
        self.place_q.weight[end - free : end, :PLACE_FEATURES] = match
        self.place_k.weight[end - free : end, start : start + PLACE_FEATURES] = match

    def place(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """What the places (B, F, S, features) add to queries and keys, (B, F, S, H, D) each."""
        heads = (self.spec.heads, self.spec.head_dim)
        return self.place_q(places).unflatten(-1, heads), self.place_k(places).unflatten(-1, heads)

    def modulated(self, level: Tensor) -> tuple[Tensor, ...]:
        """Shift, scale and gate of attention, then of the feed-forward layer, from level (B, F, 1, 6, dim)."""
        shift, scale, gate, shift_ff, scale_ff, gate_ff = (self.modulation + level).unbind(-2)
        return shift, 1 + scale, gate, shift_ff, 1 + scale_ff, gate_ff

    def forward(
        self, x: Tensor, modulation: tuple[Tensor, ...], condition: Condition, attention: Attention, number: int
    ) -> Tensor:
        """x (B, F, S, dim), ``modulation`` as :meth:`modulated` gives it -> x."""
        place_q, place_k = condition.layers[number]
        frames, heads = x.shape[1:3], (self.spec.heads, self.spec.head_dim)
        shift, scale, gate, shift_ff, scale_ff, gate_ff = modulation
        y = layer_norm(x, x.shape[-1:]) * scale + shift
        q, k, v = self.qkv(y).unflatten(-1, (3, *heads)).unbind(-3)
        q = self.norm_q(q) + place_q
        k = self.norm_k(k) + place_k
        seen = attention(number, q.flatten(1, 2), k.flatten(1, 2), v.flatten(1, 2))
        x = x + gate * self.out(seen.flatten(-2).unflatten(1, frames))
        y = layer_norm(x, x.shape[-1:]) * scale_ff + shift_ff
        return x + gate_ff * self.down(gelu(self.up(y), approximate="tanh"))


class Backbone(nn.Module):
    """A causal diffusion transformer that predicts clean latents.

    Departs from Wan2.1 in size, in conditioning (camera instead of text) and in what it predicts: x0, not the flow,
    because a narrow network cannot carry the noise beside the content.
    """

    def __init__(self, spec: BackboneSpec) -> None:
        super().__init__()
        self.spec = spec
        self.embed = nn.Linear(spec.channels, spec.dim)
        self.embed_places = nn.Linear(PLACE_FEATURES * (1 + spec.block), spec.dim)
        self.slot = nn.Parameter(torch.randn(spec.block, spec.tokens, spec.dim) * 0.5)
        self.time = nn.Sequential(nn.Linear(TIME_FEATURES, spec.dim), nn.SiLU(), nn.Linear(spec.dim, spec.dim))
        self.time_out = nn.Linear(spec.dim, 6 * spec.dim)
        self.layers = nn.ModuleList(Layer(spec) for _ in range(spec.layers))
        self.head_modulation = nn.Parameter(torch.zeros(2, spec.dim))
        self.head = nn.Linear(spec.dim, spec.channels)
        nn.init.zeros_(self.head.weight)
        if spec.words:
            self.text = nn.Linear(len(spec.words) + 1, spec.dim, bias=False)
            nn.init.normal_(self.text.weight, std=0.5)

    def point_at_blocks(self) -> None:
        """Let the heads that began by looking for the frames of a block do so again, but for those of the first layer.

        Reading whole blocks teaches them other things, since nobody needs such an address there. The first layer's
        values hold no other frame's content yet.
        """
        for layer in self.layers[1:]:
            for head in range(self.spec.heads):
                if addressed_frame(self.spec, head) is not None:
                    cast(Layer, layer).point_at_places(head)

    def condition(self, pose: Tensor, text: Tensor | None = None) -> Condition:
        """What passes over frames are told.

        Args:
            pose: (B, F, 3) cameras.
            text: (B, F, W + 1) of each frame, see :func:`mag_model.nano.text.bags`; None = the empty text. For a
                network that takes text.
        """
        spec = self.spec
        blocks = pose.shape[1] // spec.block
        own = place_features(pose, spec.grid)
        by_block = own.unflatten(1, (blocks, spec.block)).permute(0, 1, 3, 2, 4).flatten(-2)
        places = torch.cat([own, by_block.repeat_interleave(spec.block, 1)], dim=-1)
        token = self.embed_places(places) + self.slot.repeat(blocks, 1, 1)
        if spec.words:
            if text is None:
                text = without_text(pose.shape[0], len(spec.words)).to(token)[:, None]
            token = token + self.text(text)[:, :, None]
        return Condition(token, [cast(Layer, layer).place(places) for layer in self.layers])

    def modulation(self, sigma: Tensor) -> Modulation:
        """What noise levels (B, F) in [0, 1] do to a pass."""
        level = self.time(_time_features(sigma))
        wide = self.time_out(torch.nn.functional.silu(level)).unflatten(-1, (1, 6, self.spec.dim))
        shift, scale = (self.head_modulation + level[:, :, None, None]).unbind(-2)
        return Modulation([cast(Layer, layer).modulated(wide) for layer in self.layers], (shift, 1 + scale))

    def forward(self, latents: Tensor, modulation: Modulation, condition: Condition, attention: Attention) -> Tensor:
        """One pass over whole blocks: predicted clean latents, (B, F, C, h, w).

        Args:
            latents: (B, F, C, h, w), noised; F a multiple of the block size.
            modulation: of their noise levels, see :meth:`modulation`.
            condition: of these frames, see :meth:`condition`.
            attention: what the tokens attend to.
        """
        x = self.embed(latents.flatten(-2).transpose(-1, -2)) + condition.token
        for number, layer in enumerate(self.layers):
            x = layer(x, modulation.layers[number], condition, attention, number)
        shift, scale = modulation.head
        x0 = self.head(layer_norm(x, x.shape[-1:]) * scale + shift)
        return x0.transpose(-1, -2).unflatten(-1, self.spec.grid)


@dataclass(frozen=True)
class Posed:
    """A backbone that has been told the cameras: a :class:`mag_model.denoiser.Denoiser`.

    Attributes:
        backbone: the network.
        pose: (B, F, 3) cameras.
        frame: (F,) int64 ascending absolute indices of their frames. Frames beyond the last one, which fill the last
            block, have the camera of the last one.
        text: (B, F, W + 1) of these frames, see :meth:`Backbone.condition`; None = the empty text.
        modulations: those that inference has met, by noise levels: a rollout has the same few for every block.
    """

    backbone: Backbone
    pose: Tensor
    frame: Tensor
    text: Tensor | None = None
    modulations: dict[tuple[float, ...], Modulation] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def along(cls, backbone: Backbone, pose: Tensor, start: int = 0) -> Posed:
        """Cameras (B, F, 3) of consecutive frames from ``start`` on."""
        return cls(backbone, pose, torch.arange(start, start + pose.shape[1]))

    @property
    def block(self) -> int:
        return self.backbone.spec.block

    @property
    def sigmas(self) -> list[float]:
        return sampling_sigmas(self.backbone.spec.steps, self.backbone.spec.shift)

    @property
    def rolling_window_blocks(self) -> int:
        return 1

    @property
    def cameras(self) -> Cameras:
        return Cameras(self.pose, self.frame)

    @property
    def rope(self) -> Rope:
        return self.backbone.spec.turning

    def at(self, frame: Tensor) -> Pass:
        text = None if self.text is None else Cameras(self.text, self.frame).of(frame)
        condition = self.backbone.condition(self.cameras.of(frame), text)

        def run(latents: Tensor, sigma: Tensor, attention: Attention) -> Tensor:
            return self.backbone(latents, self._modulation(sigma), condition, attention)

        return run

    def _modulation(self, sigma: Tensor) -> Modulation:
        if not torch.is_inference_mode_enabled():  # weights may change, and gradients are wanted
            return self.backbone.modulation(sigma)
        levels = (*map(float, sigma.shape), *sigma.flatten().tolist())
        if levels not in self.modulations:
            self.modulations[levels] = self.backbone.modulation(sigma)
        return self.modulations[levels]


def _time_features(sigma: Tensor) -> Tensor:
    """(B, F, TIME_FEATURES) sinusoids of the timestep 1000 sigma."""
    half = TIME_FEATURES // 2
    rate = 10_000.0 ** (-torch.arange(half, device=sigma.device, dtype=torch.float64) / half)
    phase = 1000 * sigma.double()[..., None] * rate
    return torch.cat([phase.cos(), phase.sin()], dim=-1).to(sigma.dtype)
