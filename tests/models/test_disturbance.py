"""Other work beside a timing is seen, and counted as the scheduler counts it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from magbench.models import disturbance
from magbench.models.disturbance import Disturbance, Watch


def watched(
    monkeypatch: pytest.MonkeyPatch,
    threads: list[dict[str, tuple[int, int]]],
    machine: list[tuple[int, int] | None],
) -> Disturbance:
    counts, ticks = iter(threads), iter(machine)
    monkeypatch.setattr(disturbance, "threads", lambda: next(counts))
    monkeypatch.setattr(disturbance, "stolen", lambda: next(ticks))
    return Watch().seen()


def test_a_share_of_what_was_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thread 1 ran 30 and waited 10; thread 2 is new, ran 50 and waited 10; thread 3 ended: 20 of 100."""
    before = {"1": (100, 5), "3": (7, 7)}
    after = {"1": (130, 15), "2": (50, 10)}
    assert watched(monkeypatch, [before, after], [None, None]) == Disturbance(0.2, None)


def test_what_the_host_took_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {"1": (100, 0)}
    assert watched(monkeypatch, [same, {"1": (200, 0)}], [(10, 100), (40, 200)]).waited == pytest.approx(0.3)
    assert watched(monkeypatch, [same, {"1": (200, 0)}], [(10, 100), (12, 104)]).waited == 0.0  # too short to tell


@pytest.mark.parametrize(
    ("seen", "disturbed"),
    [
        (Disturbance(), None),
        (Disturbance(0.0, None), False),
        (Disturbance(0.051, None), True),
        (Disturbance(0.01, 0), False),
        (Disturbance(0.01, 1), True),
        (Disturbance(None, 2), True),
    ],
)
def test_when_a_timing_is_disturbed(seen: Disturbance, disturbed: bool | None) -> None:
    assert seen.disturbed is disturbed


def test_a_system_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(monkeypatch, [{}, {}], [None, None]) == Disturbance(None, None)


def test_beside_an_accelerator_only_the_thread_that_drives_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited 30 of 200 nanoseconds; what saves and decodes beside it waited longer, and is not asked."""
    me = str(threading.get_native_id())
    counts = iter([{me: (5, 10), "saves": (0, 0)}, {me: (6, 40), "saves": (100, 100)}])
    clock = iter([1000, 1200])
    monkeypatch.setattr(disturbance, "threads", lambda: next(counts))
    monkeypatch.setattr(disturbance, "stolen", lambda: None)
    monkeypatch.setattr(disturbance.time, "perf_counter_ns", lambda: next(clock))
    assert Watch(alone=False).seen().waited == pytest.approx(0.15)


def test_a_system_that_tells_nothing_of_that_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disturbance, "threads", dict)
    monkeypatch.setattr(disturbance, "stolen", lambda: None)
    assert Watch(alone=False).seen() == Disturbance(None, None)


@pytest.fixture
def one_core() -> Iterator[int]:
    """This thread may use one core only."""
    before = os.sched_getaffinity(0)
    core = min(before)
    os.sched_setaffinity(0, {core})
    yield core
    os.sched_setaffinity(0, before)


@pytest.mark.skipif(not Path("/proc/self/schedstat").is_file(), reason="the system does not count this")
def test_another_process_on_the_same_core_is_seen(one_core: int) -> None:
    beside = subprocess.Popen(
        [sys.executable, "-S", "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE
    )
    try:
        assert beside.stdout is not None
        beside.stdout.readline()
        watch = Watch()
        start = time.thread_time()
        while time.thread_time() - start < 0.1:
            pass
        assert watch.seen().disturbed
    finally:
        beside.kill()
        beside.wait()


SMI = """#!/bin/sh
echo "GPU-aaaa, {own}"
echo "GPU-aaaa, 4"
echo "GPU-bbbb, 5"
"""


def test_others_on_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(SMI.format(own=os.getpid()))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert disturbance.sharers() is None  # no card in use
    monkeypatch.setattr(disturbance.torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(disturbance.torch.cuda, "current_device", lambda: 0)
    card = type("Card", (), {"uuid": "aaaa"})
    monkeypatch.setattr(disturbance.torch.cuda, "get_device_properties", lambda _: card)
    assert disturbance.sharers() == 1
    program.write_text("#!/bin/sh\nexit 9\n")
    assert disturbance.sharers() is None
