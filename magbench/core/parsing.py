"""Text that somebody else wrote, read with limits: JSON and YAML in one place, whatever a file holds.

Every way in which such a file can be wrong is one :class:`MagbenchError` that names the file: too large, too deep, not
UTF-8, numbers that are not finite or too long, a key that stands there twice, aliases (which can stand for a billion
copies), another kind of value than the one that is wanted.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from magbench.core.errors import MagbenchError
from magbench.core.files import first_problem

LARGEST = 64 * 2**20
"""Bytes of a file of text."""
DEEPEST = 40
"""Lists and objects inside one another."""
WHOLE = 2**63
"""Whole numbers are smaller."""
DIGITS = len(str(WHOLE))

M = TypeVar("M", bound=BaseModel)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark; its line ends stay as they are."""
    try:
        if not path.is_file():
            raise OSError("is no file" if path.exists() else "No such file or directory")
        if (size := path.stat().st_size) > LARGEST:
            raise MagbenchError(f"{path}: {size / 2**20:.0f} MB of text, at most {LARGEST // 2**20} are read")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MagbenchError(f"{path}: is not UTF-8 (byte {error.start})") from error
    except (OSError, ValueError) as error:
        raise MagbenchError(f"{str(path)[:200]}: cannot be read ({error})") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    return parse_json(read_text(path), str(path))


def read_described(path: Path, kind: type[M]) -> M:
    """The content of a JSON file that describes a ``kind``."""
    return described(read_json(path), kind, str(path))


def read_object(path: Path) -> dict[str, Any]:
    """The content of a JSON file that holds an object."""
    return _object(read_json(path), str(path))


def parse_object(text: str, where: str) -> dict[str, Any]:
    """An object from JSON text; ``where`` begins every message."""
    return _object(parse_json(text, where), where)


def parse_json(text: str, where: str) -> Any:
    """A value from JSON text. NaN, infinity and whole numbers beyond 64 bits are errors."""
    try:
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_whole, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise MagbenchError(f"{where}: broken JSON ({_short(error)})") from error
    _check_depth(found, where)
    return found


def read_yaml(path: Path, kind: type[M]) -> M:
    """The content of a YAML file that describes a ``kind``."""
    return described(_parse_yaml(path), kind, str(path))


def read_yaml_object(path: Path) -> dict[str, Any]:
    """The content of a YAML file that holds an object."""
    found = _object(_parse_yaml(path), str(path))
    return {str(key): value for key, value in found.items()}


def described(found: Any, kind: type[M], where: str) -> M:
    """Content of a file as a ``kind``; ``where`` begins what is said of what does not fit."""
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise MagbenchError(f"{where}: {first_problem(error)}") from error


def _parse_yaml(path: Path) -> Any:
    text = read_text(path)
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, ValueError, IndexError, OverflowError, RecursionError, AttributeError, TypeError) as error:
        raise MagbenchError(f"{path}: broken YAML ({_short(error)})") from error


class _Loader(yaml.SafeLoader):
    """YAML without aliases, not deeper than ``DEEPEST``, each key once, each number finite and in range."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.YAMLError(f"line {mark.line + 1}: aliases are not read")
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.YAMLError(f"deeper than {DEEPEST} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: key '{str(twice)[:40]}' stands there twice")
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: Any) -> int:
        value = super().construct_yaml_int(node)
        if abs(value) >= WHOLE:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: {node.value[:DIGITS]}... is out of range")
        return value

    def construct_yaml_float(self, node: Any) -> float:
        value = super().construct_yaml_float(node)
        if not math.isfinite(value):
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: {node.value[:40]} is out of range")
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def _object(found: Any, where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise MagbenchError(f"{where}: holds a {type(found).__name__}, an object wanted")
    return found


def _check_depth(found: Any, where: str) -> None:
    level = [found]
    for _ in range(DEEPEST):
        level = [
            part
            for value in level
            if isinstance(value, list | dict)
            for part in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise MagbenchError(f"{where}: broken JSON (deeper than {DEEPEST} levels)")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key '{twice[:40]}' stands there twice")
    return found


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is out of range")
    return value


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS or abs(int(text)) >= WHOLE:
        raise ValueError(f"{text[:DIGITS]}... is out of range")
    return int(text)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
