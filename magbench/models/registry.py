"""Registered models, references and families, by name.

Packages register them by entry points: group ``magbench.models`` (name -> callable without arguments that returns a
:class:`~magbench.models.protocol.VideoModel`), group ``magbench.references`` (likewise, a
:class:`~magbench.models.protocol.Reference`) and group ``magbench.families`` (prefix -> a
:class:`~magbench.models.protocol.Family`, for whole families of models, ``PREFIX:TEXT``). Every other way to name a
model is in :mod:`magbench.models.naming`.
"""

from __future__ import annotations

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


def family_of(name: str) -> tuple[Family, str] | None:
    """The family of a model and what follows the prefix; None for a name that has no registered prefix."""
    prefix, colon, text = name.partition(":")
    if not colon or prefix not in plugins(FAMILIES):
        return None
    family: Family = plugin(FAMILIES, prefix).load()
    if not SAFE_TEXT.fullmatch(family.label(text)):
        raise MagbenchError(f"model name '{name}' may only hold letters, digits, and '.', '_', '-', '+', ':', '=', '@'")
    return family, text


def kind_of(name: str) -> Kind:
    """Whether a registered name is a model's or a reference's; neither is an error that gives the nearest names."""
    member = family_of(name)
    if member is not None:
        family, text = member
        return family.kind(text)
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
    member = family_of(name)
    if member is not None:
        family, text = member
        label = f"{name.partition(':')[0]}:{family.label(text)}"
        model = family.load(text)
    else:
        label = name
        model = adapted(plugin(MODELS, name).load()(), name)
    if model.name != label:
        raise MagbenchError(f"model '{label}' calls itself '{model.name}'")
    return model


def load_reference(name: str) -> Reference:
    """Make a registered reference."""
    member = family_of(name)
    if member is not None:
        family, text = member
        return family.reference(text)
    reference: Reference = plugin(REFERENCES, name).load()()
    return reference
