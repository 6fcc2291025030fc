"""A return to what a model made itself: scored against the model's own earlier frames, without any truth.

A clip that explores shows a model a short stretch, sends the camera where nothing was shown, and back. Nobody can know
what is there; but what was made there must still be there. A frame of the way back is compared with the model's own
latest frame of the same view, and five factors, each in [0, 1], ask whether a likeness means anything:

- ``similar``: nearer to that frame than to its frames of other views, and everything in its place;
- ``spread``: its views differ from one another as given views do; a frozen frame, or a mean, has none;
- ``linked``: neighbours resemble each other as given neighbours do; noise does not, however often it is repeated;
- ``fresh``: what is shown where nothing was given is not a given frame;
- ``sharp``: about as much detail as the given frames; a blur has less, noise more.

The given frames are real, so they say what is usual, and no constant of a data set is needed. ``spread``, ``linked``
and ``fresh`` count in full from one half of the usual on, ``sharp`` from a quarter of it to four times of it.
Formulas: docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.detail import greys, laplacian_variance
from magbench.metrics.frame.lpips import METRIC as LPIPS
from magbench.metrics.frame.psnr import METRIC as PSNR
from magbench.metrics.frame.ssim import METRIC as SSIM
from magbench.metrics.frames import Pixels, Video
from magbench.metrics.in_place import Layout, counted, in_place
from magbench.metrics.matrix import Embedded, Matrix, matrices
from magbench.metrics.ordered import RANGE, SHOWN, ordered
from magbench.metrics.pair import Values, each
from magbench.metrics.spec import MainColumn, PerFrameScore
from magbench.video.frames import FrameSource

Frames = NDArray[np.int64]

NAME = "own_return"
DETAIL = 0.25
"""Detail, against the usual or the other way round, from which a video is sharp; below, in proportion."""
SPECS = (
    PerFrameScore(
        protocol=NAME,
        name="score",
        version=2,
        better="higher",
        about="is what the model made itself still there, frame by frame",
        main=MainColumn(1, "own return ↑", interval=True, optional=True),
    ),
    PerFrameScore(
        protocol=NAME, name="ordered", version=2, better="higher", about="the same by order-preserving match"
    ),
    *(
        PerFrameScore(
            protocol=NAME,
            name=metric.name,
            title=metric.title,
            version=1,
            unit=metric.unit,
            better=metric.better,
            about="against the own earlier frame; means something beside the score alone",
        )
        for metric in (LPIPS, SSIM, PSNR)
    ),
)
"""What :mod:`magbench.scoring` makes of it."""


@dataclass(frozen=True)
class OwnReturn:
    """Scores of n frames of a way back.

    Attributes:
        frame: (n,) absolute indices of the frames whose view the model made before.
        source: (n,) its own latest earlier frame of that view.
        similar: (n,) in [0, 1].
        in_order: (n,) in [0, 1], by the order-preserving match of the frames with their sources.
        spread, fresh: (n,) in [0, 1].
        linked, sharp: in [0, 1], of all that was made.
    """

    frame: Frames
    source: Frames
    similar: Values
    in_order: Values
    spread: Values
    fresh: Values
    linked: float
    sharp: float

    @property
    def worth(self) -> Values:
        """(n,) in [0, 1]: how much a likeness means."""
        return self.spread * self.fresh * self.linked * self.sharp

    @property
    def score(self) -> Values:
        """(n,) in [0, 1], frame by frame."""
        return self.similar * self.worth

    @property
    def ordered(self) -> Values:
        """(n,) in [0, 1], in order."""
        return self.in_order * self.worth


@dataclass(frozen=True)
class Measured:
    """What records are made of: the scores, and by name of :data:`SPECS` their (n,) values."""

    scores: OwnReturn
    values: dict[str, Values]


def measure(video: FrameSource, revisit: Frames, switch: int) -> Measured | None:
    """Score a video (T, H, W, 3) whose first ``switch`` frames were given; None as :func:`own_return`."""
    frames = Video("the video", Pixels(video))
    distance, _ = matrices(frames, Embedded(frames))
    layout = Layout.of(frames)
    found = own_return(distance, in_place(layout, layout), laplacian_variance(greys(video)), revisit, switch)
    if found is None:
        return None
    here, there = (frames, found.frame), (frames, found.source)
    pixels = {metric.name: each(metric.function, here, there) for metric in (SSIM, PSNR)}
    lpips = distance[found.frame, found.source]
    return Measured(found, {"score": found.score, "ordered": found.ordered, LPIPS.name: lpips} | pixels)


def own_return(distance: Matrix, placed: Matrix, detail: Values, revisit: Frames, switch: int) -> OwnReturn | None:
    """Score a way back.

    Args:
        distance: (T, T) LPIPS of all frames among themselves, the given ones first.
        placed: (T, T) in [0, 1], whether things in one are where they are in another, see
            :mod:`magbench.metrics.in_place`.
        detail: (T,) see :func:`magbench.metrics.detail.laplacian_variance`.
        revisit: (T,) the latest earlier frame with the same view; negative where there is none.
        switch: given frames.

    Returns:
        None if no view that was made comes back, or if the given frames do not differ.
    """
    frame = np.flatnonzero(revisit >= switch)
    if len(frame) == 0 or switch < 2:
        return None
    place = first_shown(revisit)
    apart = np.abs(place[:, None] - place)
    given, made = slice(0, switch), slice(switch, None)
    world, own = (_from_others(distance[part, part], apart[part, part]) for part in (given, made))
    if world.mean() < RANGE:
        return None
    usual = _by_distance(distance[given, given], apart[given, given], apart[made, given])
    fresh = _half_counts(distance[made, given] / np.maximum(usual, RANGE)).min(axis=1)
    source = revisit[frame]
    here = frame - switch
    pairs = np.ix_(frame, source)
    match = ordered(distance[pairs], distance[np.ix_(source, source)], placed[pairs])
    alike = np.clip(1 - distance[frame, source] / np.maximum(own[here], RANGE), 0, 1)
    links = [_linked(distance[part, part], scale, apart[part, part]) for part, scale in ((given, world), (made, own))]
    return OwnReturn(
        frame=frame,
        source=source,
        similar=alike * counted(placed[frame, source]),
        in_order=np.zeros(len(frame)) if match is None else match.score,
        spread=_half_counts(own[here] / world.mean()),
        fresh=fresh[source - switch],
        linked=float(_half_counts(np.array(links[1] / links[0]))) if links[0] > 0 else 1.0,
        sharp=_sharp(float(np.median(detail[made])), float(np.median(detail[given]))),
    )


def first_shown(revisit: Frames) -> Frames:
    """(T,) the first frame that showed each frame's view: a place on the way."""
    first = np.arange(len(revisit))
    for frame, earlier in enumerate(revisit.tolist()):
        if earlier >= 0:
            first[frame] = first[earlier]
    return first


def _half_counts(value: Values) -> Values:
    return np.clip(value / SHOWN, 0, 1)


def _sharp(detail: float, usual: float) -> float:
    more = max(detail, usual)
    return min(1.0, min(detail, usual) / more / DETAIL) if more > 0 else 1.0


def _from_others(distance: Matrix, apart: Frames) -> Values:
    """(n,) mean distance of each frame from those of the half of the places that lie farther away."""
    away = apart >= np.median(apart, axis=1, keepdims=True)
    return np.asarray((distance * away).sum(axis=1) / away.sum(axis=1))


def _by_distance(distance: Matrix, apart: Frames, wanted: Frames) -> Matrix:
    """What is usual among given frames ``wanted`` places apart; more than half of the longest counts as that."""
    half = max(1, int(apart.max()) // 2)
    apart = np.minimum(apart, half)
    means = np.array([distance[apart == lag].mean() if (apart == lag).any() else 0.0 for lag in range(half + 1)])
    return means[np.minimum(wanted, half)]


def _linked(distance: Matrix, scale: Values, apart: Frames) -> float:
    """How much nearer than other views the frame before is: 1 the same, 0 no nearer."""
    after = np.flatnonzero(np.diagonal(apart, -1) > 0) + 1
    return float((1 - distance[after, after - 1] / np.maximum(scale[after], RANGE)).mean()) if len(after) else 1.0
