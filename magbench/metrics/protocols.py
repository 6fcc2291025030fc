"""What the frame metrics mean on a return: which true frame each generated frame is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from magbench.core import plugins
from magbench.core.errors import MagbenchError
from magbench.metrics.frame.lpips import METRIC as LPIPS
from magbench.metrics.frame.psnr import METRIC as PSNR
from magbench.metrics.frame.ssim import METRIC as SSIM
from magbench.metrics.frames import check_pair
from magbench.metrics.legacy import legacy_of, legacy_rounded, official_mean
from magbench.metrics.ordered import OrderedScores, ordered_of
from magbench.metrics.pair import Pair, Truth, Values
from magbench.metrics.spec import FrameMetric, MainColumn, PerFrameScore

if TYPE_CHECKING:
    from torch import Tensor

PerFrame = Mapping[str, Values | None]
"""Metric -> (n,) values; None where this clip cannot have them."""

OWN = (PSNR, SSIM, LPIPS)
"""The metrics that come first wherever metrics are listed; those of other packages follow by name."""


@cache
def frame_metrics() -> tuple[FrameMetric, ...]:
    """Load every registered metric of two frames; one that cannot be loaded is left out with a warning."""
    found = plugins.loaded(plugins.METRICS, _checked).values()
    return (*OWN, *(_optional(metric) for metric in found if metric not in OWN))


def _checked(plugin: plugins.Plugin, found: object) -> None:
    if not isinstance(found, FrameMetric):
        raise MagbenchError(f"{plugin.called} is not a FrameMetric but of type {type(found).__name__}")
    if found.name != plugin.name:
        raise MagbenchError(f"{plugin.called} calls itself '{found.name}'")


def _optional(metric: FrameMetric) -> FrameMetric:
    """The metric of another package; its column stands only in tables of runs that have it."""
    return replace(metric, main=metric.main and replace(metric.main, optional=True))


T = TypeVar("T")


class Lazy(Sequence[T], Generic[T]):
    """A tuple that is made when it is first read.

    A metric of another package imports this package before its own ``METRIC`` exists, so importing this package must
    not load it.
    """

    def __init__(self, make: Callable[[], tuple[T, ...]]) -> None:
        self._made = cache(make)

    def __len__(self) -> int:
        return len(self._made())

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...
    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        return self._made()[place]

    def __iter__(self) -> Iterator[T]:
        return iter(self._made())


@dataclass(frozen=True)
class ScoringProtocol:
    """A way to score a return.

    Attributes:
        version: raised whenever a value may change.
        metrics: what it yields; each bears the protocol's name and version.
        score: every metric's (n,) values: by true frame in ``ordered``, by generated frame in the others.
    """

    name: str
    version: int
    summary: str
    metrics: Sequence[PerFrameScore]
    score: Callable[[Pair], PerFrame]


def _of(protocol: str, version: int, *metrics: PerFrameScore) -> tuple[PerFrameScore, ...]:
    return tuple(replace(metric, protocol=protocol, protocol_version=version) for metric in metrics)


def aligned(gen: Tensor, truth: Tensor) -> dict[str, Values]:
    """Score frame i against frame i, for models that follow the camera: metric -> (n,).

    Both (n, 3, H, W) float32 in [0, 1]. Metrics that need larger frames are left out.
    """
    check_pair(gen, truth)
    side = min(gen.shape[2:])
    return {metric.name: metric.function(gen, truth) for metric in METRICS if side >= metric.smallest}


def ordered(gen: Tensor, truth: Tensor) -> OrderedScores | None:
    """Score by the order-preserving match, see :mod:`magbench.metrics.ordered`; None if the truth has no range.

    Both (n, 3, H, W), uint8 or float32 in [0, 1].
    """
    return ordered_of(Pair(gen, Truth(truth)))


def _aligned(pair: Pair) -> PerFrame:
    own = {metric.name: metric.of_pair(pair) for metric in OWN}
    return own | {metric.name: _of_plugin(metric, pair) for metric in METRICS[len(OWN) :]}


def _of_plugin(metric: FrameMetric, pair: Pair) -> Values | None:
    try:
        return metric.of_pair(pair)
    except MagbenchError:
        raise
    except Exception as error:  # a function of another package may raise anything
        raise MagbenchError(f"metric '{metric.name}': {type(error).__name__}: {error}") from error


def _legacy(pair: Pair) -> PerFrame:
    return legacy_of(pair).per_frame


def _legacy_bf16(pair: Pair) -> PerFrame:
    import torch

    return legacy_rounded(pair, torch.bfloat16).per_frame


def _ordered(pair: Pair) -> PerFrame:
    found = ordered_of(pair)
    if found is None:
        return dict.fromkeys(metric.name for metric in ORDERED.metrics)
    return {"score": found.score, "coverage": found.coverage, "lpips": found.lpips}


ORDERED = ScoringProtocol(
    "ordered",
    2,
    "order-preserving match at half to twice the speed, with coverage",
    _of(
        "ordered",
        2,
        PerFrameScore(
            name="score",
            version=1,
            better="higher",
            about="was the return shown, in order",
            main=MainColumn(0, "ordered score ↑", interval=True),
        ),
        PerFrameScore(
            name="coverage",
            version=1,
            better="higher",
            about="how much of the return was shown",
            main=MainColumn(1, "coverage ↑", short="cover"),
        ),
        PerFrameScore(name="lpips", version=1, better="lower", about="of the frames that were matched", title="LPIPS"),
    ),
    _ordered,
)
LEGACY_METRICS = (
    replace(PSNR, average=official_mean, main=MainColumn(6, "legacy PSNR dB ↑", region="all")),
    replace(SSIM, main=None),
    replace(LPIPS, main=None),
)
LEGACY = ScoringProtocol(
    "legacy",
    2,
    "official free match: each frame against its nearest by LPIPS",
    _of("legacy", 2, *LEGACY_METRICS),
    _legacy,
)
LEGACY_BF16 = ScoringProtocol(
    "legacy_bf16", 2, "legacy with the truth rounded to bfloat16", _of("legacy_bf16", 2, *LEGACY_METRICS), _legacy_bf16
)
METRICS: Sequence[FrameMetric] = Lazy(frame_metrics)
"""Every installed metric of two frames, this package's own first."""
ALIGNED = ScoringProtocol(
    "aligned", 1, "frame i against frame i of the true return", Lazy(lambda: _of("aligned", 1, *METRICS)), _aligned
)

PROTOCOLS: Mapping[str, ScoringProtocol] = MappingProxyType({p.name: p for p in (ORDERED, ALIGNED, LEGACY)})
"""What a run scores. `LEGACY_BF16` differs in the fourth digit and costs as much again: it stands apart."""
