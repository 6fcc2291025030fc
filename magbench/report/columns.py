"""The columns of a table: one measured quantity each, as its records name it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from magbench.runs.records import Record

COST = "cost"
QUALITY = ("quality", "vbench")
RETENTION = "retention"
HISTORY_EFFECT = "history_effect"

SCORED = ("ordered", "aligned", "legacy")
"""Protocols that every clip of a complete model has; the others are extras, or follow from these."""


@dataclass(frozen=True)
class Column:
    """One measured quantity; ``key`` names it in table.csv and table.json."""

    protocol: str
    metric: str
    region: str
    unit: str
    better: str

    @property
    def key(self) -> str:
        return self.metric if self.is_cost else f"{self.protocol}_{self.metric}_{self.region}"

    @property
    def is_cost(self) -> bool:
        return self.protocol == COST


def column_of(record: Record) -> Column:
    """The column that a record belongs to."""
    return Column(record.protocol, record.metric, record.region, record.unit, record.better)


PRIMARY = Column("ordered", "score", "out_of_window", "", "higher")
"""What rows are sorted and ranked by."""
COVERAGE = Column("ordered", "coverage", "out_of_window", "", "higher")
PSNR = Column("aligned", "psnr", "out_of_window", "dB", "higher")
SSIM = Column("aligned", "ssim", "out_of_window", "", "higher")
LPIPS = Column("aligned", "lpips", "out_of_window", "", "lower")
RETAINED = Column(RETENTION, "lpips", "out_of_window", "", "higher")
LEGACY = Column("legacy", "psnr", "all", "dB", "higher")
HISTORY = Column(COST, "history_bytes", "all", "B", "lower")
BLOCK = Column(COST, "block_s", "all", "s", "lower")
FPS = Column(COST, "fps", "all", "frames/s", "higher")
FIRST = Column(COST, "ttff_s", "all", "s", "lower")

WITH_INTERVAL = (PRIMARY, PSNR, SSIM, LPIPS)
MAIN = (PRIMARY, COVERAGE, PSNR, SSIM, LPIPS, RETAINED, LEGACY, HISTORY, BLOCK, FPS, FIRST)
"""The main table, in its order; a column of history effect joins them where a run has it."""


def in_order(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The main table's columns first, then others as they come, costs last; each once."""
    place = {column: i for i, column in enumerate(MAIN)}
    return tuple(sorted(dict.fromkeys(columns), key=lambda column: (column.is_cost, place.get(column, len(MAIN)))))
