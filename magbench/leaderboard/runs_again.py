"""Somebody else's run of a submitted model: on the same clips (*reproduced*), or on fresh ones (*fresh*).

Records prove arithmetic and videos prove measurement; where videos came from only another run can tell. The truth of a
suite ships, so a slightly degraded truth passes everything but clips that were drawn after it was submitted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from magbench.analysis.clipwise import by_clip
from magbench.analysis.noise_floor import read_noise
from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.leaderboard.attestation import Attestation, attest
from magbench.leaderboard.submission import Submission
from magbench.report.columns import PRIMARY, column_of
from magbench.runs.records import Record, read_parquet
from magbench.stats import compare_paired, compare_unpaired
from magbench.suites.embedded_suite import Embedded
from magbench.suites.format import write_suite

REPEAT = 21
"""Clips after which an embedded suite's kinds of path and speeds begin anew: fresh clips have the suite's own mix."""


def judge_same(submission: Submission, begun: Attestation, again: Sequence[Record]) -> Attestation:
    """Compare a submission with records of the same model and revision that somebody else's run made.

    The verdict is good unless the submitted ordered score is above the other by more than the noise level of the
    submission's run, with an interval above 0.

    Raises:
        MagbenchError: another suite, revision or seeds, or clips that are missing.
    """
    told = _primary(read_parquet(submission.records), submission)
    found, noise = _primary(again, submission), _noise(submission)
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
    chosen: list[int] = []
    for place in range(n):
        for attempt in range(1000):
            text = f"{content} {number} {place} {attempt}"
            index = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % suite.endless
            index = index - index % REPEAT + place % REPEAT
            if taken <= index < suite.endless and index not in chosen:
                chosen.append(index)
                break
    return chosen


def write_fresh(submission: Submission, suite: Embedded, chosen: Sequence[int], folder: Path) -> None:
    """Write the drawn clips as a suite of their own."""
    split = submission.run.split
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
    told = _primary(read_parquet(submission.records), submission)
    found, noise = _primary(again, submission), _noise(submission)
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


def _noise(submission: Submission) -> float:
    """The noise level of the ordered score; 0 where it was not measured."""
    records = [r for r in read_parquet(submission.records) if r.kind == "model" and column_of(r) == PRIMARY]
    return read_noise(submission.folder).level(records) or 0.0


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
