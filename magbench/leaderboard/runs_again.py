"""Somebody else's run of a submitted model: on the same clips (*reproduced*), or on fresh ones (*fresh*).

Records prove arithmetic and videos prove measurement; where videos came from only another run can tell. The truth of a
suite ships, so a slightly degraded truth passes everything but clips that were drawn after it was submitted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from magbench.analysis.clipwise import by_clip
from magbench.analysis.noise_floor import read_noise
from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.leaderboard.attestation import Attestation, attest
from magbench.leaderboard.scored import read_scored
from magbench.leaderboard.submission import Submission
from magbench.report.columns import PRIMARY, column_of
from magbench.runs.records import Record
from magbench.stats import compare_paired, compare_unpaired
from magbench.suites.embedded_suite import Embedded
from magbench.suites.format import load_suite, write_suite

REPEAT = 21
"""Clips after which an embedded suite's kinds of path and speeds begin anew: fresh clips have the suite's own mix."""


def judge_same(submission: Submission, begun: Attestation, again: Sequence[Record]) -> Attestation:
    """Compare a submission with records of the same model and revision that somebody else's run made.

    The verdict is good unless the submitted ordered score is above the other by more than the noise level of the
    submission's run, with an interval above 0.

    Raises:
        MagbenchError: another suite, revision or seeds, or clips that are missing.
    """
    mine = read_scored(submission.records).records
    _check_same_tasks(submission, mine, again)
    told, found, noise = _primary(mine, submission), _primary(again, submission), _noise(submission, mine)
    if (lost := sorted(told.keys() - found.keys())) or found.keys() - told.keys():
        raise MagbenchError(f"{submission.folder}: the other run lacks {len(lost)} clips of {len(told)}")
    compared = compare_paired([told[clip] for clip in told], [found[clip] for clip in told])
    low, mean = compared.difference.low, compared.difference.mean
    verdict = not (mean > noise and low is not None and low > 0)
    result = {
        "verdict": verdict,
        "largest": mean,
        "low": low,
        "high": compared.difference.high,
        "values": len(told),
        "tolerance": noise,
    }
    return attest(submission, begun, result)


def draw(submission: Submission, suite: Embedded, number: str, n: int) -> list[int]:
    """Numbers of n clips of a suite's test split that the published split does not have.

    They follow from the submission's content, which was there first, and from a public number that came later, so
    that neither side chose them; fresh clips have the published split's mix of paths and speeds.

    Raises:
        MagbenchError: the suite cannot be continued.
    """
    if not suite.endless:
        raise MagbenchError(f"{suite.name}: has no clips beyond its own, so none can be drawn")
    content = "".join(file_sha256(submission.folder / name) for name in ("records.parquet", "videos.json"))
    taken = suite.counts[submission.run.split]
    free = suite.endless - taken - REPEAT
    if n > free:
        raise MagbenchError(f"{suite.name}: {n} clips cannot be drawn of {max(free, 0)}")
    chosen: list[int] = []
    tries = (f"{content} {number} {attempt}" for attempt in count())
    while len(chosen) < n:
        index = int.from_bytes(hashlib.sha256(next(tries).encode()).digest()[:8], "big") % suite.endless
        index = index - index % REPEAT + len(chosen) % REPEAT
        if taken <= index < suite.endless and index not in chosen:
            chosen.append(index)
    return chosen


def write_fresh(submission: Submission, suite: Embedded, chosen: Sequence[int], folder: Path) -> None:
    """Write the drawn clips as a suite of their own; one that is there already must be of the same clips.

    Raises:
        MagbenchError: it is of others.
    """
    split = submission.run.split
    if folder.exists():
        there = [clip.id for clip in load_suite(folder).clips]
        if there != [suite.clip(split, index).id for index in chosen]:
            raise MagbenchError(f"{folder}: holds other clips than those that are drawn now; give another --out")
        return
    write_suite(
        folder,
        (suite.clip(split, index) for index in chosen),
        name=f"{suite.name}-fresh",
        version=suite.version,
        split=split,
        fps=suite.fps,
        window=suite.window,
        licence=suite.licence,
    )


def judge_fresh(submission: Submission, begun: Attestation, again: Sequence[Record], drawn: str) -> Attestation:
    """Compare a submission with what the same model and revision scored on fresh clips.

    Other clips cannot be paired: the 99 % interval of the difference of two means (Welch, 1947), so that an honest
    model is called worse once in 200 times. The verdict is good unless the submitted score is higher by more than
    the noise level, with an interval above 0.
    """
    mine = read_scored(submission.records).records
    told, found, noise = _primary(mine, submission), _primary(again, submission), _noise(submission, mine)
    difference = compare_unpaired(list(told.values()), list(found.values()), confidence=0.99)
    low = difference.low
    result = {
        "verdict": not (difference.mean > noise and low is not None and low > 0),
        "largest": difference.mean,
        "low": low,
        "high": difference.high,
        "values": len(found),
        "drawn": drawn,
        "tolerance": noise,
    }
    return attest(submission, begun, result)


def _check_same_tasks(submission: Submission, mine: Sequence[Record], again: Sequence[Record]) -> None:
    """Refuse a run of another suite, or with other seeds: it says nothing of the submitted one."""
    digest = submission.run.digest
    if other := sorted({record.suite_digest for record in again} - {digest}):
        raise MagbenchError(f"{submission.folder}: is of suite {digest[:12]}, the other run of {other[0][:12]}")
    seeds = {(record.clip, record.sample): record.seed for record in mine}
    for record in again:
        if seeds.get((record.clip, record.sample), record.seed) != record.seed:
            place = f"{record.clip}@{record.sample}"
            raise MagbenchError(f"{submission.folder}: {place} has another seed in the other run, {record.seed}")


def _noise(submission: Submission, mine: Sequence[Record]) -> float:
    """The noise level of the ordered score; 0 where it was not measured."""
    return read_noise(submission.folder).level([r for r in mine if column_of(r) == PRIMARY]) or 0.0


def _primary(records: Sequence[Record], submission: Submission) -> dict[str, float]:
    """Clip -> ordered score of the submitted model; another revision is refused."""
    mine = [r for r in records if r.model == submission.about.model and column_of(r) == PRIMARY]
    if not mine:
        raise MagbenchError(f"{submission.folder}: there are no scores of '{submission.about.model}' to compare with")
    if others := {r.revision for r in mine} - {submission.about.revision}:
        raise MagbenchError(
            f"{submission.folder}: is of revision '{submission.about.revision}', the run of '{sorted(others)[0]}'"
        )
    return by_clip(mine)
