"""What a table needs of the records of a run, or of a published file of them, looked at a few rows at a time.

Of a row stay 28 bytes: which words it has, its sample and its value. Frames are not read. What is read is checked as a
:class:`magbench.runs.records.Record` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from magbench.analysis.clipwise import Clips, ClipValues
from magbench.analysis.noise_floor import Named
from magbench.analysis.retention import FLOOR
from magbench.analysis.retention import PROTOCOL as RETENTION
from magbench.core.errors import MagbenchError
from magbench.report.columns import BLOCK, FIRST, PRIMARY, Column
from magbench.report.tables import Scores, Task, only
from magbench.report.timings import Timings, comparable
from magbench.runs.records import Record, Region, batches, schema
from magbench.scoring.costs import COST, TIMES

if TYPE_CHECKING:
    import pyarrow as pa

GROUPS = {
    "about": ("model", "kind", "revision", "conversions"),
    "score": ("protocol", "metric", "region", "unit", "better", "protocol_version", "metric_version"),
    "clip": ("clip", "speed"),
    "place": ("device", "machine", "disturbed"),
}
"""Fields whose words occur together: of each combination a row keeps the number."""
FIELDS = (*chain.from_iterable(GROUPS.values()), "sample", "n", "value")
MAY_LACK = ("device", "machine", "disturbed", "value")
KNOWN = {"region": get_args(Region), "kind": ("model", "reference"), "better": ("higher", "lower")}


class _Timing(NamedTuple):
    """A row, and where its timing was taken."""

    row: int
    value: float
    device: str | None
    machine: str | None
    disturbed: bool | None


@dataclass
class _Words:
    """Combinations of words, each with a number of its own."""

    found: list[tuple[Any, ...]] = field(default_factory=list)
    numbers: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def number(self, words: tuple[Any, ...]) -> int:
        if words not in self.numbers:
            self.numbers[words] = len(self.found)
            self.found.append(words)
        return self.numbers[words]


@dataclass(frozen=True)
class Streamed:
    """What :func:`magbench.report.tables.table_of` needs of records.

    Attributes:
        tasks: every (clip, sample) that any row has.
        primary: what the primary score is, with its versions; several where rows differ.
        derived: whether frames in the window and retention are among the rows, as reports write them.
    """

    scores: list[Scores]
    tasks: set[Task]
    primary: set[Named]
    derived: bool


class _Table:
    """All rows, a number for each group of words."""

    def __init__(self, path: Path, parts: Iterable[pa.RecordBatch]) -> None:
        import pyarrow as pa

        self.path = path
        self.words = {name: _Words() for name in GROUPS}
        self.parts: dict[str, list[NDArray[Any]]] = {name: [np.zeros(0, np.int32)] for name in (*GROUPS, "sample")}
        self.parts["value"] = [np.zeros(0)]
        self.rows = 0
        for batch in parts:
            try:
                self._add(batch)
            except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:  # words that are no UTF-8, say
                reason = " ".join(str(error).split())[:200]
                raise MagbenchError(f"{path}: row {self.rows + 1} or later cannot be read ({reason})") from error
        self.columns = {name: np.concatenate(self.parts.pop(name)) for name in tuple(self.parts)}

    def _add(self, batch: pa.RecordBatch) -> None:
        columns = {name: self._column(batch, name) for name in FIELDS}
        value = columns["value"].to_numpy(zero_copy_only=False)
        n, sample = (columns[name].to_numpy() for name in ("n", "sample"))
        known = columns["value"].is_valid().to_numpy(zero_copy_only=False)
        self._refuse(known & ~np.isfinite(value), "value is not finite")
        self._refuse(known != (n > 0), "value and n do not fit")
        self._refuse((n < 0) | (sample < 0) | (sample >= 2**31), "n or sample is out of range")
        for name, fields in GROUPS.items():
            self.parts[name].append(self._numbers(name, [columns[one] for one in fields]))
        self.parts["value"].append(value)
        self.parts["sample"].append(sample.astype(np.int32))
        self.rows += len(value)

    def _column(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        import pyarrow as pa

        wanted = schema().field(name).type
        if name not in batch.schema.names:
            return pa.repeat(pa.scalar(Record.model_fields[name].default, wanted), batch.num_rows)
        column = batch.column(name)
        if column.type == pa.null() and name in MAY_LACK:
            return column.cast(wanted)
        if column.type != wanted or (column.null_count and name not in MAY_LACK):
            raise MagbenchError(
                f"{self.path}: column {name} is {column.type} with {column.null_count} gaps, not {wanted}"
            )
        return column

    def _refuse(self, wrong: NDArray[np.bool_], what: str) -> None:
        if wrong.any():
            raise MagbenchError(f"{self.path}: row {self.rows + int(wrong.argmax()) + 1}: {what}")

    def _numbers(self, name: str, columns: Sequence[pa.Array]) -> NDArray[np.int32]:
        """(rows,) the number of each row's words."""
        encoded = [column.dictionary_encode("encode") for column in columns]
        combined = np.zeros(len(columns[0]), np.int64)
        for one in encoded:
            combined = combined * len(one.dictionary) + one.indices.to_numpy()
            _, first, combined = np.unique(combined, return_index=True, return_inverse=True)
        words = [[one.dictionary[code].as_py() for code in one.indices.to_numpy()[first].tolist()] for one in encoded]
        for fact, said in zip(GROUPS[name], words, strict=True):
            if odd := set(said) - set(KNOWN.get(fact, said)):
                raise MagbenchError(f"{self.path}: {fact} '{str(odd.pop())[:60]}' is unknown")
        return np.array([self.words[name].number(each) for each in zip(*words, strict=True)], np.int32)[combined]


def stream(path: Path) -> Streamed:
    """Read a published file of records; errors are those of :func:`gather`, or that it cannot be read."""
    return gather(path, batches(path, FIELDS))


def gather(path: Path, parts: Iterable[pa.RecordBatch]) -> Streamed:
    """Look at records as they pass; ``path`` is the file that they are in, or will be.

    Raises:
        MagbenchError: a row is not what it should be, or a model is of several revisions.
    """
    table = _Table(path, parts)
    scores = [Column(*words[:5]) for words in table.words["score"].found]
    models = [words[0] for words in table.words["about"].found]
    regions, protocols = {column.region for column in scores}, {column.protocol for column in scores}
    built = _Built(table, scores)
    return Streamed(
        scores=[built.scores(model, rows) for model, rows in _groups(models, table.columns["about"])],
        tasks=set().union(*(built.task_sets.values())),
        primary={
            (words[0], words[5], words[1], words[6], words[2])
            for words, column in zip(table.words["score"].found, scores, strict=True)
            if column == PRIMARY
        },
        derived="in_window" in regions and (RETENTION in protocols or FLOOR not in models),
    )


def _groups(labels: Sequence[Any], codes: NDArray[np.int32]) -> Iterator[tuple[Any, NDArray[np.int64]]]:
    """Each label and the rows that have it, by their first row; ``labels``: what each code stands for."""
    distinct = list(dict.fromkeys(labels))
    merged = np.array([distinct.index(label) for label in labels], np.int32)[codes]
    order = np.argsort(merged, kind="stable")
    starts = np.searchsorted(merged[order], np.arange(len(distinct) + 1))
    there = [i for i in range(len(distinct)) if starts[i] < starts[i + 1]]
    for i in sorted(there, key=lambda i: int(order[starts[i]])):
        yield distinct[i], order[starts[i] : starts[i + 1]]


class _Built:
    """Makes the scores of one model after the other; what they have in common is shared."""

    def __init__(self, table: _Table, columns: Sequence[Column]) -> None:
        self.table, self.columns = table, columns
        self.task_sets: dict[bytes, frozenset[Task]] = {}
        self._clips: dict[bytes, Clips] = {}
        names = np.array([clip for clip, _ in table.words["clip"].found], object)
        self._names, self._places = np.unique(names, return_inverse=True)

    def scores(self, model: str, rows: NDArray[np.int64]) -> Scores:
        """What :meth:`magbench.report.tables.Scores.of` gives of the records of these rows."""
        about = [self.table.words["about"].found[code] for code in np.unique(self._of("about", rows)).tolist()]
        kind, revision = only(model, ((words[1], words[2]) for words in about))
        shown = [self.table.words["clip"].found[code] for code in dict.fromkeys(self._of("clip", rows).tolist())]
        found = {column: rows[inside] for column, inside in _groups(self.columns, self._of("score", rows))}
        timed = {column: self._timings(own) for column, own in found.items() if _is_timing(column)}
        kept = {column: timed[column][0] if column in timed else own for column, own in found.items()}
        return Scores(
            model,
            kind,
            revision,
            tuple(found),
            {column.key: self._by_clip(own) for column, own in kept.items()},
            {column.key: self._tasks(own) for column, own in found.items()},
            dict(shown),
            tuple(sorted({words[3] for words in about} - {""})),
            next((timed[column][1] for column in (BLOCK, FIRST) if column in timed and timed[column][1].n), Timings()),
        )

    def _of(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        return self.table.columns[name][rows]

    def _timings(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], Timings]:
        """The rows whose timings may be averaged."""
        places = [self.table.words["place"].found[code] for code in self._of("place", rows).tolist()]
        values = self._of("value", rows).tolist()
        every = [_Timing(*each, *place) for *each, place in zip(rows.tolist(), values, places, strict=True)]
        shown, about = comparable([timing for timing in every if timing.value == timing.value])  # NaN: no value
        return np.array([timing.row for timing in shown], np.int64), about

    def _by_clip(self, rows: NDArray[np.int64]) -> ClipValues:
        """What :func:`magbench.analysis.clipwise.by_clip` gives."""
        rows = rows[~np.isnan(self._of("value", rows))]
        own = self._places[self._of("clip", rows)]
        order = np.argsort(own, kind="stable")
        there, starts = np.unique(own[order], return_index=True)
        values = self._of("value", rows)[order]
        if len(there) < len(values):
            parts = np.split(values, starts[1:])
            values = np.array([sum(part.tolist()) / len(part) for part in parts])
        key = sha256(there.tobytes()).digest()
        if key not in self._clips:
            self._clips[key] = Clips(tuple(self._names[there].tolist()))
        return ClipValues(self._clips[key], values)

    def _tasks(self, rows: NDArray[np.int64]) -> frozenset[Task]:
        clips, samples = self._of("clip", rows), self._of("sample", rows)
        key = sha256(clips.tobytes() + samples.tobytes()).digest()
        if key not in self.task_sets:
            names = [self.table.words["clip"].found[code][0] for code in clips.tolist()]
            self.task_sets[key] = frozenset(zip(names, samples.tolist(), strict=True))
        return self.task_sets[key]


def _is_timing(column: Column) -> bool:
    return column.protocol == COST and column.metric in TIMES
