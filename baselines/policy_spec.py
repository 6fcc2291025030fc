"""Policies by their registered names, with their numbers: ``window_sink:frames=6:sink=3``, ``mag:bits=4``."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import cast

from baselines.policies.quantised import Quantised
from mag_model.memory.policy import CachePolicy
from magbench.core.errors import MagbenchError, unknown
from magbench.core.plugins import POLICIES, plugin

BITS = "bits"


def named_policy(text: str) -> CachePolicy:
    """The policy ``NAME[:FIELD=NUMBER...]``; fields that are not given are as its class has them.

    ``bits`` can be given to every policy, which then stores that many bits a number.
    """
    name, *given = text.split(":")
    kind: type[CachePolicy] = plugin(POLICIES, name).load()
    found = {field.name: field.default for field in fields(kind)}  # type: ignore[arg-type]
    defaults = {name: value for name, value in found.items() if isinstance(value, int | float)}
    values: dict[str, object] = {}
    for part in given:
        field, _equals, number = part.partition("=")
        if field == BITS and field not in values:
            values[field] = _read(part, number, int)
            continue
        if not defaults:
            raise MagbenchError(f"policy '{name}' takes no numbers, '{part}' was given")
        if field not in defaults:
            raise unknown(f"number of policy {name}", field, defaults)
        if field in values:
            raise MagbenchError(f"policy '{text}': '{field}' is given twice")
        values[field] = _read(part, number, type(defaults[field]))
    try:
        bits = values.pop(BITS, None)
        policy = kind(**values)
        return policy if bits is None else Quantised(cast(int, bits), policy)
    except ValueError as error:
        raise MagbenchError(f"policy '{text}': {error}") from error


def _read(part: str, number: str, kind: type) -> object:
    """A number of the kind that the field's default has; for switches 0 or 1."""
    pattern = {bool: r"[01]", int: r"\d+", float: r"\d+(\.\d+)?"}[kind]
    if not re.fullmatch(pattern, number):
        raise MagbenchError(f"'{part}' of a policy: a number is wanted, as {part.partition('=')[0]}=1")
    return int(number) == 1 if kind is bool else kind(number)
