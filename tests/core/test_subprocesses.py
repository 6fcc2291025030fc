"""Somebody else's program ends when we do, with all that it started, and its output is cut."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from magbench.core.errors import MagbenchError
from magbench.core.guardian import HEAD, TAIL
from magbench.core.subprocesses import run_program

PATIENCE = 30
"""Seconds until a test gives up that waits for what never comes."""

FAMILY = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = "import os, signal; {own}signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
children = [
    subprocess.Popen([sys.executable, "-S", "-c", code.format(own=own)], stdout=subprocess.PIPE)
    for own in ("", "os.setsid(); ")
]
for child in children:
    child.stdout.readline()
with open(sys.argv[1], "w") as file:
    file.write(" ".join(map(str, [os.getpid(), *(child.pid for child in children)])))
signal.pause()
"""

OWNER = """
import os, sys
from pathlib import Path
from magbench.core.subprocesses import run_program
run_program([sys.executable, "-S", *sys.argv[1:]], Path.cwd(), 2, 600.0)
"""


def run(code: str, folder: Path, timeout_s: float = 60.0, *arguments: str) -> tuple[int | None, str]:
    """A program's exit code and what it printed."""
    with (folder / "log").open("wb") as log:
        line = [sys.executable, "-S", "-c", textwrap.dedent(code), *arguments]
        found = run_program(line, folder, log.fileno(), timeout_s)
    return found, (folder / "log").read_text(errors="replace")


def wait_until_gone(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ready, _, _ = select.select([descriptor], [], [], PATIENCE)
    os.close(descriptor)
    assert ready, f"process {pid} is still there"


def test_exit_codes_and_output(tmp_path: Path) -> None:
    code, said = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path)
    assert (code, sorted(said.split())) == (3, ["err", "out"])
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", tmp_path)[0] == -signal.SIGSEGV
    assert run("", tmp_path) == (0, "")
    with open(os.devnull, "wb") as log, pytest.raises(MagbenchError, match=r"^command 'no-such' cannot be started"):
        run_program(["no-such"], tmp_path, log.fileno(), 1.0)


def test_a_flood_is_cut_in_the_middle(tmp_path: Path) -> None:
    code, said = run("print('first'); [print('x' * 99_999) for _ in range(60)]; print('last')", tmp_path)
    assert code == 0
    assert said.startswith("first\nxxx") and said.endswith("xxx\nlast\n")
    assert "bytes were cut here" in said
    assert len(said) < HEAD + TAIL + 100


def test_one_that_closes_its_output_is_waited_for(tmp_path: Path) -> None:
    code = "import os, sys; os.close(1); os.close(2); open(sys.argv[1], 'w').write('done')"
    assert run(code, tmp_path, 60.0, str(tmp_path / "made"))[0] == 0
    assert (tmp_path / "made").read_text() == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are handed to nobody")
def test_too_long_and_all_that_was_started_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pids")  # opened by the reader, so that nobody waits for a file to appear
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, "-c", FAMILY, str(tmp_path / "pids")], cwd=Path(__file__).parents[2]
    )
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 3
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    for pid in pids:
        wait_until_gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are handed to nobody")
def test_a_time_out_ends_grandchildren_in_their_own_session(tmp_path: Path) -> None:
    code = """
        import subprocess, sys
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        print(child.pid, flush=True)
        child.wait()
    """
    found, said = run(code, tmp_path, 2.0)
    assert found is None
    wait_until_gone(int(said))


def test_what_stays_behind_ends_with_the_program(tmp_path: Path) -> None:
    start = shlex.join(["sleep", "1000"])
    found, said = run(f"import os; os.system('{start} & echo $!')", tmp_path)
    assert found == 0
    wait_until_gone(int(said))
