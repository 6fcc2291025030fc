"""Every record of a run: what `magbench score` wrote, what was measured beside it, and what follows from both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from magbench.analysis.history_effect import read_effects
from magbench.analysis.regions import in_window
from magbench.analysis.retention import CEILINGS, FLOOR, PROTOCOL, ends_of, retained, retention
from magbench.core.errors import MagbenchError
from magbench.runs.folder import RunFolder
from magbench.runs.records import Record, models_of, read_parquet, read_records
from magbench.vbench.store import Return, current, return_of

PUBLISHED = "@published"
"""What follows the name of a model whose scores were in the folder before: not made here."""


def in_parts(out: Path, models: Collection[str] = (), *, digest: str = "") -> Iterator[list[Record]]:
    """Every record of a run's folder, those of one generation after the other, so that never all are in memory.

    Each part has what `magbench score` wrote, then frames in the window and retention. History effects, VBench, and
    what the folder held before follow, in parts of their own.

    Args:
        models: where given, the only models and references whose scores are read.
        digest: where given, scores of another suite are an error.

    Raises:
        MagbenchError: a file cannot be read.
    """
    folder = RunFolder(out)
    files = folder.score_files()
    ends = ends_of(read_records(file) for file in files if file.parent.name in (FLOOR, *CEILINGS))
    there: set[Return] = set()
    for file in files:
        if not models or file.parent.name in models:
            scores = read_records(file)
            _check_suite(file, scores, digest)
            there.update(map(return_of, scores))
            yield [*scores, *in_window(scores), *retained(scores, ends)]
    yield read_effects(out)
    yield current(out, there)
    yield from published(out)


def _check_suite(file: Path, scores: Sequence[Record], digest: str) -> None:
    for record in scores:
        if digest and record.suite_digest != digest:
            there = record.suite_digest[:12]
            raise MagbenchError(f"{file}: was scored on {record.suite} {there}, not on {digest[:12]}")


def read_folder(out: Path, model: str = "") -> list[Record]:
    """The records of a run's folder, or of a published one, which holds them in one file.

    model: where given, only its records are returned, and others are not read where that saves time.
    """
    folder = RunFolder(out)
    if folder.score_files():
        found = in_parts(out, {model} if model else ())
        return [record for part in found for record in part if not model or record.model == model]
    if not folder.records.is_file():
        raise MagbenchError(f"{out}: holds neither scores nor {folder.records.name}; `magbench run` makes them")
    records = read_parquet(folder.records, model=model)
    known = any(record.protocol == PROTOCOL for record in records)
    if model and not known:
        records = read_parquet(folder.records)
    made = [*records, *in_window(records), *([] if known else retention(records))]
    return [record for record in made if not model or record.model == model]


def published(out: Path) -> Iterator[list[Record]]:
    """The records that the folder held as a published one before the run, a part a model, each marked ``@published``.

    References are the same numbers again where the run has its own, and are left out then.
    """
    folder = RunFolder(out).published
    if not folder.records.is_file():
        return
    own = set(RunFolder(out).scored_models())
    for model, kind in models_of(folder.records).items():
        if kind == "model":
            marked = {"model": f"{model}{PUBLISHED}"}
            yield [record.model_copy(update=marked) for record in read_folder(folder.path, model)]
        elif model not in own:
            yield read_folder(folder.path, model)


def models_in(out: Path) -> set[str]:
    """The models and references that a run's folder has scores of."""
    own = {file.parent.name for file in RunFolder(out).score_files()}
    return own | {record.model for part in (published(out) if own else [read_folder(out)]) for record in part}
