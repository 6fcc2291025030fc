"""What a submission is held against: a run of the board's own, and the submissions that were there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from magbench.leaderboard.identities import FoundFault
from magbench.leaderboard.scored import BETWEEN, Scored, place_of
from magbench.leaderboard.submission import Submission
from magbench.runs.records import Record, read_parquet

SAME = 2e-3
"""Relative: by how much references may differ from the board's own; processors round differently."""


@dataclass(frozen=True)
class Board:
    """What a submission is held against.

    Attributes:
        tasks: every (clip, sample) that a submission must have.
        references: place of a record of a reference -> value, of the board's own run.
        hashes: sha256 of frames -> whose they are: references, and other submissions.
    """

    tasks: frozenset[tuple[str, int]]
    references: Mapping[str, float | None]
    hashes: Mapping[str, str]

    @classmethod
    def of(cls, own: Sequence[Record]) -> Board:
        """From the references' records of a run that the board trusts; others are not looked at."""
        references = [record for record in own if record.kind == "reference"]
        return cls(
            frozenset((r.clip, r.sample) for r in references),
            {place_of(record): record.value for record in references},
            {r.generation_sha256: f"reference {r.model}" for r in references},
        )


def read_references(runs: Iterable[Path]) -> list[Record]:
    """Read the references' records of ``records.parquet`` files."""
    return [record for path in runs for record in read_parquet(path, "reference")]


def against_references(scored: Scored, board: Board) -> Iterator[FoundFault]:
    """The submission's references are the board's own: then its suite and its scoring are."""
    kinds, values = (scored.facts.column(field).to_pylist() for field in ("kind", "value"))
    rows = zip(scored.places, kinds, values, strict=True)
    theirs = {place: value for place, kind, value in rows if kind == "reference"}
    if not theirs:
        yield FoundFault("error", "records.parquet", "holds no reference: its scoring cannot be compared")
        return
    shared = theirs.keys() & board.references.keys()
    if not any(place.startswith(f"oracle{BETWEEN}") for place in shared):
        yield FoundFault("error", "records.parquet", "holds no record of the oracle")
    if other := sorted(place for place in shared if _apart(board.references[place], theirs[place])):
        ours, there = board.references[other[0]], theirs[other[0]]
        name = other[0].replace(BETWEEN, " ")
        yield FoundFault("error", "records.parquet", f"reference {name} is {there}, the board's is {ours}")


def _apart(ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None or ours == theirs:
        return ours != theirs
    return abs(ours - theirs) > SAME * max(1.0, abs(ours))


def originality(submission: Submission, records: Sequence[Record], board: Board) -> Iterator[FoundFault]:
    """Whether a video is somebody else's, or the truth."""
    for record in records:
        if owner := board.hashes.get(record.generation_sha256):
            yield FoundFault("error", "records.parquet", f"{record.clip}@{record.sample} has the frames of {owner}")
            return
    hashes = [entry.frames_sha256 for entry in submission.videos.values()]
    if len(set(hashes)) < len(hashes):
        yield FoundFault("warning", "videos.json", "some clips have the same frames")
