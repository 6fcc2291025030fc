"""Tables, records and comparisons as pandas data frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from magbench.report.export.text import full_rows
from magbench.report.tables import Table
from magbench.runs.records import Record

if TYPE_CHECKING:
    from magbench.report.compare import Line


def table_frame(table: Table) -> pd.DataFrame:
    """Give a row a model or reference, best first, indexed by name.

    ``rank_low`` and ``rank_high`` bound the rank: one more than the models that are told apart above, and the number of
    ranked models less those that are told apart below.
    """
    frame = pd.DataFrame(full_rows(table)).set_index("model")
    bounds = [table.ranking.bounds(model) if model in table.ranking.ranks else (None, None) for model in frame.index]
    ranks = pd.DataFrame(
        {
            "rank": frame["rank"].tolist(),
            "rank_low": [low for low, _ in bounds],
            "rank_high": [high for _, high in bounds],
        },
        index=frame.index,
        dtype="Int64",
    )
    return pd.concat([ranks, frame.drop(columns="rank")], axis=1)


def records_frame(records: Iterable[Record]) -> pd.DataFrame:
    """Give a row a record, a column a field; ``per_frame``, ``frame`` and ``gap`` hold lists."""
    return pd.DataFrame([record.model_dump() for record in records], columns=list(Record.model_fields))


def comparison_frame(lines: Sequence[Line]) -> pd.DataFrame:
    """Give a row a score: both means, their difference A - B with its interval, p, and what may be said of it.

    p, p_holm and noise are NaN where there is none: costs are not tested.
    """
    return pd.DataFrame(
        [
            {
                "key": line.column.key,
                "score": f"{line.column.protocol} {line.column.metric}",
                "region": line.column.region,
                "unit": line.column.unit,
                "a": line.mean_a,
                "b": line.mean_b,
                "difference": line.found.difference.mean,
                "low": line.found.difference.low,
                "high": line.found.difference.high,
                "p": None if line.corrected_p is None else line.found.p,
                "p_holm": line.corrected_p,
                "noise": line.noise,
                "n": line.found.difference.n,
                "verdict": line.verdict,
            }
            for line in lines
        ]
    )
