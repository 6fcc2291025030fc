"""``METHOD+POLICY[:FIELD=NUMBER...]``: explicit memories that need no network, under every policy.

``warp+window`` warps one of the newest frames, ``point_cloud+full_history`` fuses all that were given. Where the suite
has depth these see it, as no model under test does, and then they have no rank.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    from baselines.spatial.model import SpatialModel
    from mag_model.memory.policy import CachePolicy
    from magbench.models.protocol import Kind
    from magbench.models.workload import Workload


KNOWN = ("window", "strided", "full_history")
"""Policies that lists name; any other that does not look at contents can follow the plus."""


@dataclass(frozen=True)
class SpatialFamily:
    """A :class:`magbench.models.protocol.Family`: one method under every policy."""

    method: str
    joint: str = "+"

    def known(self) -> Iterable[tuple[str, str]]:
        from baselines.spatial.methods import METHODS

        about = (METHODS[self.method].__doc__ or "").partition("\n")[0]
        yield from ((policy, about) for policy in KNOWN)

    def label(self, text: str) -> str:
        return text

    def kind(self, text: str) -> Kind:
        _policy(text)
        return "model"

    def load(self, text: str) -> SpatialModel:
        from baselines.spatial.model import SpatialModel

        return SpatialModel(f"{self.method}{self.joint}{text}", self.method, _policy(text))

    def reference(self, text: str) -> NoReturn:
        raise MagbenchError(f"{self.method}{self.joint}{text} is a model, not a reference")

    def workload(self, text: str, resolution: tuple[int, int] | None) -> Workload | None:
        """None: there is no network to time."""
        return None


def _policy(text: str) -> CachePolicy:
    from baselines.policy_spec import named_policy

    policy = named_policy(text)
    if policy.uses_content or policy.bits is not None:
        raise MagbenchError(f"policy '{text}' looks at keys and values, which pictures do not have")
    return policy


NEAREST_VIEW = SpatialFamily("nearest_view")
WARP = SpatialFamily("warp")
POINT_CLOUD = SpatialFamily("point_cloud")
