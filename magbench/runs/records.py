"""The schema of a result, with its provenance, and its files: JSON lines while a run grows, then Parquet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator

from magbench.core.errors import MagbenchError
from magbench.core.files import placed, written
from magbench.core.parsing import described, parse_json, read_text
from magbench.models.protocol import Kind

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Region = Literal["all", "out_of_window", "in_window"]
BATCH = 2**16
"""Rows of a Parquet file that are looked at together."""
GROUP = 2**24
"""Bytes of records that are written together."""
COUNTS = ("suite_version", "sample", "seed", "metric_version", "protocol_version", "n")
"""Fields that are whole numbers."""


class Record(BaseModel):
    """One metric of one generation over one region.

    Attributes:
        kind: ``model``, or ``reference``, which has seen the truth.
        protocol: how generated and true frames were paired, or ``cost``.
        metric_version, protocol_version: raised whenever the metric or the pairing would give another value.
        region: ``all`` return frames, or those whose view was last seen out of the window, or inside it.
        value: the mean over the region; None where it has no frame or nothing could be measured. Never NaN.
        n: frames (for costs: pieces) behind ``value``.
        per_frame: only for region ``all``; for costs one value a piece.
        frame: absolute index of each value of ``per_frame`` (for costs: of the piece's first frame).
        gap: frames since the view of each ``frame`` was last seen, -1 if never; None for costs.
        generation_sha256: of the decoded frames that were scored.
        conversions: what was done to a video made elsewhere to make it fit; "" for nothing.
        device, machine: of a cost, what it was measured on; None where nobody wrote it down.
        disturbed: of a timing, whether other work had the machine; None where nobody looked.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    suite: str
    suite_version: int
    suite_digest: str
    split: str
    model: str
    revision: str
    kind: Kind
    clip: str
    category: str
    speed: str
    sample: NonNegativeInt
    seed: int
    protocol: str
    metric: str
    metric_version: int
    protocol_version: int = 1
    unit: str
    better: Literal["higher", "lower"]
    region: Region
    value: float | None
    n: NonNegativeInt
    per_frame: list[float] | None = None
    frame: list[int] | None = None
    gap: list[int] | None = None
    generation_sha256: str
    magbench_version: str
    conversions: str = ""
    device: str | None = None
    machine: str | None = None
    disturbed: bool | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Record:
        if (self.value is None) != (self.n == 0):
            raise ValueError(f"value {self.value} with n {self.n}")
        if (self.per_frame is None) != (self.frame is None):
            raise ValueError("per_frame and frame go together")
        if self.per_frame is None and self.gap is None:
            return self
        lengths = {len(values) for values in (self.per_frame, self.frame, self.gap) if values is not None}
        if len(lengths) > 1:
            raise ValueError(f"per_frame, frame and gap differ in length: {sorted(lengths)}")
        if self.region != "all" and self.per_frame is not None:
            raise ValueError(f"per_frame is given in region {self.region}")
        return self


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write JSON lines, all of them or nothing."""
    with placed(path) as half:
        text = "".join(f"{record.model_dump_json()}\n" for record in records)
        half.write_text(text, encoding="utf-8", newline="\n")


def read_records(path: Path) -> list[Record]:
    """Read JSON lines; a bad one is an error that names the file and the line."""
    lines = read_text(path).split("\n")
    if lines[-1] == "":
        del lines[-1]
    places = [f"{path}: line {number}" for number in range(1, len(lines) + 1)]
    return [described(parse_json(line, where), Record, where) for line, where in zip(lines, places, strict=True)]


def write_parquet(path: Path, records: Sequence[Record]) -> None:
    """Write the records of a run as one Parquet file, a column for each field."""
    with tables_written(path) as write:
        for table in tables_of([records]):
            write(table)


@contextmanager
def tables_written(path: Path) -> Iterator[Callable[[pa.Table], None]]:
    """What writes tables of records into one Parquet file, which is there once the block ends well."""
    import pyarrow.parquet as pq

    with written(path) as half, pq.ParquetWriter(half, schema(), compression="zstd") as writer:
        yield writer.write_table


def tables_of(parts: Iterable[Sequence[Record]]) -> Iterator[pa.Table]:
    """Records as tables, each of as many parts as make ``GROUP`` bytes."""
    import pyarrow as pa

    waiting, held = [], 0
    for part in parts:
        columns = {name: [getattr(record, name) for record in part] for name in Record.model_fields}
        waiting.append(pa.table(columns, schema()))
        held += waiting[-1].nbytes
        if held >= GROUP:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, held = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


@cache
def schema() -> pa.Schema:
    """The columns of a file of records: text, but for numbers and lists of them."""
    import pyarrow as pa

    kinds = dict.fromkeys(COUNTS, pa.int64()) | dict.fromkeys(("frame", "gap"), pa.list_(pa.int64()))
    kinds |= {"value": pa.float64(), "per_frame": pa.list_(pa.float64()), "disturbed": pa.bool_()}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in Record.model_fields])


def read_parquet(path: Path, kind: Kind | None = None, *, model: str = "") -> list[Record]:
    """Read what :func:`write_parquet` wrote; a bad row is an error that names the file and the row.

    kind, model: where given, only their rows are read.
    """
    wanted = {field: value for field, value in (("kind", kind), ("model", model)) if value}
    return _rows_with(path, wanted) if wanted else rows_of(read_table(path), path)


def _rows_with(path: Path, wanted: Mapping[str, str]) -> list[Record]:
    import pyarrow as pa
    import pyarrow.compute as pc

    own = []
    for batch in batches(path, list(Record.model_fields)):
        for field, value in wanted.items():
            if batch.column(field).type != pa.string():
                raise MagbenchError(f"{path}: column {field} is {batch.column(field).type}, not string")
            batch = batch.filter(pc.equal(batch.column(field), value))
        own.append(batch)
    return rows_of(pa.Table.from_batches(own), path, f" of {' '.join(wanted.values())}") if own else []


def read_table(path: Path) -> pa.Table:
    """Read a Parquet file of records, its rows not checked yet.

    Raises:
        MagbenchError: it cannot be read, or its columns are not a record's.
    """
    with _opened(path) as file:
        # Columns' own descriptions are not looked at: of damaged ones, asking alone can end the process.
        table = file.read(use_threads=False)
    _check_columns(path, set(table.column_names))
    return table


def batches(path: Path, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
    """Some columns of a Parquet file of records, ``BATCH`` rows at a time; errors are those of :func:`read_table`.

    A column that need not be there, and is not, is none of the batch's either.
    """
    with _opened(path) as file:
        _check_columns(path, set(file.schema_arrow.names))
        yield from file.iter_batches(BATCH, columns=list(columns), use_threads=False)


def models_of(path: Path) -> dict[str, Kind]:
    """The models and references of a Parquet file of records, by their first row; rows are not checked."""
    found: dict[str, Kind] = {}
    with _opened(path) as file:
        _check_columns(path, set(file.schema_arrow.names))
        for batch in file.iter_batches(BATCH, columns=["model", "kind"], use_threads=False):
            models, kinds = batch.column("model").to_pylist(), batch.column("kind").to_pylist()
            found = dict(zip(models, kinds, strict=True)) | found
    return found


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """A Parquet file to read from; what it raises inside is one line that names the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise MagbenchError(f"{path}: cannot be read (no such file)")
    try:
        with pq.ParquetFile(path) as file:
            if (declared := file.metadata.num_rows) > path.stat().st_size:
                raise MagbenchError(f"{path}: {path.stat().st_size} bytes that declare {declared} rows")
            yield file
    except (OSError, ValueError, KeyError, TypeError, MemoryError, OverflowError, pa.ArrowException) as error:
        raise MagbenchError(f"{path}: cannot be read ({' '.join(str(error).split())[:200]})") from error


def _check_columns(path: Path, there: set[str]) -> None:
    known = set(Record.model_fields)
    needed = {name for name, field in Record.model_fields.items() if field.is_required()}
    if odd := sorted((there - known) | (needed - there)):
        raise MagbenchError(f"{path}: column '{odd[0][:60]}' is {'missing' if odd[0] in known else 'extra'}")


def rows_of(table: pa.Table, path: Path, whose: str = "") -> list[Record]:
    """The rows of a table as records; ``path`` is named in errors, and ``whose`` rows are counted there."""
    import pyarrow as pa

    try:
        rows = table.to_pylist()
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        raise MagbenchError(f"{path}: cannot be read ({' '.join(str(error).split())[:200]})") from error
    return [described(row, Record, f"{path}: row {number}{whose}") for number, row in enumerate(rows, 1)]
