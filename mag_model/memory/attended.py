"""How much of their attention queries give to cached tokens: what policies that evict by attention go by."""

from __future__ import annotations

import torch
from torch import Tensor

from mag_model.memory.frame_kv import FrameKV


def attention_mass(q: Tensor | None, past: FrameKV) -> Tensor:
    """(B, F, S, H) float32: mean over queries of the attention that each token gets among the frames of ``past``.

    Args:
        q: (B, n, S, H, D) queries, turned as the keys are; None, where only frame indices are followed, gives zeros.
    """
    if q is None:
        return torch.zeros(past.k.shape[:-1], device=past.k.device)
    mass = []
    for head in range(q.shape[3]):  # one at a time: the weights of all heads together would not fit on a card
        asked, keys = (x[..., head, :].flatten(1, 2).float() for x in (q, past.k))
        weights = (asked @ keys.transpose(1, 2) / keys.shape[-1] ** 0.5).softmax(-1)
        mass.append(weights.mean(1))
    return torch.stack(mass, -1).unflatten(1, past.k.shape[1:3])


def summed_products(q: Tensor | None, past: FrameKV) -> Tensor:
    """(B, F, S, H) float32: sum over queries of their products with each token's key; see :func:`attention_mass`."""
    if q is None:
        return torch.zeros(past.k.shape[:-1], device=past.k.device)
    return torch.einsum("bhd,bfshd->bfsh", q.float().sum((1, 2)), past.k.float())


def strongest_tokens(past: FrameKV, score: Tensor, frames: int) -> FrameKV:
    """The tokens with the highest scores (B, F, S, H), each head for itself, as ``frames`` frames of tokens.

    A frame of the result is a place for S tokens, whichever frames they were of; it has the index of one of the newest.
    Keys must be turned already. Tokens stay in their order.
    """
    if len(past.frame) <= frames:
        return past
    batch, _, tokens, heads, _ = past.k.shape
    place = score.flatten(1, 2).topk(frames * tokens, dim=1).indices.sort(1).values

    def taken(x: Tensor) -> Tensor:
        flat, index = x.flatten(1, 2), place
        if x.ndim == 5:
            index = place[..., None].expand(batch, frames * tokens, heads, x.shape[-1])
        return flat.gather(1, index).unflatten(1, (frames, tokens))

    note = None if past.note is None else taken(past.note)
    newest = past.frame[len(past.frame) - frames :]
    return FrameKV(taken(past.k), taken(past.v), newest, past.cameras, note=note)
