"""A `vbench` program that takes the real one's arguments and leaves the real one's files, and a scored run."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.scoring.score import score
from magbench.suites.format import Suite
from tests import fakes

PROGRAM = '''#!{python} -S
"""Stands in for vbench: same arguments, same files, same exit code whatever happens. $FAKE_VBENCH says what it does."""
import argparse, json, os, sys, time, zlib

CUSTOM = ["subject_consistency", "background_consistency", "temporal_flickering", "motion_smoothness",
          "dynamic_degree", "aesthetic_quality", "imaging_quality"]
parser = argparse.ArgumentParser(prog="vbench")
evaluate = parser.add_subparsers(required=True).add_parser("evaluate")
evaluate.add_argument("--ngpus", type=int, default=1)
evaluate.add_argument("--output_path", default="./evaluation_results/")
evaluate.add_argument("--videos_path", required=True)
evaluate.add_argument("--dimension", required=True, choices=CUSTOM)
evaluate.add_argument("--mode", choices=["custom_input", "vbench_standard", "vbench_category"],
                      default="vbench_standard")
args = parser.parse_args()
assert args.mode == "custom_input", args.mode
behaviour = os.environ.get("FAKE_VBENCH", "")
names = os.listdir(args.videos_path)
with open(os.environ["FAKE_CALLS"], "a") as file:
    file.write(args.dimension + " " + ",".join(sorted(names)) + "\\n")
assert os.environ["PATH"].split(os.pathsep)[0] == os.path.dirname(os.path.realpath(__file__))
if behaviour == "slow":
    time.sleep(60)
if behaviour == args.dimension + " fails":
    print("[rank0]: Traceback (most recent call last):")
    print("[rank0]: RuntimeError: Found no NVIDIA driver on your system.")
    print("torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ")
    print("=======")
    sys.exit(0)
whole = 100 if args.dimension == "imaging_quality" else 1
videos = []
for name in names:
    path = os.path.join(args.videos_path, name)
    with open(path, "rb") as file:
        assert file.read(8)[4:] == b"ftyp", name
    score = True if args.dimension == "dynamic_degree" else whole * zlib.crc32(name.encode()) / 2**32
    videos.append({{"video_path": path, "video_results": score}})
mean = sum(video["video_results"] for video in videos) / len(videos) / whole
if behaviour == "drops":
    videos = videos[1:]
if behaviour == "nan":
    videos[0]["video_results"] = float("nan")
os.makedirs(args.output_path, exist_ok=True)
stem = os.path.join(args.output_path, "results_2026-01-31-12:00:00_")
for ending, content in (("full_info", []), ("eval_results", {{args.dimension: [mean, videos]}})):
    with open(stem + ending + ".json", "w") as file:
        json.dump(content, file, indent=4)
'''


@pytest.fixture(scope="session")
def scored(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two models and a reference, scored; not to be written to."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("site")
        fakes.register(folder)
        patch.syspath_prepend(str(folder))
        out = tmp_path_factory.mktemp("runs") / "run"
        assert not generate(suite, ["tiny", "forgetful", "oracle"], out, limit=2, seeds=1, progress=Quiet())
        assert not score(suite, out, progress=Quiet(), workers=1)
    return out


@pytest.fixture
def run(scored: Path, tmp_path: Path) -> Path:
    """A copy of the run."""
    return Path(shutil.copytree(scored, tmp_path / 'run "with" $signs'))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the program; its calls go to `calls.txt` beside it."""
    path = tmp_path / "bin" / "vbench"
    path.parent.mkdir()
    path.write_text(PROGRAM.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("FAKE_CALLS", str(path.with_name("calls.txt")))
    return path


def calls(program: Path) -> list[str]:
    """`dimension video,video,...` of each call so far."""
    path = program.with_name("calls.txt")
    return path.read_text().splitlines() if path.is_file() else []
