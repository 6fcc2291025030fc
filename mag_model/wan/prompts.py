"""Encoded prompts of a fetched checkpoint: the encoder is read once, used on the device, and kept off it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mag_model.wan.offload import staged
from mag_model.wan.text import TextEncoder


class Prompts:
    """Prompt -> encoding (1, words, dim) on ``device``, each made once.

    The encoder is four times as large as a generator: it waits in the machine's own memory, and is on the device
    while it encodes.

    Args:
        load: reads the encoder; called for the first prompt.
    """

    def __init__(self, load: Callable[[], TextEncoder], device: str) -> None:
        self._load, self._device = load, device
        self._encoder: TextEncoder | None = None
        self._made: dict[str, Tensor] = {}

    @torch.no_grad()
    def __call__(self, prompt: str) -> Tensor:
        if prompt not in self._made:
            if self._encoder is None:
                self._encoder = self._load()
            with staged(self._device, self._encoder.network):
                self._made[prompt] = self._encoder([prompt])
        return self._made[prompt]
