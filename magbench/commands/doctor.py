"""`magbench doctor`: what is installed, what is missing, what to type."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.core.findings import Finding
from magbench.core.plugins import GROUPS, MODELS, REFERENCES, Plugin, plugins
from magbench.core.provenance import cpu_model, usable_cores
from magbench.models.registry import load_model, load_reference

NEEDED = (
    *("torch", "numpy", "einops", "safetensors", "av", "pandas", "pyarrow", "pydantic"),
    *("click", "rich", "PyYAML", "matplotlib", "huggingface-hub"),
)
WAN_EXTRA = ("diffusers", "transformers", "ftfy")
REINSTALL = 'pip install -c constraints.txt "magbench"'


def examine() -> Iterator[Finding]:
    """Every check, cheap ones first."""
    yield _python()
    yield Finding("cores", True, f"{usable_cores()} usable, {cpu_model()}")
    for package in NEEDED:
        yield _package(package)
    yield _opencv()
    yield _wan_extra()
    yield _torch()
    yield from _video()
    yield from _weights()
    yield from _plugins()
    yield _cache()


def _python() -> Finding:
    ok = sys.version_info >= (3, 10)
    return Finding("python", ok, platform.python_version(), "" if ok else "install Python 3.10 or newer")


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", REINSTALL)


def _opencv() -> Finding:
    names = ("opencv-python-headless", "opencv-python")
    for name in names:
        try:
            return Finding("opencv", True, f"{metadata.version(name)} ({name})")
        except metadata.PackageNotFoundError:
            continue
    return Finding("opencv", False, "not installed", REINSTALL)


def _wan_extra() -> Finding:
    """What is missing here is missed by Wan's models alone."""
    found, missing = [], []
    for name in WAN_EXTRA:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if not missing:
        return Finding("extra [wan]", True, ", ".join(found))
    detail = f"not installed: {', '.join(missing)}; wan: models need it: pip install 'magbench[wan]'"
    return Finding("extra [wan]", True, detail)


def _torch() -> Finding:
    return _attempt("torch works", REINSTALL, _torch_detail)


def _torch_detail() -> str:
    import torch

    total = torch.ones(2, 2).sum().item()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU (none is needed)"
    return f"{torch.get_num_threads()} threads, {device}" if total == 4 else f"1+1+1+1 gave {total}"


def _attempt(name: str, fix: str, detail: Callable[[], str]) -> Finding:
    """A check that imports somebody else's code: whatever goes wrong there is the finding."""
    try:
        return Finding(name, True, detail())
    except MagbenchError as error:
        return Finding(name, False, str(error))
    except Exception as error:
        return Finding(name, False, f"{type(error).__name__}: {error}".splitlines()[0], fix)


def _video() -> Iterator[Finding]:
    found = _attempt("video", REINSTALL, lambda: ", ".join(sorted(_codecs())))
    if not found.ok:
        yield found
        return
    codecs = _codecs()
    lossless = "ffv1" in codecs
    yield Finding("ffv1 (lossless video)", lossless, "there" if lossless else "missing", "" if lossless else REINSTALL)
    h264 = "libx264" in codecs
    yield Finding("libx264 (previews)", True, "there" if h264 else "missing: no previews are written")


def _codecs() -> set[str]:
    import av

    return {"ffv1", "libx264"} & av.codecs_available


def _weights() -> Iterator[Finding]:
    """Every safetensors file inside magbench and inside the packages that register something."""
    packages = {"magbench"} | {plugin.module.partition(".")[0] for plugin in _plugins_of_all_groups()}
    for package in sorted(packages):
        for folder in _folders(package):
            for file in sorted(path for path in folder.rglob("*.safetensors") if path.is_file()):
                digest = file_sha256(file)
                size = file.stat().st_size / 1e6
                name = f"weights {package}/{file.relative_to(folder)}"
                yield Finding(name, True, f"{size:.1f} MB, sha256 {digest[:12]}")


def _folders(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    return [Path(p) for p in spec.submodule_search_locations or ()] if spec else []


def _plugins_of_all_groups() -> list[Plugin]:
    return [plugin for group in GROUPS for plugin in plugins(group).values()]


def _plugins() -> Iterator[Finding]:
    """Each registered model and reference finds its weights, everything else that is registered can be imported."""
    registered = _plugins_of_all_groups()
    if not registered:
        yield Finding("models", False, "none is registered: magbench is not installed", "pip install -e .")
    for plugin in registered:
        fix = f"reinstall {plugin.package or plugin.value}"
        yield _attempt(f"{plugin.group.kind} {plugin.name}", fix, partial(_load, plugin))


def _load(plugin: Plugin) -> str:
    if plugin.group == MODELS:
        return load_model(plugin.name).revision
    if plugin.group == REFERENCES:
        return load_reference(plugin.name).revision
    plugin.load()
    return plugin.value


def _cache() -> Finding:
    from magbench.hub.cache import cache_folder

    folder = cache_folder()
    made = sorted(path.name for kind in ("suites", "weights") for path in (folder / kind).glob("*"))
    return Finding("cache", True, f"{folder}: {', '.join(made) or 'empty'}")
