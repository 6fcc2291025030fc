"""Scoring a submission's videos again, on another machine: what makes a row *rescored*."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.core.progress import Progress
from magbench.leaderboard.attestation import Attestation, attest, begin
from magbench.leaderboard.submission import Submission, read_submission
from magbench.report.columns import SCORED
from magbench.runs.generation import untimed
from magbench.runs.records import Record, read_parquet
from magbench.scoring.score_clip import Scene, score_records
from magbench.suites.format import Suite
from magbench.video.io import frames_sha256, read_video

TOLERANCE = 2e-3
"""Relative to the larger of 1 and the value: what another processor's rounding may change."""


ONE_SIDED = 1e9
"""The difference of a value and none."""


def rescore(folder: Path, suite: Suite, who: str, date: str, *, progress: Progress) -> Attestation:
    """Score every video of a submission again, compare, and write the attestation into it.

    Raises:
        MagbenchError: another suite, a video that is not there, or one whose frames are not those of the records.
    """
    submission = read_submission(folder)
    if submission.run.digest != suite.digest:
        raise MagbenchError(f"{folder}: is of digest {submission.run.digest[:12]}, {suite.name} is {suite.digest[:12]}")
    begun = begin(submission, "rescored", who, date)
    records = [r for r in read_parquet(submission.records) if r.kind == "model"]
    progress.stage(submission.name, len(submission.videos))
    largest, where, values = 0.0, "", 0
    for clip, sample, made in _rescored(submission, suite, progress):
        old = {_key(r): r.value for r in records if (r.clip, r.sample) == (clip, sample) and r.protocol in SCORED}
        for record in made:
            if _key(record) not in old:
                continue
            values += 1
            apart = _apart(old[_key(record)], record.value)
            if apart > largest:
                largest, where = apart, f"{clip}@{sample} {' '.join(_key(record))}"
    verdict = values > 0 and largest <= TOLERANCE
    found = {"verdict": verdict, "largest": largest, "where": where, "values": values, "tolerance": TOLERANCE}
    return attest(submission, begun, found)


def _rescored(submission: Submission, suite: Suite, progress: Progress) -> Iterator[tuple[str, int, list[Record]]]:
    """(clip, sample, its records made anew), one video after the other."""
    about = submission.about
    for name, entry in sorted(submission.videos.items()):
        clip_id, _, number = name.rpartition("@")
        clip, sample = suite.clip(clip_id), int(number)
        if not entry.path or entry.path.startswith("https://"):
            raise MagbenchError(f"{submission.folder}: the video of {name} is not here ({entry.path or 'hash only'})")
        path = submission.folder / entry.path
        if file_sha256(path) != entry.sha256:
            raise MagbenchError(f"{path}: is not the file that videos.json lists (sha256)")
        frames = read_video(path, clip.fps)
        if len(frames) == len(clip):
            frames = frames[clip.switch :]
        digest = frames_sha256(frames)
        if digest != entry.frames_sha256:
            raise MagbenchError(f"{path}: its frames are not those of the records (sha256 {digest[:12]})")
        generation = untimed(clip, digest, model=about.model, revision=about.revision, sample=sample)
        yield clip.id, sample, score_records(Scene(suite, clip), frames, generation)
        progress.step()


def _key(record: Record) -> tuple[str, str, str]:
    return record.protocol, record.metric, record.region


def _apart(old: float | None, new: float | None) -> float:
    if old is None or new is None:
        return 0.0 if old is new else ONE_SIDED
    return abs(old - new) / max(1.0, abs(new))
