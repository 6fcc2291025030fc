"""Models in processes of their own: a crash is a failed video, and nothing else changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation
from magbench.suites.format import Suite
from tests import fakes
from tests.core.test_subprocesses import wait_until_gone

MODEL = """
import ctypes, os, signal, sys, threading
from tests import fakes

HOW = {how!r}
def crash():
    if HOW == "segfault": ctypes.string_at(0)
    if HOW == "exit": os._exit(0)
    if HOW == "killed": os.kill(os.getpid(), signal.SIGKILL)
    if HOW == "abort": os.abort()
    if HOW == "never ends": threading.Event().wait()

if {at!r} == "import":
    crash()

class Odd:
    revision = "1"
    def stream(self, task):
        for index, piece in enumerate(fakes.noisy(task)):
            if index == 1 and {at!r} in task.prompt:
                crash()
            yield piece
"""


def model(folder: Path, how: str, at: str) -> str:
    (folder / "odd.py").write_text(MODEL.format(how=how, at=at))
    return f"{folder / 'odd.py'}:Odd"


def hashes(out: Path, name: str) -> list[str | None]:
    made = [read_generation(RunFolder(out).generation(name, clip, 0)) for clip in "abc"]
    return [None if one is None else one.frames_sha256 for one in made]


def test_an_object_cannot_be_run_apart(suite: Suite, tmp_path: Path, registered: None) -> None:
    with pytest.raises(MagbenchError, match=r"name the model as file\.py:Name"):
        generate(suite, [fakes.Fake("own", fakes.noisy)], tmp_path / "out", isolate=True, progress=Quiet())


@pytest.mark.rare
def test_one_crash_costs_one_video_and_the_rest_is_the_same(suite: Suite, tmp_path: Path, registered: None) -> None:
    odd = model(tmp_path, "segfault", 'clip "b"')
    failures = generate(suite, [odd, "tiny", "oracle"], tmp_path / "apart", isolate=True, progress=Quiet())
    assert [str(one) for one in failures] == ["Odd, clip b, sample 0: its process was killed by SIGSEGV"]
    whole = model(tmp_path, "no", "nowhere")
    assert generate(suite, [whole, "tiny", "oracle"], tmp_path / "here", progress=Quiet()) == []
    for name in ("tiny", "oracle"):
        assert hashes(tmp_path / "apart", name) == hashes(tmp_path / "here", name)
    apart, here = hashes(tmp_path / "apart", "Odd"), hashes(tmp_path / "here", "Odd")
    assert apart == [here[0], None, here[2]]
    assert not list((tmp_path / "apart").rglob("*.tmp"))
    again = generate(suite, [whole, "tiny", "oracle"], tmp_path / "apart", isolate=True, progress=Quiet())
    assert again == [] and hashes(tmp_path / "apart", "Odd") == here


@pytest.mark.rare
@pytest.mark.parametrize(
    ("how", "at", "said"),
    [
        ("exit", "clip", "its process ended with exit code 0"),
        ("killed", "clip", "its process was killed by SIGKILL, perhaps for want of memory"),
        ("abort", "import", "its process was killed by SIGABRT"),
        ("never ends", "clip", "was ended: one video took more than 2 s"),
    ],
)
def test_every_way_to_end(suite: Suite, tmp_path: Path, registered: None, how: str, at: str, said: str) -> None:
    (failure,) = generate(
        suite, [model(tmp_path, how, at)], tmp_path / "out", limit=1, isolate=True, patience_s=2.0, progress=Quiet()
    )
    assert failure.message == said
    assert failure.model.endswith("Odd") and failure.clip == (None if at == "import" else "a")


OWNER = """
import sys
from pathlib import Path
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.suites.format import load_suite

if __name__ == "__main__":
    generate(load_suite(Path(sys.argv[1])), [sys.argv[2]], Path(sys.argv[3]), limit=1, isolate=True, progress=Quiet())
"""

TELLING = """
import os, threading
class Telling:
    revision = "1"
    def stream(self, task):
        with open({place!r}, "w") as file:
            file.write(str(os.getpid()))
        threading.Event().wait()
        yield
"""


@pytest.mark.rare
@pytest.mark.skipif(sys.platform != "linux", reason="pidfd")
def test_it_ends_when_we_are_killed(suite_folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    (tmp_path / "telling.py").write_text(TELLING.format(place=str(tmp_path / "pid")))
    (tmp_path / "owner.py").write_text(OWNER)
    owner = subprocess.Popen(
        [sys.executable, "owner.py", str(suite_folder), "telling.py:Telling", "out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    pid = int((tmp_path / "pid").read_text())
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    wait_until_gone(pid)
