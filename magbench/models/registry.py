"""Registered models, references and families, by name.

Packages register them by entry points: group ``magbench.models`` (name -> callable without arguments that returns a
:class:`~magbench.models.protocol.VideoModel`), group ``magbench.references`` (likewise, a
:class:`~magbench.models.protocol.Reference`) and group ``magbench.families`` (prefix -> a
:class:`~magbench.models.protocol.Family`, for whole families of models, ``PREFIX:TEXT`` or ``PREFIX+TEXT``). Every
other way to name a model is in :mod:`magbench.models.naming`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from magbench.core.errors import MagbenchError, unknown
from magbench.core.files import SAFE_TEXT
from magbench.core.plugins import FAMILIES, MODELS, REFERENCES, check_name, loaded, plugin, plugins
from magbench.models.adapter import adapted
from magbench.models.protocol import Family, Kind, Reference, VideoModel


def usable_names() -> list[str]:
    """Models, then references, whose code can be imported: what runs where nothing else is said."""
    return [*loaded(MODELS), *loaded(REFERENCES)]


def model_names() -> list[str]:
    """Registered models, sorted."""
    return list(plugins(MODELS))


def reference_names() -> list[str]:
    """Registered references, sorted."""
    return list(plugins(REFERENCES))


def plain_references() -> list[str]:
    """References that need no model: magbench's own."""
    return [name for name, found in plugins(REFERENCES).items() if found.module.startswith("magbench.")]


def families() -> dict[str, Family]:
    """Registered families by prefix."""
    return loaded(FAMILIES)


@dataclass(frozen=True)
class Member:
    """A model of a family: ``text`` is what follows the prefix, ``name`` what it is called in tables."""

    family: Family
    text: str
    name: str


def member_of(name: str) -> Member | None:
    """What a name says of a family; None for one that has no registered prefix."""
    prefix, joint, text = re.fullmatch(r"([^:+]*)([:+]?)(.*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    if not joint or prefix not in plugins(FAMILIES):
        return None
    family: Family = plugin(FAMILIES, prefix).load()
    if joint != family.joint:
        raise MagbenchError(f"model name '{name}': did you mean '{prefix}{family.joint}{text}'?")
    label = family.label(text)
    if not SAFE_TEXT.fullmatch(label):
        raise MagbenchError(f"model name '{name}' may only hold letters, digits, and '.', '_', '-', '+', ':', '=', '@'")
    return Member(family, text, f"{prefix}{joint}{label}")


def kind_of(name: str) -> Kind:
    """Whether a registered name is a model's or a reference's; neither is an error that gives the nearest names."""
    member = member_of(name)
    if member is not None:
        return member.family.kind(member.text)
    for group in (MODELS, REFERENCES):
        check_name(group, name)
    models, references = model_names(), reference_names()
    if name in models and name in references:
        raise MagbenchError(f"'{name}' is registered both as a model and as a reference")
    if name in models:
        return "model"
    if name in references:
        return "reference"
    raise unknown("model", name, models + references)


def load_model(name: str) -> VideoModel:
    """Make a registered model; this is where weights are read."""
    member = member_of(name)
    if member is not None:
        label, model = member.name, member.family.load(member.text)
    else:
        label = name
        model = adapted(plugin(MODELS, name).load()(), name)
    if model.name != label:
        raise MagbenchError(f"model '{label}' calls itself '{model.name}'")
    return model


def load_reference(name: str) -> Reference:
    """Make a registered reference."""
    member = member_of(name)
    if member is not None:
        return member.family.reference(member.text)
    reference: Reference = plugin(REFERENCES, name).load()()
    return reference
