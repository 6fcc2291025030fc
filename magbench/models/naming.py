"""Every way to name a model: a registered name, a file, a module, a program, a member of a family, or an object.

=====================================  =============================================================================
``mag``                                a registered model or reference
``path/to/file.py:Name``               a class, function or instance in a file
``package.module:Name``                likewise in an installed module
``command:FILE.yaml``                  a program, see :mod:`magbench.models.command`
``nano:POLICY``, ``wan:CHECKPOINT``    a member of a registered family
``warp+POLICY``                        likewise, of one whose prefix ends in a plus
an object                              anything with ``stream(task)`` or ``generate(task)``; in Python only
=====================================  =============================================================================
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from magbench.core.errors import MagbenchError, unknown
from magbench.core.files import SAFE_NAME, SAFE_TEXT
from magbench.models.adapter import adapted, code_digest
from magbench.models.command import COMMAND, Program, read_program
from magbench.models.guard import Guard
from magbench.models.protocol import Kind, Reference, VideoModel
from magbench.models.put_back import put_back
from magbench.models.registry import (
    kind_of,
    load_model,
    load_reference,
    member_of,
    model_names,
    reference_names,
)

Given: TypeAlias = "str | Path | VideoModel"
"""A model as users name it."""


@dataclass(frozen=True)
class Candidate:
    """A model, program or reference that was named; its weights are not read yet.

    Attributes:
        name: what it is called in tables; a safe name of a folder.
        model: makes the model; None for programs and references.
        program: for programs.
        reference: makes the reference; it sees the truth.
        guard: in which its code runs.
    """

    name: str
    kind: Kind
    model: Callable[[], VideoModel] | None = None
    program: Program | None = None
    reference: Callable[[], Reference] | None = None
    guard: Guard = field(default_factory=Guard)

    def load(self) -> VideoModel:
        """Make the model; this is where weights are read.

        Raises:
            MagbenchError: it is a program or a reference, of which nothing else can be asked than a run on clips.
        """
        if self.program is not None:
            raise MagbenchError(
                f"'{self.name}' is a program: it can be run on clips, but nothing else can be asked of it"
            )
        if self.model is None:
            raise MagbenchError(f"'{self.name}' is a reference: it is shown the truth, and is no model")
        return self.model()


def resolve(given: Given) -> Candidate:
    """Find what a name, a path or an object stands for. Reads no weights.

    Code that is imported for it has a state of its own, see :mod:`magbench.models.guard`.

    Raises:
        MagbenchError: it stands for nothing, with the nearest names; or what it names cannot be a model.
    """
    guard = Guard()
    with put_back([]), guard.inside():
        candidate = _resolve(given)
    return replace(candidate, guard=guard)


def is_code(given: Given) -> bool:
    """Whether finding out what is meant runs somebody's file or module."""
    text = str(given) if isinstance(given, str | Path) else ""
    place, colon, _ = text.rpartition(":")
    if not colon or text.startswith(COMMAND) or member_of(text) is not None:
        return False
    return place.endswith(".py") or all(part.isidentifier() for part in place.split("."))


def _resolve(given: Given) -> Candidate:
    if not isinstance(given, str | Path):
        return _object(given)
    text = str(given)
    if text.startswith(COMMAND):
        return _program(text)
    member = member_of(text)
    if member is not None:
        return _registered(text, member.name, member.family.kind(member.text))
    place, colon, attribute = text.rpartition(":")
    if colon and place.endswith(".py"):
        return _from_file(Path(place), attribute)
    if colon and all(part.isidentifier() for part in place.split(".")):
        return _from_module(place, attribute)
    return _registered(text, text, kind_of(text))


def _registered(text: str, name: str, kind: Kind) -> Candidate:
    if kind == "reference":
        return Candidate(name, kind, reference=partial(load_reference, text))
    return Candidate(name, kind, model=partial(load_model, text))


def _program(text: str) -> Candidate:
    program = read_program(text)
    if program.name in model_names() + reference_names():
        path = text.removeprefix(COMMAND)
        raise MagbenchError(f"{path}: name '{program.name}' is a registered model's or reference's; choose another")
    return Candidate(program.name, "model", program=program)


def _object(given: Any) -> Candidate:
    model = adapted(given, type(given).__name__, code_digest(given))
    return Candidate(_checked(model.name, f"object of {type(given).__name__}"), "model", model=lambda: model)


def _from_file(path: Path, attribute: str) -> Candidate:
    if not path.is_file():
        raise MagbenchError(f"{path}: no such file")
    content = path.read_bytes()
    module = _run_file(path.resolve())
    digest = f"code {sha256(content).hexdigest()[:12]}"
    return _of_module(module, attribute, f"{path}", digest)


def _run_file(path: Path) -> ModuleType:
    """Import a file by its path; other files of its folder can be imported by it."""
    name = f"_magbench_{sha256(str(path).encode()).hexdigest()[:12]}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise MagbenchError(f"{path}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise MagbenchError(f"{path}: cannot be imported ({type(error).__name__}: {error})") from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def _from_module(name: str, attribute: str) -> Candidate:
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise MagbenchError(
            f"model '{name}:{attribute}' is neither of a registered family nor in a module that can be imported"
            f" ({error})"
        ) from error
    except (Exception, SystemExit) as error:
        raise MagbenchError(f"{name}: cannot be imported ({type(error).__name__}: {error})") from error
    file = Path(module.__file__) if module.__file__ else None
    digest = "" if file is None else f"code {sha256(file.read_bytes()).hexdigest()[:12]}"
    return _of_module(module, attribute, name, digest)


def _of_module(module: ModuleType, attribute: str, where: str, digest: str) -> Candidate:
    """What stands under a name in a module: an instance, or a class or function that makes one."""
    names = vars(module)
    if attribute not in names:
        public = [name for name, value in names.items() if not name.startswith("_") and callable(value)]
        raise MagbenchError(f"{where}: {unknown('name', attribute, public or [''])}")
    found: Any = names[attribute]
    own = vars(found).get("name") if isinstance(found, type) else None
    name = own if isinstance(own, str) else attribute
    if not callable(found):
        return Candidate(
            _checked(adapted(found, name, digest).name, where), "model", model=lambda: adapted(found, name, digest)
        )
    _checked(name, where)
    return Candidate(name, "model", model=partial(_make, found, name, where, digest))


def _make(factory: Callable[[], Any], name: str, where: str, digest: str) -> VideoModel:
    try:
        made = factory()
    except TypeError as error:
        raise MagbenchError(f"{where}: '{name}' cannot be made without arguments ({error})") from error
    model = adapted(made, name, digest)
    if model.name != name:
        raise MagbenchError(f"{where}: model '{name}' calls itself '{model.name}'; set `name` on its class")
    return model


def _checked(name: str, where: str) -> str:
    """A name that may become a folder and is nobody else's."""
    if not SAFE_NAME.fullmatch(name) and not SAFE_TEXT.fullmatch(name):
        raise MagbenchError(f"{where}: model name '{name}' may only hold letters, digits, '.', '_' and '-'")
    if name in model_names() + reference_names():
        raise MagbenchError(f"{where}: model name '{name}' is a registered model's or reference's; choose another")
    return name
