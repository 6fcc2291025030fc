"""The returns of a run -> VBench -> records (protocol ``vbench``), beside the run's scores.

::

    OUT/vbench/records.jsonl            one record a return and dimension
    OUT/vbench/not_available.json       dimension -> why some return has no value
    OUT/vbench/DIMENSION.log            what VBench printed
    OUT/vbench/videos, results          while it runs
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from magbench import __version__
from magbench.core.errors import MagbenchError, unknown
from magbench.core.progress import Progress
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.runs.records import Record, read_records
from magbench.vbench.dimensions import DIMENSIONS, Dimension
from magbench.vbench.program import RESULTS, VIDEOS, Program
from magbench.vbench.store import PROTOCOL, NotAvailable, read, return_of, write

PROTOCOL_VERSION = 1
WHOLE = ("aligned", "psnr", "all")
"""The score that tells whose a return is, and how many frames it has."""


def evaluate(
    out: Path, models: Sequence[str] | None, dimensions: Sequence[str] | None, program: Program, *, progress: Progress
) -> list[NotAvailable]:
    """Have VBench judge the scored returns of the run in ``out``; values that are up to date are kept.

    Args:
        models: None for every model, but no reference.
        dimensions: None for all.

    Returns:
        What there is no value of. Its records have none either; it is tried again the next time.
    """
    wanted = _named(dimensions)
    returns = _returns(out, models)
    folder = RunFolder(out).vbench
    stored = {_key(record): record for record in read(out)}
    missing = {dimension: [one for one in returns if not _has(stored, one, dimension)] for dimension in wanted}
    progress.stage("vbench", len(wanted))
    failures: list[NotAvailable] = []
    shutil.rmtree(folder / VIDEOS, ignore_errors=True)  # of a command that was killed
    try:
        for dimension, videos in missing.items():
            if videos:
                scores, reason = _judge(out, videos, dimension, program)
                stored |= {_key(r): r for r in (_record(one, dimension, scores.get(_file(one))) for one in videos)}
                write(out, stored.values(), dimension.name, reason)
                failures += [NotAvailable(dimension.name, reason)] if reason else []
            progress.step()
    finally:
        for name in (VIDEOS, RESULTS):
            shutil.rmtree(folder / name, ignore_errors=True)
    return failures


def _named(dimensions: Sequence[str] | None) -> list[Dimension]:
    for name in dimensions or ():
        if name not in DIMENSIONS:
            raise unknown("dimension", name, DIMENSIONS)
    return [DIMENSIONS[name] for name in dimensions or DIMENSIONS]


def _returns(out: Path, models: Sequence[str] | None) -> list[Record]:
    """One score record of each return of the models: it says whose it is and which frames it has."""
    folder = RunFolder(out)
    folder.read()
    there = folder.scored_models()
    for model in models or ():
        if model not in there:
            raise unknown(f"model (of those scored in {out})", model, there)
    files = (path for model in models or there for path in folder.score_files(model))
    whole = [r for path in files for r in read_records(path) if (r.protocol, r.metric, r.region) == WHOLE]
    found = [record for record in whole if models or record.kind == "model"]
    if not found:
        raise MagbenchError(f"{folder.scores}: holds no scores of a model; run `magbench score` first")
    return found


def _judge(
    out: Path, returns: Sequence[Record], dimension: Dimension, program: Program
) -> tuple[dict[str, float], str | None]:
    """Scores by file name, and why some or all are missing."""
    folder = RunFolder(out).vbench
    _write_videos(out, folder / VIDEOS, returns)
    try:
        scores = program.evaluate(dimension, folder, folder / f"{dimension.name}.log")
    except MagbenchError as error:
        return {}, str(error)
    left_out = [_file(one) for one in returns if _file(one) not in scores]
    if left_out:
        return scores, f"VBench gave no result for {len(left_out)} of {len(returns)} videos, the first {left_out[0]}"
    return scores, None


def _write_videos(out: Path, folder: Path, returns: Sequence[Record]) -> None:
    """Make ``folder`` hold just these returns; what was written for an earlier dimension stays."""
    from magbench.vbench.videos import fps_of, write_mp4

    names = {_file(one) for one in returns}
    for path in folder.glob("*"):
        if path.name not in names:
            path.unlink()
    for one in returns:
        path = folder / _file(one)
        if path.exists():
            continue
        source = RunFolder(out).generation(one.model, one.clip, one.sample)
        generation = read_generation(source)
        if generation is None or generation.frames_sha256 != one.generation_sha256:
            raise MagbenchError(f"{source}: is not what was scored; run `magbench score` first")
        write_mp4(path, read_frames(source, generation), fps_of(source, generation))


def _file(one: Record) -> str:
    return f"{one.model}@{one.clip}@{one.sample}.mp4"


def _key(record: Record) -> tuple[str, str, int, str]:
    """One value for each of these is kept."""
    return record.model, record.clip, record.sample, record.metric


def _has(stored: dict[tuple[str, str, int, str], Record], one: Record, dimension: Dimension) -> bool:
    """Whether a value of this dimension is there for these very frames."""
    old = stored.get((one.model, one.clip, one.sample, dimension.name))
    return (
        old is not None
        and old.value is not None
        and return_of(old) == return_of(one)
        and (old.protocol_version, old.metric_version) == (PROTOCOL_VERSION, dimension.version)
    )


def _record(one: Record, dimension: Dimension, value: float | None) -> Record:
    changed = {
        "protocol": PROTOCOL,
        "protocol_version": PROTOCOL_VERSION,
        "metric": dimension.name,
        "metric_version": dimension.version,
        "unit": "",
        "better": "higher",
        "value": value,
        "n": 0 if value is None else one.n,
        "per_frame": None,
        "frame": None,
        "gap": None,
        "magbench_version": __version__,
    }
    return Record(**(one.model_dump() | changed))
