"""Records -> one row a model: means with intervals over clips, ranks, completeness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from magbench.analysis.clipwise import NO_VALUE, Cell, by_clip, cell_of
from magbench.core.errors import MagbenchError
from magbench.report.columns import BLOCK, FIRST, PRIMARY, PSNR, SCORED, Column, column_of, in_order
from magbench.report.ranking import Ranking, rank
from magbench.report.timings import Timings, comparable, is_timing
from magbench.runs.records import Record

SPEEDS = ("slow", "medium", "fast")
BY_SPEED = (PRIMARY, PSNR)

Task = tuple[str, int]  # clip, sample


@dataclass(frozen=True)
class Scores:
    """What a table needs of the records of one model or reference, a hundredth of their size.

    Attributes:
        columns: the scores that it has.
        values: key of a column -> clip -> value; samples of a clip are averaged.
        tasks: key of a column -> the tasks that have a record of it.
        speeds: clip -> camera speed, "" where the suite knows none.
        conversions: what was done to its videos to make them fit; none where they were scored as they are.
        timings: of the seconds a block, or to the first frame.
    """

    model: str
    kind: str
    revision: str
    columns: tuple[Column, ...]
    values: Mapping[str, Mapping[str, float]]
    tasks: Mapping[str, frozenset[Task]]
    speeds: Mapping[str, str]
    conversions: tuple[str, ...] = ()
    timings: Timings = Timings()

    @classmethod
    def of(cls, records: Sequence[Record]) -> Scores:
        """From the records of one model.

        Raises:
            MagbenchError: they are of several revisions.
        """
        model = records[0].model
        kind, revision = only(model, ((record.kind, record.revision) for record in records))
        found: dict[Column, list[Record]] = defaultdict(list)
        for record in records:
            found[column_of(record)].append(record)
        timed = {column: comparable(mine) for column, mine in found.items() if is_timing(mine[0])}
        kept = {column: timed[column][0] if column in timed else mine for column, mine in found.items()}
        return cls(
            model,
            kind,
            revision,
            tuple(found),
            {column.key: by_clip(mine) for column, mine in kept.items()},
            {column.key: frozenset((r.clip, r.sample) for r in mine) for column, mine in found.items()},
            {record.clip: record.speed for record in records},
            tuple(sorted({record.conversions for record in records} - {""})),
            next((timed[column][1] for column in (BLOCK, FIRST) if column in timed and timed[column][1].n), Timings()),
        )


def only(model: str, made: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The one kind and revision that a model's records have."""
    found = set(made)
    if len(found) > 1:
        revisions = sorted({revision for _, revision in found})
        raise MagbenchError(f"scores of {model} mix revisions: {', '.join(revisions)}; run it again")
    return found.pop()


@dataclass(frozen=True)
class Row:
    """One model or reference.

    Attributes:
        rank: None for references, for models that lack clips, and for models without the primary score.
        cells: key of a column -> value.
        speeds: key of a column of ``BY_SPEED`` -> camera speed -> value.
        protocols: what it was scored with, costs included.
        values: key of a score's column -> clip -> value; samples of a clip are averaged.
        timings: of the seconds a block.
    """

    model: str
    kind: str
    revision: str
    rank: int | None
    clips: int
    expected: int
    cells: dict[str, Cell]
    speeds: dict[str, dict[str, Cell]]
    protocols: frozenset[str]
    values: Mapping[str, Mapping[str, float]]
    conversions: tuple[str, ...] = ()
    timings: Timings = Timings()

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
        """The name, with a mark if clips are missing or were made to fit."""
        marks = ([] if self.complete else ["incomplete"]) + (["made to fit"] if self.conversions else [])
        return f"{self.model} ({', '.join(marks)})" if marks else self.model


@dataclass(frozen=True)
class Table:
    """Rows, best first; incomplete rows last. ``speeds``: camera speeds that the suite has, slow to fast."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    speeds: tuple[str, ...]
    ranking: Ranking = field(default_factory=lambda: Ranking({}, ()))
    noise: float | None = None
    """Differences of the primary score below this are not called differences; None where it was not measured."""

    @property
    def models(self) -> list[str]:
        return [row.model for row in self.rows if row.is_model]


def build_table(records: Sequence[Record], tasks: Iterable[Task], noise: float | None = None) -> Table:
    """Summarise ``records`` of one run; ``tasks`` are the (clip id, sample) that a complete model has."""
    by_model: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_model[record.model].append(record)
    return table_of([Scores.of(mine) for mine in by_model.values()], tasks, noise)


def table_of(scores: Sequence[Scores], tasks: Iterable[Task], noise: float | None = None) -> Table:
    """Put models and references into one table; the rest as in :func:`build_table`."""
    wanted = set(tasks)
    columns = in_order(column for found in scores for column in found.columns)
    speeds = _speeds(speed for found in scores for speed in found.speeds.values())
    rows = sorted((_row(found, wanted, columns, speeds) for found in scores), key=_place)
    ranked = rank({row.model: row.values[PRIMARY.key] for row in rows if _is_ranked(row)}, noise)
    return Table(columns, tuple(replace(r, rank=ranked.ranks.get(r.model)) for r in rows), speeds, ranked, noise)


def _row(found: Scores, wanted: set[Task], columns: Sequence[Column], speeds: Sequence[str]) -> Row:
    scored = [column.key for column in columns if column.protocol in SCORED]
    have = wanted.intersection(*(found.tasks.get(key, frozenset()) for key in scored))
    clips = {clip for clip, _ in wanted}
    lacking = {clip for clip, sample in wanted if (clip, sample) not in have}
    return Row(
        model=found.model,
        kind=found.kind,
        revision=found.revision,
        rank=None,
        clips=len(clips - lacking),
        expected=len(clips),
        cells={key: cell_of(mine) for key, mine in found.values.items()},
        speeds={
            column.key: {
                speed: cell_of({c: v for c, v in found.values.get(column.key, {}).items() if found.speeds[c] == speed})
                for speed in speeds
            }
            for column in BY_SPEED
        },
        protocols=frozenset(column.protocol for column in found.columns),
        timings=found.timings,
        values={
            column.key: found.values[column.key]
            for column in columns
            if not column.is_cost and column.key in found.values
        },
        conversions=found.conversions,
    )


def _is_ranked(row: Row) -> bool:
    return row.is_model and row.complete and bool(row.values.get(PRIMARY.key))


def _speeds(speeds: Iterable[str]) -> tuple[str, ...]:
    present = set(speeds) - {""}
    return tuple(s for s in SPEEDS if s in present) + tuple(sorted(present - set(SPEEDS)))


def _place(row: Row) -> tuple[bool, bool, float, str]:
    mean = row.primary.mean
    return (not row.complete, mean is None, 0.0 if mean is None else -mean, row.model)
