"""The steps of CONTRIBUTING.md, followed to the letter in a copy of the repository: then its tests still pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TOUCHED = ("baselines", "metrics", "models", "report", "suites", "core", "commands", "test_documented.py")
"""The rooms whose tests a new policy, metric, suite or reference could break."""


def code_of(heading: str, number: int = 0) -> str:
    """The indented code block of that number under a heading of CONTRIBUTING.md."""
    section = re.split(r"^## ", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.M)
    (text,) = [part for part in section if part.startswith(heading)]
    blocks = re.findall(r"(?:^       .*\n|^\n(?=(?:\n)*       ))+", text, flags=re.M)
    return re.sub(r"^       ", "", blocks[number].strip("\n"), flags=re.M) + "\n"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with a policy, a metric, a suite, a reference and a column more, each by its steps."""
    folder = tmp_path_factory.mktemp("contributor") / "magbench"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)

    (folder / "baselines/policies/every_other.py").write_text(
        '"""Every other frame."""\n\n' + code_of("A cache policy")
    )
    matrix = folder / "tests/baselines/test_policies.py"
    line = "    (FullHistory(), list(range(15))),\n"
    text = matrix.read_text(encoding="utf-8").replace(line, f"{line}    (EveryOther(), [0, 2, 4, 6, 8, 10, 12, 14]),\n")
    first = "from baselines.policies.mag_ring"
    matrix.write_text(text.replace(first, f"from baselines.policies.every_other import EveryOther\n{first}"))

    (folder / "magbench/metrics/frame/mse.py").write_text(
        '"""Mean squared error."""\n\n' + code_of("A metric of two frames")
    )
    (folder / "tests/metrics/test_mse.py").write_text(code_of("A metric of two frames", 1))

    suite = folder / "magbench/suites/embedded/my_suite.py"
    suite.write_text(code_of("A suite"))
    (folder / "tests/suites/embedded/test_my_suite.py").write_text(code_of("A suite", 1))

    references = folder / "magbench/models/references.py"
    before, cheats, after = references.read_text(encoding="utf-8").partition("CHEATS = (\n")
    references.write_text(f"{before}{code_of('A reference')}\n\n{cheats}    half_speed,\n{after}")
    project = folder / "pyproject.toml"
    group = '[project.entry-points."magbench.references"]\n'
    project.write_text(
        project.read_text(encoding="utf-8").replace(group, group + code_of("A reference", 1)), encoding="utf-8"
    )
    install(folder)
    printed = run(folder, sys.executable, "-c", "import cli; cli.main()", "suite", "make", "my-suite", "made").stdout
    (digest,) = re.findall(r"digest ([0-9a-f]{64})", printed)
    suite.write_text(suite.read_text().replace('digest={"test": ""}', f'digest={{"test": "{digest}"}}'))
    run(folder, "make", "docs", f"PYTHON={sys.executable}")
    return folder


def install(folder: Path) -> None:
    """What `make test` does after a change of pyproject.toml, into a folder that stands before our own."""
    how = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    source = folder.parent / "source"  # building writes beside the source
    shutil.copytree(folder, source)
    site = folder.parent / "site"
    run(folder, sys.executable, "-m", "pip", "install", *how, "--target", str(site), str(source))
    for path in site.iterdir():
        if not path.name.endswith(".dist-info"):  # the code is the copy's, so that edits count
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(folder), str(folder.parent / "site")])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "MAGBENCH_CACHE": str(folder.parent / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done


def test_what_was_added_is_listed(copy: Path) -> None:
    for kind, name in (
        ("policies", "every_other"),
        ("metrics", "mse"),
        ("suites", "my-suite"),
        ("models", "half_speed"),
        ("models", "nano:every_other"),
    ):
        listed = run(copy, sys.executable, "-c", "import cli; cli.main()", "ls", kind).stdout
        assert re.search(rf"^{name} ", listed, flags=re.M), listed


@pytest.mark.rare
def test_the_tests_of_every_room_it_touches_still_pass(copy: Path) -> None:
    run(
        copy,
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        *(f"tests/{room}" for room in TOUCHED),
    )


def test_the_code_is_clean(copy: Path) -> None:
    new = ("baselines/policies/every_other.py", "magbench/metrics/frame/mse.py", "magbench/suites/embedded/my_suite.py")
    run(copy, sys.executable, "-m", "ruff", "check", *new)
    run(copy, sys.executable, "-m", "ruff", "format", "--check", *new)
