"""From a finished run to a submission: the folder that travels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from magbench import __version__
from magbench.analysis.sources import read_folder
from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256, folder_written
from magbench.core.provenance import commit
from magbench.leaderboard.submission import PERSONAL, Description, board_name, folder_name, write_description
from magbench.runs.folder import RunFolder
from magbench.runs.generation import FRAMES_FILE, Generation, read_generation
from magbench.runs.records import Record, write_parquet

VIDEOS = 20 * 2**20
"""Bytes of lossless video up to which a submission carries them; larger ones lie in a hub's data set."""

MADE_ANEW = ("retention", "history_effect", "vbench")
"""Protocols whose records follow from others, or were measured beside them: they are made anew or left out."""


def submit(run: Path, model: str, told: Mapping[str, Any], to: Path) -> Path:
    """Write a submission of one model of a run below ``to``.

    Args:
        told: what only a person knows (:data:`~magbench.leaderboard.submission.PERSONAL`), and anything else of
            :class:`~magbench.leaderboard.submission.Description`.

    Returns:
        The submission's folder.

    Raises:
        MagbenchError: the run lacks the model, a clip or a video; something is not told; it is submitted already.
    """
    folder = RunFolder(run)
    of = folder.read()
    if of.limit is not None:
        raise MagbenchError(f"{run}: holds only the first {of.limit} clips; a submission has all of them")
    records = [r for r in read_folder(run) if r.protocol not in MADE_ANEW and r.region != "in_window"]
    mine = [record for record in records if record.model == model]
    if not mine or mine[0].kind != "model":
        models = sorted({record.model for record in records if record.kind == "model"})
        raise MagbenchError(f"{run}: has no scores of a model '{model}' but of {', '.join(models) or 'none'}")
    if missing := [name for name in PERSONAL if not told.get(name)]:
        raise MagbenchError(f"{run}: not told: {', '.join(missing)}; give them in --from FILE.yaml")
    made = _generations(folder, mine)
    about = _described(told, mine, next(iter(made.values()))[1])
    target = to / board_name(of) / folder_name(about)
    with folder_written(target, "is there already; a submission is never changed, submit another revision") as half:
        write_description(about, half)
        shutil.copyfile(folder.description, half / "run.json")
        if folder.noise.is_file():
            shutil.copyfile(folder.noise, half / "noise.json")
        write_parquet(half / "records.parquet", [r for r in records if r.model == model or r.kind == "reference"])
        _write_videos(made, half)
    return target


def _generations(folder: RunFolder, records: list[Record]) -> dict[str, tuple[Path, Generation]]:
    """clip@sample -> (folder, generation); every one that has records."""
    found = {}
    for clip, sample in sorted({(record.clip, record.sample) for record in records}):
        place = folder.generation(records[0].model, clip, sample)
        generation = read_generation(place)
        if generation is None:
            raise MagbenchError(f"{place}: has scores but no video; run it again")
        found[f"{clip}@{sample}"] = place, generation
    return found


def _described(told: Mapping[str, Any], records: list[Record], made: Generation) -> Description:
    record, done = records[0], sorted({record.conversions for record in records} - {""})
    machine = ", ".join(filter(None, (made.device, made.platform, made.torch and f"torch {made.torch}")))
    known = {
        "model": record.model,
        "revision": record.revision,
        "machine": machine or "not known: videos made elsewhere",
        "magbench_version": __version__,
        "magbench_commit": commit() or "",
        "command": f"magbench run {record.suite} --models {record.model}",
    }
    fixed = {"model": record.model, "revision": record.revision}
    if done:
        fixed["conversions"] = "; or ".join([*filter(None, [told.get("conversions")]), *done])
    try:
        return Description.model_validate({**known, **told, **fixed})
    except ValueError as error:
        raise MagbenchError(f"submission.yaml: {' '.join(str(error).split())[:300]}") from error


def _write_videos(made: Mapping[str, tuple[Path, Generation]], target: Path) -> None:
    files = {
        name: Path(generation.original.path) if generation.original and not generation.saved else place / FRAMES_FILE
        for name, (place, generation) in made.items()
    }
    whole = all(path.is_file() for path in files.values())
    carried = whole and sum(path.stat().st_size for path in files.values()) <= VIDEOS
    entries = {}
    for name, (_, generation) in sorted(made.items()):
        path = files[name]
        inside = f"videos/{name}{path.suffix}" if carried and generation.saved else ""
        if inside:
            (target / "videos").mkdir(exist_ok=True)
            shutil.copyfile(path, target / inside)
        entries[name] = {
            "path": inside,
            "sha256": file_sha256(path) if path.is_file() else "",
            "frames_sha256": generation.frames_sha256,
            "frames": max(sum(generation.pieces), 1),
        }
    (target / "videos.json").write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
