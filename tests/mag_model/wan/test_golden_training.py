"""One training pass against the released code's, with masks that nobody wrote down."""

from __future__ import annotations

import torch
from torch import Tensor

from mag_model.memory.masks import block_masks
from mag_model.memory.policy import Mag
from mag_model.training.loss import predict, write_sequence
from tests.mag_model.wan.golden import assert_near, golden, network, prompted

MASKS = block_masks(Mag(first_block_whole=False), blocks=3, size=3)


def test_derived_masks_of_mag_are_the_released_ones() -> None:
    clean = torch.cat([MASKS.own | MASKS.before, torch.zeros_like(MASKS.own)], 1)
    noisy = torch.cat([MASKS.after, MASKS.own], 1)
    assert torch.equal(torch.cat([clean, noisy]), golden("mag_train_history_compress")["frame_mask"])


def test_one_pass_over_clean_and_noisy_frames() -> None:
    given, frame = golden("mag_train_inputs"), torch.arange(9)
    memory, flows = prompted("memory", "empty"), list[Tensor]()
    handle = network("memory").register_forward_hook(lambda module, inputs, out: flows.append(out))
    sigma = given["t"] / 1000
    history = write_sequence(memory, given["clean"], frame, MASKS)
    predict(memory, given["x"], sigma, frame, history, MASKS.after, MASKS)
    handle.remove()
    assert_near(flows[-1], golden("mag_train_history_compress")["flow"])
