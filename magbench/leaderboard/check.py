"""The validator: pure, offline, without torch; it reads a submission and runs nothing of it.

What records prove is arithmetic, not measurement; videos prove measurement, not origin. So a submission that passes
here is *reported* until somebody else has scored its videos again, see :mod:`magbench.leaderboard.rescore`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.core.parsing import read_object
from magbench.hub.place import SCHEME, Place
from magbench.leaderboard.identities import REGIONS, FoundFault, arithmetic
from magbench.leaderboard.submission import Submission, board_name, folder_name, read_submission
from magbench.report.columns import SCORED, specs
from magbench.runs.records import Record, read_parquet

K = TypeVar("K")
FILES = ("submission.yaml", "run.json", "records.parquet", "noise.json", "videos.json")
LARGEST = 200 * 2**20
"""Bytes of a whole submission."""
SAME = 2e-3
"""Relative: by how much references may differ from the board's own; processors round differently."""


@dataclass(frozen=True)
class Board:
    """What a submission is held against.

    Attributes:
        tasks: every (clip, sample) that a submission must have.
        references: (reference, clip, sample, protocol, metric, region) -> value, of the board's own run.
        hashes: sha256 of frames -> whose they are: references, and other submissions.
    """

    tasks: frozenset[tuple[str, int]]
    references: Mapping[tuple[str, ...], float | None]
    hashes: Mapping[str, str]

    @classmethod
    def of(cls, own: Sequence[Record]) -> Board:
        """From the records of a run that the board trusts."""
        references = [record for record in own if record.kind == "reference"]
        return cls(
            frozenset((r.clip, r.sample) for r in references),
            {_place(record): record.value for record in references},
            {r.generation_sha256: f"reference {r.model}" for r in references},
        )


@dataclass(frozen=True)
class Checked:
    """A submission with everything that is wrong with it; None and no records where it cannot be read."""

    folder: Path
    submission: Submission | None
    records: tuple[Record, ...]
    faults: tuple[FoundFault, ...]

    @property
    def passes(self) -> bool:
        return not any(fault.severity == "error" for fault in self.faults)


def check(folder: Path, board: Board | None = None) -> list[FoundFault]:
    """Everything that is wrong with one submission; an empty list is a pass."""
    try:
        submission, records = _read(folder)
    except MagbenchError as error:
        return [FoundFault("error", str(folder), str(error))]
    return _faults(submission, records, board)


def check_all(folders: Iterable[Path], own: Sequence[Record] = ()) -> list[Checked]:
    """Check submissions against one another too, each read once; by date, then by path.

    Of two with the same frames the later one is at fault.

    Args:
        own: records of runs that the board trusts; of a suite without one, references are not compared.
    """
    read: list[tuple[str, Path, Submission, list[Record]]] = []
    found = []
    for folder in folders:
        try:
            submission, records = _read(folder)
            read.append((submission.about.date, folder, submission, records))
        except MagbenchError as error:
            found.append(Checked(folder, None, (), (FoundFault("error", str(folder), str(error)),)))
    trusted = {
        digest: Board.of([r for r in own if r.suite_digest == digest]) for digest in {r.suite_digest for r in own}
    }
    hashes: dict[str, str] = {}
    for _, folder, submission, records in sorted(read, key=lambda entry: entry[:2]):
        board = trusted.get(submission.run.digest)
        seen = None if board is None else replace(board, hashes={**board.hashes, **hashes})
        faults = _faults(submission, records, seen)
        found.append(Checked(folder, submission, tuple(records), tuple(faults)))
        hashes |= {r.generation_sha256: submission.name for r in records if r.kind == "model"}
    return found


def _read(folder: Path) -> tuple[Submission, list[Record]]:
    submission = read_submission(folder)
    return submission, read_parquet(submission.records)


def _faults(submission: Submission, records: Sequence[Record], board: Board | None) -> list[FoundFault]:
    faults = [
        *_layout(submission),
        *_identity(submission, records),
        *_completeness(submission, records, board),
        *arithmetic(records),
        *_videos(submission, records),
    ]
    if board is not None:
        faults += [*_against_references(records, board), *_originality(submission, records, board)]
    return [*faults, *_ceiling(submission, records), *_attested(submission)]


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
            if inside not in ("videos", "attestations"):
                yield FoundFault("error", inside, "is not part of a submission")
        elif path.is_file():
            total += path.stat().st_size
            known = inside in FILES or inside.startswith(("videos/", "attestations/"))
            if not known:
                yield FoundFault("error", inside, "is not part of a submission")
        else:
            yield FoundFault("error", inside, "is no regular file")
    if total > LARGEST:
        yield FoundFault("error", str(folder), f"{total / 2**20:.0f} MB, at most {LARGEST // 2**20}")


def _identity(submission: Submission, records: Sequence[Record]) -> Iterator[FoundFault]:
    """One model, one revision, one suite, scored by what scores today."""
    about, run = submission.about, submission.run
    mine = [record for record in records if record.kind == "model"]
    if not mine:
        yield FoundFault("error", "records.parquet", "has no record of a model")
    for field, wanted in (("model", about.model), ("revision", about.revision)):
        if others := sorted({getattr(r, field) for r in mine} - {wanted}):
            yield FoundFault("error", "records.parquet", f"{field} '{others[0]}', submission.yaml says '{wanted}'")
    suite = {
        "suite": run.suite,
        "suite_version": run.version,
        "split": run.split,
        "suite_digest": run.digest,
    }
    for field, value in suite.items():
        if others := sorted({str(getattr(r, field)) for r in records} - {str(value)}):
            yield FoundFault("error", "records.parquet", f"{field} '{others[0]}', run.json says '{value}'")
    if run.limit is not None:
        yield FoundFault("error", "run.json", f"limit {run.limit}: a submission has every clip")
    known = specs()
    for name in sorted({(r.protocol, r.metric) for r in records}):
        spec = known.get(name)
        versions = {(r.protocol_version, r.metric_version) for r in records if (r.protocol, r.metric) == name}
        if spec is None:
            yield FoundFault("warning", "records.parquet", f"{'_'.join(name)} is not known here")
        elif versions != {(spec.protocol_version, spec.version)}:
            there = sorted(versions - {(spec.protocol_version, spec.version)})[0]
            yield FoundFault("error", "records.parquet", f"{'_'.join(name)} is of version {there}, score it again")
        else:
            facts = {(r.unit, r.better) for r in records if (r.protocol, r.metric) == name}
            if facts != {(spec.unit, spec.better)}:
                yield FoundFault("error", "records.parquet", f"{'_'.join(name)}: another unit or direction")
    for (clip, sample), seeds in _grouped(records, lambda r: (r.clip, r.sample), lambda r: r.seed).items():
        if len(seeds) > 1:
            yield FoundFault("error", "records.parquet", f"clip {clip}, sample {sample} has several seeds")
    for (model, clip, sample), hashes in _grouped(
        records, lambda r: (r.model, r.clip, r.sample), lambda r: r.generation_sha256
    ).items():
        if len(hashes) > 1:
            yield FoundFault("error", "records.parquet", f"{model}, {clip}@{sample} was scored on several videos")


def _grouped(
    records: Iterable[Record], key: Callable[[Record], K], value: Callable[[Record], object]
) -> dict[K, set[object]]:
    found: dict[K, set[object]] = defaultdict(set)
    for record in records:
        found[key(record)].add(value(record))
    return found


def _completeness(submission: Submission, records: Sequence[Record], board: Board | None) -> Iterator[FoundFault]:
    """The exact set of clips, samples and scores, each once."""
    mine = [record for record in records if record.kind == "model"]
    tasks = {(r.clip, r.sample) for r in records}
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
    scored = {f"{r.clip}@{r.sample}": r.generation_sha256 for r in records if r.kind == "model"}
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


def _against_references(records: Sequence[Record], board: Board) -> Iterator[FoundFault]:
    """The submission's references are the board's own: then its suite and its scoring are."""
    theirs = {_place(record): record.value for record in records if record.kind == "reference"}
    if not theirs:
        yield FoundFault("error", "records.parquet", "holds no reference: its scoring cannot be compared")
        return
    shared = theirs.keys() & board.references.keys()
    lost = {key[0] for key in board.references} - {key[0] for key in shared}
    if "oracle" in lost:
        yield FoundFault("error", "records.parquet", "holds no record of the oracle")
    for key in sorted(shared):
        ours, there = board.references[key], theirs[key]
        if (ours is None) != (there is None) or (
            ours is not None and there is not None and abs(ours - there) > SAME * max(1.0, abs(ours))
        ):
            yield FoundFault("error", "records.parquet", f"reference {' '.join(key)} is {there}, the board's is {ours}")
            return


def _originality(submission: Submission, records: Sequence[Record], board: Board) -> Iterator[FoundFault]:
    """Whether a video is somebody else's, or the truth."""
    for record in records:
        if record.kind == "model" and (owner := board.hashes.get(record.generation_sha256)):
            yield FoundFault("error", "records.parquet", f"{record.clip}@{record.sample} has the frames of {owner}")
            return
    hashes = [entry.frames_sha256 for entry in submission.videos.values()]
    if len(set(hashes)) < len(hashes):
        yield FoundFault("warning", "videos.json", "some clips have the same frames")


def _ceiling(submission: Submission, records: Sequence[Record]) -> Iterator[FoundFault]:
    """Scores above what a model's codec can give."""
    values: dict[str, list[float]] = defaultdict(list)
    for r in records:
        if (r.protocol, r.metric, r.region) == ("aligned", "psnr", "out_of_window") and r.value is not None:
            values[r.model].append(r.value)
    mine, codec = values.get(submission.about.model), values.get("codec")
    if mine and codec and fmean(mine) > fmean(codec):
        yield FoundFault(
            "warning",
            "records.parquet",
            f"aligned PSNR {fmean(mine):.1f} dB is above the codec's {fmean(codec):.1f}: another codec, or the truth",
        )


def _place(record: Record) -> tuple[str, ...]:
    return record.model, record.clip, str(record.sample), record.protocol, record.metric, record.region
