"""What others found out about a submission: scored again, made again, or asked for clips that nobody had seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from magbench import __version__
from magbench.core.files import file_sha256, write_new
from magbench.core.parsing import described, read_described
from magbench.core.provenance import commit, machine
from magbench.leaderboard.submission import Date, Submission

Kind = Literal["rescored", "reproduced", "fresh"]
KINDS: tuple[Kind, ...] = ("rescored", "reproduced", "fresh")
"""From the weakest to the strongest: the videos were scored again; the model was run again; it was run on clips that
were drawn after the submission."""


class Attestation(BaseModel):
    """One finding.

    Attributes:
        kind: what was done.
        who, date: in whose name, and when, as 2026-01-31.
        records_sha256: of the records that were looked at; others are not meant.
        verdict: whether the submission's scores held.
        largest: the largest difference of a score, relative to the larger of 1 and the value; ``where`` it was. For
            runs of the model: the difference of the means of the ordered score, submitted minus found.
        low, high: the interval of that difference; None where nothing is random.
        values: how many scores, or clips, were compared.
        drawn: what fresh clips were drawn from, "" for others.
        tolerance: up to which difference the verdict is good.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = "rescored"
    who: str = Field(min_length=1)
    date: Date
    records_sha256: str
    verdict: bool = False
    largest: float = 0.0
    where: str = ""
    low: float | None = None
    high: float | None = None
    values: int = 0
    drawn: str = ""
    tolerance: float
    magbench_version: str
    magbench_commit: str
    machine: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.kind} by {self.who} on {self.date}: {self.found}"

    @property
    def found(self) -> str:
        """The finding in words."""
        if self.kind == "rescored":
            said = "the same" if self.verdict else "DIFFERENT"
            return f"{said}, {self.values} values, largest difference {self.largest:.2g} {self.where}".rstrip()
        said = "no worse" if self.verdict else "WORSE than submitted"
        between = "" if self.low is None or self.high is None else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{said}, {self.values} clips, submitted minus found {self.largest:.3f}{between}"


def begin(submission: Submission, kind: Kind, who: str, date: str) -> Attestation:
    """An attestation without a finding yet, so that a wrong name or date is said before hours of work.

    Raises:
        MagbenchError: no name, or no date.
    """
    known = {
        "kind": kind,
        "who": who,
        "date": date,
        "records_sha256": file_sha256(submission.records),
        "tolerance": 0.0,
        "magbench_version": __version__,
        "magbench_commit": commit() or "",
        "machine": machine(),
    }
    return described(known, Attestation, str(submission.folder / "attestations"))


def attest(submission: Submission, begun: Attestation, found: Mapping[str, Any]) -> Attestation:
    """Write a finding into a submission, beside all earlier ones; ``found`` has the fields that :func:`begin` left."""
    made = begun.model_copy(update=found)
    text = made.model_dump_json(indent=1) + "\n"
    next(path for path in _paths(submission, made) if write_new(path, text))
    return made


def _paths(submission: Submission, made: Attestation) -> Iterator[Path]:
    """attestations/WHO-DATE.json, of runs with their kind before the ending; -2, -3 and so on for others that day."""
    name = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in made.who)
    ending = "" if made.kind == "rescored" else f"-{made.kind}"
    for number in count(1):
        again = "" if number == 1 else f"-{number}"
        yield submission.folder / "attestations" / f"{name}-{made.date}{ending}{again}.json"


def read_attestations(submission: Submission) -> list[Attestation]:
    """The attestations of the records that the submission has now; those of others say nothing of these.

    Raises:
        MagbenchError: one of them is damaged.
    """
    found = [read_described(path, Attestation) for path in submission.attestations]
    digest = file_sha256(submission.records)
    return [attestation for attestation in found if attestation.records_sha256 == digest]
