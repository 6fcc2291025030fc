"""What VBench said of a run, on disk: values, and why there are none."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from magbench.core.files import write_atomic
from magbench.core.parsing import read_object
from magbench.runs.folder import RunFolder
from magbench.runs.records import Record, read_records, write_records

PROTOCOL = "vbench"

Return = tuple[str, str, int, str, str]
"""One return: model, clip, sample, revision, sha256 of its frames."""


@dataclass(frozen=True)
class NotAvailable:
    """A dimension that some return has no value of, and why."""

    dimension: str
    reason: str

    def __str__(self) -> str:
        return f"{self.dimension}: not available: {self.reason}"


def return_of(record: Record) -> Return:
    """The return that a record is about."""
    return record.model, record.clip, record.sample, record.revision, record.generation_sha256


def read(out: Path) -> list[Record]:
    """All VBench records of a run, those of returns that have changed since included."""
    path = RunFolder(out).vbench_records
    return read_records(path) if path.exists() else []


def current(out: Path, there: Collection[Return]) -> list[Record]:
    """The VBench records of the very returns that are ``there``; those of earlier ones are left out."""
    return [record for record in read(out) if return_of(record) in there]


def reasons(out: Path) -> list[NotAvailable]:
    """What had no value when it was last tried."""
    path = RunFolder(out).vbench_reasons
    if not path.exists():
        return []
    return [NotAvailable(dimension, str(reason)) for dimension, reason in read_object(path).items()]


def write(out: Path, records: Iterable[Record], dimension: str, reason: str | None) -> None:
    """Save all records; keep why ``dimension`` has no value, or forget it once it has."""
    write_records(RunFolder(out).vbench_records, records)
    found = {one.dimension: one.reason for one in reasons(out) if one.dimension != dimension}
    if reason:
        found[dimension] = reason
    write_atomic(RunFolder(out).vbench_reasons, json.dumps(found, indent=2) + "\n")
