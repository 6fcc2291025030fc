"""Forms of file that hold scores and what belongs to them: runs, records, submissions, what others measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.forms.target import Target
from magbench.analysis.noise_floor import Level, Panel, read_noise
from magbench.core.files import file_sha256
from magbench.hub.lockfile import File, Lock, Part, read_lock
from magbench.leaderboard.attestation import Attestation, read_attestations
from magbench.leaderboard.identities import arithmetic
from magbench.leaderboard.submission import Artifact, Description, VideoEntry, read_submission, write_description
from magbench.models.command import read_program
from magbench.profiling.latency_report import read_profile
from magbench.render.training_curve import read_log
from magbench.report.streaming import stream
from magbench.runs.folder import Run, RunFolder
from magbench.runs.records import Record, models_of, read_parquet, read_records, write_parquet, write_records
from magbench.vbench import store
from magbench.vbench.dimensions import DIMENSIONS
from magbench.vbench.program import read_results


def _described(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return make


RUN = Run(suite="tiny", version=1, split="test", digest="0" * 64, seeds=1, limit=None)
RECORD = Record(
    suite="tiny",
    suite_version=1,
    suite_digest="0" * 64,
    split="test",
    model="mine",
    revision="1",
    kind="model",
    clip="a",
    category="pan",
    speed="slow",
    sample=0,
    seed=2**62 + 1,
    protocol="ordered",
    metric="psnr",
    metric_version=1,
    unit="dB",
    better="higher",
    region="all",
    value=20.25,
    n=2,
    per_frame=[20.0, 20.5],
    frame=[4, 5],
    gap=[1, -1],
    generation_sha256="1" * 64,
    magbench_version="1",
)
RECORDS = [RECORD, RECORD.model_copy(update={"metric": "ssim", "value": 0.5, "unit": ""})] * 3


def _records(write: Callable[[Path, list[Record]], None], name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write(folder / name, RECORDS)
        return folder / name

    return make


def _submission(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        about: dict[str, Any] = {
            "licence": "MIT",
            "submitter": "us",
            "relationship": "author",
            "training_data": "own",
            "command": "x",
        }
        found: dict[str, Any] = {
            "model": "mine",
            "revision": "1",
            "machine": "cpu",
            "date": "2026-01-31",
            "magbench_version": "1",
        }
        write_description(Description(weights=Artifact(url="https://example.org"), **about, **found), folder)
        (folder / "run.json").write_text(RUN.model_dump_json(), encoding="utf-8")
        entry = VideoEntry(path="videos/a@0.mkv", sha256="2" * 64, frames_sha256="1" * 64, frames=4)
        (folder / "videos.json").write_text(json.dumps({"a@0": entry.model_dump()}), encoding="utf-8")
        write_parquet(folder / "records.parquet", RECORDS)
        who: dict[str, Any] = {
            "who": "them",
            "date": "2026-02-01",
            "records_sha256": file_sha256(folder / "records.parquet"),
        }
        measured: dict[str, Any] = {
            "tolerance": 1e-3,
            "magbench_version": "1",
            "magbench_commit": "",
            "machine": {"cores": 2},
        }
        (folder / "attestations").mkdir()
        seen = Attestation(**who, **measured)
        (folder / "attestations" / "them.json").write_text(seen.model_dump_json(), encoding="utf-8")
        return folder / name

    return make


def _read_submission(path: Path) -> object:
    folder = path.parent.parent if path.parent.name == "attestations" else path.parent
    submission = read_submission(folder)
    return submission.about, submission.run, submission.videos, read_attestations(submission)


PANEL = Panel(
    model="mine",
    revision="1",
    suite_digest="0" * 64,
    clips=1,
    crf=18,
    levels=[
        Level(
            protocol="ordered",
            protocol_version=1,
            metric="psnr",
            metric_version=1,
            region="all",
            level=0.5,
            shifts={"h264": 0.5, "late": 1e-3},
        )
    ],
)
PROFILE = {"slope_from": 1, "points": [{"model": "mine", "history": h, "seconds": 0.5 * h} for h in (1, 2, 3)]}
LOCK = Lock(
    repository="owner/name",
    parts={"all": Part(revision="c0ffee", fetched=(File(path="a/b.bin", size=3, sha256="3" * 64),))},
)
VBENCH = DIMENSIONS["subject_consistency"]
RESULTS = {VBENCH.name: [0.5, [{"video_path": "x/a@0.mp4", "video_results": 0.5}]]}
SUBMISSION = "submission.yaml", "run.json", "videos.json", "attestations/them.json"
COMMAND = "name: other\ncommand: python make.py --seed {seed} --out {output}\ntimeout_s: 60.5\nrevision: '2'\n"
LOG = '{"step": 1, "loss": 0.5, "seconds": 2.5}\n{"step": 2, "return": 21.5}\n'


TARGETS: dict[str, Target] = {
    "run.json": Target(_described("run.json", RUN.model_dump_json()), lambda path: RunFolder(path.parent).read()),
    "records.jsonl": Target(_records(write_records, "a@0.jsonl"), read_records),
    "records-checked": Target(_records(write_records, "a@0.jsonl"), lambda path: list(arithmetic(read_records(path)))),
    "records.parquet": Target(_records(write_parquet, "records.parquet"), read_parquet),
    "records.parquet-streamed": Target(
        _records(write_parquet, "records.parquet"), lambda path: repr(stream(path).scores)
    ),
    "records.parquet-of-a-model": Target(
        _records(write_parquet, "records.parquet"),
        lambda path: [read_parquet(path, model=model) for model in models_of(path)],
    ),
    "noise.json": Target(_described("noise.json", PANEL.model_dump_json()), lambda path: read_noise(path.parent)),
    "profile.json": Target(_described("profile.json", json.dumps(PROFILE)), read_profile),
    "vbench-results": Target(
        _described("x_eval_results.json", json.dumps(RESULTS)), lambda path: read_results(path, VBENCH)
    ),
    "not_available.json": Target(
        _described("vbench/not_available.json", '{"a": "b"}'), lambda path: store.reasons(path.parent.parent)
    ),
    **{
        name.replace("/", "-").replace("run.json", "submission-run.json"): Target(_submission(name), _read_submission)
        for name in SUBMISSION
    },
    "lock.json": Target(_described("lock.json", LOCK.model_dump_json()), lambda path: read_lock(path.parent)),
    "command.yaml": Target(_described("other.yaml", COMMAND), lambda path: read_program(f"command:{path}")),
    "training-log": Target(_described("base.jsonl", LOG), read_log),
}
