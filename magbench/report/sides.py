"""The two sides of a comparison: a model of a run each, opened from folders and checked to be comparable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from magbench.analysis.noise_floor import Panel, read_noise
from magbench.analysis.sources import models_in, read_folder
from magbench.core.errors import MagbenchError, unknown
from magbench.report.columns import Column, column_of, in_order
from magbench.runs.folder import RunFolder
from magbench.runs.records import Record


@dataclass(frozen=True)
class Side:
    """One model's records by column, and what its run knows of noise. ``label`` is how it was asked for."""

    label: str
    scores: Mapping[Column, Sequence[Record]]
    noise: Mapping[Column, float]

    @property
    def records(self) -> list[Record]:
        return [record for records in self.scores.values() for record in records]


def side_of(label: str, records: Iterable[Record], panel: Panel) -> Side:
    """One model from its records, the main table's columns first."""
    scores: dict[Column, list[Record]] = defaultdict(list)
    for record in records:
        if not record.disturbed:
            scores[column_of(record)].append(record)
    levels = {column: panel.level(found) for column, found in scores.items()}
    noise = {column: level for column, level in levels.items() if level is not None}
    return Side(label, {column: scores[column] for column in in_order(scores)}, noise)


def open_sides(a: str, b: str, run: Path) -> tuple[Side, Side]:
    """Two models of the folder ``run``, or of two folders: ``DIR`` if it holds one model, else ``DIR:MODEL``."""
    sides = _open(a, run), _open(b, run)
    _check_same(*sides)
    return sides


def _open(text: str, run: Path) -> Side:
    folder, _, model = text.partition(":")
    if _is_run(Path(folder)):
        return _side(text, Path(folder), model)
    if _is_run(Path(text)):
        return _side(text, Path(text), "")
    return _side(text, run, text)


def _is_run(folder: Path) -> bool:
    return RunFolder(folder).is_run()


def _side(label: str, folder: Path, model: str) -> Side:
    records = read_folder(folder, model)
    kinds = {record.model: record.kind for record in records}
    if not model:
        models = sorted(name for name, kind in kinds.items() if kind == "model")
        if len(models) != 1:
            raise MagbenchError(f"{folder}: holds {', '.join(models) or 'no model'}; write {folder}:MODEL")
        (model,) = models
    if model not in kinds:
        raise unknown(f"model in {folder}", model, models_in(folder))
    return side_of(label, (record for record in records if record.model == model), read_noise(folder))


def _check_same(a: Side, b: Side) -> None:
    """Refuse what cannot be paired: other suites, clips, seeds or versions of a score."""
    records = a.records, b.records
    one, other = records[0][0], records[1][0]
    if one.suite_digest != other.suite_digest:
        raise MagbenchError(
            f"{a.label} was scored on {one.suite} {one.suite_digest[:12]}, {b.label} on"
            f" {other.suite} {other.suite_digest[:12]}"
        )
    seeds = [{(r.clip, r.sample): r.seed for r in found} for found in records]
    if alone := sorted(seeds[0].keys() ^ seeds[1].keys()):
        clip, sample = alone[0]
        label = b.label if alone[0] in seeds[0] else a.label
        raise MagbenchError(f"{label} lacks clip {clip}, sample {sample}; {len(alone)} are not on both sides")
    for (clip, sample), seed in seeds[0].items():
        if seeds[1][clip, sample] != seed:
            raise MagbenchError(f"clip {clip}, sample {sample}: seed {seed} in {a.label}, another in {b.label}")
    versions = [{(r.protocol, r.metric): (r.protocol_version, r.metric_version) for r in found} for found in records]
    for (protocol, metric), version in versions[0].items():
        if versions[1].get((protocol, metric), version) != version:
            raise MagbenchError(f"{protocol} {metric} has other versions in {a.label} and {b.label}; score both again")
