"""Every form of file that a user or a hub can hand in: a whole one, and the reader that has to stand it damaged."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from mag_model.nano.checkpoint import load_codec, shipped
from mag_model.nano.presets import PRESETS
from mag_model.safetensors_file import open_safetensors
from mag_model.training import checkpoint
from mag_model.training.data import load_pool
from mag_model.wan.state_dict import check_config, read_published
from magbench.analysis.noise_floor import Level, Panel, read_noise
from magbench.core.files import file_sha256
from magbench.core.progress import Quiet
from magbench.hub.lockfile import File, Lock, Part, read_lock
from magbench.leaderboard.attestation import Attestation, read_attestations
from magbench.leaderboard.identities import arithmetic
from magbench.leaderboard.submission import Artifact, Description, VideoEntry, read_submission, write_description
from magbench.models.command import read_program
from magbench.models.meter import Metered
from magbench.profiling.latency_report import read_profile
from magbench.render.training_curve import read_log
from magbench.report.streaming import stream
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import read_frames, read_generation, write_generation
from magbench.runs.records import Record, read_parquet, read_records, write_parquet, write_records
from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.format import load_suite, load_with, read_header, write_suite
from magbench.suites.official.folder import open_official
from magbench.vbench import store
from magbench.vbench.dimensions import DIMENSIONS
from magbench.vbench.program import read_results
from magbench.video.formats import read_finished

FRAMES, SWITCH, SIDE = 8, 4, 32
MOST = (FRAMES, SIDE, SIDE)
PRESET = next(iter(PRESETS.values()))


@dataclass(frozen=True)
class Target:
    """One form of file.

    Attributes:
        make: writes a whole file into an empty folder, with what belongs to it, and returns its path.
        read: reads it as a command would; the file's path -> what it means.
        hashed: something outside the file holds its hash, so that a change of meaning has to be noticed.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    hashed: bool = False


def pictures(seed: int = 0, frames: int = FRAMES) -> NDArray[np.uint8]:
    """(frames, SIDE, SIDE, 3): coarse random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (frames, 4, 4, 3), np.uint8)
    return coarse.repeat(SIDE // 4, 1).repeat(SIDE // 4, 2)


def a_clip() -> Clip:
    revisit = np.full(FRAMES, NO_REVISIT)
    revisit[SWITCH:] = np.arange(SWITCH)[::-1]
    pose = np.random.default_rng(1).normal(size=(FRAMES, 3))
    about = {"caption": "ä, b", "category": "pan", "speed": "slow", "fps": 16, "switch": SWITCH}
    return Clip(id="a", frames=pictures(), pose=pose, revisit=revisit, **about)


def _suite(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        about = {"name": "tiny", "version": 1, "split": "test", "fps": 16, "window": 4, "licence": "CC0-1.0"}
        write_suite(folder / "suite", [a_clip()], **about)
        return folder / "suite" / name

    return make


def _resigned(path: Path) -> object:
    """A suite whose header lists the file as it is now."""
    folder = next(parent for parent in path.parents if parent.name == "suite")
    header = read_header(folder)
    listed = {**header.sha256, path.relative_to(folder).as_posix(): file_sha256(path)}
    clip = load_with(folder, header.model_copy(update={"sha256": listed})).clips[0]
    return clip.id, clip.caption, clip.switch, clip.pose, clip.revisit


def _sealed(path: Path) -> object:
    clip = load_suite(path.parent.parent).clips[0]
    return sha256(clip.frames.tobytes()).hexdigest()


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


def _generation(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        made = Metered(
            frames=pictures()[SWITCH:],
            pieces=[SWITCH],
            seconds=[0.5],
            history_bytes=None,
            peak_rss_bytes=1,
            device="cpu",
            device_peak_bytes=None,
        )
        write_generation(folder / "a@0", made, a_clip(), model="mine", revision="1", kind="model", sample=0)
        return folder / "a@0" / name

    return make


def _own_frames(path: Path) -> object:
    made = read_generation(path.parent)
    assert made is not None
    return sha256(read_frames(path.parent, made, a_clip()).tobytes()).hexdigest()


def _records(write: Callable[[Path, list[Record]], None], name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write(folder / name, RECORDS)
        return folder / name

    return make


def _submission(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        about = {"licence": "MIT", "submitter": "us", "relationship": "author", "training_data": "own", "command": "x"}
        found = {"model": "mine", "revision": "1", "machine": "cpu", "date": "2026-01-31", "magbench_version": "1"}
        write_description(Description(weights=Artifact(url="https://example.org"), **about, **found), folder)
        (folder / "run.json").write_text(RUN.model_dump_json(), encoding="utf-8")
        entry = VideoEntry(path="videos/a@0.mkv", sha256="2" * 64, frames_sha256="1" * 64, frames=4)
        (folder / "videos.json").write_text(json.dumps({"a@0": entry.model_dump()}), encoding="utf-8")
        write_parquet(folder / "records.parquet", RECORDS)
        who = {"who": "them", "date": "2026-02-01", "records_sha256": file_sha256(folder / "records.parquet")}
        measured = {"tolerance": 1e-3, "magbench_version": "1", "magbench_commit": "", "machine": {"cores": 2}}
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
SUBMISSION = "submission.yaml", "run.json", "videos.json", "records.parquet", "attestations/them.json"
COMMAND = "name: other\ncommand: python make.py --seed {seed} --out {output}\ntimeout_s: 60.5\nrevision: '2'\n"
LOG = '{"step": 1, "loss": 0.5, "seconds": 2.5}\n{"step": 2, "return": 21.5}\n'


def _weights(folder: Path) -> Path:
    path = folder / "codec.safetensors"
    path.write_bytes((shipped(PRESET) / path.name).read_bytes())
    return path


def _trained() -> tuple[Any, torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return checkpoint.Progress("base", "p", 0, 9, 3, 1.5), network, optimizer


def _checkpoint(folder: Path) -> Path:
    progress, network, optimizer = _trained()
    mean = {name: value.clone() for name, value in network.state_dict().items()}
    checkpoint.save(folder / "base.safetensors", progress, network, mean, optimizer)
    return folder / "base.safetensors"


def _restored(path: Path) -> object:
    progress, network, optimizer = _trained()
    mean: dict[str, torch.Tensor] = dict(network.state_dict())
    checkpoint.restore(path, progress, network, mean, optimizer)
    return progress, network.state_dict()


def _published(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        save_file({"a": torch.ones(2, 3), "b": torch.ones(4, dtype=torch.float16)}, folder / "one.safetensors")
        save_file({"c": torch.ones(2)}, folder / "two.safetensors")
        shards = {"a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": shards}))
        (folder / "config.json").write_text(json.dumps({"dim": 1536, "num_layers": 30, "model_type": "t2v"}))
        return folder / name

    return make


def _read_published(path: Path) -> object:
    check_config(path.parent / "config.json", {"dim": 1536, "num_layers": 30})
    return read_published(sorted(path.parent.iterdir()))


def _tensors(path: Path) -> object:
    with open_safetensors(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _pool(folder: Path) -> Path:
    np.save(folder / "scenes-train-1.npy", np.zeros((1, 3, 512, 512), np.uint8))
    return folder / "scenes-train-1.npy"


def _npz(save: Callable[..., None]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        save(folder / "a.npz", frames=pictures())
        return folder / "a.npz"

    return make


def _video(name: str, codec: str, pixels: str, frames: int = FRAMES) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with av.open(str(folder / name), "w") as output:
            stream = output.add_stream(codec, rate=16)
            assert isinstance(stream, av.VideoStream)
            stream.height, stream.width, stream.pix_fmt = SIDE, SIDE, pixels
            for array in pictures(frames=frames):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24").reformat(format=pixels)))
            output.mux(stream.encode())
        return folder / name

    return make


def _png(folder: Path) -> Path:
    import cv2

    (folder / "a").mkdir()
    for number, picture in enumerate(pictures(frames=2)):
        cv2.imwrite(str(folder / "a" / f"{number}.png"), picture)
    return folder / "a" / "1.png"


def _frames(path: Path) -> object:
    return read_finished(path, 16, MOST)


def _official(folder: Path) -> Path:
    (folder / "videos").mkdir()
    path = _video("one.mp4", "libx264", "yuv420p", 45)(folder / "videos")
    with (folder / "bench.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [["video_path", "raw_caption", "duration(sec)"], [f"videos/{path.name}", "a wall", "2.8125"]]
        csv.writer(file).writerows(rows)
    return folder / "bench.csv"


def _open_official(path: Path) -> object:
    return [(clip.id, clip.caption, clip.switch) for clip in open_official(path.parent).clips]


TARGETS: dict[str, Target] = {
    "suite.yaml": Target(_suite("suite.yaml"), lambda path: read_header(path.parent)),
    "clips.csv": Target(_suite("clips.csv"), _resigned),
    "poses.csv": Target(_suite("poses/a.csv"), _resigned),
    "revisits.csv": Target(_suite("revisits/a.csv"), _resigned),
    "suite-video": Target(_suite("videos/a.mkv"), _sealed, hashed=True),
    "suite-video-sealed-anew": Target(_suite("videos/a.mkv"), _resigned),
    "official-csv": Target(_official, _open_official),
    "run.json": Target(_described("run.json", RUN.model_dump_json()), lambda path: RunFolder(path.parent).read()),
    "generation.json": Target(_generation("generation.json"), lambda path: read_generation(path.parent)),
    "frames.mkv": Target(_generation("frames.mkv"), _own_frames, hashed=True),
    "records.jsonl": Target(_records(write_records, "a@0.jsonl"), read_records),
    "records-checked": Target(_records(write_records, "a@0.jsonl"), lambda path: list(arithmetic(read_records(path)))),
    "records.parquet": Target(_records(write_parquet, "records.parquet"), read_parquet),
    "records.parquet-streamed": Target(
        _records(write_parquet, "records.parquet"), lambda path: repr(stream(path).scores)
    ),
    "records.parquet-of-a-model": Target(
        _records(write_parquet, "records.parquet"), lambda path: read_parquet(path, model="mine")
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
        name.replace("/", "-"): Target(_submission(name), _read_submission)
        for name in SUBMISSION
        if name != "records.parquet"
    },
    "lock.json": Target(_described("lock.json", LOCK.model_dump_json()), lambda path: read_lock(path.parent)),
    "command.yaml": Target(_described("other.yaml", COMMAND), lambda path: read_program(f"command:{path}")),
    "training-log": Target(_described("base.jsonl", LOG), read_log),
    "codec.safetensors": Target(_weights, lambda path: load_codec(PRESET, path.parent)),
    "checkpoint": Target(_checkpoint, _restored),
    "published-safetensors": Target(_published("one.safetensors"), _read_published),
    "published-index": Target(_published("model.safetensors.index.json"), _read_published),
    "published-config": Target(_published("config.json"), _read_published),
    "scene-pool-npy": Target(_pool, lambda path: load_pool(path.parent, 1, 1, Quiet())),
    "npz": Target(_npz(np.savez), _frames),
    "compressed-npz": Target(_npz(np.savez_compressed), _frames),
    "mp4-h264": Target(_video("a.mp4", "libx264", "yuv420p"), _frames),
    "mkv-h264-10-bit": Target(_video("a.mkv", "libx264", "yuv420p10le"), _frames),
    "webm-vp9": Target(_video("a.webm", "libvpx-vp9", "yuv420p"), _frames),
    "mkv-ffv1": Target(_video("a.mkv", "ffv1", "yuv444p10le"), _frames),
    "png": Target(_png, lambda path: read_finished(path.parent, 16, (2, SIDE, SIDE))),
}
