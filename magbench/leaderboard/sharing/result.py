"""The result of one submission, as it stands on its board: what may be said of it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.hub.client import connected
from magbench.leaderboard.attestation import Attestation
from magbench.leaderboard.build import BuiltBoard, rows_of
from magbench.leaderboard.sharing.layout import name_of
from magbench.leaderboard.submission import Submission
from magbench.report.columns import PRIMARY


@dataclass(frozen=True)
class Result:
    """A submission's ordered score over the frames that a window has forgotten.

    Attributes:
        submission: whose it is.
        board: SUITE-vN-SPLIT-DIGEST12.
        repository: ORG/NAME of the board's data set on the hub.
        trust: what the row claims, one of :data:`~magbench.leaderboard.build.RANKED`.
        score: mean over clips, from 0 to 1; ``low`` and ``high``: its 95 % interval; ``n``: clips.
        attestations: what others found.
    """

    submission: Submission
    board: str
    repository: str
    trust: str
    score: float
    low: float
    high: float
    n: int
    attestations: tuple[Attestation, ...]

    @property
    def address(self) -> str:
        """Where the submission is on the hub."""
        place = f"tree/main/submissions/{name_of(self.submission.folder)}"
        return f"{connected().endpoint}/datasets/{self.repository}/{place}"

    @property
    def notes(self) -> str:
        """What a table elsewhere has no column for, on one line. No rank: others change it."""
        found = ", ".join(f"{one.kind} by {one.who} on {one.date}" for one in self.attestations)
        return (
            f"ordered score over the frames that a window has forgotten, 0 to 1, higher is better; 95 % interval "
            f"[{self.low:.4f}, {self.high:.4f}], n = {self.n} clips; {found}"
        )


def result_of(folder: Path, boards: Sequence[BuiltBoard], repository: str) -> Result:
    """The result of the submission in ``folder``.

    Raises:
        MagbenchError: it is on none of the boards, or nobody has scored it again.
    """
    board_name, _, name = name_of(folder).partition("/")
    board = next((board for board in boards if board.name == board_name), None)
    entry = next((e for e in board.entries if e.submission.name == name), None) if board else None
    if board is None or entry is None:
        raise MagbenchError(f"{folder}: is on none of the boards of {folder.resolve().parents[2]}")
    if not entry.counts:
        standing = entry.trust if entry.submission.notice is None else entry.submission.notice.status
        raise MagbenchError(
            f"{folder}: is {standing}; told elsewhere is what somebody has scored again, while it stands"
        )
    row = next(row for row in rows_of(board) if row.get("submission") == name)
    cell = row["cells"][PRIMARY.key]
    if cell["low"] is None or cell["high"] is None:
        raise MagbenchError(f"{folder}: has no interval, of {cell['n']} clips")
    return Result(
        submission=entry.submission,
        board=board.name,
        repository=repository,
        trust=entry.trust,
        score=cell["mean"],
        low=cell["low"],
        high=cell["high"],
        n=cell["n"],
        attestations=entry.attestations,
    )
