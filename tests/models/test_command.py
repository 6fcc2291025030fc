"""Programs as models: what they are given, what they must give back, and one clear line where they fail."""

from __future__ import annotations

import json
import os
import shlex
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.core.seeds import task_seed
from magbench.generation.runner import generate
from magbench.models.command import PLACEHOLDERS, read_program
from magbench.models.naming import resolve
from magbench.runs.failures import Failure
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.suites.format import Suite
from magbench.video.io import write_lossless

pytestmark = pytest.mark.usefixtures("registered")

PYTHON = f"{shlex.quote(sys.executable)} -S -E"  # starts fast: the scripts of most tests import nothing
SPEAK = "import json, sys; print(json.dumps(sys.argv[1:]))"


def write(folder: Path, command: str, name: str = "mine.yaml", **fields: Any) -> str:
    """A command file in ``folder``, as it is named on the command line."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(yaml.safe_dump({"name": "mine", "command": command} | fields))
    return f"command:{folder / name}"


def script(folder: Path, code: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text(textwrap.dedent(code))
    return "mine.py"


def run(suite: Suite, model: str, out: Path) -> list[Failure]:
    return generate(suite, [model], out, limit=1, progress=Quiet())


HOLD = """
    import sys
    import av
    import numpy as np
    context, output, whole = sys.argv[1:]
    with av.open(context) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    frames = (frames if whole == "whole" else []) + frames[-1:] * 6
    with av.open(output, "w") as file:
        stream = file.add_stream("ffv1", rate=16)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "bgr0"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    print("held", len(frames))
"""


@pytest.mark.parametrize("length", ["return", "whole"])
def test_a_program_makes_a_generation(suite: Suite, tmp_path: Path, length: str) -> None:
    here = tmp_path / "mine"
    command = f"{shlex.quote(sys.executable)} {script(here, HOLD)} {{context}} {{output}}.mkv {length}"
    model = write(here, command, revision="v7")
    assert resolve(model).kind == "model"
    assert run(suite, model, tmp_path / "out") == []
    folder = RunFolder(tmp_path / "out").generation("mine", "a", 0)
    names = {path.name for path in folder.iterdir()}
    assert names == {"frames.mkv", "preview.mp4", "generation.json", "command.log"}
    made = read_generation(folder)
    assert made is not None
    assert (made.kind, made.model, made.pieces, made.seed) == ("model", "mine", [6], task_seed("a", 0))
    assert made.seconds[0] > 0
    assert (made.history_bytes, made.peak_rss_bytes, made.device) == (None, None, "another process")
    assert made.revision.startswith("v7+")
    clip = suite.clip("a")
    assert np.array_equal(read_frames(folder, made), np.repeat(clip.frames[5:6], 6, axis=0))
    log = (folder / "command.log").read_text().splitlines()
    assert log[0].startswith("$ ") and "context.mkv" in log[0]
    assert log[-1] == f"held {6 if length == 'return' else 12}"


def test_resuming_and_changing(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lossless(tmp_path / "a.mkv", suite.clip("a").frames[6:], 16)
    copy = f"cp {shlex.quote(str(tmp_path / 'a.mkv'))} {{output}}.mkv"
    model = write(tmp_path / "mine", copy)
    assert run(suite, model, tmp_path / "out") == []
    log = RunFolder(tmp_path / "out").generation("mine", "a", 0) / "command.log"
    log.unlink()
    write(tmp_path / "mine", copy, timeout_s=9.0)  # the time-out decides no pixel
    assert run(suite, model, tmp_path / "out") == []
    assert not log.exists()
    write(tmp_path / "mine", copy, revision="2")
    assert run(suite, model, tmp_path / "out") == []
    assert log.exists()
    log.unlink()
    write(tmp_path / "mine", f"{copy} ", revision="2")
    assert run(suite, model, tmp_path / "out") == []
    assert not log.exists()
    write(tmp_path / "mine", copy.replace("cp", "cp -f"), revision="2")
    assert run(suite, model, tmp_path / "out") == []
    assert log.exists()


def test_every_placeholder(suite: Suite, tmp_path: Path) -> None:
    words = " ".join(f"{name}={{{name}}}" for name in PLACEHOLDERS)
    model = write(tmp_path / "mine", f"""{PYTHON} -c {shlex.quote(SPEAK)} {words} '{{"json": 1}}' 'two words'""")
    (failure,) = run(suite, model, tmp_path / "out")
    folder = RunFolder(tmp_path / "out").generation("mine", "a", 0)
    said = json.loads((folder / "command.log").read_text().splitlines()[-1])
    assert said[-2:] == ['{"json": 1}', "two words"]
    given = dict(word.split("=", 1) for word in said[:-2])
    clip = suite.clip("a")
    seed = task_seed("a", 0)
    numbers = {"frames": 12, "new_frames": 6, "fps": 16, "height": 32, "width": 32}
    numbers |= {"seed": seed, "seed32": seed % 2**32}
    assert {name: given[name] for name in numbers} == {name: str(value) for name, value in numbers.items()}
    assert given["prompt"] == clip.caption  # quotes, a new line and an umlaut
    work = folder / "command"
    assert given["output"] == str(work / "output")
    assert len(list(Path(given["context_folder"]).glob("*.png"))) == 6
    assert Path(given["context"]).is_file()
    assert Path(given["pose"]).read_text().splitlines()[0] == "frame,p0,p1,p2"
    assert len(Path(given["pose"]).read_text().splitlines()) == 13
    assert str(failure) == f"mine, clip a, sample 0: command wrote no output; see {folder / 'command.log'}"


def test_pngs_are_the_given_frames(suite: Suite, tmp_path: Path) -> None:
    import cv2

    model = write(tmp_path / "mine", f"{PYTHON} -c '' {{context_folder}} {{output}}")
    run(suite, model, tmp_path / "out")
    folder = RunFolder(tmp_path / "out").generation("mine", "a", 0) / "command/context"
    shown = [cv2.imread(str(path))[..., ::-1] for path in sorted(folder.iterdir())]
    assert np.array_equal(np.stack(shown), suite.clip("a").frames[:6])
    assert not (folder.parent / "context.mkv").exists()  # nobody asked for it


FAILING = {
    "exit code": ("import sys; print('out of\\npaper'); sys.exit(3)", "command ended with exit code 3: paper; see "),
    "silent": ("import sys; sys.exit(1)", "command ended with exit code 1: it printed nothing; see "),
    "killed": (
        "import os; os.kill(os.getpid(), 9)",
        "command was killed by SIGKILL, perhaps for want of memory: it printed nothing; see ",
    ),
    "nothing": ("", "command wrote no output; see "),
    "two": (
        "import sys; [open(sys.argv[1] + end, 'w') for end in ('.mp4', '.json')]",
        "command wrote 2 outputs (output.json, output.mp4); see ",
    ),
    "another form": (
        "import sys; open(sys.argv[1] + '.avi', 'w')",
        "command wrote output.avi; a folder of PNG files or one of .mp4, .mkv, .webm, .npz wanted; see ",
    ),
    "no ending": ("import sys; open(sys.argv[1], 'w')", "command wrote output; a folder of PNG files or one of "),
    "no video": ("import sys; open(sys.argv[1] + '.mp4', 'w').write('no')", "cannot be decoded as a video"),
}


@pytest.mark.parametrize("how", FAILING)
def test_a_failure_is_one_line_with_the_log(suite: Suite, tmp_path: Path, how: str) -> None:
    code, message = FAILING[how]
    model = write(tmp_path / "mine", f"{PYTHON} {script(tmp_path / 'mine', code)} {{output}}")
    failures = generate(suite, [model, "tiny"], tmp_path / "out", limit=2, progress=Quiet())
    assert [(f.model, f.clip) for f in failures] == [("mine", "a"), ("mine", "b")]
    folder = RunFolder(tmp_path / "out").generation("mine", "a", 0)
    assert message in failures[0].message
    assert failures[0].message.endswith(f"see {folder / 'command.log'}")
    assert "\n" not in failures[0].message
    assert f"{folder}/command/" not in failures[0].message
    assert read_generation(folder) is None
    assert read_generation(RunFolder(tmp_path / "out").generation("tiny", "b", 0)) is not None  # the rest goes on


def test_a_folder_of_pngs_is_an_output(suite: Suite, tmp_path: Path) -> None:
    model = write(tmp_path / "mine", "cp -r {context_folder} {output}")  # six given frames, six wanted
    assert run(suite, model, tmp_path / "out") == []
    folder = RunFolder(tmp_path / "out").generation("mine", "a", 0)
    made = read_generation(folder)
    assert made is not None
    assert np.array_equal(read_frames(folder, made), suite.clip("a").frames[:6])


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (np.s_[:5], "output.mkv has 5 frames, 6 (the return) or 12 (the whole clip) wanted"),
        (np.s_[:6, :16], "output.mkv: frames are 32x16, 32x32 wanted"),
    ],
)
def test_output_of_another_size(suite: Suite, tmp_path: Path, part: Any, message: str) -> None:
    write_lossless(tmp_path / "bad.mkv", suite.clip("a").frames[part], 16)
    model = write(tmp_path / "mine", f"cp {shlex.quote(str(tmp_path / 'bad.mkv'))} {{output}}.mkv")
    (failure,) = run(suite, model, tmp_path / "out")
    assert message in failure.message


def test_a_program_that_takes_too_long_is_stopped_with_all_it_started(suite: Suite, tmp_path: Path) -> None:
    code = """
        import signal, subprocess, sys
        with open("alive", "w"):
            child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"], close_fds=False)
        signal.pause()
    """
    model = write(tmp_path / "mine", f"{PYTHON} {script(tmp_path / 'mine', code)} {{output}}", timeout_s=1.0)
    os.mkfifo(tmp_path / "mine/alive")
    alive = os.open(tmp_path / "mine/alive", os.O_RDONLY | os.O_NONBLOCK)
    (failure,) = run(suite, model, tmp_path / "out")
    assert "command was stopped after 1 s; see " in failure.message
    os.set_blocking(alive, True)
    assert os.read(alive, 1) == b""  # nobody holds the other end any more
    os.close(alive)


def test_a_program_that_is_not_there(suite: Suite, tmp_path: Path) -> None:
    (failure,) = run(suite, write(tmp_path / "mine", "./no-such-program {output}"), tmp_path / "out")
    assert failure.message == "command './no-such-program' cannot be started (No such file or directory)"


def test_a_clip_without_cameras(suite: Suite, tmp_path: Path) -> None:
    blind = replace(suite, clips=tuple(replace(clip, pose=None) for clip in suite.clips))
    (failure,) = run(blind, write(tmp_path / "mine", "cp {pose} {output}"), tmp_path / "out")
    assert failure.message == "model mine needs camera numbers ({pose}); the clip has none"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: [", "broken YAML"),
        ("name: mine", "command: Field required"),
        ("name: mine\ncommand: cp {output}\ncolour: red", "colour: Extra inputs are not permitted"),
        ("name: mine\ncommand: cp {output}\nrevision: 2", "revision: Input should be a valid string, not 2"),
        ("name: mine\ncommand: cp {output}\ntimeout_s: 0", "timeout_s: Input should be greater than 0"),
        ("name: mine\ncommand: cp 'a {output}", "command: No closing quotation"),
        ("name: ../mine\ncommand: cp {output}", r"name '\.\./mine' may only hold"),
        ("name: oracle\ncommand: cp {output}", "name 'oracle' is a registered model's or reference's"),
        ("name: mine\ncommand: cp {contex} {output}", "unknown placeholder 'contex'; did you mean: context"),
        ("name: mine\ncommand: cp a b", r"command has no \{output\}"),
    ],
)
def test_bad_files_stop_before_anything_is_made(suite: Suite, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bad.yaml").write_text(content)
    with pytest.raises(MagbenchError, match=rf"bad\.yaml: .*{message}"):
        run(suite, f"command:{tmp_path / 'bad.yaml'}", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_mistakes_with_names(suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match=r"no\.yaml: cannot be read \(.*No such file"):
        resolve("command:no.yaml")
    one, two = write(tmp_path, "cp {output}", "one.yaml"), write(tmp_path, "cp {output}", "two.yaml")
    with pytest.raises(MagbenchError, match=r"two\.yaml: another of these models is called 'mine' too"):
        generate(suite, [one, two], tmp_path / "out", progress=Quiet())
    with pytest.raises(MagbenchError, match="is a program"):
        resolve(one).load()


def test_a_relative_file_starts_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "mine", "cp {output}")
    monkeypatch.chdir(tmp_path)
    assert read_program("command:mine/mine.yaml").folder == tmp_path / "mine"
