"""Numbers in few bits, each token and head with its own zero and step, as KIVI (arXiv 2402.02750) stores values.

Departs from KIVI where it has keys: those get a zero and a step for each channel and group of tokens there, so that a
frame could not be dropped alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

OVERHEAD = 4
"""Bytes of zero and step, half precision, of one token and head."""


@dataclass(frozen=True)
class Packed:
    """Keys and values, (2, B, F, S, H, D), in ``bits`` bits a number.

    Attributes:
        codes: (2, B, F, S, H, D * bits / 8) uint8, two numbers a byte where ``bits`` is 4.
        zero, step: (2, B, F, S, H, 1) float16.
    """

    codes: Tensor
    zero: Tensor
    step: Tensor
    bits: int

    @property
    def bytes(self) -> int:
        return self.codes.nbytes + self.zero.nbytes + self.step.nbytes

    def select(self, place: Tensor) -> Packed:
        """The frames at ``place`` (n,), as they are stored."""
        return Packed(self.codes[:, :, place], self.zero[:, :, place], self.step[:, :, place], self.bits)

    def append(self, newer: Packed) -> Packed:
        """These frames, then ``newer``."""
        pairs = ((self.codes, newer.codes), (self.zero, newer.zero), (self.step, newer.step))
        codes, zero, step = (torch.cat(pair, 2) for pair in pairs)
        return Packed(codes, zero, step, self.bits)

    def at(self, place: Tensor) -> Tensor:
        """(2, B, n, S, H, D) float32: the frames at ``place`` (n,)."""
        codes = self.codes[:, :, place]
        if self.bits == 4:
            codes = torch.stack([codes % 16, codes // 16], -1).flatten(-2)
        return self.zero[:, :, place].float() + codes.float() * self.step[:, :, place].float()


def pack(numbers: Tensor, bits: int) -> Packed:
    """Store keys and values (2, B, F, S, H, D); numbers that were stored before keep their codes."""
    if bits not in (4, 8):
        raise ValueError(f"{bits} bits: 4 and 8 are known")
    if bits == 4 and numbers.shape[-1] % 2:
        raise ValueError(f"heads of {numbers.shape[-1]} channels; 4 bits need an even number")
    exact, most = numbers.float(), 2**bits - 1
    zero = exact.amin(-1, keepdim=True).half()
    step = ((exact.amax(-1, keepdim=True) - zero.float()) / most).half()
    codes = ((exact - zero.float()) / step.float().clamp(min=1e-7)).round().clamp(0, most).to(torch.uint8)
    if bits == 4:
        codes = codes[..., ::2] + 16 * codes[..., 1::2]
    return Packed(codes, zero, step, bits)


def rounded(numbers: Tensor, bits: int) -> Tensor:
    """Numbers (2, B, F, S, H, D) as they will be read again, float32."""
    packed = pack(numbers, bits)
    return packed.at(torch.arange(numbers.shape[2], device=numbers.device))
