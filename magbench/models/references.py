"""References that must rank where expected; one that does not tells of a fault in suite or metric."""

from __future__ import annotations

import torch
from torch import Tensor

from magbench.core.errors import Unfit
from magbench.models.protocol import Reference, ReferenceInput

BLUR = 0.1
"""Sigma of `blur`, in shorter sides of the frame: about as much is left as in a thumbnail of 5x5 pixels."""


def _oracle(given: ReferenceInput) -> Tensor:
    return given.video[given.switch :]


def _freeze(given: ReferenceInput) -> Tensor:
    last = given.video[given.switch - 1 : given.switch]
    return last.repeat(len(given.video) - given.switch, 1, 1, 1)


def _reversed(given: ReferenceInput) -> Tensor:
    return given.video[given.switch :].flip(0)


def _wrong_scene(given: ReferenceInput) -> Tensor:
    if given.other is None:
        raise Unfit("the suite has no other clip of this length and frame size")
    return given.other[given.switch :]


def _mean_frame(given: ReferenceInput) -> Tensor:
    mean = given.video[: given.switch].mean(dim=0, keepdim=True)
    return mean.repeat(len(given.video) - given.switch, 1, 1, 1)


def _noise(given: ReferenceInput) -> Tensor:
    source = torch.Generator().manual_seed(given.seed)
    return torch.rand(given.video[given.switch :].shape, generator=source, dtype=torch.float32)


def _stalled(given: ReferenceInput) -> Tensor:
    truth = given.video[given.switch :]
    return truth[torch.arange(len(truth)).clamp(max=_turn(truth))]


def _leave_again(given: ReferenceInput) -> Tensor:
    truth = given.video[given.switch :]
    frame = torch.arange(len(truth))
    return truth[torch.minimum(frame, (2 * _turn(truth) + 1 - frame).clamp(min=0))]


def _turn(truth: Tensor) -> int:
    """The last frame of the first half of a return."""
    return max(0, len(truth) // 2 - 1)


def _first_return_freeze(given: ReferenceInput) -> Tensor:
    truth = given.video[given.switch :]
    return truth[:1].repeat(len(truth), 1, 1, 1)


def _shuffle(given: ReferenceInput) -> Tensor:
    truth = given.video[given.switch :]
    return truth[torch.randperm(len(truth), generator=torch.Generator().manual_seed(given.seed))]


def _blur(given: ReferenceInput) -> Tensor:
    return blurred(given.video[given.switch :], BLUR)


def blurred(frames: Tensor, share: float) -> Tensor:
    """(n, 3, H, W) frames through a Gaussian whose sigma is this share of the shorter side."""
    sigma = share * min(frames.shape[2:])
    for axis in (2, 3):
        frames = torch.movedim(torch.movedim(frames, axis, -1) @ _gaussian(frames.shape[axis], sigma).T, -1, axis)
    return frames.clamp(0, 1)


def _gaussian(side: int, sigma: float) -> Tensor:
    """(side, side) weights of a Gaussian over a row, cut at the borders; each row sums to 1."""
    place = torch.arange(side, dtype=torch.float32)
    weights = (-0.5 * ((place[:, None] - place) / sigma) ** 2).exp()
    return weights / weights.sum(dim=1, keepdim=True)


def oracle() -> Reference:
    """The true return: the best there is."""
    return Reference("oracle", "the true return: the best there is", _oracle)


def freeze() -> Reference:
    """The last given frame, held."""
    return Reference("freeze", "the last given frame, held", _freeze)


def backwards() -> Reference:
    """The true return, played backwards."""
    return Reference("reversed", "the true return, played backwards", _reversed)


def wrong_scene() -> Reference:
    """The true return of the next clip."""
    return Reference("wrong_scene", "the true return of the next clip", _wrong_scene)


def mean_frame() -> Reference:
    """The mean of the given frames, held."""
    return Reference("mean_frame", "the mean of the given frames, held", _mean_frame)


def noise() -> Reference:
    """Uniform noise."""
    return Reference("noise", "uniform noise", _noise)


def stalled() -> Reference:
    """The first half of the true return, then its last frame, held."""
    return Reference("stalled", "the first half of the true return, then its last frame, held", _stalled)


def leave_again() -> Reference:
    """The first half of the true return, then the way out again."""
    return Reference("leave_again", "the first half of the true return, then the way out again", _leave_again)


def first_return_freeze() -> Reference:
    """The first frame of the true return, held."""
    return Reference("first_return_freeze", "the first frame of the true return, held", _first_return_freeze)


def blur() -> Reference:
    """The true return, blurred until only a few blobs of colour are left."""
    return Reference("blur", "the true return, blurred until only a few blobs of colour are left", _blur)


def shuffle() -> Reference:
    """The frames of the true return in random order."""
    return Reference("shuffle", "the frames of the true return in random order", _shuffle)


CHEATS = (
    freeze,
    first_return_freeze,
    backwards,
    stalled,
    leave_again,
    wrong_scene,
    mean_frame,
    blur,
    shuffle,
    noise,
)
"""What must not win."""

CANARIES = (oracle, *CHEATS)
