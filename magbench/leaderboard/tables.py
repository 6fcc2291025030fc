"""Records -> one row a model: means with intervals over clips, ranks, completeness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from magbench.errors import MagbenchError
from magbench.records import Record
from magbench.stats import bootstrap_mean

SPEEDS = ("slow", "medium", "fast")


@dataclass(frozen=True)
class Column:
    """One measured quantity, as its records name it; ``key`` names it in table.csv and table.json."""

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

    @property
    def is_primary_region(self) -> bool:
        """Whether the main table shows it with its interval."""
        return (self.protocol, self.region) == (PRIMARY.protocol, PRIMARY.region)


COST = "cost"
PRIMARY = Column("aligned", "psnr", "out_of_window", "dB", "higher")
"""What rows are sorted and ranked by."""


@dataclass(frozen=True)
class Cell:
    """Mean over ``n`` clips and its 95 % interval; None where no clip has the value (never 0, never NaN)."""

    mean: float | None
    low: float | None
    high: float | None
    n: int


NO_VALUE = Cell(None, None, None, 0)


@dataclass(frozen=True)
class Row:
    """One model or reference. ``rank`` is None for references and for models that lack clips."""

    model: str
    kind: str
    revision: str
    rank: int | None
    clips: int
    expected: int
    cells: dict[str, Cell]
    speeds: dict[str, Cell]

    def cell(self, column: Column) -> Cell:
        """The value of a column; no value if nothing was recorded for it."""
        return self.cells.get(column.key, NO_VALUE)

    @property
    def primary(self) -> Cell:
        return self.cell(PRIMARY)

    @property
    def complete(self) -> bool:
        return self.clips == self.expected

    @property
    def is_model(self) -> bool:
        return self.kind == "model"

    @property
    def title(self) -> str:
        """The name, with a mark if clips are missing."""
        return self.model if self.complete else f"{self.model} (incomplete)"


@dataclass(frozen=True)
class Table:
    """Rows, best first; incomplete rows last. ``speeds``: camera speeds that the suite has, slow to fast."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    speeds: tuple[str, ...]

    @property
    def models(self) -> list[str]:
        return [row.model for row in self.rows if row.is_model]


def build_table(records: Sequence[Record], tasks: Iterable[tuple[str, int]]) -> Table:
    """Summarise ``records`` of one run; ``tasks`` are the (clip id, sample) that a complete model has."""
    wanted = set(tasks)
    by_model: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_model[record.model].append(record)
    columns, speeds = _columns(records), _speeds(records)
    rows = [_row(model, mine, wanted, columns, speeds) for model, mine in sorted(by_model.items())]
    rows.sort(key=_place)
    return Table(columns, tuple(_ranked(rows)), speeds)


def column_of(record: Record) -> Column:
    """The column that a record belongs to."""
    return Column(record.protocol, record.metric, record.region, record.unit, record.better)


def _columns(records: Iterable[Record]) -> tuple[Column, ...]:
    """What the records hold, in the order of its first record: main scores, other scores, costs."""
    found = dict.fromkeys(column_of(record) for record in records)
    return tuple(sorted(found, key=lambda column: (column.is_cost, not column.is_primary_region)))


def _row(
    model: str,
    records: list[Record],
    wanted: set[tuple[str, int]],
    columns: Sequence[Column],
    speeds: Sequence[str],
) -> Row:
    revisions = sorted({record.revision for record in records})
    kinds = sorted({record.kind for record in records})
    if len(revisions) > 1 or len(kinds) > 1:
        raise MagbenchError(f"scores of {model} mix revisions: {', '.join(revisions)}; run it again")
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[column_of(record).key].append(record)
    have = wanted.intersection(
        *({(r.clip, r.sample) for r in found[column.key]} for column in columns if not column.is_cost)
    )
    clips = {clip for clip, _ in wanted}
    whole = {clip for clip in clips if all(pair in have for pair in wanted if pair[0] == clip)}
    return Row(
        model=model,
        kind=kinds[0],
        revision=revisions[0],
        rank=None,
        clips=len(whole),
        expected=len(clips),
        cells={key: summarise(rs) for key, rs in found.items()},
        speeds={speed: summarise([r for r in found[PRIMARY.key] if r.speed == speed]) for speed in speeds},
    )


def summarise(records: Sequence[Record]) -> Cell:
    """Samples of a clip are averaged first, then clips; clips without such a frame are not in n."""
    clips: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record.value is not None:
            clips[record.clip].append(record.value)
    if not clips:
        return NO_VALUE
    interval = bootstrap_mean([sum(values) / len(values) for _, values in sorted(clips.items())])
    return Cell(interval.mean, interval.low, interval.high, interval.n)


def _speeds(records: Iterable[Record]) -> tuple[str, ...]:
    present = {record.speed for record in records} - {""}
    return tuple(s for s in SPEEDS if s in present) + tuple(sorted(present - set(SPEEDS)))


def _place(row: Row) -> tuple[bool, bool, float, str]:
    mean = row.primary.mean
    return (not row.complete, mean is None, 0.0 if mean is None else -mean, row.model)


def _ranked(rows: Iterable[Row]) -> Iterable[Row]:
    """Number the complete models; equal means share a rank."""
    seen: list[float] = []
    for row in rows:
        mean = row.primary.mean
        if not row.is_model or not row.complete or mean is None:
            yield row
            continue
        seen.append(mean)
        yield replace(row, rank=seen.index(mean) + 1)
