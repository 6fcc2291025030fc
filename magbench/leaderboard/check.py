"""The validator: pure, offline, without torch; it reads a submission and runs nothing of it.

What records prove is arithmetic, not measurement; videos prove measurement, not origin. So a submission that passes
here is *reported* until somebody else has scored its videos again, see :mod:`magbench.leaderboard.rescore`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.core.parsing import read_object
from magbench.hub.place import SCHEME, Place
from magbench.leaderboard.identities import REGIONS, FoundFault, arithmetic
from magbench.leaderboard.own import Board, against_references, originality
from magbench.leaderboard.scored import Scored, read_scored
from magbench.leaderboard.submission import NOTICE, RENEWED, Submission, board_name, folder_name, read_submission
from magbench.report.columns import SCORED, specs
from magbench.runs.records import Record

FILES = ("submission.yaml", "run.json", "records.parquet", "noise.json", "videos.json", NOTICE)
LARGEST = 200 * 2**20
"""Bytes of a whole submission."""


@dataclass(frozen=True)
class Checked:
    """A submission with everything that is wrong with it; None and no records where it cannot be read.

    ``records`` are the model's own.
    """

    folder: Path
    submission: Submission | None
    records: Sequence[Record]
    faults: tuple[FoundFault, ...]

    @property
    def passes(self) -> bool:
        return not any(fault.severity == "error" for fault in self.faults)


def check(folder: Path, board: Board | None = None) -> list[FoundFault]:
    """Everything that is wrong with one submission; an empty list is a pass."""
    try:
        submission = read_submission(folder)
        return _faults(submission, read_scored(submission.records), board)
    except MagbenchError as error:
        return [FoundFault("error", str(folder), str(error))]


def check_all(folders: Iterable[Path], own: Sequence[Record] = ()) -> Iterator[Checked]:
    """Check submissions against one another too, one after the other: first those that cannot be read, then by date.

    Of two with the same frames the later one is at fault.

    Args:
        own: records of runs that the board trusts; of a suite without one, references are not compared.
    """
    read: list[Submission] = []
    for folder in folders:
        try:
            read.append(read_submission(folder))
        except MagbenchError as error:
            yield Checked(folder, None, (), (FoundFault("error", str(folder), str(error)),))
    trusted = {
        digest: Board.of([r for r in own if r.suite_digest == digest]) for digest in {r.suite_digest for r in own}
    }
    hashes: dict[str, str] = {}
    for submission in sorted(read, key=lambda one: (one.about.date, one.folder)):
        try:
            scored = read_scored(submission.records)
        except MagbenchError as error:
            yield Checked(submission.folder, None, (), (FoundFault("error", str(submission.folder), str(error)),))
            continue
        board = trusted.get(submission.run.digest)
        seen = None if board is None else replace(board, hashes={**board.hashes, **hashes})
        yield Checked(submission.folder, submission, scored.records, tuple(_faults(submission, scored, seen)))
        hashes |= {record.generation_sha256: submission.name for record in scored.records}


def _faults(submission: Submission, scored: Scored, board: Board | None) -> list[FoundFault]:
    faults = [
        *_layout(submission),
        *_identity(submission, scored),
        *_completeness(submission, scored, board),
        *arithmetic(scored.records),
        *_videos(submission, scored.records),
    ]
    if board is not None:
        faults += [*against_references(scored, board), *originality(submission, scored.records, board)]
    return [*faults, *_ceiling(scored), *_attested(submission)]


def _attested(submission: Submission) -> Iterator[FoundFault]:
    """Nobody attests his own submission."""
    for path in submission.attestations:
        inside = f"attestations/{path.name}"
        try:
            who = str(read_object(path).get("who", ""))
        except MagbenchError as error:
            yield FoundFault("error", inside, str(error))
            continue
        if who.strip().lower() == submission.about.submitter.strip().lower():
            yield FoundFault("error", inside, f"is by '{who}', who submitted it")


def _layout(submission: Submission) -> Iterator[FoundFault]:
    """Names, links, sizes: nothing but what belongs there."""
    folder = submission.folder
    wanted = Path(board_name(submission.run)) / folder_name(submission.about)
    if Path(*folder.resolve().parts[-3:]) != wanted:
        yield FoundFault("error", str(folder), f"should be called {wanted}")
    total = 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        if path.is_symlink():
            yield FoundFault("error", inside, "is a link")
        elif path.is_dir():
            if inside not in ("videos", "attestations", RENEWED):
                yield FoundFault("error", inside, "is not part of a submission")
        elif path.is_file():
            total += path.stat().st_size
            known = inside in FILES or inside.startswith(("videos/", "attestations/", f"{RENEWED}/"))
            if not known:
                yield FoundFault("error", inside, "is not part of a submission")
        else:
            yield FoundFault("error", inside, "is no regular file")
    if total > LARGEST:
        yield FoundFault("error", str(folder), f"{total / 2**20:.0f} MB, at most {LARGEST // 2**20}")


def _identity(submission: Submission, scored: Scored) -> Iterator[FoundFault]:
    """One model, one revision, one suite, scored by what scores today."""
    about, run = submission.about, submission.run
    if not scored.records:
        yield FoundFault("error", "records.parquet", "has no record of a model")
    for field, wanted in (("model", about.model), ("revision", about.revision)):
        if others := sorted({getattr(r, field) for r in scored.records} - {wanted}):
            yield FoundFault("error", "records.parquet", f"{field} '{others[0]}', submission.yaml says '{wanted}'")
    suite = {
        "suite": run.suite,
        "suite_version": run.version,
        "split": run.split,
        "suite_digest": run.digest,
    }
    for field, value in suite.items():
        if others := sorted({str(found) for (found,) in scored.distinct(field)} - {str(value)}):
            yield FoundFault("error", "records.parquet", f"{field} '{others[0]}', run.json says '{value}'")
    if run.limit is not None:
        yield FoundFault("error", "run.json", f"limit {run.limit}: a submission has every clip")
    yield from _versions(scored)
    for clip, sample in _several(scored.distinct("clip", "sample", "seed")):
        yield FoundFault("error", "records.parquet", f"clip {clip}, sample {sample} has several seeds")
    for model, clip, sample in _several(scored.distinct("model", "clip", "sample", "generation_sha256")):
        yield FoundFault("error", "records.parquet", f"{model}, {clip}@{sample} was scored on several videos")


def _versions(scored: Scored) -> Iterator[FoundFault]:
    """Whether every score is what is called so here, today."""
    known = specs()
    found: dict[tuple[str, str], list[tuple[int, int, str, str]]] = defaultdict(list)
    for protocol, metric, *kind in scored.distinct(
        "protocol", "metric", "protocol_version", "metric_version", "unit", "better"
    ):
        found[protocol, metric].append((kind[0], kind[1], kind[2], kind[3]))
    for (protocol, metric), kinds in sorted(found.items()):
        name, spec = f"{protocol}_{metric}", known.get((protocol, metric))
        if spec is None:
            yield FoundFault("warning", "records.parquet", f"{name} is not known here")
            continue
        if there := sorted({kind[:2] for kind in kinds} - {(spec.protocol_version, spec.version)}):
            yield FoundFault("error", "records.parquet", f"{name} is of version {there[0]}, score it again")
        elif {kind[2:] for kind in kinds} != {(spec.unit, spec.better)}:
            yield FoundFault("error", "records.parquet", f"{name}: another unit or direction")


def _several(distinct: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Keys, all fields but the last, that have more than one value of the last."""
    return [key for key, count in Counter(fields[:-1] for fields in distinct).items() if count > 1]


def _completeness(submission: Submission, scored: Scored, board: Board | None) -> Iterator[FoundFault]:
    """The exact set of clips, samples and scores, each once."""
    mine = scored.records
    tasks = set(scored.distinct("clip", "sample"))
    wanted = set(board.tasks) if board and board.tasks else tasks
    for name in sorted({r.model for r in mine}):
        counts = Counter((r.clip, r.sample, r.protocol, r.metric, r.region) for r in mine if r.model == name)
        for key in sorted(key for key, count in counts.items() if count > 1)[:3]:
            yield FoundFault("error", "records.parquet", f"{' '.join(map(str, key))} is there twice")
        scores = {key[2:] for key in counts if key[2] in SCORED}
        for protocol in SCORED:
            metrics = {spec.name for spec in specs().values() if spec.protocol == protocol}
            for metric in sorted(metrics):
                for region in REGIONS:
                    if (protocol, metric, region) not in scores:
                        yield FoundFault("error", "records.parquet", f"no {protocol} {metric} over {region}")
        for score in sorted(scores):
            have = {key[:2] for key in counts if key[2:] == score}
            if lost := sorted(wanted - have):
                clip, sample = lost[0]
                yield FoundFault(
                    "error",
                    "records.parquet",
                    f"{' '.join(score)}: {len(lost)} of {len(wanted)} clips are missing, first {clip}@{sample}",
                )
            if more := sorted(have - wanted):
                yield FoundFault("error", "records.parquet", f"{' '.join(score)}: {more[0][0]} is no clip of the board")
    if {f"{clip}@{sample}" for clip, sample in wanted} != set(submission.videos):
        odd = sorted({f"{clip}@{sample}" for clip, sample in wanted} ^ set(submission.videos))
        yield FoundFault("error", "videos.json", f"not the videos of the records, first {odd[0]}")


def _videos(submission: Submission, records: Sequence[Record]) -> Iterator[FoundFault]:
    """Every video is the one that was scored, and the file is the one that is listed."""
    scored = {f"{r.clip}@{r.sample}": r.generation_sha256 for r in records}
    listed = {entry.path for entry in submission.videos.values()}
    for name, entry in sorted(submission.videos.items()):
        if name in scored and entry.frames_sha256 != scored[name]:
            yield FoundFault("error", "videos.json", f"{name}: its frames are not those of the records")
        if entry.path.startswith(SCHEME):
            try:
                Place.parse(entry.path)
            except MagbenchError as error:
                yield FoundFault("error", "videos.json", f"{name}: {error}")
        if not entry.path or entry.path.startswith(SCHEME):
            continue
        path = submission.folder / entry.path
        if ".." in Path(entry.path).parts or entry.path.startswith("/") or not entry.path.startswith("videos/"):
            yield FoundFault("error", "videos.json", f"{name}: path '{entry.path[:60]}' leads out of the submission")
        elif not path.is_file():
            yield FoundFault("error", entry.path, "is missing")
        elif file_sha256(path) != entry.sha256:
            yield FoundFault("error", entry.path, "is not the file that videos.json lists (sha256)")
    for path in sorted((submission.folder / "videos").glob("*")):
        if path.relative_to(submission.folder).as_posix() not in listed:
            yield FoundFault("error", f"videos/{path.name}", "is not listed in videos.json")


def _ceiling(scored: Scored) -> Iterator[FoundFault]:
    """Scores above what a model's codec can give."""
    column = {"protocol": "aligned", "metric": "psnr", "region": "out_of_window"}
    mine, codec = scored.mean(kind="model", **column), scored.mean(model="codec", **column)
    if mine is not None and codec is not None and mine > codec:
        yield FoundFault(
            "warning",
            "records.parquet",
            f"aligned PSNR {mine:.1f} dB is above the codec's {codec:.1f}: another codec, or the truth",
        )
