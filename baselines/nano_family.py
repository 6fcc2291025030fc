"""``nano:[WEIGHTS+]POLICY[:FIELD=NUMBER...]``: every registered policy on the nano backbone, without editing code.

``nano:ema_sink`` and ``nano:window:frames=12`` run on the weights that ship; ``nano:OUT/+mag`` on those that
`magbench train --out OUT` wrote. A policy whose kept frames hold a whole block each (``packs``) is written by the
memory network and read by the generator that was trained on it; under any other policy the base generator writes its
own memory. What is registered by a short name is defined here too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from magbench.core.errors import MagbenchError
from magbench.core.files import SAFE_NAME
from magbench.core.plugins import POLICIES, found_plugins

if TYPE_CHECKING:
    from mag_model.memory.policy import CachePolicy
    from mag_model.nano.model import NanoModel
    from mag_model.nano.presets import Preset
    from magbench.models.protocol import Kind
    from magbench.models.workload import Workload

PREFIX = "nano"
PARTS = {False: ("base", "base"), True: ("joint", "memory")}
"""Whether a policy packs -> training stages of the generator and of the writer."""


class NanoFamily:
    """A :class:`magbench.models.protocol.Family`."""

    joint = ":"

    def known(self) -> Iterable[tuple[str, str]]:
        for plugin in found_plugins(POLICIES):
            yield plugin.name, plugin.summary()

    def label(self, text: str) -> str:
        folder, policy = _split(text)
        return policy if folder is None else f"{_short(folder)}-{_digest(folder, policy)}+{policy}"

    def kind(self, text: str) -> Kind:
        folder, policy = _split(text)
        _policy(policy)
        if folder is not None and not folder.is_dir():
            raise MagbenchError(f"{folder}: no such folder of weights (in {PREFIX}:{text})")
        return "model"

    def load(self, text: str) -> NanoModel:
        from mag_model.nano.model import NANO as SHIPPED
        from mag_model.nano.model import NanoModel

        folder, policy = _split(text)
        chosen = _policy(policy)
        generator, writer = PARTS[chosen.packs]
        preset = SHIPPED if folder is None else _preset(folder, policy)
        return NanoModel(f"{PREFIX}:{self.label(text)}", chosen, generator, writer, preset, folder)

    def reference(self, text: str) -> NoReturn:
        raise MagbenchError(f"{PREFIX}:{text} is a model, not a reference")

    def workload(self, text: str, resolution: tuple[int, int] | None) -> Workload | None:
        """None: these models are timed behind made-up histories, as registered ones are."""
        return None


NANO = NanoFamily()


def _split(text: str) -> tuple[Path | None, str]:
    """The folder of weights, None for those that ship, and the policy."""
    folder, plus, policy = text.rpartition("+")
    return (Path(folder) if plus else None), policy


def _policy(text: str) -> CachePolicy:
    from baselines.policy_spec import named_policy

    return named_policy(text)


def _short(folder: Path) -> str:
    name = folder.resolve().name
    return name if SAFE_NAME.fullmatch(name) else "weights"


def _parts(policy: str) -> tuple[str, ...]:
    return ("codec", *dict.fromkeys(PARTS[_policy(policy).packs]))


def _preset(folder: Path, policy: str) -> Preset:
    """The sizes of the weights in a folder, which must hold all that the policy needs."""
    from mag_model.nano.checkpoint import preset_of

    if not folder.is_dir():
        raise MagbenchError(f"{folder}: no such folder of weights")
    missing = [part for part in _parts(policy) if not (folder / f"{part}.safetensors").is_file()]
    if missing:
        stages = ", then ".join(f"`magbench train {part} --out {folder}`" for part in missing if part != "codec")
        raise MagbenchError(f"{folder}: holds no {missing[0]}.safetensors, which {policy} needs; {stages} makes it")
    return preset_of(folder / f"{PARTS[_policy(policy).packs][0]}.safetensors")


def _digest(folder: Path, policy: str) -> str:
    """Eight digits that tell folders of one name apart by the weights that are used."""
    from mag_model.nano.checkpoint import digest

    return digest(_preset(folder, policy), _parts(policy), folder)[:8]


def full_history() -> NanoModel:
    """Full history: every frame stays in memory."""
    from mag_model.memory.policy import FullHistory
    from mag_model.nano.model import NanoModel

    return NanoModel("full_history", FullHistory(), *PARTS[False])


def window() -> NanoModel:
    """Sliding window: the newest 2 blocks stay in memory."""
    from mag_model.memory.policy import Window
    from mag_model.nano.model import NanoModel

    return NanoModel("window", Window(), *PARTS[False])


def window_trained() -> NanoModel:
    """Sliding window as above, by a network that went on training for it."""
    from mag_model.memory.policy import Window
    from mag_model.nano.model import NanoModel

    return NanoModel("window_trained", Window(), "window", "window")


def window_sink() -> NanoModel:
    """Sliding window with a sink: the first and the newest block stay in memory."""
    from baselines.policies.window_sink import WindowSink
    from mag_model.nano.model import NanoModel

    return NanoModel("window_sink", WindowSink(), *PARTS[False])


def strided() -> NanoModel:
    """Strided key frames: MAG's frames, but nobody learned to pack a block into them."""
    from baselines.policies.strided import Strided
    from mag_model.nano.model import NanoModel

    return NanoModel("strided", Strided(sink=0), *PARTS[False])
