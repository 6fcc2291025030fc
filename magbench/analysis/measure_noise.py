"""Measuring the noise panel of a run: the same returns stored, cut and drawn anew, and scored again."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from magbench.analysis.noise_floor import (
    CRF,
    LATE,
    MEMBERS,
    NOTHING_MEASURED,
    RESIZE,
    TIMED,
    Level,
    Named,
    Panel,
    named,
    read_noise,
)
from magbench.analysis.regions import in_window
from magbench.analysis.retention import CEILINGS, FLOOR, retention
from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.core.progress import Progress
from magbench.metrics import PROTOCOLS
from magbench.models.meter import Metered
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import GENERATION_FILE, read_frames, read_generation, write_generation
from magbench.runs.records import read_records
from magbench.scoring.score import score
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.video.reencode import Frames, reencoded, through_yuv
from magbench.video.resize import resized

CLIPS = 8
"""The panel is made of a run's first clips, at most so many."""


def through_size(frames: Frames) -> Frames:
    """To three quarters of the size, by area, and back (Lanczos): what videos made to fit go through."""
    height, width = frames.shape[1:3]
    small = (round(height * 0.75), round(width * 0.75))
    return np.stack([resized(resized(frame, small), (height, width)) for frame in frames])


def ensure(suite: Suite, out: Path, *, progress: Progress) -> Panel:
    """The panel of the run in ``out``: the one that is there if it still holds, else that of the best model.

    A run without a scored model has none.
    """

    there = read_noise(out)
    if _holds(there, suite, out):
        return there
    values: dict[str, list[float]] = defaultdict(list)
    for path in RunFolder(out).score_files():
        for record in read_records(path):
            found = (record.kind, record.protocol, record.metric, record.region)
            if found == ("model", "ordered", "score", "out_of_window") and record.value is not None:
                values[record.model].append(record.value)
    if not values:
        return NOTHING_MEASURED
    return measure(suite, out, max(sorted(values), key=lambda model: fmean(values[model])), progress=progress)


def _holds(panel: Panel, suite: Suite, out: Path) -> bool:
    """Whether a panel is of this suite, of a model as it is now, and of scores as they are made now."""

    if panel.suite_digest != suite.digest:
        return False
    if _refitted(out) and not any(RESIZE in level.shifts for level in panel.levels):
        return False
    generation = read_generation(RunFolder(out).generation(panel.model, suite.clips[0].id, 0))
    now = {(p.name, p.version, m.name, m.version) for p in PROTOCOLS.values() for m in p.metrics}
    then = {named(level)[:4] for level in panel.levels}
    return generation is not None and generation.revision == panel.revision and now <= then


def _refitted(out: Path) -> bool:
    """Whether videos of a run were made to fit."""
    folder = RunFolder(out)
    found = (read_generation(path.parent) for path in folder.generations.glob(f"*/*/{GENERATION_FILE}"))
    return any(made is not None and made.original is not None and made.original.conversions for made in found)


def measure(suite: Suite, out: Path, model: str, *, progress: Progress) -> Panel:
    """Score the panel of one model of the run in ``out``, and write ``noise.json``.

    Raises:
        MagbenchError: none of the panel's clips has a scored return of this model, or one cannot be scored.
    """

    clips = [clip for clip, sample in RunFolder(out).read().tasks(suite) if sample == 0][:CLIPS]
    scored = [clip for clip in clips if RunFolder(out).score(model, clip.id, 0).is_file()]
    made = {clip.id: read_generation(RunFolder(out).generation(model, clip.id, 0)) for clip in scored}
    revisions = {clip: generation.revision for clip, generation in made.items() if generation is not None}
    if not revisions:
        raise MagbenchError(f"{out}: has no scored return of {model} to measure noise with")
    refitted = _refitted(out)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        RunFolder(folder).claim(Run.of(suite, seeds=1, limit=len(clips)))
        for clip in clips:
            if clip.id in revisions:
                _write_members(out, folder, model, clip, resize=refitted)
        failures = score(suite, folder, progress=progress)
        if failures:
            raise MagbenchError(f"noise panel: {failures[0]}")
        levels = _levels(out, folder, model, list(revisions))
    panel = Panel(
        model=model,
        revision=next(iter(revisions.values())),
        suite_digest=suite.digest,
        clips=len(revisions),
        crf=CRF,
        levels=levels,
    )
    write_atomic(RunFolder(out).noise, panel.model_dump_json(indent=1) + "\n")
    return panel


def _write_members(out: Path, folder: Path, model: str, clip: Clip, *, resize: bool) -> None:
    """Write one clip's return in every form, as if each form were a reference."""
    import av

    samples = []
    for sample in (0, 1):
        path = RunFolder(out).generation(model, clip.id, sample)
        generation = read_generation(path)
        if generation is not None:
            samples.append(read_frames(path, generation))
    frames = samples[0]
    members = {
        "yuv420": through_yuv(frames),
        LATE: np.concatenate([clip.frames[clip.switch - 1 : clip.switch], frames[:-1]]),
    }
    if "libx264" in av.codecs_available:
        members["h264"] = reencoded(frames, CRF)
    if resize:
        members[RESIZE] = through_size(frames)
    if len(samples) > 1:
        members["seed"] = samples[1]
    for name, pixels in members.items():
        path = RunFolder(folder).generation(name, clip.id, 0)
        metered = Metered(pixels, [len(pixels)], [1.0], None, None, "cpu", None)
        write_generation(path, metered, clip, model=name, revision="noise", kind="reference", sample=0)


def _levels(out: Path, folder: Path, model: str, clips: Sequence[str]) -> list[Level]:
    """Every score: the shift of its mean by each member of the panel, over clips that have it with and without."""

    files = RunFolder(folder).score_files()
    files += [RunFolder(out).score(name, clip, 0) for name in (model, FLOOR, *CEILINGS) for clip in clips]
    records = [record for file in files if file.is_file() for record in read_records(file)]
    values: dict[Named, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for record in records + in_window(records) + retention(records):
        if record.value is not None:
            values[named(record)][record.model][record.clip] = record.value
    found = (_level(score, by_member, model) for score, by_member in values.items())
    return [level for level in found if level is not None]


def _level(score_name: Named, values: Mapping[str, Mapping[str, float]], model: str) -> Level | None:
    """One score's level; ``values``: member or model -> clip -> value. None where nothing can be compared."""
    original = values.get(model, {})
    shifts = {
        member: fmean(values[member][clip] - original[clip] for clip in values[member] if clip in original)
        for member in MEMBERS
        if member in values and values[member].keys() & original.keys()
    }
    protocol, protocol_version, metric, metric_version, region = score_name
    counted = [abs(shift) for member, shift in shifts.items() if member != LATE or protocol not in TIMED]
    if not counted:
        return None
    return Level(
        protocol=protocol,
        protocol_version=protocol_version,
        metric=metric,
        metric_version=metric_version,
        region=region,
        level=max(counted),
        shifts=shifts,
    )
