"""Full history: every frame stays. It remembers everything, at a cost that grows with every frame."""

from __future__ import annotations

from mag_model.memory.policy import FullHistory
from mag_model.nano.model import NanoModel


def full_history() -> NanoModel:
    """Full history: every frame stays in memory."""
    return NanoModel("full_history", FullHistory(), generator="base", writer="base")
