"""The columns of a table: one score over one region each, as its records name it; specs say how it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from magbench.analysis.history_effect import EFFECT
from magbench.analysis.retention import RETENTION as RETENTIONS
from magbench.metrics import PROTOCOLS
from magbench.metrics.masked import MASKED
from magbench.metrics.spec import MainColumn, ScoreSpec
from magbench.quality import QUALITY as QUALITIES
from magbench.runs.records import Record
from magbench.scoring.costs import COST, COSTS
from magbench.vbench.dimensions import DIMENSIONS

QUALITY = ("quality", "vbench")
RETENTION = "retention"
HISTORY_EFFECT = EFFECT.protocol

SCORED = tuple(PROTOCOLS)
"""Protocols that every clip of a complete model has; the others are extras, or follow from these."""


@cache
def specs() -> dict[tuple[str, str], ScoreSpec]:
    """Every score that is known here: (protocol, metric) -> spec."""
    fair = [metric for protocol in PROTOCOLS.values() for metric in protocol.metrics]
    every: list[ScoreSpec] = [*fair, *MASKED, *QUALITIES, *DIMENSIONS.values(), *RETENTIONS, EFFECT, *COSTS]
    return {(spec.protocol, spec.name): spec for spec in every}


@dataclass(frozen=True)
class Column:
    """One score over one region; ``key`` names it in table.csv and table.json.

    What records of another installation bring is a column too, even where nothing here computes it.
    """

    protocol: str
    metric: str
    region: str
    unit: str
    better: str

    @classmethod
    def of(cls, spec: ScoreSpec, region: str) -> Column:
        return cls(spec.protocol, spec.name, region, spec.unit, spec.better)

    @property
    def key(self) -> str:
        return self.metric if self.is_cost else f"{self.protocol}_{self.metric}_{self.region}"

    @property
    def is_cost(self) -> bool:
        return self.protocol == COST

    @property
    def spec(self) -> ScoreSpec | None:
        """What is known here of the score; None for one of another installation."""
        return specs().get((self.protocol, self.metric))

    @property
    def name(self) -> str:
        """What headings call the score, without unit and direction."""
        return self.spec.heading if self.spec else self.metric.replace("_", " ")

    @property
    def main(self) -> MainColumn | None:
        """How it stands in the main table; None for a score or a region that does not."""
        spec = self.spec
        return spec.main if spec and spec.main and spec.main.region == self.region else None

    @property
    def missing(self) -> str:
        """Why a run may have no such score; "" where `magbench score` makes it."""
        return self.spec.missing if self.spec else ""


def column_of(record: Record) -> Column:
    """The column that a record belongs to."""
    return Column(record.protocol, record.metric, record.region, record.unit, record.better)


def _main(protocol: str, metric: str) -> Column:
    spec = specs()[protocol, metric]
    assert spec.main is not None, spec  # of the scores named below each has a column of its own
    return Column.of(spec, spec.main.region)


PRIMARY = _main("ordered", "score")
"""What rows are sorted and ranked by."""
COVERAGE = _main("ordered", "coverage")
PSNR = _main("aligned", "psnr")
SSIM = _main("aligned", "ssim")
LPIPS = _main("aligned", "lpips")
RETAINED = _main(RETENTION, "lpips")
LEGACY = _main("legacy", "psnr")
HISTORY = _main(COST, "history_bytes")
BLOCK = _main(COST, "block_s")
FPS = _main(COST, "fps")
FIRST = _main(COST, "ttff_s")


def by_place(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Those that have a place in the main table, in its order."""
    placed = [(column.main.place, column) for column in columns if column.main is not None]
    return tuple(column for _, column in sorted(placed, key=lambda pair: pair[0]))


MAIN = by_place(
    Column.of(spec, spec.main.region) for spec in specs().values() if spec.main is not None and not spec.main.optional
)
"""The columns that every main table has, in its order; optional ones join where a run has them."""


def in_order(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The main table's columns first, then others as they come, costs last; each once."""
    place = {column: i for i, column in enumerate(MAIN)}
    return tuple(sorted(dict.fromkeys(columns), key=lambda column: (column.is_cost, place.get(column, len(MAIN)))))
