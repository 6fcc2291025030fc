"""Finished videos, made anywhere, become the generations of a model: checked, pointed at, never copied.

A folder holds one entry per clip of a suite, named by the clip: ``CLIP.mkv``, a folder ``CLIP`` of PNG files, ... (see
:mod:`magbench.video.formats`). An entry holds the return only, or the whole clip: which one, its length says.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from magbench.core.errors import MagbenchError, Misfit, unknown
from magbench.core.files import SAFE_NAME
from magbench.core.progress import Progress
from magbench.generation.fit import read_fitted
from magbench.generation.given_part import check_return, check_whole
from magbench.models.registry import model_names, reference_names
from magbench.runs.failures import Failure
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import (
    GENERATION_FILE,
    Original,
    read_generation,
    write_import,
)
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.suites.official.protocol import clip_name
from magbench.video.formats import READERS, finished_sha256, form, open_finished
from magbench.video.frames import FrameSource, Stretch

Part = Literal["return", "whole"]

NAMED = 5
"""How many names a complaint gives before it only counts."""


@dataclass(frozen=True)
class Imported:
    """What became of a folder of videos.

    Attributes:
        parts: clip -> what its video holds.
        failures: what could not be used.
        conversions: clip -> what was done to make its video fit, for those to which something was.
    """

    parts: dict[str, Part]
    failures: list[Failure]
    conversions: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = Counter(self.parts.values())
        kinds = f"the return only: {counts['return']}, the whole clip: {counts['whole']} (given frames left out)"
        ways = Counter(self.conversions.values())
        fitted = "".join(f"\nmade to fit: {count} videos, {what}" for what, count in ways.most_common())
        return f"{len(self.parts)} videos used; {kinds}{fitted}"


def import_videos(
    suite: Suite, videos: Path, model: str, out: Path, *, fit: bool = False, progress: Progress
) -> Imported:
    """Make the finished videos of a folder the generations of ``model`` in the run of ``out``.

    Args:
        suite: what the videos were made for.
        model: a name of their own, of no installed model or reference.
        out: a new folder, or that of a run of the same suite with one sample a clip.
        fit: whether videos of another rate, size or length may be changed, see :mod:`magbench.generation.fit`.

    Returns:
        A missing, unusable or left-over entry is a failure there. What concerns the whole folder is an error, before
        anything is written.
    """
    _check_name(model)
    entries = find_entries(videos)
    run = _run(suite, out)
    RunFolder(out).claim(run)
    clips = [clip for clip, _ in run.tasks(suite)]
    for file in _finished(out, model):
        file.unlink()  # all of them before the first is written: one revision a model
    failures = _misfits(suite, clips, entries, model, videos)
    progress.stage(model, len(clips))
    hashes: dict[str, str] = {}
    for clip in clips:
        try:
            if clip.id in entries:
                hashes[clip.id] = finished_sha256(entries[clip.id])
        except MagbenchError as error:
            failures.append(Failure(model, clip.id, 0, str(error)))
    revision = _revision(hashes)
    parts: dict[str, Part] = {}
    done: dict[str, str] = {}
    for clip in clips:
        try:
            if clip.id in hashes:
                parts[clip.id], how = _import(entries[clip.id], clip, suite, out, model, revision, fit)
                done |= {clip.id: how} if how else {}
                progress.step()
        except Misfit as error:
            failures.append(Failure(model, clip.id, 0, f"{error}; --fit makes it fit, and says so"))
        except MagbenchError as error:
            failures.append(Failure(model, clip.id, 0, str(error)))
    return Imported(parts, failures, done)


def find_entries(folder: Path) -> dict[str, Path]:
    """Clip id -> its video: the entries of a folder. Hidden ones do not count; two of one name are an error."""
    if not folder.is_dir():
        raise MagbenchError(f"{folder}: no such folder")
    entries: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        name = clip_name(path.name if path.is_dir() else path.stem)
        if form(path) not in READERS:
            continue
        if name in entries:
            raise MagbenchError(f"{folder}: clip '{name}' is there twice: {entries[name].name}, {path.name}")
        entries[name] = path
    if not entries:
        raise MagbenchError(f"{folder}: holds no video; one per clip: {', '.join(filter(None, READERS))} or a folder")
    return entries


def _check_name(model: str) -> None:
    if not SAFE_NAME.fullmatch(model):
        raise MagbenchError(f"model name '{model}' may only hold letters, digits, '.', '_' and '-'")
    if model in model_names():
        raise MagbenchError(f"'{model}' is an installed model; give the videos a name of their own")
    if model in reference_names():
        raise MagbenchError(f"'{model}' is a reference; give the videos a name of their own")


def _run(suite: Suite, out: Path) -> Run:
    """The run that ``out`` belongs to, else one of all clips."""
    folder = RunFolder(out)
    if not folder.description.exists():
        return Run.of(suite, seeds=1, limit=None)
    run = folder.read()
    if run.seeds != 1:
        raise MagbenchError(f"{out}: is a run with {run.seeds} samples a clip, finished videos are one; give another")
    return Run.of(suite, seeds=1, limit=run.limit)


def _finished(out: Path, model: str) -> list[Path]:
    """What an earlier import left under this name; a generation that magbench made is an error."""
    files = sorted((RunFolder(out).generations / model).glob(f"*/{GENERATION_FILE}"))
    for file in files:
        made = read_generation(file.parent)
        if made is not None and made.original is None:
            raise MagbenchError(f"{file.parent}: was generated, not imported; give the videos another name")
    return files


def _misfits(suite: Suite, clips: Sequence[Clip], entries: dict[str, Path], model: str, videos: Path) -> list[Failure]:
    """Clips without a video, together, and videos without a clip."""
    failures = []
    if missing := [clip.id for clip in clips if clip.id not in entries]:
        count = f"{len(missing)} of {len(clips)} clips have no video"
        failures.append(Failure(model, None, None, f"{videos}: {count}: {_some(missing)}"))
    names = [clip.id for clip in suite.clips]
    for name, path in entries.items():
        if name not in names:
            failures.append(Failure(model, None, None, f"{path}: {unknown('clip', name, names)}"))
    return failures


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def _revision(hashes: dict[str, str]) -> str:
    """Names the content of all videos together."""
    lines = (f"{sha}  {clip}\n" for clip, sha in sorted(hashes.items()))
    return f"videos {hashlib.sha256(''.join(lines).encode()).hexdigest()[:16]}"


def _part(path: Path, length: int, clip: Clip) -> Part:
    """Which part of the clip a video of this length holds."""
    lengths: dict[int, Part] = {len(clip) - clip.switch: "return", len(clip): "whole"}
    if length not in lengths:
        wanted = " or ".join(f"{length} ({part})" for length, part in lengths.items())
        raise Misfit(f"{path}: holds {length} frames, {wanted} wanted")
    return lengths[length]


def _import(path: Path, clip: Clip, suite: Suite, out: Path, model: str, revision: str, fit: bool) -> tuple[Part, str]:
    """Check one video and write its generation; returns what it holds, and what was done to make it fit."""
    frames: FrameSource
    if fit:
        frames, done = read_fitted(path, clip)
    else:
        frames, done = open_finished(path, clip.fps, (len(clip), *clip.size)), ""
    length = frames.shape[0]
    part = _part(path, length, clip)
    try:
        check_whole(frames, clip, suite) if part == "whole" else check_return(frames, clip)
    except MagbenchError as error:
        raise MagbenchError(f"{path}: {error}") from error
    first = clip.switch if part == "whole" else 0
    original = Original(path=str(path.resolve()), fps=clip.fps, first=first, conversions=done)
    folder = RunFolder(out).generation(model, clip.id, 0)
    write_import(folder, original, Stretch(frames, first, length), clip, model, revision)
    return part, done
