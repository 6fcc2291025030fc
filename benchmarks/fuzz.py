"""Damage every form of file that a user or a hub can hand in, and read it: python -m benchmarks.fuzz [FORM ...]

Each of the forms of `benchmarks/forms` is damaged many times, by a seed, and read. What may come of it: a value, or one
line that names the file. What may not: another exception, a hang, more than 1 GB of memory, a process that dies, or
(where something holds the file's hash) another meaning. Prints a line a form, then what was found. Exit code 1 if any.

A form is read in a process of its own. The damaged file of a find stays in the folder of --keep.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.fuzz_mutations import mutated
from magbench.core.errors import MagbenchError

HANG = 5.0
"""Seconds of processor time for one file."""
PATIENCE = 60.0
"""Seconds by the clock after which a process is ended: other work may share the machine."""
MEMORY = 10**9
"""Bytes that reading may take beyond those of the whole file."""


@dataclass(frozen=True)
class Find:
    """What must not happen: with which damage, of which kind, said how."""

    number: int
    kind: str
    text: str


def meaning(value: object) -> object:
    """Something that can be compared, whatever was read."""
    return repr(value)


def attempt(read: Callable[[Path], object], path: Path, number: int, whole: object | None) -> Find | str:
    """Read a damaged file; ``whole``: what it has to mean where it is read at all, None: anything.

    Returns:
        "read" or "refused", or what is wrong.
    """
    before, held = time.process_time(), peak()
    try:
        found = meaning(read(path))
    except MagbenchError as error:
        outcome: Find | str = "refused"
        if path.name not in str(error):
            outcome = Find(number, "message", str(error)[:300])
    except Exception as error:
        outcome = Find(number, "traceback", f"{type(error).__name__}: {str(error)[:300]}")
    else:
        outcome = "read" if whole in (None, found) else Find(number, "silent change", str(found)[:300])
    if time.process_time() - before > HANG:
        return Find(number, "hang", f"{time.process_time() - before:.1f} s")
    if peak() - held > MEMORY:
        return Find(number, "memory", f"{(peak() - held) / 1e9:.1f} GB")
    return outcome


def peak() -> int:
    """Bytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def damage(name: str, first: int, last: int, folder: Path) -> Iterator[Find | str]:
    """Damage and read one form so many times; ``folder`` is empty, and the caller's."""
    from benchmarks.forms import TARGETS

    target = TARGETS[name]
    path = target.make(folder)
    content = path.read_bytes()
    os.environ["MAGBENCH_CACHE"] = str(folder / "cache")
    whole = meaning(target.read(path))
    for number in range(first, last):
        path.write_bytes(mutated(content, f"{name} {number}"))
        yield attempt(target.read, path, number, whole if target.hashed else None)


def _child(name: str, first: int, last: int, folder: Path, keep: Path) -> None:
    """Print a line of JSON for each damaged file."""
    for number, outcome in enumerate(damage(name, first, last, folder), first):
        if isinstance(outcome, Find):
            damaged = max((path for path in folder.rglob("*") if path.is_file()), key=lambda p: p.stat().st_mtime_ns)
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(damaged, keep / f"{name}.{number}")
        print(json.dumps(asdict(outcome) if isinstance(outcome, Find) else outcome), flush=True)
        faulthandler.dump_traceback_later(PATIENCE, exit=True)


def fuzz(name: str, count: int, keep: Path) -> tuple[Counter[str], list[Find]]:
    """How often a form was read and refused, and what was found; a process that dies is begun anew."""
    outcomes: Counter[str] = Counter()
    finds: list[Find] = []
    done = 0
    while done < count:
        with tempfile.TemporaryDirectory() as folder:
            words = ("--child", name, str(done), str(count), folder, str(keep))
            process = subprocess.run([sys.executable, "-m", "benchmarks.fuzz", *words], capture_output=True, text=True)
        lines: list[Any] = [json.loads(line) for line in process.stdout.splitlines() if line.startswith(('"', "{"))]
        for line in lines:
            outcomes["found" if isinstance(line, dict) else line] += 1
            finds += [Find(**line)] if isinstance(line, dict) else []
        done += len(lines)
        if done < count:
            if not lines and process.returncode == 1:
                raise click.ClickException(process.stderr[-2000:])
            outcomes["found"] += 1
            finds.append(Find(done, "died", f"exit code {process.returncode}: {process.stderr[-300:]}"))
            done += 1
    return outcomes, finds


@click.command()
@click.argument("names", nargs=-1, metavar="[FORM ...]")
@click.option("--count", default=10_000, show_default=True, help="Damaged files a form.")
@click.option("--keep", default="runs/fuzz", type=click.Path(path_type=Path), show_default=True)
def main(names: tuple[str, ...], count: int, keep: Path) -> None:
    """Damage every form of file, or those named, and read them."""
    from benchmarks.forms import TARGETS

    wrong = 0
    for name in names or TARGETS:
        start = time.monotonic()
        outcomes, finds = fuzz(name, count, keep)
        wrong += len(finds)
        print(
            f"{name:26} {count} damaged: {outcomes['refused']} refused, {outcomes['read']} read, {len(finds)} wrong"
            f" ({time.monotonic() - start:.0f} s)",
            flush=True,
        )
        for find in finds[:20]:
            print(f"    {find.number}: {find.kind}: {' '.join(find.text.split())}", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        form, start_at, stop_at, work, kept = sys.argv[2:]
        _child(form, int(start_at), int(stop_at), Path(work), Path(kept))
    else:
        main()
