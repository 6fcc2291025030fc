"""Every command that README and docs give: it is run, in order and in one empty folder, or it says why not.

``benchmarks/documented.py`` runs them; here it is only checked that none is forgotten.
"""

from __future__ import annotations

import shlex

from benchmarks.documented import COMMANDS, WITHOUT, documented


def test_every_documented_command_is_run_or_says_why_not() -> None:
    known = {command for command, _ in COMMANDS} | set(WITHOUT)
    found = {command for _, command in documented()}
    assert found - known == set()
    assert known - found == set()
    assert all(reason for reason in WITHOUT.values())


def test_each_can_be_read_as_a_command() -> None:
    for command, _ in COMMANDS:
        assert shlex.split(command)[0] in ("magbench", "pip", "python", "make")
