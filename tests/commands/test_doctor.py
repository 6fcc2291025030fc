"""The doctor says what is there, what is missing and what to type."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from magbench.commands import doctor


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path))


def test_weights_are_found_with_their_sha(registered: None) -> None:
    findings = {finding.name: finding for finding in doctor.examine()}
    (lpips,) = [f for name, f in findings.items() if name.startswith("weights magbench/metrics")]
    assert lpips.ok
    assert "sha256 " in lpips.detail


def test_a_model_that_cannot_be_loaded_is_a_finding(registered: None) -> None:
    findings = {finding.name: finding for finding in doctor.examine()}
    assert findings["model tiny"].ok
    bad = findings["model unloadable"]
    assert not bad.ok
    assert bad.detail == "FileNotFoundError: weights.safetensors is not there"
    assert bad.fix == "reinstall fakes"


def test_a_missing_package_is_said_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert "FAIL einops" in result.stdout
    assert "type: pip install" in result.stdout
    assert "ok   extra [wan]" in result.stdout
    assert "not installed: diffusers, transformers, ftfy; wan: models need it" in result.stdout
    assert result.stderr.startswith("error: ")
