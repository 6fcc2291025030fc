"""What identifies a score, and how tables call it: the one shape that everything which yields a number shares.

Metrics of frames, qualities of a return, VBench's dimensions, costs, retention and history effect each register a
:class:`ScoreSpec`. Tables, records, comparisons, lists and plots read it, so that a new column of the main table is one
entry: ``main`` of its spec.

A new metric of two frames is one file in :mod:`magbench.metrics.frame` that holds a :class:`FrameMetric` named
``METRIC``. Any installed package may bring one too::

    [project.entry-points."magbench.metrics"]
    mae = "my_package.mae:METRIC"       # one metric; the entry's name is the metric's name
    mine = "my_package.metrics"         # or a package: each of its modules holds a METRIC named after its file

What such a metric gets and what is asked of it:

- Every run scores it in the protocol ``aligned``, in worker processes too; it is listed, it has columns in tables,
  records and comparisons, a retention if it says its ``noise``, and a place in the main table if it has ``main``.
- Its module imports quickly: torch and weights are loaded inside ``function``. From magbench it needs this module, and
  :mod:`magbench.metrics.frames` to check its input.
- It gives the same values for the same two frames, whatever frames stand beside them; another value is another
  ``version``.
- A module that cannot be loaded is left out with a warning. A function that raises, or gives values of another shape or
  not finite, is a failure of that clip that names the metric. Frames below ``smallest`` have no value.
- Scores of a metric that is not installed any more stay valid and keep their columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from magbench.metrics.pair import Pair

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class MainColumn:
    """A score's column in the main table.

    Attributes:
        place: columns stand in the order of this number.
        heading: what the column is called.
        region: over which frames, see :class:`magbench.runs.records.Record`.
        interval: whether the cell shows the 95 % interval beside the mean.
        short: heading in a terminal of 80 columns; "" where it is left out there.
        optional: the column stands only where a run has such scores; otherwise always, with the reason for what is
            missing. Columns of other packages are always optional.
    """

    place: int
    heading: str
    region: str = "out_of_window"
    interval: bool = False
    short: str = ""
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class ScoreSpec:
    """What a score is.

    Attributes:
        protocol: how generated and true frames were paired (``ordered``, ``aligned``, ``legacy``), or what else the
            number comes from (``quality``, ``vbench``, ``cost``, ``retention``, ``history_effect``).
        name: of the metric inside its protocol.
        version, protocol_version: raised whenever the metric, or the pairing, would give another value.
        unit: "" if it has none.
        better: which direction is better.
        about: one line for lists.
        title: what headings call it, ``PSNR``; "" for the name with spaces.
        main: its column in the main table; None where it has none.
        missing: why a run may have no such score at all; "" where `magbench score` always makes it.
    """

    protocol: str = ""
    name: str
    version: int
    protocol_version: int = 1
    unit: str = ""
    better: Better
    about: str = ""
    title: str = ""
    main: MainColumn | None = None
    missing: str = ""

    @property
    def heading(self) -> str:
        """The title, without unit and direction."""
        return self.title or self.name.replace("_", " ")


def mean(values: NDArray[np.float64]) -> float:
    """Mean of (n > 0,) values."""
    return float(values.mean())


@dataclass(frozen=True, kw_only=True)
class PerFrameScore(ScoreSpec):
    """A score that has a value for each frame of a return; ``average`` makes one number of them."""

    average: Callable[[NDArray[np.float64]], float] = mean


@dataclass(frozen=True, kw_only=True)
class FrameMetric(PerFrameScore):
    """A number for one generated frame against one true frame; scored by the protocol ``aligned`` in every run.

    Attributes:
        function: two (n, 3, H, W) float32 in [0, 1] -> (n,) float64, finite.
        shared: the same numbers, from what a pair has computed for other protocols as well; None: ``function``.
        noise: the least difference between the two ends of a scale that says anything; with it the metric has a
            retention (0 another scene, 1 the truth through the codec). None: no retention.
        cap: values above count as this in the retention; for scores without a finite best value.
        smallest: pixels a side that a frame must have; the metric has no value for smaller ones.
    """

    function: Callable[[Tensor, Tensor], NDArray[np.float64]]
    shared: Callable[[Pair], NDArray[np.float64]] | None = None
    noise: float | None = None
    cap: float | None = None
    smallest: int = 1

    def of_pair(self, pair: Pair) -> NDArray[np.float64] | None:
        """Give the (n,) values of frame i against frame i; None if the frames are smaller than ``smallest``.

        Raises:
            MagbenchError: there is not one value a frame.
        """
        import numpy as np

        if min(pair.gen.size) < self.smallest:
            return None
        found = pair.each(self.function, np.arange(len(pair))) if self.shared is None else self.shared(pair)
        if found.shape != (len(pair),):
            raise MagbenchError(f"metric '{self.name}' gave values of shape {found.shape}, not ({len(pair)},)")
        return found
