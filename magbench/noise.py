"""The noise panel: how far scores move when nothing changed but how the same frames were stored, cut or drawn.

A difference below that is not called a difference. The returns of one model of a run are scored again, from frames
that say the same thing: encoded by H.264, through 4:2:0 pixels, one frame late, and (where a run has two samples a
clip) from another seed. A metric's level is the largest shift of its mean over the panel's clips.
"""

from __future__ import annotations

import io
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from magbench.errors import MagbenchError
from magbench.files import first_problem, write_atomic

if TYPE_CHECKING:
    from magbench.records import Record
    from magbench.runner import Progress
    from magbench.suites.clip import Clip
    from magbench.suites.disk import Suite

NOISE_FILE = "noise.json"
CLIPS = 12
"""The panel is made of a run's first clips, at most so many."""
CRF = 18
"""Of H.264: visually lossless by custom; finished videos are seldom better."""

TIMED = ("aligned", "retention")
"""Protocols in which a frame's place is part of the answer: one frame late is an error there, shown but not noise."""
ORIGINAL, LATE = "original", "late"

Frames = NDArray[np.uint8]
"""(T, H, W, 3) uint8 RGB."""


class Level(BaseModel):
    """One score: ``shifts`` of its mean by each member of the panel, and the largest that counts, in its unit."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    protocol: str
    protocol_version: int
    metric: str
    metric_version: int
    region: str
    level: float
    shifts: dict[str, float]


class Panel(BaseModel):
    """``noise.json``: what was measured, on which model's returns."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    model: str
    suite_digest: str
    clips: int
    crf: int
    levels: list[Level]

    def level(self, records: Sequence[Record]) -> float | None:
        """The level of one score, by its records; None where it was not measured, or with other versions."""
        if not records:
            return None
        found = [one.level for one in self.levels if {_named(one)} == {_named(record) for record in records}]
        return found[0] if found else None


def _named(score: Level | Record) -> tuple[str, int, str, int, str]:
    return (score.protocol, score.protocol_version, score.metric, score.metric_version, score.region)


NOTHING_MEASURED = Panel(model="", suite_digest="", clips=0, crf=CRF, levels=[])


def read_noise(out: Path) -> Panel:
    """The panel of a run; one without levels where it was not measured."""
    path = out / NOISE_FILE
    if not path.is_file():
        return NOTHING_MEASURED
    try:
        return Panel.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise MagbenchError(f"{path}: {first_problem(error)}; remove it to have it measured again") from error


def reencoded(frames: Frames) -> Frames:
    """Through H.264 at ``CRF``, 4:2:0 (4:4:4 where a side is odd), and back."""
    import av

    even = frames.shape[1] % 2 == 0 and frames.shape[2] % 2 == 0
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("libx264", rate=16, options={"crf": str(CRF), "preset": "medium"})
        assert isinstance(stream, av.VideoStream)  # PyAV cannot tell the type checker
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p" if even else "yuv444p"
        stream.thread_count = 1
        for frame in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        output.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as container:
        return np.stack([np.asarray(f.to_ndarray(format="rgb24"), np.uint8) for f in container.decode(video=0)])


def through_yuv(frames: Frames) -> Frames:
    """To 4:2:0 pixels and back: what another decoder's colours do."""
    import av

    found = []
    for frame in frames:
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        found.append(np.asarray(picture.reformat(format="yuv420p").to_ndarray(format="rgb24"), np.uint8))
    return np.stack(found)


def ensure(suite: Suite, out: Path, *, progress: Progress) -> Panel:
    """The panel of the run in ``out``: the one that is there if it still holds, else that of the best model.

    A run without a scored model has none.
    """
    from magbench.records import read_records

    scored = [r for path in sorted((out / "scores").glob("*/*.jsonl")) for r in read_records(path)]
    chosen = [r for r in scored if (r.protocol, r.metric, r.region) == ("ordered", "score", "out_of_window")]
    there = read_noise(out)
    if there.suite_digest == suite.digest and there.level(chosen) is not None:
        return there
    values: dict[str, list[float]] = defaultdict(list)
    for record in chosen:
        if record.kind == "model" and record.value is not None:
            values[record.model].append(record.value)
    if not values:
        return NOTHING_MEASURED
    return measure(suite, out, max(sorted(values), key=lambda model: fmean(values[model])), progress=progress)


def measure(suite: Suite, out: Path, model: str, *, progress: Progress) -> Panel:
    """Score the panel of one model of the run in ``out``, and write ``noise.json``.

    Raises:
        MagbenchError: none of the panel's clips has a finished return of this model, or one cannot be scored.
    """
    from magbench.run import claim, read_run, run_of
    from magbench.scoring import score

    run = read_run(out)
    clips = [clip for clip, sample in run.tasks(suite) if sample == 0][:CLIPS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        claim(folder, run_of(suite, seeds=1, limit=len(clips)))
        made = [clip.id for clip in clips if _write_members(out, folder, model, clip)]
        if not made:
            raise MagbenchError(f"{out}: has no finished return of {model} to measure noise with")
        failures = score(suite, folder, progress=progress)
        if failures:
            raise MagbenchError(f"noise panel: {failures[0]}")
        levels = _levels(out, folder, made)
    panel = Panel(model=model, suite_digest=suite.digest, clips=len(made), crf=CRF, levels=levels)
    write_atomic(out / NOISE_FILE, panel.model_dump_json(indent=1) + "\n")
    return panel


def _write_members(out: Path, folder: Path, model: str, clip: Clip) -> bool:
    """Write one clip's return in every form; False if the model has not made it."""
    import av

    from magbench.generation import generation_folder, read_frames, read_generation, write_generation
    from magbench.meter import Metered

    def frames_of(sample: int) -> Frames | None:
        path = generation_folder(out, model, clip.id, sample)
        generation = read_generation(path)
        return None if generation is None else read_frames(path, generation)

    frames = frames_of(0)
    if frames is None:
        return False
    given = clip.frames[clip.switch - 1 : clip.switch]
    members: dict[str, Frames] = {
        ORIGINAL: frames,
        "yuv420": through_yuv(frames),
        LATE: np.concatenate([given, frames[:-1]]),
    }
    if "libx264" in av.codecs_available:
        members["h264"] = reencoded(frames)
    other = frames_of(1)
    if other is not None:
        members["seed"] = other
    for name, pixels in members.items():
        path = generation_folder(folder, name, clip.id, 0)
        metered = Metered(pixels, [len(pixels)], [1.0], None, None, "cpu", None)
        write_generation(path, metered, clip, model=name, revision="noise", kind="reference", sample=0)
    return True


def _levels(out: Path, folder: Path, clips: Sequence[str]) -> list[Level]:
    """Every score of the panel: the shift of its mean by each member, over clips that have it with and without."""
    from magbench.records import read_records
    from magbench.retention import CEILINGS, FLOOR, retention
    from magbench.scoring import scores_path

    records = [record for path in sorted((folder / "scores").glob("*/*.jsonl")) for record in read_records(path)]
    ends = [scores_path(out, name, clip, 0) for name in (FLOOR, *CEILINGS) for clip in clips]
    retained = retention(records + [r for path in ends if path.is_file() for r in read_records(path)])
    members = {record.model for record in records}
    values: dict[tuple[str, int, str, int, str], dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for record in records + [r for r in retained if r.model in members]:
        if record.value is not None:
            values[_named(record)][record.model][record.clip] = record.value
    levels = []
    for (protocol, protocol_version, metric, metric_version, region), by_member in values.items():
        original = by_member.pop(ORIGINAL, {})
        shifts = {
            member: fmean(scores[clip] - original[clip] for clip in scores if clip in original)
            for member, scores in sorted(by_member.items())
            if scores.keys() & original.keys()
        }
        counted = [abs(shift) for name, shift in shifts.items() if name != LATE or protocol not in TIMED]
        if counted:
            levels.append(
                Level(
                    protocol=protocol,
                    protocol_version=protocol_version,
                    metric=metric,
                    metric_version=metric_version,
                    region=region,
                    level=max(counted),
                    shifts=shifts,
                )
            )
    return levels
