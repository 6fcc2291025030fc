"""The command line: exit codes, one-line errors, stdout for results and stderr for progress, resuming."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import magbench
from cli import main
from mag_model.nano.presets import Preset
from mag_model.training.stages import Stage
from magbench.suites.embedded import revisit_nano

HEAVY = (
    "torch",
    "torchmetrics",
    "huggingface_hub",
    "numpy",
    "pandas",
    "matplotlib",
    "scipy",
    "av",
    "cv2",
    "rich",
    "pydantic",
    "mag_model",
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def python(code: str) -> subprocess.CompletedProcess[str]:
    root = Path(magbench.__file__).parents[1]
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["train", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    result = python(
        "import sys\nfrom cli import main\n"
        f"try: main({arguments})\nexcept SystemExit as stop: assert stop.code == 0\n"
        f"print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("heavy: []\n")


def test_an_error_is_one_line_on_stderr() -> None:
    result = python("from cli import main\nmain(['suite', 'check', 'no/such/folder'])")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == "error: no/such/folder: no such folder\n"


def test_version() -> None:
    result = magbench_("--version")
    assert result.exit_code == 0
    assert magbench.__version__ in result.stdout


def test_run_writes_and_prints_the_table(registered: None, suite_folder: Path) -> None:
    result = magbench_("run", suite_folder, "--models", "tiny,oracle,noise", "--out", "out")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[4:7]] == ["1", "oracle*", "noise*"]
    assert "out/table.md" in result.stdout
    assert "generate tiny: 3 of 3" in result.stderr
    assert "score 3 models: 9 of 9" in result.stderr
    assert "3 clips: no two models can be told apart; 6 clips are the least" in result.stderr
    rows = json.loads(Path("out/table.json").read_text())["rows"]
    assert [(row["model"], row["clips"], row["complete"]) for row in rows] == [
        ("oracle", 3, True),
        ("noise", 3, True),
        ("tiny", 3, True),
    ]


def test_the_same_command_resumes(registered: None, suite_folder: Path) -> None:
    arguments = ("run", suite_folder, "--models", "tiny", "--out", "out", "--seeds", 2)
    assert magbench_(*arguments).exit_code == 0
    made = {path: path.stat().st_mtime_ns for path in Path("out/generations").rglob("*.mkv")}
    scores = {path: path.read_bytes() for path in Path("out/scores").rglob("*.jsonl")}
    assert len(made) == len(scores) == 6
    assert magbench_(*arguments).exit_code == 0
    assert made == {path: path.stat().st_mtime_ns for path in Path("out/generations").rglob("*.mkv")}
    assert scores == {path: path.read_bytes() for path in Path("out/scores").rglob("*.jsonl")}


def test_generate_score_report_are_run_in_three_parts(registered: None, suite_folder: Path) -> None:
    assert magbench_("generate", suite_folder, "--models", "tiny", "--out", "parts").exit_code == 0
    assert not Path("parts/scores").exists()
    assert magbench_("score", suite_folder, "--out", "parts").exit_code == 0
    assert not Path("parts/table.md").exists()
    assert magbench_("report", suite_folder, "--out", "parts").exit_code == 0
    assert magbench_("run", suite_folder, "--models", "tiny", "--out", "whole").exit_code == 0
    assert (
        Path("parts/table.csv").read_text().split(",history")[0]
        == (Path("whole/table.csv").read_text().split(",history")[0])
    )


def test_a_failing_model_is_named_and_the_others_are_finished(registered: None, suite_folder: Path) -> None:
    result = magbench_("run", suite_folder, "--models", "nan,tiny", "--out", "out")
    assert result.exit_code == 1
    assert "1  tiny" in result.stdout
    failures = [line for line in result.stderr.splitlines() if line.startswith("failed: ")]
    assert len(failures) == 3
    assert failures[0].startswith("failed: nan, clip a, sample 0: piece 1: frame 1 holds nan")
    assert result.stderr.splitlines()[-1].startswith("error: 3 failed")


def test_when_everything_fails_the_failures_are_what_is_said(registered: None, suite_folder: Path) -> None:
    result = magbench_("run", suite_folder, "--models", "unloadable", "--out", "out")
    assert result.exit_code == 1
    assert "failed: unloadable: FileNotFoundError: weights.safetensors is not there" in result.stderr


def test_a_folder_of_another_run_is_refused(registered: None, suite_folder: Path) -> None:
    assert magbench_("generate", suite_folder, "--models", "noise", "--out", "out").exit_code == 0
    result = magbench_("run", suite_folder, "--models", "noise", "--out", "out", "--limit", 1)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: out: belongs to another run: limit")
    assert len(result.stderr.splitlines()) == 1


def test_unknown_names_give_the_nearest(registered: None) -> None:
    assert "error: unknown suite 'revisit-nan'; did you mean: revisit-nano" in magbench_("run", "revisit-nan").stderr
    result = magbench_("run", "--models", "tinny")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: unknown model 'tinny'; did you mean: tiny")
    assert not Path(os.environ["MAGBENCH_CACHE"]).exists()


def test_an_interruption_says_how_to_go_on(
    registered: None, suite_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("magbench.scoring.score.score", interrupted)
    result = magbench_("run", suite_folder, "--models", "tiny", "--out", "out")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == ("interrupted: finished work is kept, the same command goes on from there")
    assert len(list(Path("out/generations").rglob("frames.mkv"))) == 3


def test_what_is_not_the_users_fault_is_not_hidden(monkeypatch: pytest.MonkeyPatch, suite_folder: Path) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("magbench.suites.seal.check_suite", broken)
    result = magbench_("suite", "check", suite_folder)
    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--models", ","), "ends with a comma"),
        (("run", "--limit", 0), "0 is not in the range"),
        (("profile", "tiny", "--history", "10,x"), "'10,x' is not a list of whole numbers"),
        (("profile", "tiny", "--history=-5"), "-5 is negative"),
        (("ls", "nothing"), "'nothing' is not one of"),
        (("ablate", "trap", "--limit", 1), "--limit is not for trap"),
        (("ablate", "block", "--limit", 1), "--limit is not for block"),
        (("ablate", "sink", "--seeds", 2), "are for trap, block, pair and lineage, not for sink"),
        (("ablate", "pair", "--start", "text"), "are for trap, not for pair"),
    ],
)
def test_wrong_arguments_are_usage_errors(arguments: tuple[object, ...], words: str) -> None:
    result = magbench_(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_suite_is_made_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(revisit_nano.CLIPS, "dev", 2)
    result = magbench_("suite", "make", "revisit-nano", tmp_path / "dev", "--split", "dev")
    assert result.exit_code == 0, result.stderr
    assert "revisit-nano v1, dev split, 2 clips of 32x32" in result.stdout
    next((tmp_path / "dev/videos").iterdir()).write_bytes(b"")
    result = magbench_("suite", "check", tmp_path / "dev")
    assert result.exit_code == 1
    assert "changed" in result.stderr


def test_lists_have_a_line_for_each(registered: None) -> None:
    models = magbench_("ls", "models").stdout
    assert "oracle" in models
    assert "reference" in models
    assert "revisit-nano" in magbench_("ls", "suites").stdout
    metrics = magbench_("ls", "metrics").stdout
    assert all(name in metrics for name in ("aligned", "legacy", "psnr", "ssim", "lpips"))


def test_a_model_that_cannot_be_profiled_is_said(registered: None) -> None:
    result = magbench_("profile", "tiny", "--history", "5")
    assert result.exit_code == 1
    assert result.stderr == "error: model 'tiny' cannot be profiled: it has no stream_at(history, pieces, seed)\n"


def test_an_unknown_preset_is_said() -> None:
    result = magbench_("train", "base", "--preset", "nanno", "--out", "trained")
    assert result.exit_code == 1
    assert "unknown preset 'nanno'; did you mean: nano" in result.stderr
    assert not Path("trained").exists()


def fake_training(finishes: bool) -> Callable[..., Path | None]:
    def train(stage: Stage, preset: Preset, out: Path, **options: Any) -> Path | None:
        assert (stage.name, preset.name) == ("base", "nano")
        assert (options["steps"], options["minutes"], options["seed"]) == (20, 1.5, 3)
        options["report"]({"step": 10, "steps": 20, "loss": 0.25, "seconds": 1.0})
        options["report"]({"step": 10, "psnr fast": 21.5})
        return out / "base.safetensors" if finishes else None

    return train


@pytest.mark.parametrize("finishes", [True, False])
def test_training_shows_its_log_and_says_whether_it_ended(finishes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mag_model.training.loop.train", fake_training(finishes))
    result = magbench_("train", "base", "--out", "t", "--steps", 20, "--minutes", 1.5, "--seed", 3)
    assert "step 10  loss 0.25\nstep 10  psnr fast 21.5\n" in result.stderr
    if finishes:
        assert (result.exit_code, result.stdout) == (0, "t/base.safetensors\n")
    else:
        stopped = "t: base stopped where its time was up, as asked; the same command goes on\n"
        assert (result.exit_code, result.stdout) == (0, stopped)


def test_an_ablation_that_was_given_no_time_says_so(tmp_path: Path) -> None:
    result = magbench_("ablate", "block", "--minutes", 0, "--out", tmp_path / "a")
    assert result.exit_code == 1
    assert "time was up before one seed was trained; the same command goes on" in result.stderr


@pytest.mark.rare
def test_an_ablation_is_made_once_and_tabulated(tmp_path: Path) -> None:
    first = magbench_("ablate", "recent", "--limit", 1, "--out", tmp_path / "a")
    assert first.exit_code == 0, first.stderr
    assert first.stdout.strip() == str(tmp_path / "a" / "recent.md")
    table = (tmp_path / "a" / "recent.md").read_text()
    assert "generate packed-recent2: 1 of 1" in first.stderr
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*") if path.suffix in (".mkv", ".jsonl")}
    assert made
    assert magbench_("ablate", "recent", "--limit", 1, "--out", tmp_path / "a").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert (tmp_path / "a" / "recent.md").read_text() == table
