"""Records -> one row a model: means with intervals over clips, ranks, completeness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from magbench.analysis.clipwise import NO_VALUE, Cell, by_clip, cell_of
from magbench.core.errors import MagbenchError
from magbench.report.columns import PRIMARY, PSNR, SCORED, Column, column_of, in_order
from magbench.report.ranking import Ranking, rank
from magbench.runs.records import Record

SPEEDS = ("slow", "medium", "fast")
BY_SPEED = (PRIMARY, PSNR)


@dataclass(frozen=True)
class Row:
    """One model or reference.

    Attributes:
        rank: None for references, for models that lack clips, and for models without the primary score.
        cells: key of a column -> value.
        speeds: key of a column of ``BY_SPEED`` -> camera speed -> value.
        protocols: what it was scored with, costs included.
        values: key of a score's column -> clip -> value; samples of a clip are averaged.
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
    values: dict[str, dict[str, float]]
    conversions: tuple[str, ...] = ()

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


def build_table(records: Sequence[Record], tasks: Iterable[tuple[str, int]], noise: float | None = None) -> Table:
    """Summarise ``records`` of one run; ``tasks`` are the (clip id, sample) that a complete model has."""
    wanted = set(tasks)
    by_model: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_model[record.model].append(record)
    columns, speeds = in_order(map(column_of, records)), _speeds(records)
    rows = [_row(model, mine, wanted, columns, speeds) for model, mine in sorted(by_model.items())]
    rows.sort(key=_place)
    ranked = rank({row.model: row.values[PRIMARY.key] for row in rows if _is_ranked(row)}, noise)
    return Table(columns, tuple(replace(r, rank=ranked.ranks.get(r.model)) for r in rows), speeds, ranked, noise)


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
    scored = [column for column in columns if column.protocol in SCORED]
    have = wanted.intersection(*({(r.clip, r.sample) for r in found[column.key]} for column in scored))
    clips = {clip for clip, _ in wanted}
    whole = {clip for clip in clips if all(pair in have for pair in wanted if pair[0] == clip)}
    speed_of = {record.clip: record.speed for record in records}
    values = {key: by_clip(mine) for key, mine in found.items()}
    return Row(
        model=model,
        kind=kinds[0],
        revision=revisions[0],
        rank=None,
        clips=len(whole),
        expected=len(clips),
        cells={key: cell_of(mine) for key, mine in values.items()},
        speeds={
            column.key: {
                speed: cell_of({c: v for c, v in values.get(column.key, {}).items() if speed_of[c] == speed})
                for speed in speeds
            }
            for column in BY_SPEED
        },
        protocols=frozenset(record.protocol for record in records),
        values={column.key: values[column.key] for column in columns if not column.is_cost and column.key in values},
        conversions=tuple(sorted({record.conversions for record in records} - {""})),
    )


def _is_ranked(row: Row) -> bool:
    return row.is_model and row.complete and bool(row.values.get(PRIMARY.key))


def _speeds(records: Iterable[Record]) -> tuple[str, ...]:
    present = {record.speed for record in records} - {""}
    return tuple(s for s in SPEEDS if s in present) + tuple(sorted(present - set(SPEEDS)))


def _place(row: Row) -> tuple[bool, bool, float, str]:
    mean = row.primary.mean
    return (not row.complete, mean is None, 0.0 if mean is None else -mean, row.model)
