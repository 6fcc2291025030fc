"""Plug-ins: what installed packages register by entry points, listed without importing any of them.

An entry point names one thing, ``window = "baselines.policies.window:Window"``, or a whole package,
``baselines = "baselines.policies"``: then each module of that package is a plug-in named after its file, and the
:class:`Group` says under which name the thing stands in it. So a new file is found without a registration line.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from magbench.core.errors import MagbenchError, unknown


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
    """One registered thing: ``attribute`` of ``module``, from the distribution ``package`` ("" if unknown)."""

    name: str
    group: Group
    module: str
    attribute: str
    package: str

    @property
    def value(self) -> str:
        """``module:attribute``."""
        return f"{self.module}:{self.attribute}"

    def load(self) -> Any:
        """Import it.

        Raises:
            MagbenchError: the module or the attribute is not there.
        """
        try:
            found: Any = importlib.import_module(self.module)
            for part in self.attribute.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            raise MagbenchError(f"{self.group.kind} '{self.name}' ({self.value}) cannot be loaded: {error}") from error
        return found

    def summary(self) -> str:
        """The first line of its docstring, read from the source file without importing it; "" where there is none."""
        path = source_file(self.module)
        if path is None:
            return ""
        return (_docstring(ast.parse(path.read_text(encoding="utf-8")), self.attribute) or "").partition("\n")[0]


def plugins(group: Group) -> dict[str, Plugin]:
    """Everything registered in a group, by name, sorted; a name that stands for two things is an error."""
    found: dict[str, Plugin] = {}
    for entry in entry_points(group=group.name):
        for plugin in _expanded(entry, group):
            first = found.setdefault(plugin.name, plugin)
            if first.value != plugin.value:
                raise MagbenchError(f"'{plugin.name}' of {group.name} is there twice: {first.value}, {plugin.value}")
    return dict(sorted(found.items()))


def plugin(group: Group, name: str) -> Plugin:
    """The plug-in of that name; an unknown name is an error that gives the nearest ones."""
    known = plugins(group)
    if name not in known:
        raise unknown(group.kind, name, known)
    return known[name]


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
        return [Plugin(entry.name, group, entry.module, entry.attr, package)]
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
