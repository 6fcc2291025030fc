"""``wan:CHECKPOINT[+POLICY]``: public checkpoints of Wan under the cache of their release, or under another.

``wan:self-forcing+window_sink:frames=6:sink=3`` is Self Forcing's weights with another policy and other numbers. What
writes the memory, and whether it is told the prompt, stays as the checkpoint was released. With ``@truth`` at the end
each finished block is remembered as it truly was: a reference, since it is shown what it should have made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from baselines.policy_spec import named_policy
from baselines.wan_recipes import RELEASED, Released
from mag_model.memory.policy import FullHistory
from magbench import __version__
from magbench.core.errors import MagbenchError, unknown

if TYPE_CHECKING:
    import torch

    from mag_model.wan.model import WanModel
    from mag_model.wan.profiling.workload import Networks
    from mag_model.wan.spec import WanSpec
    from magbench.models.protocol import Kind, Reference, VideoModel
    from magbench.models.workload import Workload

PREFIX = "wan"
RANDOM = "random"
"""Seeded weights in place of a checkpoint; for profiles."""

TRUTH = "truth"

BIDIRECTIONAL = "wan2.1"


@dataclass(frozen=True)
class Chosen:
    """A model by its name: which weights, and how they remember."""

    checkpoint: str
    how: Released
    guided: bool = False

    @property
    def spec(self) -> WanSpec:
        """Sizes, and how it samples."""
        from mag_model.wan.spec import WanSpec
        from mag_model.wan.weights.catalog import checkpoint

        return WanSpec() if self.checkpoint == RANDOM else checkpoint(self.checkpoint).spec


class WanFamily:
    """A :class:`magbench.models.protocol.Family`."""

    joint = ":"

    def known(self) -> Iterable[tuple[str, str]]:
        from mag_model.wan.weights.catalog import checkpoint

        for name, how in RELEASED.items():
            yield name, f"{checkpoint(name).about}; cache as released: {how.policy}"
        yield RANDOM, "Wan2.1-T2V-1.3B's sizes with seeded weights, for profiles"

    def label(self, text: str) -> str:
        return text

    def kind(self, text: str) -> Kind:
        chosen = choose(text)
        if chosen.checkpoint == RANDOM:
            raise MagbenchError(f"{PREFIX}:{text} has no codec and learned nothing: it is for `magbench profile` alone")
        return "reference" if chosen.guided else "model"

    def load(self, text: str) -> VideoModel:
        if self.kind(text) != "model":
            raise MagbenchError(f"{PREFIX}:{text} is shown the truth: it can be run on clips, but is no model")
        return self._model(text)

    def reference(self, text: str) -> Reference:
        from magbench.models.protocol import Reference

        self.kind(text)
        model = self._model(text)
        summary = "each finished block is remembered as it truly was"
        return Reference(model.name, summary, model.guided, f"{model.revision}, from ground truth")

    def _model(self, text: str) -> WanModel:
        from mag_model.wan.model import WanModel, room_for
        from mag_model.wan.prompts import Prompts
        from mag_model.wan.weights.load import load_text_encoder
        from mag_model.wan.weights.store import digest

        chosen, name = choose(text), f"{PREFIX}:{text}"
        checkpoint, how, (device, dtype) = chosen.checkpoint, chosen.how, _place()
        parts = tuple(dict.fromkeys(("generator", how.writer, "vae", "text", "tokenizer")))
        told = "told the prompt" if how.writer_sees_prompt else "told nothing"
        kept = f"{how.policy}, written by the {how.writer}, {told}, {str(dtype).removeprefix('torch.')}"
        if chosen.spec.rolling_window_blocks > 1:
            kept += f", {chosen.spec.rolling_window_blocks} blocks together"
        revision = f"{__version__}+{digest(checkpoint, parts)}, {kept}"
        with room_for(name):
            networks = _networks(chosen, device, dtype)
            codec = networks.codec()
        words = networks.generator.spec.text_len
        embed = Prompts(lambda: load_text_encoder(checkpoint, length=words), device)
        return WanModel(
            name, revision, how.policy, networks.generator, networks.writer, codec, embed, how.writer_sees_prompt
        )

    def workload(self, text: str, resolution: tuple[int, int] | None) -> Workload:
        from mag_model.wan.profiling.workload import WanWorkload, random_networks, shape_of

        chosen, (device, dtype) = choose(text), _place()
        seeded = chosen.checkpoint == RANDOM
        shape = shape_of(resolution, chosen.spec, device, dtype, reducible=seeded)
        networks = random_networks(shape) if seeded else _networks(chosen, device, dtype)
        return WanWorkload(f"{PREFIX}:{text}", chosen.how.policy, shape, networks)


WAN = WanFamily()


def _place() -> tuple[str, torch.dtype]:
    """Device and type: bfloat16 where there is a GPU."""
    import torch

    return ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)


def _networks(chosen: Chosen, device: str, dtype: torch.dtype) -> Networks:
    """Load the networks of a fetched checkpoint. The codec is computed in the transformers' type."""
    from mag_model.wan.profiling.workload import Networks
    from mag_model.wan.weights.load import load_codec, load_transformer

    generator = load_transformer(chosen.checkpoint, device=device, dtype=dtype)
    writer = generator
    if chosen.how.writer != "generator":
        writer = load_transformer(chosen.checkpoint, chosen.how.writer, device=device, dtype=dtype)
    return Networks(generator, writer, lambda: load_codec(chosen.checkpoint, device=device, dtype=dtype))


def choose(text: str) -> Chosen:
    """What a name says.

    Raises:
        MagbenchError: no such checkpoint or policy, or none that goes with the rest.
    """
    from mag_model.wan.weights.catalog import CHECKPOINTS

    name, at, mode = text.partition("@")
    if at and mode != TRUTH:
        raise unknown("way to remember", mode, [TRUTH])
    checkpoint, plus, policy = name.partition("+")
    usable = {*CHECKPOINTS, RANDOM} - {BIDIRECTIONAL}
    if checkpoint == BIDIRECTIONAL:
        raise MagbenchError(f"{checkpoint} is bidirectional and keeps no memory; it gives codec and text to the others")
    if checkpoint not in usable:
        raise unknown("checkpoint", checkpoint, usable)
    how = RELEASED.get(checkpoint) or (Released(FullHistory()) if checkpoint == RANDOM else None)
    if plus:
        how = replace(how or Released(FullHistory()), policy=named_policy(policy))
    if how is None:
        raise MagbenchError(
            f"how {checkpoint} was released to remember is not known; name a policy: {checkpoint}+window"
        )
    chosen = Chosen(checkpoint, how, guided=bool(at))
    if chosen.guided and chosen.spec.rolling_window_blocks > 1:
        raise MagbenchError(
            f"{checkpoint} makes {chosen.spec.rolling_window_blocks} blocks together: a block's truth would come when"
            f" the next are half made; @{TRUTH} is for models that make one after another"
        )
    return chosen
