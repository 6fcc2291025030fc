"""Every record of a run: what `magbench score` wrote, what was measured beside it, and what follows from both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from magbench.analysis.history_effect import read_effects
from magbench.analysis.regions import in_window
from magbench.analysis.retention import CEILINGS, FLOOR, PROTOCOL, retention
from magbench.core.errors import MagbenchError
from magbench.runs.folder import RunFolder
from magbench.runs.records import Record, read_parquet, read_records
from magbench.vbench.store import current

PUBLISHED = "@published"
"""What follows the name of a model whose scores were in the folder before: not made here."""


def with_extras(out: Path, scores: Sequence[Record]) -> list[Record]:
    """The scores of a run, then frames in the window, retention, history effect and VBench, as far as there are any."""
    return [*scores, *in_window(scores), *retention(scores), *read_effects(out), *current(out, scores)]


def read_folder(out: Path, model: str = "") -> list[Record]:
    """The records of a run's folder, or of a published one, which holds them in one file.

    model: where given, only its records and those that its retention needs are read, where that saves time.
    """
    folder = RunFolder(out)
    files = folder.score_files()
    if files:
        needed = {model or file.parent.name for file in files} | {FLOOR, *CEILINGS}
        own = with_extras(out, [r for file in files if file.parent.name in needed for r in read_records(file)])
        return own + [r for r in published(out) if not model or r.model == model]
    if not folder.records.is_file():
        raise MagbenchError(f"{out}: holds neither scores nor {folder.records.name}; `magbench run` makes them")
    records = read_parquet(folder.records, model=model)
    known = any(record.protocol == PROTOCOL for record in records)
    if model and not known:
        records = read_parquet(folder.records)
    return [*records, *in_window(records), *([] if known else retention(records))]


def published(out: Path) -> list[Record]:
    """The records that the folder held as a published one before the run, each model marked ``@published``.

    References are the same numbers again where the run has its own, and are left out then.
    """
    path = RunFolder(out).published.records
    if not path.is_file():
        return []
    own = set(RunFolder(out).scored_models())
    kept = [r for r in read_folder(path.parent) if r.kind == "model" or r.model not in own]
    return [r.model_copy(update={"model": f"{r.model}{PUBLISHED}"}) if r.kind == "model" else r for r in kept]


def models_in(out: Path) -> set[str]:
    """The models and references that a run's folder has scores of."""
    own = {file.parent.name for file in RunFolder(out).score_files()}
    return own | {record.model for record in (published(out) if own else read_folder(out))}
