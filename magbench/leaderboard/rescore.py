"""Scoring a submission's videos again, on another machine: what makes a row *rescored*."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.core.progress import Progress
from magbench.hub.cache import cache_folder
from magbench.hub.place import SCHEME, Place, PlacedFiles
from magbench.leaderboard.attestation import Attestation, attest, begin
from magbench.leaderboard.submission import Submission, read_submission
from magbench.report.columns import SCORED
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation, untimed
from magbench.runs.records import Record, read_parquet
from magbench.scoring.score_clip import Scene, score_records
from magbench.suites.format import Suite
from magbench.video.formats import open_finished
from magbench.video.frames import Stretch
from magbench.video.io import frames_sha256

TOLERANCE = 2e-3
"""Relative to the larger of 1 and the value: what another processor's rounding may change."""


ONE_SIDED = 1e9
"""The difference of a value and none."""


def rescore(
    folder: Path, suite: Suite, who: str, date: str, *, run: Path | None = None, progress: Progress
) -> Attestation:
    """Score every video of a submission again, compare, and write the attestation into it.

    Args:
        run: a run's folder that has the videos which the submission does not carry.

    Raises:
        MagbenchError: another suite, a video that is not there, or one whose frames are not those of the records.
    """
    submission = read_submission(folder)
    begun = begin(submission, "rescored", who, date)
    records = read_parquet(submission.records, "model")
    largest, where, values = 0.0, "", 0
    for clip, sample, made in scored_again(submission, suite, run, progress):
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


def _files(submission: Submission, run: Path | None, progress: Progress) -> dict[str, Path]:
    """clip@sample -> the file that videos.json lists, here or fetched, its hash checked; or the run's."""
    placed = PlacedFiles(cache_folder() / "videos")
    files = {}
    for name, entry in sorted(submission.videos.items()):
        if not entry.path:
            if run is None:
                raise MagbenchError(
                    f"{submission.folder}: the video of {name} is not published, only its hash; see --videos"
                )
            files[name] = _of_run(submission, name, run)
            continue
        if entry.path.startswith(SCHEME):
            files[name] = placed.get(Place.parse(entry.path), entry.sha256, progress)
            continue
        files[name] = submission.folder / entry.path
        if not files[name].resolve().is_relative_to((submission.folder / "videos").resolve()):
            raise MagbenchError(f"{submission.folder}: {name}: path '{entry.path[:60]}' leads out of the submission")
        if file_sha256(files[name]) != entry.sha256:
            raise MagbenchError(f"{files[name]}: is not the file that videos.json lists (sha256)")
    return files


def _of_run(submission: Submission, name: str, run: Path) -> Path:
    """A video that a run made of the submission's model; its frames are checked when they are read."""
    clip, _, sample = name.rpartition("@")
    folder = RunFolder(run).generation(submission.about.model, clip, int(sample))
    generation = read_generation(folder)
    if generation is None or not generation.place(folder).is_file():
        raise MagbenchError(f"{folder}: holds no finished video")
    return generation.place(folder)


def scored_again(
    submission: Submission, suite: Suite, run: Path | None, progress: Progress
) -> Iterator[tuple[str, int, list[Record]]]:
    """(clip, sample, its records made anew), one video after the other; the rest as in :func:`rescore`."""
    about = submission.about
    if submission.run.digest != suite.digest:
        here, there = suite.digest[:12], submission.run.digest[:12]
        raise MagbenchError(f"{submission.folder}: is of digest {there}, {suite.name} is {here}")
    files = _files(submission, run, progress)
    progress.stage(submission.name, len(submission.videos))
    for name, entry in sorted(submission.videos.items()):
        clip_id, _, number = name.rpartition("@")
        clip, sample = suite.clip(clip_id), int(number)
        path = files[name]
        frames = open_finished(path, clip.fps, (len(clip), *clip.size))
        if frames.shape[0] == len(clip):
            frames = Stretch(frames, clip.switch, len(clip))
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
