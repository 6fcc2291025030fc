"""Kill every long command at random points and start it again: python -m benchmarks.kill [STAGE ...] --kills 25

Each stage is run once undisturbed, then again, killed (SIGKILL, with all its children) so many times at points drawn
from the time that it took. What was killed is started again with the same command; a stage that got to its end is begun
anew until all kills are spent. Each time the results must be those of the undisturbed run, what is measured (seconds,
memory) apart. Prints a line a stage. Exit code 1 if any differs or cannot go on.

A command runs in a fork of this process, which has imported what it needs: seconds of imports, where a kill shows
nothing, are left out, and points hit its work. What this process does itself it does with one thread: those of OpenMP
outlive no fork, and a fork would wait for them for ever. Only `ray` is started as a program, since its processes import
it all.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click
from safetensors.torch import load_file

from benchmarks.films import main as write_films
from magbench.core.parallel import threads

MAGBENCH = str(Path(sys.executable).with_name("magbench"))
MODELS = "window,oracle,wrong_scene,noise"
SUITE = "revisit-nano --limit 2"
KEPT = ("model", "revision", "kind", "clip", "sample", "seed", "frames_sha256", "pieces", "history_bytes")
"""What of generation.json is no measurement."""
TOLD = "submitter: me\nrelationship: author\nlicence: MIT\ntraining_data: nothing\n"
RAY = "ray"
THERE = "is there already"
"""What a command says whose result is there: it was killed after its work."""


@dataclass(frozen=True)
class Stage:
    """One command.

    Attributes:
        command: ``{out}`` is the folder that is compared.
        begun: the stage whose folder it starts from.
        measured: whether its report holds times, and is left out.
    """

    command: str
    begun: str = ""
    measured: bool = False


STAGES = {
    "generate": Stage(f"generate {SUITE} --models {MODELS} --out {{out}}/run"),
    "score": Stage("score revisit-nano --out {out}/run", "generate"),
    "report": Stage("report revisit-nano --out {out}/run", "score"),
    "history-effect": Stage(f"history-effect {SUITE} --models window --out {{out}}/run", "generate"),
    "submit": Stage(
        "submit {out}/run --model window --from told.yaml --to {out}/to --date 2026-01-31",
        "report",
    ),
    "suite-make": Stage("suite make revisit-nano:dev {out}/suite"),
    "mirror": Stage("suite mirror films {out}/suite --frames 49 --gap 2 --window 9"),
    "train": Stage("train base --preset pico --steps 12 --threads 1 --out {out}/trained"),
    RAY: Stage(f"run {SUITE} --models {MODELS} --out {{out}}/run --ray local", measured=True),
}


def fingerprint(folder: Path, *, measured: bool = False) -> dict[str, str]:
    """Every visible file: its hash, measurements left out; of a ``measured`` run the videos and scores alone."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if measured and name.parts[1:2] not in (("generations",), ("scores",)):
            continue
        if path.suffix in (".png", ".svg") and path.with_name("codec.safetensors").is_file():
            continue  # the curve of a training, which says how long it took
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            found[str(name)] = hashlib.sha256(_content(path)).hexdigest()[:16]
    return found


def _content(path: Path) -> bytes:
    if path.name == "generation.json":
        made = json.loads(path.read_text())
        return json.dumps({key: made[key] for key in KEPT}).encode()
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        lines = [{key: value for key, value in line.items() if key != "seconds"} for line in lines]
        return json.dumps([line for line in lines if line.get("protocol") != "cost"]).encode()
    if path.suffix == ".safetensors":  # whose description holds seconds
        tensors = load_file(path)
        return b"".join(name.encode() + tensor.numpy().tobytes() for name, tensor in sorted(tensors.items()))
    return path.read_bytes()


def run(words: list[str], work: Path, seconds: float | None, *, forked: bool) -> tuple[int | None, float, str]:
    """(exit code, seconds, what it said last); None where it was killed after so many seconds."""
    start = time.monotonic()
    pid = _fork(words, work) if forked else _spawn(words, work)
    code = _ended(pid, seconds)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if code is None:
        os.waitpid(pid, 0)
    return code, time.monotonic() - start, (work / "log").read_text(errors="replace").strip()[-300:]


def _ended(pid: int, seconds: float | None) -> int | None:
    """The exit code of a child; None where it still runs after so many seconds."""
    start = time.monotonic()
    while seconds is None or time.monotonic() - start < seconds:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return None


def _spawn(words: list[str], work: Path) -> int:
    with (work / "log").open("wb") as log:
        return subprocess.Popen([MAGBENCH, *words], cwd=work, stdout=log, stderr=log, start_new_session=True).pid


def _fork(words: list[str], work: Path) -> int:
    """Run a command in a fork; it leaves the names of all its modules behind."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        os.chdir(work)
        with (work / "log").open("wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        from cli import main as magbench

        magbench(words, prog_name="magbench")
    except SystemExit as error:
        code = int(error.code or 0)
    finally:
        (work / "modules").write_text("\n".join(sorted(sys.modules)))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _import_all(names: list[str]) -> None:
    """Import what a fork had imported, so that the next one need not."""
    with threads(1):
        for name in names:
            if name not in sys.modules and not name.startswith(("__", "ray")):
                with suppress(Exception):
                    importlib.import_module(name)


def _begin(stage: Stage, out: Path, whole: Path) -> list[str]:
    """An empty folder, or a copy of what the stage before made; the command."""
    shutil.rmtree(out, ignore_errors=True)
    if stage.begun:
        shutil.copytree(whole / stage.begun, out)
    else:
        out.mkdir(parents=True)
    return [word.format(out=out) for word in stage.command.split()]


def undisturbed(name: str, work: Path) -> tuple[float, int | None]:
    """Run a stage, and those before it, once to the end: seconds and exit code."""
    stage, out = STAGES[name], work / "whole" / name
    if stage.begun and not (work / "whole" / stage.begun).exists():
        undisturbed(stage.begun, work)
    seconds, code = 0.0, None
    for _ in range(1 if name == RAY else 2):  # the first time it has to import
        code, seconds, said = run(_begin(stage, out, work / "whole"), work, None, forked=name != RAY)
        if code is None or (code and name != "submit"):  # two clips are no whole submission, which it says
            raise click.ClickException(f"{name}: {said}")
        if name != RAY:
            _import_all((work / "modules").read_text().split("\n"))
    return seconds, code


def torment(name: str, kills: int, work: Path, rng: random.Random) -> list[str]:
    """Kill a stage so many times; returns what went wrong."""
    seconds, expected = undisturbed(name, work)
    measured = STAGES[name].measured
    wanted, out = fingerprint(work / "whole" / name, measured=measured), work / "killed" / name
    wrong: list[str] = []
    killed = rounds = 0
    while killed < kills:
        words, rounds, here = _begin(STAGES[name], out, work / "whole"), rounds + 1, 0
        while True:
            patience = rng.uniform(0, seconds) if killed < kills and here < 10 else None
            code, _, said = run(words, work, patience, forked=name != RAY)
            if code is not None:
                break
            killed, here = killed + 1, here + 1
        if code != expected and THERE not in said:
            wrong.append(f"{name}, round {rounds}, after {here} kills: exit code {code}: {said}")
        elif (found := fingerprint(out, measured=measured)) != wanted:
            apart = sorted(file for file in found.keys() | wanted.keys() if found.get(file) != wanted.get(file))
            wrong.append(f"{name}, round {rounds}, after {here} kills: {len(apart)} files differ, first {apart[0]}")
    print(f"{name:15} {killed} kills in {rounds} runs of {seconds:.1f} s: {len(wrong)} wrong", flush=True)
    for line in wrong[:10]:
        print(f"    {' '.join(line.split())}", flush=True)
    return wrong


@click.command()
@click.argument("stages", nargs=-1, metavar="[STAGE ...]")
@click.option("--kills", default=25, show_default=True, help="Of each stage.")
@click.option("--seed", default=0, show_default=True)
@click.option("--work", default="runs/kill", type=click.Path(path_type=Path), show_default=True)
def main(stages: tuple[str, ...], kills: int, seed: int, work: Path) -> None:
    """Kill every long command at random points and start it again; stages are by name, all but ray if none is given."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    work = work.resolve()
    (work / "told.yaml").write_text(TOLD)
    with threads(1):
        write_films([str(work / "films")], standalone_mode=False)
    names = stages or tuple(name for name in STAGES if name != RAY)
    wrong = [line for name in names for line in torment(name, kills, work, random.Random(f"{seed} {name}"))]
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
