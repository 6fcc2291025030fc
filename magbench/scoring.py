"""Generations on disk x protocols -> records. What was scored from the same frames and metrics is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from magbench import __version__
from magbench.costs import VERSION as COST_VERSION
from magbench.costs import costs
from magbench.errors import MagbenchError
from magbench.generation import GENERATIONS, Generation, generation_folder, read_frames, read_generation
from magbench.records import Record, read_records, write_records
from magbench.run import claim, read_run, run_of
from magbench.runner import Failure, Progress
from magbench.suites.clip import Clip
from magbench.suites.disk import Suite
from magbench.video import to_float

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORES = "scores"
COST = "cost"


def score(suite: Suite, out: Path, *, progress: Progress) -> list[Failure]:
    """Score every finished generation of the run in ``out``.

    Args:
        suite: the suite it was made from.

    Returns:
        What could not be scored: damaged generations, values that are not numbers.
    """
    run = read_run(out)
    claim(out, run_of(suite, seeds=run.seeds, limit=run.limit))
    failures: list[Failure] = []
    generations = out / GENERATIONS
    for model in sorted(path.name for path in generations.glob("*") if path.is_dir()):
        tasks = run.tasks(suite)
        progress.stage(model, len(tasks))
        for clip, sample in tasks:
            path = scores_path(out, model, clip.id, sample)
            try:
                _score_one(suite, clip, generation_folder(out, model, clip.id, sample), path)
            except MagbenchError as error:
                path.unlink(missing_ok=True)
                failures.append(Failure(model, clip.id, sample, str(error)))
            progress.step()
    return failures


def scores_path(out: Path, model: str, clip: str, sample: int) -> Path:
    """Where the records of one generation lie."""
    return out / SCORES / model / f"{clip}@{sample}.jsonl"


def _score_one(suite: Suite, clip: Clip, folder: Path, path: Path) -> None:
    generation = read_generation(folder)
    if generation is None:
        path.unlink(missing_ok=True)
        return
    frames = read_frames(folder, generation)
    common = _provenance(suite, clip, generation)
    old = _read_old(path)
    quality = [record for record in old if record.protocol != COST]
    if {_stamp(record) for record in quality} != _wanted(generation, suite):
        quality = _quality(suite, clip, frames, common)
    records = quality + _costs(clip, generation, common)
    if records != old:
        write_records(path, records)


def _provenance(suite: Suite, clip: Clip, generation: Generation) -> dict[str, Any]:
    """The fields that all records of one generation share."""
    return {
        "suite": suite.name,
        "suite_version": suite.version,
        "suite_digest": suite.digest,
        "split": suite.split,
        "model": generation.model,
        "revision": generation.revision,
        "kind": generation.kind,
        "clip": clip.id,
        "category": clip.category,
        "speed": clip.speed,
        "sample": generation.sample,
        "seed": generation.seed,
        "generation_sha256": generation.frames_sha256,
        "magbench_version": __version__,
    }


def _read_old(path: Path) -> list[Record]:
    try:
        return read_records(path) if path.is_file() else []
    except MagbenchError:
        return []  # damaged, and made again from the frames


_Stamp = tuple[str, int, str, int, str, str, str, str]


def _stamp(record: Record) -> _Stamp:
    """All that decides the value of a quality record of one clip."""
    return (
        record.protocol,
        record.protocol_version,
        record.metric,
        record.metric_version,
        record.region,
        record.revision,
        record.generation_sha256,
        record.suite_digest,
    )


def _wanted(generation: Generation, suite: Suite) -> set[_Stamp]:
    from magbench.metrics import PROTOCOLS

    regions = ("all", "out_of_window")
    made = (generation.revision, generation.frames_sha256, suite.digest)
    return {
        (protocol.name, protocol.version, metric.name, metric.version, region, *made)
        for protocol in PROTOCOLS.values()
        for metric in protocol.metrics
        for region in regions
    }


def _quality(suite: Suite, clip: Clip, frames: NDArray[np.uint8], common: dict[str, Any]) -> list[Record]:
    from magbench.metrics import PROTOCOLS

    shown, truth = to_float(frames), to_float(clip.frames[clip.switch :])
    out_of_window = clip.out_of_window(suite.window)[clip.switch :]
    records: list[Record] = []
    for protocol in PROTOCOLS.values():
        scores = protocol.score(shown, truth)
        for metric in protocol.metrics:
            values = _checked(scores[metric.name], clip, f"{protocol.name} {metric.name}")
            same = common | {
                "protocol": protocol.name,
                "protocol_version": protocol.version,
                "metric": metric.name,
                "metric_version": metric.version,
                "unit": metric.unit,
                "better": metric.better,
            }
            records.append(
                Record(
                    **same,
                    region="all",
                    value=float(values.mean()),
                    n=len(values),
                    per_frame=values.tolist(),
                    frame=list(range(clip.switch, len(clip))),
                    gap=clip.gap[clip.switch :].tolist(),
                )
            )
            far = values[out_of_window]
            mean = float(far.mean()) if len(far) else None
            records.append(Record(**same, region="out_of_window", value=mean, n=len(far)))
    return records


def _checked(values: NDArray[np.float64], clip: Clip, what: str) -> NDArray[np.float64]:
    if not np.isfinite(values).all():
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise MagbenchError(f"{what} of frame {clip.switch + index} is {values[index]}")
    return values


def _costs(clip: Clip, generation: Generation, common: dict[str, Any]) -> list[Record]:
    """Costs of a model. A reference's time says nothing: it only hands over frames."""
    if generation.kind == "reference":
        return []
    starts = [clip.switch + sum(generation.pieces[:index]) for index in range(len(generation.pieces))]
    return [
        Record(
            **common,
            protocol=COST,
            metric=cost.metric,
            metric_version=COST_VERSION,
            unit=cost.unit,
            better=cost.better,
            region="all",
            value=cost.value,
            n=cost.n,
            per_frame=cost.per_piece,
            frame=None if cost.per_piece is None else starts,
        )
        for cost in costs(generation)
    ]
