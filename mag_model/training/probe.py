"""A linear reader of kept frames, which is thrown away after training.

Nothing is gained by packing a block into one frame before somebody reads it there, and nothing by reading there
before it is packed: trained on reading alone, both come late and suddenly. A straight line out of the kept frame's
values gives the writer a reason from the first step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from mag_model.nano.backbone import addressed_frame
from mag_model.nano.spec import BackboneSpec


class PackingProbe(nn.Module):
    """Reads each frame of a block from the block's kept frame, out of the heads that look for such a frame.

    Args:
        kept: place in its block, from 0, of the frame that the policy keeps.
    """

    def __init__(self, spec: BackboneSpec, kept: int) -> None:
        super().__init__()
        self.spec, self.kept = spec, kept
        heads = [addressed_frame(spec, head) for head in range(spec.heads)]
        self.heads = {frame: [h for h, f in enumerate(heads) if f == frame] for frame in heads if frame is not None}
        width = (spec.layers - 1) * spec.head_dim
        self.readers = nn.ModuleList(nn.Linear(width * len(mine), spec.channels) for mine in self.heads.values())

    def forward(self, history: list[tuple[Tensor, Tensor]], latents: Tensor) -> Tensor:
        """() mean squared error of what is read.

        Args:
            history: for each layer (k, v), (B, F * S, H, D), as
                :func:`mag_model.training.loss.write_sequence` gives it.
            latents: (B, F, C, h, w) clean latents of the same frames.
        """
        spec = self.spec
        blocks = latents.flatten(-2).transpose(-1, -2).unflatten(1, (-1, spec.block))
        values = torch.stack(
            [v.unflatten(1, (-1, spec.block, spec.tokens))[:, :, self.kept] for _, v in history[1:]], dim=-2
        )
        errors = [
            mse_loss(reader(values[..., heads, :, :].flatten(-3)), blocks[:, :, frame])
            for reader, (frame, heads) in zip(self.readers, self.heads.items(), strict=True)
        ]
        return torch.stack(errors).mean()
