"""The records of a submission: the model's own whole, and of every record what it says of itself, without frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magbench.core.errors import MagbenchError
from magbench.runs.records import Record, read_table, rows_of

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = ("model", "clip", "sample", "protocol", "metric", "region")
BETWEEN = "\t"
WORDS = (
    *("suite", "suite_digest", "split", "model", "revision", "kind", "clip", "category", "speed"),
    *("protocol", "metric", "unit", "better", "region", "generation_sha256", "magbench_version"),
)
NUMBERS = ("suite_version", "sample", "seed", "metric_version", "protocol_version", "n")


@dataclass(frozen=True)
class Scored:
    """What ``records.parquet`` holds.

    Attributes:
        records: the model's.
        facts: a row for each record, references' too, with all fields but those of frames.
        places: of each row, what makes its record the only one of its kind, see :func:`place_of`.
    """

    records: Sequence[Record]
    facts: pa.Table
    places: Sequence[str]

    def distinct(self, *fields: str) -> list[tuple[Any, ...]]:
        """The values that ``fields`` have together, each once."""
        found = self.facts.select(fields).group_by(fields, use_threads=False).aggregate([])
        return list(zip(*(found.column(field).to_pylist() for field in fields), strict=True))

    def mean(self, **wanted: str) -> float | None:
        """The mean value of the records whose fields are as ``wanted``; None where no such record has a value."""
        import pyarrow.compute as pc

        chosen = self.facts
        for field, value in wanted.items():
            chosen = chosen.filter(pc.equal(chosen.column(field), value))
        mean: float | None = pc.mean(chosen.column("value")).as_py()
        return mean


def read_scored(path: Path) -> Scored:
    """Read a submission's records.

    Raises:
        MagbenchError: the file cannot be read, or a record is not what it should be.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = read_table(path)
    for fields, wanted in ((WORDS, pa.string()), (NUMBERS, pa.int64()), (("value",), pa.float64())):
        for field in fields:
            if field not in table.column_names:
                raise MagbenchError(f"{path}: column '{field}' is missing")
            column = table.column(field)
            if column.type != wanted or (field != "value" and column.null_count):
                raise MagbenchError(
                    f"{path}: column {field} is {column.type} with {column.null_count} gaps, not {wanted}"
                )
    if pc.any(pc.is_nan(table.column("value"))).as_py() or pc.any(pc.is_inf(table.column("value"))).as_py():
        raise MagbenchError(f"{path}: a value is not finite")
    places = pc.binary_join_element_wise(*(pc.cast(table.column(field), pa.string()) for field in PLACE), BETWEEN)
    mine = table.filter(pc.equal(table.column("kind"), "model"))
    return Scored(rows_of(mine, path), table.select([*WORDS, *NUMBERS, "value"]), places.to_pylist())


def place_of(record: Record) -> str:
    """Model, clip, sample, protocol, metric and region."""
    return BETWEEN.join(str(getattr(record, field)) for field in PLACE)
