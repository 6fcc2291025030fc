"""References that must rank where expected; one that does not tells of a fault in suite or metric."""

from __future__ import annotations

import torch
from torch import Tensor

from magbench.errors import MagbenchError
from magbench.models import Reference, ReferenceInput


def _oracle(given: ReferenceInput) -> Tensor:
    return given.video[given.switch :]


def _freeze(given: ReferenceInput) -> Tensor:
    last = given.video[given.switch - 1 : given.switch]
    return last.repeat(len(given.video) - given.switch, 1, 1, 1)


def _reversed(given: ReferenceInput) -> Tensor:
    return given.video[given.switch :].flip(0)


def _wrong_scene(given: ReferenceInput) -> Tensor:
    if given.other is None:
        raise MagbenchError("the suite has no other clip of this length and frame size")
    return given.other[given.switch :]


def _mean_frame(given: ReferenceInput) -> Tensor:
    mean = given.video[: given.switch].mean(dim=0, keepdim=True)
    return mean.repeat(len(given.video) - given.switch, 1, 1, 1)


def _noise(given: ReferenceInput) -> Tensor:
    source = torch.Generator().manual_seed(given.seed)
    return torch.rand(given.video[given.switch :].shape, generator=source)


def oracle() -> Reference:
    return Reference("oracle", "the true return: the best there is", _oracle)


def freeze() -> Reference:
    return Reference("freeze", "the last given frame, held", _freeze)


def backwards() -> Reference:
    return Reference("reversed", "the true return, played backwards", _reversed)


def wrong_scene() -> Reference:
    return Reference("wrong_scene", "the true return of the next clip", _wrong_scene)


def mean_frame() -> Reference:
    return Reference("mean_frame", "the mean of the given frames, held", _mean_frame)


def noise() -> Reference:
    return Reference("noise", "uniform noise", _noise)


CANARIES = (oracle, freeze, backwards, wrong_scene, mean_frame, noise)
