"""From submissions to boards: one for each suite, version, split and content; what differs is another board."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from magbench.analysis.noise_floor import read_noise
from magbench.analysis.regions import in_window
from magbench.analysis.retention import retention
from magbench.core.errors import MagbenchError
from magbench.leaderboard.check import Checked, check_all
from magbench.leaderboard.identities import FoundFault
from magbench.leaderboard.rescore import read_attestations
from magbench.leaderboard.submission import Submission, board_name, find_submissions
from magbench.report.columns import PRIMARY, column_of
from magbench.report.grids import heading, main_columns
from magbench.report.tables import Row, Table, build_table
from magbench.runs.folder import Run
from magbench.runs.records import Record

Trust = Literal["rescored", "reported", "quarantined"]


@dataclass(frozen=True)
class Entry:
    """A submission on a board. ``faults``: what the validator said; ``records``: the model's own."""

    submission: Submission
    label: str
    trust: Trust
    faults: tuple[FoundFault, ...]
    records: tuple[Record, ...]


@dataclass(frozen=True)
class BuiltBoard:
    """One board.

    Attributes:
        name: SUITE-vN-SPLIT-DIGEST12.
        run: what its submissions are runs of.
        entries: in order of label.
        ranked: rows that somebody else has scored again, best first; only these have ranks.
        others: rows of reported submissions, without ranks.
        references: records of the board's own references.
    """

    name: str
    run: Run
    entries: tuple[Entry, ...]
    ranked: Table
    others: Table
    references: tuple[Record, ...] = ()


def build(root: Path, own: Sequence[Record], left_out: Callable[[str], None] = lambda line: None) -> list[BuiltBoard]:
    """Every board of the submissions below ``root``, in order of name.

    Depends on the files alone: the same submissions give the same boards anywhere, on any day.

    Args:
        own: records of runs that the board trusts, one of each suite; their references are what submissions are held
            against, and stand in the table. A submission's own references are only compared with them.
        left_out: told of each submission that cannot be read or has no such run, in one line; the others go on.

    Raises:
        MagbenchError: there is no submission, or none that can be used.
    """
    folders = find_submissions(root)
    if not folders:
        raise MagbenchError(f"{root}: holds no submission (submission.yaml)")
    groups: dict[str, list[Checked]] = defaultdict(list)
    known = {record.suite_digest for record in own}
    for checked in check_all(folders, own):
        if checked.submission is None:
            left_out(checked.faults[0].what)
        elif checked.submission.run.digest not in known:
            left_out(
                f"{checked.folder}: the board has no run of {board_name(checked.submission.run)}; see --references"
            )
        else:
            groups[board_name(checked.submission.run)].append(checked)
    if not groups:
        raise MagbenchError(f"{root}: holds no submission that can be used")
    return [_board(name, found, own) for name, found in sorted(groups.items())]


def _board(name: str, submissions: Sequence[Checked], own: Sequence[Record]) -> BuiltBoard:
    entries: list[Entry] = []
    taken = Counter(checked.submission.about.model for checked in submissions if checked.submission)
    for checked in sorted(submissions, key=lambda one: one.folder):
        assert checked.submission is not None
        about = checked.submission.about
        label = about.model if taken[about.model] == 1 else f"{about.model} {checked.folder.name}"
        mine = tuple(r.model_copy(update={"model": label}) for r in checked.records if r.kind == "model")
        entries.append(Entry(checked.submission, label, _trust(checked), checked.faults, mine))
    run = entries[0].submission.run
    references = [r for r in own if r.kind == "reference" and r.suite_digest == run.digest]
    noise = _noise(entries)
    ranked, others = (
        _table([entry for entry in entries if entry.trust == trust], references, noise)
        for trust in ("rescored", "reported")
    )
    return BuiltBoard(name, run, tuple(entries), ranked, others, tuple(references))


def _trust(checked: Checked) -> Trust:
    if not checked.passes or checked.submission is None:
        return "quarantined"
    found = read_attestations(checked.submission)
    if any(not attestation.verdict for attestation in found):
        return "quarantined"
    return "rescored" if found else "reported"


def _table(entries: Sequence[Entry], references: Sequence[Record], noise: float | None) -> Table:
    records = [*references, *(record for entry in entries for record in entry.records)]
    tasks = sorted({(r.clip, r.sample) for r in records})
    return build_table([*records, *in_window(records), *retention(records)], tasks, noise)


def _noise(entries: Sequence[Entry]) -> float | None:
    levels = []
    for entry in entries:
        primary = [record for record in entry.records if column_of(record) == PRIMARY]
        level = read_noise(entry.submission.folder).level(primary)
        if level is not None:
            levels.append(level)
    return max(levels, default=None)


def rows_of(board: BuiltBoard) -> list[dict[str, Any]]:
    """A row a submission or reference as plain data, for the page: ranked first, then reported, then the rest."""
    by_label = {entry.label: entry for entry in board.entries}
    rows = []
    for table, trust in ((board.ranked, "rescored"), (board.others, "reported")):
        for row in table.rows:
            if row.is_model:
                rows.append(_row(row, table, by_label[row.model], trust))
    for row in board.ranked.rows:
        if not row.is_model:
            rows.append(_row(row, board.ranked, None, "reference"))
    for entry in board.entries:
        if entry.trust == "quarantined":
            rows.append({"model": entry.label, "trust": "quarantined", "faults": [str(f) for f in entry.faults[:5]]})
    return rows


def _row(row: Row, table: Table, entry: Entry | None, trust: str) -> dict[str, Any]:
    bounds = table.ranking.bounds(row.model) if row.rank is not None else None
    cells = {}
    for column in main_columns(table):
        cell = row.cell(column)
        cells[column.key] = {"mean": cell.mean, "low": cell.low, "high": cell.high, "n": cell.n}
    found: dict[str, Any] = {
        "model": row.model,
        "trust": trust,
        "rank": row.rank if trust == "rescored" else None,
        "bounds": bounds if trust == "rescored" else None,
        "complete": row.complete,
        "cells": cells,
    }
    if entry is not None:
        about = entry.submission.about
        found |= {
            "submission": entry.submission.name,
            "family": about.family,
            "policy": about.policy,
            "submitter": about.submitter,
            "relationship": about.relationship,
            "licence": about.licence,
            "training_data": about.training_data,
            "date": about.date,
            "revision": about.revision,
            "machine": about.machine,
            "command": about.command,
            "weights": about.weights.url,
            "code": about.code.url,
            "warnings": [str(fault) for fault in entry.faults],
        }
    return found


def headings(board: BuiltBoard) -> list[tuple[str, str, str, str]]:
    """(key, heading, unit, better) of each column of scores."""
    table = board.ranked if board.ranked.rows else board.others
    return [(column.key, heading(column), column.unit, column.better) for column in main_columns(table)]
