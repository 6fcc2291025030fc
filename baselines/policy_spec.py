"""Policies by their registered names, with their numbers: ``window_sink:frames=6:sink=3``."""

from __future__ import annotations

import re
from dataclasses import fields

from mag_model.memory.policy import CachePolicy
from magbench.core.errors import MagbenchError, unknown
from magbench.core.plugins import POLICIES, plugin


def named_policy(text: str) -> CachePolicy:
    """The policy ``NAME[:FIELD=NUMBER...]``; fields that are not given are as its class has them."""
    name, *given = text.split(":")
    kind: type[CachePolicy] = plugin(POLICIES, name).load()
    defaults = {field.name: field.default for field in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, object] = {}
    for part in given:
        field, _equals, number = part.partition("=")
        if not defaults:
            raise MagbenchError(f"policy '{name}' takes no numbers, '{part}' was given")
        if field not in defaults:
            raise unknown(f"number of policy {name}", field, defaults)
        if field in values:
            raise MagbenchError(f"policy '{text}': '{field}' is given twice")
        values[field] = _read(part, number, type(defaults[field]))
    try:
        return kind(**values)
    except ValueError as error:
        raise MagbenchError(f"policy '{text}': {error}") from error


def _read(part: str, number: str, kind: type) -> object:
    """A number of the kind that the field's default has; for switches 0 or 1."""
    pattern = {bool: r"[01]", int: r"\d+", float: r"\d+(\.\d+)?"}[kind]
    if not re.fullmatch(pattern, number):
        raise MagbenchError(f"'{part}' of a policy: a number is wanted, as {part.partition('=')[0]}=1")
    return int(number) == 1 if kind is bool else kind(number)
