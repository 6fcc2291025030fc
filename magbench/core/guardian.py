"""A process between us and somebody else's program: the program, and all that it started, ends when we do.

Run as a script by :func:`magbench.core.subprocesses.run_program`, in a session of its own. It holds one end of a
socket; when the other end closes, because its owner wants so or was killed, it kills what it started, grandchildren in
sessions of their own included where Linux hands orphans to it. It passes on what the program prints, and cuts it.

    python guardian.py SOCKET LOG PROGRAM [ARGUMENT...]

It answers ``started`` and ``code N`` (as :mod:`subprocess` counts: minus the signal), or ``error N`` with an errno.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import sys
from contextlib import suppress

HEAD = 1_000_000
"""Bytes of output that are kept from its beginning."""
TAIL = 100_000
"""Bytes that are kept from its end."""
ADOPT_ORPHANS = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""


class Log:
    """What the program prints, cut in the middle."""

    def __init__(self, file: int) -> None:
        self.file, self.written, self.cut, self.tail = file, 0, 0, b""

    def add(self, data: bytes) -> None:
        room = HEAD - self.written
        if room > 0:
            self._write(data[:room])
            self.written += len(data[:room])
            data = data[room:]
        self.tail += data
        self.cut += max(0, len(self.tail) - TAIL)
        self.tail = self.tail[-TAIL:]

    def end(self) -> None:
        if self.cut:
            self._write(f"\n... {self.cut} bytes were cut here ...\n".encode())
        self._write(self.tail)

    def _write(self, data: bytes) -> None:
        with suppress(OSError):  # a full disk: the program goes on, its log does not
            while data:
                data = data[os.write(self.file, data) :]


def descendants() -> list[int]:
    """Processes below this one, where the system shows them."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc") if sys.platform == "linux" else []:
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found: list[int] = []
    level = {os.getpid()}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        found += level
    return found


def kill_descendants() -> None:
    """Kill all below this one, those included that they start meanwhile."""
    for _ in range(20):
        below = descendants()
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return


def ended(child: int) -> int | None:
    """The child's exit code if it is over; other processes that were handed to us are buried."""
    code = None
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return code
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        return code


def main() -> None:
    tie, log = socket.socket(fileno=int(sys.argv[1])), Log(int(sys.argv[2]))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    printed, out = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)]
    usual = [signal.SIGPIPE, signal.SIGXFSZ]  # which Python ignores
    try:
        child = os.posix_spawnp(sys.argv[3], sys.argv[3:], os.environ, file_actions=actions, setsigdef=usual)
    except OSError as error:
        tie.sendall(f"error {error.errno}\n".encode())
        return
    os.close(out)
    tie.sendall(b"started\n")
    sources = [tie.fileno(), woken, printed]
    code = None
    while code is None:
        ready, _, _ = select.select(sources, [], [])
        if printed in ready:
            data = os.read(printed, 1 << 16)
            log.add(data)
            if not data:
                sources.remove(printed)
        if woken in ready:
            os.read(woken, 1 << 10)
            code = ended(child)
        if tie.fileno() in ready:
            break
    kill_descendants()
    os.set_blocking(printed, False)
    with suppress(BlockingIOError):  # somebody we do not know holds it open
        while data := os.read(printed, 1 << 16):
            log.add(data)
    log.end()
    if code is not None:
        tie.sendall(f"code {code}\n".encode())
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
