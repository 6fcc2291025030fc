"""Plug-ins: what installed packages register by entry points, listed without importing any of them.

An entry point names one thing, ``window = "mag_model.memory.policy:Window"``, or a whole package,
``baselines = "baselines.policies"``: then each module of that package is a plug-in named after its file, and the
:class:`Group` says under which name the thing stands in it. So a new file is found without a registration line.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import pkgutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from magbench.core.errors import MagbenchError, unknown
from magbench.core.files import SAFE_NAME

HERE = "magbench"
"""The distribution whose names win over those of others."""

ASKED = "MAGBENCH_METRICS"
"""Environment variable that names what is registered under an extra and wanted in this run: ``vif,ms_ssim``."""


class PluginWarning(UserWarning):
    """A plug-in was left out, or asked for in vain; the others go on."""


def camel_case(stem: str) -> str:
    """``window_sink`` -> ``WindowSink``."""
    return "".join(word.capitalize() for word in stem.split("_"))


@dataclass(frozen=True)
class Group:
    """A group of entry points.

    Attributes:
        name: as packages write it, ``magbench.policies``.
        kind: what one of them is called in messages.
        attribute: file name of a module -> what to take from it, where a whole package is registered.
        label: file name of a module -> the plug-in's name.
    """

    name: str
    kind: str
    attribute: Callable[[str], str] = camel_case
    label: Callable[[str], str] = str


MODELS = Group("magbench.models", "model")
REFERENCES = Group("magbench.references", "reference")
FAMILIES = Group("magbench.families", "family")
POLICIES = Group("magbench.policies", "policy")
METRICS = Group("magbench.metrics", "metric", lambda stem: "METRIC")
SUITES = Group("magbench.suites", "suite", lambda stem: "SUITE", lambda stem: stem.replace("_", "-"))
GROUPS = (MODELS, REFERENCES, FAMILIES, POLICIES, METRICS, SUITES)


@dataclass(frozen=True)
class Plugin:
    """One registered thing.

    Attributes:
        module, attribute: where it is.
        package: the distribution that registers it, "" if unknown.
        extra: the extra that installs what it needs; such a thing is there only where it is asked for.
    """

    name: str
    group: Group
    module: str
    attribute: str
    package: str
    extra: str = ""

    @property
    def value(self) -> str:
        """``module:attribute``."""
        return f"{self.module}:{self.attribute}"

    @property
    def called(self) -> str:
        """How messages name it."""
        return f"{self.group.kind} '{self.name}' ({self.value}{f', of {self.package}' if self.package else ''})"

    def load(self) -> Any:
        """Import it.

        Raises:
            MagbenchError: the module or the attribute is not there, or importing it went wrong.
        """
        try:
            found: Any = importlib.import_module(self.module)
            for part in self.attribute.split("."):
                found = getattr(found, part)
        except MagbenchError:
            raise
        except (ImportError, AttributeError) as error:
            raise MagbenchError(f"{self.called} cannot be loaded: {error}") from error
        except (Exception, SystemExit) as error:  # a module of another package may raise anything
            raise MagbenchError(f"{self.called} cannot be loaded: {type(error).__name__}: {error}") from error
        return found

    def summary(self) -> str:
        """The first line of its docstring, read from the source file without importing it; "" where there is none."""
        path = source_file(self.module)
        if path is None:
            return ""
        return (_docstring(ast.parse(path.read_text(encoding="utf-8")), self.attribute) or "").partition("\n")[0]


def plugins(group: Group) -> dict[str, Plugin]:
    """Everything registered in a group, by name, sorted.

    What is registered under an extra is there if ``MAGBENCH_METRICS`` names it. A name that cannot be a file's, and one
    that two packages claim, are left out with a warning; of the latter magbench's own stays.
    """
    found = {}
    for name, claims in sorted(_claims(group).items()):
        problem = _problem(name, claims)
        if problem:
            _left_out(problem)
        else:
            found[name] = claims[0]
            for other in claims[1:]:
                _left_out(f"{other.called}: the name is that of {claims[0].value}")
    return found


def plugin(group: Group, name: str) -> Plugin:
    """The plug-in of that name.

    Raises:
        MagbenchError: an unknown name, with the nearest ones; one that cannot be a file's, or that two packages claim.
    """
    claims = _claims(group)
    if name not in claims:
        raise unknown(group.kind, name, claims)
    check_name(group, name)
    return claims[name][0]


def check_name(group: Group, name: str) -> None:
    """Refuse a registered name that :func:`plugins` leaves out; one that nobody registered is no concern of this."""
    claims = _claims(group).get(name)
    if claims and (problem := _problem(name, claims)):
        raise MagbenchError(problem)


def _claims(group: Group) -> dict[str, list[Plugin]]:
    """Every registered name with the different things that it is said to be, magbench's own first."""
    asked = set(os.environ.get(ASKED, "").replace(" ", "").split(","))
    found: dict[str, list[Plugin]] = {}
    for plugin in registered(group, tuple(sys.path)):
        claims = found.setdefault(plugin.name, []) if plugin.name in asked or not plugin.extra else []
        if plugin.value not in [claim.value for claim in claims]:
            claims.append(plugin)
    return found


@cache
def registered(group: Group, folders: tuple[str, ...]) -> tuple[Plugin, ...]:
    """Everything that the packages in these folders register in a group, magbench's own first.

    Looked up once in a process: packages are installed while it does not run, and to read all their entry points takes
    30 ms, which a run would pay for every model in every process.
    """
    entries = sorted(entry_points(group=group.name), key=lambda entry: entry.dist is None or entry.dist.name != HERE)
    return tuple(plugin for entry in entries for plugin in _expanded(entry, group))


def _problem(name: str, claims: list[Plugin]) -> str:
    """What is wrong with a registered name, "" if nothing is."""
    first = claims[0]
    if not SAFE_NAME.fullmatch(name):
        return f"{first.group.kind} name '{name}' may only hold letters, digits, '.', '_' and '-' ({first.value})"
    if len(claims) > 1 and first.package != HERE:
        return f"'{name}' of {first.group.name} is there twice: {', '.join(claim.value for claim in claims)}"
    return ""


def loaded(group: Group, check: Callable[[Plugin, Any], None] = lambda plugin, thing: None) -> dict[str, Any]:
    """Everything registered in a group, imported; what cannot be, or fails ``check``, is left out with a warning."""
    found = {}
    for name, plugin in plugins(group).items():
        try:
            thing = plugin.load()
            check(plugin, thing)
            found[name] = thing
        except MagbenchError as error:
            _left_out(str(error))
    return found


def found_plugins(group: Group) -> list[Plugin]:
    """Everything registered in a group, not imported; what has no module is left out with a warning."""
    found = []
    for plugin in plugins(group).values():
        if importlib.util.find_spec(plugin.module.partition(".")[0]) is None:
            _left_out(f"{plugin.called}: there is no module {plugin.module}")
        else:
            found.append(plugin)
    return found


def extras(group: Group) -> dict[str, Plugin]:
    """What is registered under an extra, asked for or not."""
    return {plugin.name: plugin for plugin in registered(group, tuple(sys.path)) if plugin.extra}


def _left_out(message: str) -> None:
    warnings.warn(f"{message}; left out", PluginWarning, stacklevel=3)


def source_file(module: str) -> Path | None:
    """The source file of a module, found without importing it or its packages; None where there is none."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not folders:
        return Path(spec.origin) if spec.origin and not rest else None
    for folder in folders:
        path = folder.joinpath(*rest)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def _expanded(entry: EntryPoint, group: Group) -> list[Plugin]:
    """An entry point as plug-ins: itself, or each module of the package that it names."""
    package = entry.dist.name if entry.dist else ""
    if entry.attr:
        return [Plugin(entry.name, group, entry.module, entry.attr, package, "".join(entry.extras))]
    file = source_file(entry.module)
    if file is None:
        return []
    return [
        Plugin(group.label(module.name), group, f"{entry.module}.{module.name}", group.attribute(module.name), package)
        for module in pkgutil.iter_modules([str(file.parent)])
        if not module.name.startswith("_")
    ]


def _docstring(tree: ast.Module, name: str) -> str | None:
    """Find the docstring of a class or function, or the string behind the assignment of a variable."""
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        match node:
            case ast.ClassDef() | ast.FunctionDef() if node.name == name:
                return ast.get_docstring(node)
            case ast.Assign(targets=[ast.Name(id=found)]) | ast.AnnAssign(target=ast.Name(id=found)) if found == name:
                if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                    return str(after.value.value)
    return None
