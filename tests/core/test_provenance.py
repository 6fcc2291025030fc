"""Numbers say where they come from, and not from whom."""

from __future__ import annotations

import getpass
import json
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from magbench import __version__
from magbench.core import provenance


def test_the_machine_has_a_kind_but_no_name() -> None:
    found = provenance.machine()
    assert set(found) >= {"cpu", "cores", "threads", "torch", "python", "system"}
    assert isinstance(found["cores"], int)
    assert found["cores"] >= 1
    text = json.dumps(found)
    assert platform.node() not in text.split('"')
    assert getpass.getuser() not in text.split('"')


def test_a_card_comes_with_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a card")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=80))
    monkeypatch.setattr(provenance, "DRIVER", tmp_path / "version")
    assert provenance.machine()["driver"] == "unknown"
    text = (
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20  Release Build  (someone@a-host)\nGCC 12\n"
    )
    (tmp_path / "version").write_text(text)
    found = provenance.machine()
    assert (found["gpu"], found["gpu_bytes"], found["driver"]) == ("a card", 80, "570.133.20")


def test_the_commit_is_that_of_the_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    (tmp_path / "magbench").mkdir()
    (tmp_path / "magbench/file").write_text("one")
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "magbench/core/provenance.py"))
    assert provenance.commit() is None
    git("init", "-q")
    assert provenance.commit() is None  # nothing is committed yet
    git("add", "magbench/file")
    git("commit", "-qm", "one")
    assert provenance.commit() == git("rev-parse", "HEAD")
    (tmp_path / "magbench/file").write_text("two")
    assert provenance.commit() == git("rev-parse", "HEAD") + "+"
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() is None


def test_the_command_can_be_typed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/magbench", "profile", "wan:random", "--out", "my runs"])
    found = provenance.provenance()
    assert found["command"] == "magbench profile wan:random --out 'my runs'"
    assert found["magbench_version"] == __version__
