"""What a submission is: a folder, append-only, one change adds one.

::

    SUITE-vN-SPLIT-DIGEST12/MODEL/REVISION12-DATE/
      submission.yaml       who made what, with which weights and code, on which machine
      run.json              what the run is of, see :class:`magbench.runs.folder.Run`
      records.parquet       the model's records and the references'
      noise.json            the run's noise panel
      videos.json           every video: clip@sample -> where it is, and its hashes
      videos/CLIP@SAMPLE.mkv    lossless, where they are small
      attestations/         what others found who scored it again, or ran the model
      renewed/DATE.parquet  the records by later metrics, see :mod:`magbench.leaderboard.renew`
      notice.yaml           that it was withdrawn, superseded or quarantined, and why; added later

No table is ever submitted; tables are made anew from the records.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt

from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.core.parsing import described, read_described, read_object, read_yaml
from magbench.runs.folder import Run

NOTICE = "notice.yaml"
RENEWED = "renewed"
VIDEO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@\d{1,6}")
"""What a video is called: clip@sample."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_date(text: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError(f"'{text}' is not a date, as 2026-01-31 is")


Date = Annotated[str, AfterValidator(_is_date)]


class Artifact(_Strict):
    """Weights or code: where they are, at which commit, and the sha256 of what was used; "" where there is none."""

    url: str = ""
    commit: str = ""
    sha256: str = ""


class Description(_Strict):
    """``submission.yaml``.

    Attributes:
        model, revision: as the records have them.
        family, policy: what kind of model, and which cache policy. Of submissions that agree in both, the newest
            one alone has a rank, so that copies between two other models change nothing.
        weights, code: what was run.
        licence: of the model.
        submitter, relationship: who submits, and whether as the model's author or as a third party.
        training_data: what the model was trained on; whether it may have seen the suite.
        samples: samples a clip, and whether they are all or the best of more.
        conversions: what was done to the model's frames before they were scored.
        command: what was typed.
        machine: processor, card, torch.
        date: of the run, as 2026-01-31.
        magbench_version, magbench_commit: what scored it.
    """

    model: str
    revision: str
    family: str = ""
    policy: str = ""
    weights: Artifact = Artifact()
    code: Artifact = Artifact()
    licence: str = Field(min_length=1)
    submitter: str = Field(min_length=1)
    relationship: Literal["author", "third party"]
    training_data: str = Field(min_length=1)
    samples: str = "all"
    conversions: str = "none"
    command: str = Field(min_length=1)
    machine: str = Field(min_length=1)
    date: Date
    magbench_version: str
    magbench_commit: str = ""


class Notice(_Strict):
    """``notice.yaml``: what became of a submission, which itself is never changed.

    Attributes:
        status: withdrawn by who submitted it, superseded by a later submission, or quarantined by the board.
        reason: in a sentence.
        who, date: who says so, and when.
        superseded_by: MODEL/REVISION12-DATE of the later submission.
    """

    status: Literal["withdrawn", "superseded", "quarantined"]
    reason: str = Field(min_length=1)
    who: str = Field(min_length=1)
    date: Date
    superseded_by: str = ""


PERSONAL = ("licence", "submitter", "relationship", "training_data")
"""What only a person knows."""


class VideoEntry(_Strict):
    """One video.

    Attributes:
        path: inside the submission, or a :class:`~magbench.hub.place.Place`, or "" where it is not published.
        sha256: of the file; ``frames_sha256``: of its decoded frames.
    """

    path: str = ""
    sha256: str
    frames_sha256: str
    frames: PositiveInt


@dataclass(frozen=True)
class Submission:
    """A submission's folder, read.

    Attributes:
        folder: where it is.
        about: its description.
        run: what its run is of.
        videos: clip@sample -> video.
        notice: what became of it, if it no longer stands.
    """

    folder: Path
    about: Description
    run: Run
    videos: dict[str, VideoEntry]
    notice: Notice | None = None

    @property
    def name(self) -> str:
        """MODEL/REVISION12-DATE."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def records(self) -> Path:
        """The records that count: the newest that its videos were given when a metric was raised, else its own."""
        renewed = sorted((self.folder / RENEWED).glob("*.parquet"))
        return renewed[-1] if renewed else self.folder / "records.parquet"

    @property
    def attestations(self) -> list[Path]:
        """What others found, in order of name."""
        return sorted((self.folder / "attestations").glob("*.json"))


def board_name(run: Run) -> str:
    """The folder of all submissions that may be compared: one suite, version, split and content."""
    return f"{run.suite}-v{run.version}-{run.split}-{run.digest[:12]}"


def folder_name(about: Description) -> Path:
    """MODEL/REVISION12-DATE; the revision by its hash."""
    revision = hashlib.sha256(about.revision.encode()).hexdigest()[:12]
    return Path(about.model.replace(":", "_")) / f"{revision}-{about.date}"


def read_submission(folder: Path) -> Submission:
    """Read a submission's descriptions; its records and videos are left for the checks.

    Raises:
        MagbenchError: one of its files is missing or not what it should be.
    """
    about = read_yaml(folder / "submission.yaml", Description)
    run = read_described(folder / "run.json", Run)
    listed = folder / "videos.json"
    videos = {name: described(entry, VideoEntry, str(listed)) for name, entry in read_object(listed).items()}
    if odd := next((name for name in videos if not VIDEO.fullmatch(name)), None):
        raise MagbenchError(f"{listed}: '{odd[:60]}' is not the name of a video, as CLIP@0 is")
    notice = folder / NOTICE
    return Submission(folder, about, run, videos, read_yaml(notice, Notice) if notice.exists() else None)


def find_submissions(root: Path) -> list[Path]:
    """Every submission below a folder, in order of path."""
    return sorted(path.parent for path in root.rglob("submission.yaml"))


def write_description(about: Description, folder: Path) -> None:
    """Write ``submission.yaml``."""
    (folder / "submission.yaml").write_text(_yaml(about), encoding="utf-8")


def write_notice(folder: Path, notice: Mapping[str, Any]) -> Notice:
    """Write ``notice.yaml`` into a submission; a later notice takes the place of an earlier one.

    Raises:
        MagbenchError: a field is missing or wrong, or what supersedes it is not beside it.
    """
    submission = read_submission(folder)
    made = described(notice, Notice, str(folder / NOTICE))
    if (made.status == "superseded") != bool(made.superseded_by):
        raise MagbenchError(f"{folder / NOTICE}: 'superseded' and the submission that supersedes go together")
    if made.superseded_by and not (folder.parents[1] / made.superseded_by / "submission.yaml").is_file():
        raise MagbenchError(f"{submission.name}: there is no submission '{made.superseded_by}' on its board")
    write_atomic(folder / NOTICE, _yaml(made))
    return made


def _yaml(content: BaseModel) -> str:
    return yaml.safe_dump(content.model_dump(), sort_keys=False, allow_unicode=True, width=110)
