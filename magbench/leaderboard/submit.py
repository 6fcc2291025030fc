"""From a finished run to a submission: the folder that travels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magbench import __version__
from magbench.analysis.sources import in_parts
from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256, folder_written
from magbench.core.provenance import commit
from magbench.leaderboard.submission import (
    PERSONAL,
    Description,
    board_name,
    folder_name,
    read_submission,
    write_description,
)
from magbench.report.columns import SCORED
from magbench.runs.folder import RunFolder
from magbench.runs.generation import Generation, read_generation
from magbench.runs.records import Record, write_parquet

CARRIED_MB = 20
"""Lossless video up to which a submission carries it; more lies in a hub's data set."""

NO_FRAMES = {"per_frame": None, "frame": None, "gap": None}
"""Of references only the values are compared, so that their frames do not travel."""

MADE_ANEW = ("retention", "history_effect", "vbench")
"""Protocols whose records follow from others, or were measured beside them: they are made anew or left out."""


Elsewhere = Callable[[Mapping[str, Path]], Mapping[str, str]]
"""Puts videos where everybody finds them: clip@sample -> file, to clip@sample -> ``path`` of a VideoEntry."""


@dataclass(frozen=True)
class Ready:
    """What a submission is made of.

    Attributes:
        run: the run's folder.
        about: its description.
        made: clip@sample -> (folder, generation).
        records: of the model, and of the run's references without their frames.
        board: folder of the board, SUITE-vN-SPLIT-DIGEST12.
    """

    run: RunFolder
    about: Description
    made: Mapping[str, tuple[Path, Generation]]
    records: Sequence[Record]
    board: str

    def place(self, root: Path) -> Path:
        """Its folder below ``root``."""
        return root / self.board / folder_name(self.about)

    def there(self, root: Path) -> Path | None:
        """The submission of these very videos that is below ``root`` already, of whatever day."""
        frames = {name: generation.frames_sha256 for name, (_, generation) in self.made.items()}
        place = self.place(root)
        revision = place.name[: -len(self.about.date)]
        for folder in sorted(place.parent.glob(f"{revision}*")):
            entries = read_submission(folder).videos
            if {name: entry.frames_sha256 for name, entry in entries.items()} == frames:
                return folder
        return None


def prepare(run: Path, model: str, told: Mapping[str, Any]) -> Ready:
    """Gather what a submission of one model of a run is made of.

    Args:
        told: what only a person knows (:data:`~magbench.leaderboard.submission.PERSONAL`), and anything else of
            :class:`~magbench.leaderboard.submission.Description`.

    Raises:
        MagbenchError: the run lacks the model, a clip or a video; something is not told.
    """
    folder = RunFolder(run)
    of = folder.read()
    if of.limit is not None:
        raise MagbenchError(f"{run}: holds only the first {of.limit} clips; a submission has all of them")
    mine, references, models = _records(run, model)
    if not mine:
        raise MagbenchError(f"{run}: has no scores of a model '{model}' but of {', '.join(models) or 'none'}")
    if missing := [name for name in PERSONAL if not told.get(name)]:
        raise MagbenchError(f"{run}: not told: {', '.join(missing)}; give them in --from FILE.yaml")
    made = _generations(folder, mine)
    about = _described(told, mine, next(iter(made.values()))[1])
    return Ready(folder, about, made, [*mine, *references], board_name(of))


def write(ready: Ready, to: Path, elsewhere: Elsewhere = lambda files: {}, *, carried_mb: float = CARRIED_MB) -> Path:
    """Write a submission below ``to``; returns its folder.

    Args:
        carried_mb: MB (2^20 bytes) of video up to which the submission carries it; 0: hashes alone.
        elsewhere: where videos go that a submission does not carry; by default they are not published.

    Raises:
        MagbenchError: it is there already.
    """
    target = ready.place(to)
    with folder_written(target, "is there already; a submission is never changed, submit another revision") as half:
        write_description(ready.about, half)
        shutil.copyfile(ready.run.description, half / "run.json")
        if ready.run.noise.is_file():
            shutil.copyfile(ready.run.noise, half / "noise.json")
        write_parquet(half / "records.parquet", ready.records)
        _write_videos(ready.made, half, elsewhere, carried_mb)
    return target


def submit(run: Path, model: str, told: Mapping[str, Any], to: Path) -> Path:
    """Prepare and write a submission of one model of a run; returns its folder below ``to``."""
    return write(prepare(run, model, told), to)


def _records(run: Path, model: str) -> tuple[list[Record], list[Record], list[str]]:
    """The records of a model, those of the references without their frames, and the names of all models."""
    mine: list[Record] = []
    references: list[Record] = []
    models = set()
    for part in in_parts(run):
        kept = [r for r in part if r.protocol not in MADE_ANEW and r.region != "in_window"]
        models |= {r.model for r in kept if r.kind == "model"}
        mine += [r for r in kept if r.model == model and r.kind == "model"]
        of_references = (r for r in kept if r.kind == "reference" and r.protocol in SCORED)
        references += [r.model_copy(update=NO_FRAMES) for r in of_references]
    return mine, references, sorted(models)


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


def _write_videos(
    made: Mapping[str, tuple[Path, Generation]], target: Path, elsewhere: Elsewhere, carried_mb: float
) -> None:
    files = {name: generation.place(place) for name, (place, generation) in made.items()}
    whole = all(path.is_file() for path in files.values())
    ours = all(generation.saved for _, generation in made.values())
    paths: Mapping[str, str] = {}
    if whole and ours and sum(path.stat().st_size for path in files.values()) <= carried_mb * 2**20:
        paths = {name: f"videos/{name}{path.suffix}" for name, path in files.items()}
        (target / "videos").mkdir()
        for name, inside in paths.items():
            shutil.copyfile(files[name], target / inside)
    elif whole:
        paths = elsewhere(files)
    entries = {
        name: {
            "path": paths.get(name, ""),
            "sha256": file_sha256(files[name]) if files[name].is_file() else "",
            "frames_sha256": generation.frames_sha256,
            "frames": max(sum(generation.pieces), 1),
        }
        for name, (_, generation) in sorted(made.items())
    }
    (target / "videos.json").write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
