"""`magbench weights`: what is shown, what is fetched, exit codes, one line for what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main
from mag_model.wan.weights.catalog import CHECKPOINTS, Checkpoint, Part, Pin
from tests.hub_server import HubServer, Repository, serve, sha256
from tests.mag_model.wan import public_files

ENTRY = Checkpoint(
    name="tiny",
    about="a tiny one",
    repository="someone/tiny",
    licence="CC-BY-NC-4.0",
    terms="no commercial use",
    parts=(
        Part("generator", ("diffusion_pytorch_model.safetensors", "config.json"), lambda: public_files.WAN),
        Part("vae", ("vae.pth",), lambda: public_files.VAE),
    ),
    pins=(Pin("vae.pth", 2_000_000_000, "a" * 64),),
    spec=public_files.SPEC,
)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(CHECKPOINTS, "tiny", ENTRY)
    folder = public_files.save_folder(tmp_path / "tiny", public_files.wan_tensors())
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with serve({"someone/tiny": Repository({**files, "vae.pth": b"not weights"})}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server


def weights(*words: str) -> Result:
    return CliRunner().invoke(main, ["weights", *words], catch_exceptions=False)


def test_fetch_check_and_list(hub: HubServer) -> None:
    assert next(line for line in weights("ls").stdout.splitlines() if line.startswith("tiny ")).split()[1:5] == [
        *("-", "generator,vae", "(2.0", "GB)"),
    ]
    result = weights("fetch", "tiny", "--only", "generator", "--accept-licence")
    assert result.exit_code == 0
    assert "tiny: someone/tiny, CC-BY-NC-4.0: no commercial use" in result.stderr
    first, second = result.stdout.splitlines()
    assert first.startswith("generator: 0.00 GB from someone/tiny at ")
    assert second == "also needed: magbench weights fetch tiny --only vae"
    assert weights("fetch", "tiny", "--only", "generator").stdout.splitlines()[0] == "generator: already here"
    shown, _, *files, pinned = weights("ls", "tiny").stdout.splitlines()
    assert shown == "tiny: someone/tiny, CC-BY-NC-4.0: no commercial use"
    repository = hub.repositories["someone/tiny"]
    assert [line.split() for line in files] == [
        ["generator", repository.commit, str(len(repository.files[name])), sha256(repository.files[name]), name]
        for name in ("diffusion_pytorch_model.safetensors", "config.json")
    ]
    assert pinned.split() == ["vae", "main", "2000000000", "a" * 64, "vae.pth"]
    row = next(line for line in weights("ls").stdout.splitlines() if line.startswith("tiny "))
    assert row.split()[1:3] == ["generator", "vae"]
    checked = weights("check", "tiny")
    assert checked.exit_code == 1
    assert "ok   tiny generator" in checked.stdout
    assert "FAIL tiny vae" in checked.stdout
    assert checked.stderr == "error: 1 of the parts above did not pass\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fetch", "tiny"), "(no commercial use); to accept that, add --accept-licence"),
        (("fetch", "tiny", "--only", "vae", "--accept-licence"), "vae.pth: not a whole torch file"),
        (("fetch", "tynie"), "unknown checkpoint 'tynie'; did you mean: "),
        (("check", "tynie"), "unknown checkpoint 'tynie'"),
    ],
)
def test_what_can_be_mended_is_one_line(hub: HubServer, words: tuple[str, ...], message: str) -> None:
    result = weights(*words)
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line


def test_a_missing_extra_is_said_before_anything_is_fetched(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    result = weights("fetch", "tiny", "--only", "vae", "--accept-licence")
    assert "error: diffusers cannot be imported" in result.stderr
    assert result.stderr.rstrip().endswith("type: pip install 'magbench[wan]'")
    assert hub.asked == []


def test_places_are_pairs(hub: HubServer) -> None:
    result = weights("fetch", "tiny", "--part", "generator")
    assert result.exit_code == 2
    assert "'generator' is not PART=PATH" in result.stderr
