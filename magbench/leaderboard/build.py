"""From submissions to boards: one for each suite, version, split and content; what differs is another board."""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from magbench.analysis.noise_floor import read_noise
from magbench.analysis.regions import in_window
from magbench.analysis.retention import Ends, ends_of, retained
from magbench.core.errors import MagbenchError
from magbench.leaderboard.attestation import Attestation, read_attestations
from magbench.leaderboard.check import Checked, check_all
from magbench.leaderboard.submission import Submission, board_name, find_submissions
from magbench.report.columns import PRIMARY, column_of
from magbench.report.grids import busy_mark, heading, main_columns
from magbench.report.tables import Row, Scores, Table, table_of
from magbench.runs.folder import Run
from magbench.runs.records import Record

Trust = Literal["fresh", "reproduced", "rescored", "reported", "quarantined"]
RANKED: tuple[Trust, ...] = ("fresh", "reproduced", "rescored")
"""What a row must be worth to have a rank: somebody else has found the same."""


@dataclass(frozen=True)
class Entry:
    """A submission on a board.

    Attributes:
        label: the model, with the submission's folder where there are several of it.
        faults: what the validator said, and why it is not trusted.
        scores: the model's own; None of a quarantined one.
        noise: the level of the ordered score in its run's noise panel, None where it was not measured.
        attestations: what others found.
        variant: there is a newer submission of the same family and policy, so this one has no rank.
    """

    submission: Submission
    label: str
    trust: Trust
    faults: tuple[str, ...]
    scores: Scores | None
    noise: float | None
    attestations: tuple[Attestation, ...] = ()
    variant: bool = False

    @property
    def counts(self) -> bool:
        """Whether it was found again by somebody else, and neither withdrawn nor superseded."""
        return self.trust in RANKED and self.submission.notice is None

    @property
    def kin(self) -> tuple[str, str]:
        """What it shares with its variants."""
        about = self.submission.about
        return about.family or about.model, about.policy


@dataclass(frozen=True)
class BuiltBoard:
    """One board.

    Attributes:
        name: SUITE-vN-SPLIT-DIGEST12.
        run: what its submissions are runs of.
        entries: in order of label.
        ranked: one row a family and policy that somebody else has found again, best first; only these have ranks.
        others: rows of the other submissions, without ranks; quarantined ones are in neither.
        ends: of retention, by the board's own references.
    """

    name: str
    run: Run
    entries: tuple[Entry, ...]
    ranked: Table
    others: Table
    ends: Ends | None = None


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
    groups: dict[str, list[Entry]] = defaultdict(list)
    references = {
        digest: _References.of([r for r in own if r.suite_digest == digest]) for digest in {r.suite_digest for r in own}
    }
    with _no_search_for_cycles():
        for checked in check_all(folders, own):
            if checked.submission is None:
                left_out(checked.faults[0].what)
            elif (board := references.get(checked.submission.run.digest)) is None:
                left_out(
                    f"{checked.folder}: the board has no run of {board_name(checked.submission.run)}; see --references"
                )
            else:
                groups[board_name(checked.submission.run)].append(_entry(checked, checked.submission, board))
    if not groups:
        raise MagbenchError(f"{root}: holds no submission that can be used")
    return [_board(name, found, references[found[0].submission.run.digest]) for name, found in sorted(groups.items())]


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Records have no reference cycles; to look for some in a million of them takes a fifth of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@dataclass(frozen=True)
class _References:
    """The references of a run that the board trusts: their scores, and the two ends of retention."""

    scores: tuple[Scores, ...]
    ends: Ends | None

    @classmethod
    def of(cls, own: Sequence[Record]) -> _References:
        by_model: dict[str, list[Record]] = defaultdict(list)
        for record in own:
            if record.kind == "reference":
                by_model[record.model].append(record)
        ends = ends_of(by_model.values())
        return cls(tuple(_scores(mine, ends) for mine in by_model.values()), ends)


def _scores(records: Sequence[Record], ends: Ends | None) -> Scores:
    return Scores.of([*records, *in_window(records), *retained(records, ends)])


def _entry(checked: Checked, submission: Submission, references: _References) -> Entry:
    """A submission, its records made small."""
    try:
        found = read_attestations(submission)
        damaged = []
    except MagbenchError as error:
        found, damaged = [], [str(error)]
    against = [str(attestation) for attestation in found if not attestation.verdict]
    notice = submission.notice
    if notice is not None and notice.status == "quarantined":
        against.append(f"quarantined by {notice.who} on {notice.date}: {notice.reason}")
    errors = [str(fault) for fault in checked.faults]
    trusted = checked.passes and not against and not damaged and bool(checked.records)
    primary = [record for record in checked.records if column_of(record) == PRIMARY]
    return Entry(
        submission,
        submission.about.model,
        _trust(found) if trusted else "quarantined",
        (*errors, *damaged, *against),
        _scores(checked.records, references.ends) if trusted else None,
        read_noise(submission.folder).level(primary) if trusted else None,
        tuple(found),
    )


def _trust(found: Sequence[Attestation]) -> Trust:
    """The strongest kind of attestation."""
    kinds = {attestation.kind for attestation in found}
    return next((trust for trust in RANKED if trust in kinds), "reported")


def _board(name: str, found: Sequence[Entry], references: _References) -> BuiltBoard:
    taken = Counter(entry.label for entry in found)
    entries: list[Entry] = []
    newest: dict[tuple[str, str], Entry] = {}
    for entry in sorted(found, key=lambda one: (one.submission.about.date, one.submission.folder)):
        if entry.counts:
            newest[entry.kin] = entry
    for entry in sorted(found, key=lambda one: one.submission.folder):
        folder = entry.submission.folder.name
        label = entry.label if taken[entry.label] == 1 else f"{entry.label} {folder}"
        scores = None if entry.scores is None else replace(entry.scores, model=label)
        variant = scores is not None and newest.get(entry.kin, entry) is not entry
        entries.append(replace(entry, label=label, scores=scores, variant=variant))
    levels = [entry.noise for entry in entries if entry.noise is not None]
    noise = max(levels, default=None)
    chosen = [[e for e in entries if (e.counts and not e.variant) is ranked] for ranked in (True, False)]
    tables = (_table([e.scores for e in part if e.scores], references, noise) for part in chosen)
    ranked, others = tables
    return BuiltBoard(name, found[0].submission.run, tuple(entries), ranked, others, references.ends)


def _table(scores: Sequence[Scores], references: _References, noise: float | None) -> Table:
    tasks = {task for found in references.scores for tasks in found.tasks.values() for task in tasks}
    return table_of([*references.scores, *scores], tasks, noise)


def rows_of(board: BuiltBoard) -> list[dict[str, Any]]:
    """A row a submission or reference as plain data, for the page: ranked first, then the others, then references."""
    by_label = {entry.label: entry for entry in board.entries}
    rows = [
        _row(row, table, by_label[row.model])
        for table in (board.ranked, board.others)
        for row in table.rows
        if row.is_model
    ]
    rows += [_row(row, board.ranked, None) for row in board.ranked.rows if not row.is_model]
    for entry in board.entries:
        if entry.trust == "quarantined":
            rows.append({"model": entry.label, "trust": "quarantined", "faults": list(entry.faults[:5])})
    return rows


def _row(row: Row, table: Table, entry: Entry | None) -> dict[str, Any]:
    cells = {}
    for column in main_columns(table):
        cell = row.cell(column)
        cells[column.key] = {"mean": cell.mean, "low": cell.low, "high": cell.high, "n": cell.n}
        if busy_mark(row, column):
            cells[column.key]["disturbed"] = True
    ranked = row.rank is not None and entry is not None and entry.counts and not entry.variant
    found: dict[str, Any] = {
        "model": row.model,
        "trust": "reference" if entry is None else entry.trust,
        "rank": row.rank if ranked else None,
        "bounds": table.ranking.bounds(row.model) if ranked else None,
        "complete": row.complete,
        "cells": cells,
    }
    return found if entry is None else found | _told(entry)


def _told(entry: Entry) -> dict[str, Any]:
    """What a submission says of itself, and what others say of it."""
    about, notice = entry.submission.about, entry.submission.notice
    return {
        "submission": entry.submission.name,
        "variant": entry.variant,
        "status": notice.status if notice else "",
        "superseded_by": notice.superseded_by if notice else "",
        "reason": f"{notice.reason} ({notice.who}, {notice.date})" if notice else "",
        "attestations": [str(attestation) for attestation in entry.attestations],
        "family": about.family,
        "policy": about.policy,
        "submitter": about.submitter,
        "relationship": about.relationship,
        "licence": about.licence,
        "training_data": about.training_data,
        "samples": about.samples,
        "conversions": about.conversions,
        "date": about.date,
        "revision": about.revision,
        "machine": about.machine,
        "command": about.command,
        "weights": about.weights.url,
        "code": about.code.url,
        "warnings": list(entry.faults),
    }


def headings(board: BuiltBoard) -> list[tuple[str, str, str, str]]:
    """(key, heading, unit, better) of each column of scores."""
    table = board.ranked if board.ranked.rows else board.others
    return [(column.key, heading(column), column.unit, column.better) for column in main_columns(table)]
