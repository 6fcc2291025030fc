"""A board after a metric was raised: stored videos are scored again, and the board as it was stays, under a tag.

A submission itself never changes: what it was given at first stays ``records.parquet``, and the new scores are a file
beside it, ``renewed/DATE.parquet``, of which the newest one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.core.progress import Progress
from magbench.leaderboard.attestation import Attestation, attest, begin
from magbench.leaderboard.rescore import scored_again
from magbench.leaderboard.submission import RENEWED, Submission, read_submission
from magbench.leaderboard.submit import NO_FRAMES
from magbench.report.columns import SCORED, specs
from magbench.runs.records import Record, read_parquet, write_parquet
from magbench.suites.format import Suite


def is_outdated(submission: Submission) -> bool:
    """Whether a score of its model is of another version than what scores today."""
    return bool(_outdated(read_parquet(submission.records, "model")))


def renew(
    folder: Path, suite: Suite, own: Sequence[Record], who: str, date: str, *, run: Path | None, progress: Progress
) -> Attestation:
    """Score every video of a submission by today's metrics, and write the records and an attestation into it.

    Args:
        own: the references' records of a run that the board trusts, by today's metrics.
        run: a run's folder that has the videos which the submission does not carry.

    Raises:
        MagbenchError: another suite, a video that is not there, no references of today, or it was renewed on this day.
    """
    submission = read_submission(folder)
    references = [r for r in own if r.suite_digest == submission.run.digest and r.protocol in SCORED]
    if not references:
        raise MagbenchError(f"{folder}: the board has no run of digest {submission.run.digest[:12]}; see --references")
    if old := _outdated(references):
        raise MagbenchError(f"{folder}: the board's own references are of older metrics too ({old}); run them again")
    target = folder / RENEWED / f"{date}.parquet"
    if target.exists():
        raise MagbenchError(f"{target}: is there already")
    begin(submission, "rescored", who, date)  # a wrong name or date is said before hours of work
    others = [r for r in read_parquet(submission.records, "model") if r.protocol not in SCORED]
    made = [
        record
        for _, _, found in scored_again(submission, suite, run, progress)
        for record in found
        if record.protocol in SCORED
    ]
    target.parent.mkdir(exist_ok=True)
    write_parquet(target, [*made, *others, *(r.model_copy(update=NO_FRAMES) for r in references)])
    found = {"verdict": True, "values": len(made)}
    return attest(submission, begin(submission, "rescored", who, date), found)


def _outdated(records: Sequence[Record]) -> str:
    """The first score of another version than today's, "" where there is none."""
    known = specs()
    for record in records:
        spec = known.get((record.protocol, record.metric))
        if record.protocol not in SCORED or spec is None:
            continue
        if (record.protocol_version, record.metric_version) != (spec.protocol_version, spec.version):
            return f"{record.protocol} {record.metric}"
    return ""
