"""With which cache each public checkpoint of Wan was released: what ``wan:NAME`` uses unless it is told otherwise.

Papers count the block that is being made; here ``frames`` are history. Each writes its cache itself, under the prompt,
but for MAG, whose memory model never sees one. How a checkpoint samples is in its ``spec``.
"""

from __future__ import annotations

from dataclasses import dataclass

from baselines.policies.anchored_window import AnchoredWindow
from baselines.policies.ema_sink import EmaSink
from baselines.policies.mag_ring import MagRing
from baselines.policies.window_sink import WindowSink
from mag_model.memory.policy import CachePolicy, Window


@dataclass(frozen=True)
class Released:
    """How a checkpoint remembers.

    Attributes:
        policy: what stays.
        writer: part of the checkpoint that writes the memory.
        writer_sees_prompt: whether the writer is told the prompt; if not, it gets the empty text.
    """

    policy: CachePolicy
    writer: str = "generator"
    writer_sees_prompt: bool = True


RELEASED = {
    "mag": Released(MagRing(ring=21, sink=2), writer="memory", writer_sees_prompt=False),
    "self-forcing": Released(Window(frames=18)),
    "causvid": Released(Window(frames=18)),
    "longlive": Released(WindowSink(frames=6, sink=3)),
    "reward-forcing": Released(EmaSink(frames=3, sink=3, decay=0.999)),
    "rolling-forcing": Released(AnchoredWindow(frames=18, sink=3)),
}
