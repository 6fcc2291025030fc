"""The network as it was published, both ways over a whole clip, with guidance: what others are distilled from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mag_model.memory.attention import SequenceAttention
from mag_model.wan.denoiser import Prompted


@dataclass(frozen=True)
class Teacher:
    """Clean latents as the teacher sees them.

    Attributes:
        prompted: the network under the text.
        empty: the same network under the text that it is led away from.
        guidance: how far; 1 = not at all (the paper's is 3).
    """

    prompted: Prompted
    empty: Prompted
    guidance: float

    def __call__(self, noised: Tensor, sigma: Tensor) -> Tensor:
        """Latents (B, F, C, h, w) at noise levels ``sigma`` (B,) -> predicted clean latents, F any number of frames."""
        frame = torch.arange(noised.shape[1])
        attention = SequenceAttention(self.prompted.rope.turns(frame.to(noised.device)))
        level = sigma[:, None].expand(noised.shape[:2])
        with_text, without = (told.at(frame)(noised, level, attention) for told in (self.prompted, self.empty))
        return without + self.guidance * (with_text - without)
