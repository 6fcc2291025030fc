"""The wheel and the source archive hold everything: the wheel is run outside the clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import magbench

ROOT = Path(magbench.__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive, built from a copy of what the clone tracks."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    tracked = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "leaderboards/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    script = "import setuptools.build_meta as b, sys; out = sys.argv[1]; b.build_sdist(out); b.build_wheel(out)"
    subprocess.run([sys.executable, "-c", script, folder / "dist"], cwd=source, check=True, capture_output=True)
    return folder / "dist"


def test_both_hold_weights_suites_licences_and_types(built: Path) -> None:
    (wheel,), (archive,) = built.glob("*.whl"), built.glob("*.tar.gz")
    names = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(archive) as opened:
        sources = {name.partition("/")[2] for name in opened.getnames()}
    for found in (names, sources):
        assert {"magbench/py.typed", "mag_model/py.typed", "baselines/py.typed", "cli.py"} <= found
        assert "magbench/metrics/frame/weights/lpips_alexnet_v0.1.safetensors" in found
        assert "mag_model/weights/nano/base.safetensors" in found
        assert any(name.startswith("magbench/suites/data/") and name.endswith(".mkv") for name in found)
    assert any(name.endswith("lpips_alexnet_v0.1.LICENSE.txt") for name in names)
    assert not any(name.startswith("tests") for name in names)


def test_the_wheel_runs_outside_the_clone(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    environment, here = tmp_path / "environment", tmp_path / "here"
    here.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # what magbench needs, and only that
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*command: object) -> str:
        done = subprocess.run(
            [str(part) for part in command], cwd=here, env=clean, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(python, "-c", "import magbench; print(magbench.__file__)").startswith(str(site))
    assert "mag " in run(environment / "bin" / "magbench", "ls", "models")
    table = run(environment / "bin" / "magbench", "run", "--limit", "2", "--models", "mag,window")
    assert "1  mag" in table.replace("   ", "  ")
    script = "import magbench; print(magbench.open_run('runs/revisit-nano').models)"
    assert run(python, "-c", script) == "['mag', 'window']\n"
