"""A restart looks at what is there by its bytes; frames are decoded only where bytes cannot tell."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.runs import generation as generation_module
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.scoring import score as score_module
from magbench.suites.format import Suite


@pytest.fixture(scope="module")
def finished(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    assert generate(suite, ["freeze", "oracle"], out, limit=1, progress=Quiet()) == []
    assert score_module.score(suite, out, progress=Quiet(), workers=1) == []
    return out


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def again(suite: Suite, out: Path) -> None:
    assert generate(suite, ["freeze", "oracle"], out, limit=1, progress=Quiet()) == []
    assert score_module.score(suite, out, progress=Quiet(), workers=1) == []


def test_nothing_is_decoded(suite: Suite, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_module, "open_video", lambda *_: pytest.fail("decoded"))
    again(suite, run)


def remux(path: Path) -> None:
    """The same frames in other bytes."""
    copy = path.with_suffix(".copy.mkv")
    with av.open(str(path)) as source, av.open(str(copy), "w", format="matroska") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert copy.read_bytes() != path.read_bytes()
    copy.replace(path)


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize(("change", "kept"), [(remux, True), (damage, False), (Path.unlink, False)])
def test_other_bytes_are_looked_into(suite: Suite, run: Path, change: Callable[[Path], None], kept: bool) -> None:
    folder = RunFolder(run).generation("freeze", suite.clips[0].id, 0)
    before = read_generation(folder)
    change(folder / "frames.mkv")
    changed = (folder / "generation.json").stat().st_mtime_ns
    again(suite, run)
    after = read_generation(folder)
    assert before is not None and after is not None
    assert after.frames_sha256 == before.frames_sha256
    assert ((folder / "generation.json").stat().st_mtime_ns == changed) is kept
    read_frames(folder, after)


def test_a_folder_of_an_earlier_version_is_taken_as_it_is(suite: Suite, run: Path) -> None:
    place = RunFolder(run).generation("freeze", suite.clips[0].id, 0) / "generation.json"
    content = json.loads(place.read_text())
    del content["file_sha256"]
    place.write_text(json.dumps(content))
    before = place.read_bytes()
    again(suite, run)
    assert place.read_bytes() == before
