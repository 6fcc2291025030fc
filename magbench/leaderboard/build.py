"""From submissions to boards: one for each suite, version, split and content; what differs is another board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from magbench.analysis.noise_floor import read_noise
from magbench.analysis.regions import in_window
from magbench.analysis.retention import retention
from magbench.core.errors import MagbenchError
from magbench.leaderboard.check import Board, check
from magbench.leaderboard.identities import FoundFault
from magbench.leaderboard.rescore import read_attestations
from magbench.leaderboard.submission import Submission, board_name, find_submissions, read_submission
from magbench.report.columns import PRIMARY, column_of
from magbench.report.grids import heading, main_columns
from magbench.report.tables import Row, Table, build_table
from magbench.runs.folder import Run
from magbench.runs.records import Record, read_parquet

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
    """

    name: str
    run: Run
    entries: tuple[Entry, ...]
    ranked: Table
    others: Table


def build(root: Path) -> list[BuiltBoard]:
    """Every board of the submissions below ``root``, in order of name.

    Depends on the files alone: the same submissions give the same boards anywhere, on any day.

    Raises:
        MagbenchError: there is no submission, or one cannot be read at all.
    """
    folders = find_submissions(root)
    if not folders:
        raise MagbenchError(f"{root}: holds no submission (submission.yaml)")
    groups: dict[str, list[Submission]] = defaultdict(list)
    for folder in folders:
        submission = read_submission(folder)
        groups[board_name(submission.run)].append(submission)
    return [_board(name, found) for name, found in sorted(groups.items())]


def reference_board(records: Sequence[Record], others: Sequence[Path]) -> Board:
    """What new submissions are held against: the board's own run, and the submissions that are there."""
    named = []
    for folder in others:
        submission = read_submission(folder)
        named.append((submission.name, read_parquet(submission.records)))
    return Board.of(records, named)


def _board(name: str, submissions: Sequence[Submission]) -> BuiltBoard:
    entries: list[Entry] = []
    taken: dict[str, int] = defaultdict(int)
    for submission in submissions:
        taken[submission.about.model] += 1
    hashes: dict[str, str] = {}
    references: list[Record] = []
    for submission in submissions:
        records = read_parquet(submission.records)
        references = references or [r for r in records if r.kind == "reference"]
        board = Board.of(references, ())
        board = Board(board.tasks, board.references, {**board.hashes, **hashes})
        faults = tuple(check(submission.folder, board))
        mine = [r for r in records if r.kind == "model"]
        hashes |= {r.generation_sha256: submission.name for r in mine}
        once = taken[submission.about.model] == 1
        label = submission.about.model if once else f"{submission.about.model} {submission.folder.name}"
        entries.append(
            Entry(
                submission,
                label,
                _trust(submission, faults),
                faults,
                tuple(r.model_copy(update={"model": label}) for r in mine),
            )
        )
    noise = _noise(entries)
    ranked, others = (
        _table([entry for entry in entries if entry.trust == trust], references, noise)
        for trust in ("rescored", "reported")
    )
    return BuiltBoard(name, submissions[0].run, tuple(entries), ranked, others)


def _trust(submission: Submission, faults: Sequence[FoundFault]) -> Trust:
    if any(fault.severity == "error" for fault in faults):
        return "quarantined"
    found = read_attestations(submission)
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
