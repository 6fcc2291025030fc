"""Every cache policy at equal bytes: what is retained with 1/12, 1/6, 1/3 and all of full history's keys and values.

    python -m benchmarks.iso_byte OUT --clips 12

makes, scores and reports, in OUT, a run of all policies at all budgets on the first clips of revisit-nano, and writes
``iso_byte.md``, ``iso_byte.csv`` and the plots ``iso_byte.png`` and ``iso_byte-dark.png`` there. Stopped, the same
command goes on. Bytes are those that were counted after the last block. A policy that keeps every frame stands at the
budget `all` alone; one that can drop frames equals full history there, if it is given room for all. Seconds are not
looked at: this may run beside other work.
"""

from __future__ import annotations

BUDGETS = {"1/12": 4, "1/6": 8, "1/3": 16, "all": 48}
"""Of full history's bytes -> frames of a clip of 48 in the cache after its last block."""

AT: dict[str, dict[str, str]] = {
    "full_history": {"all": ""},
    "window": {"1/12": "frames=4", "1/6": "frames=8", "1/3": "frames=16"},
    "window_sink": {"1/12": "frames=3:sink=1", "1/6": "frames=5:sink=3", "1/3": "frames=13:sink=3"},
    "relative_window": {"1/12": "frames=3:sink=1", "1/6": "frames=5:sink=3", "1/3": "frames=13:sink=3"},
    "anchored_window": {"1/12": "frames=3:sink=1", "1/6": "frames=5:sink=3", "1/3": "frames=13:sink=3"},
    "ema_sink": {"1/12": "frames=3:sink=1", "1/6": "frames=5:sink=3", "1/3": "frames=13:sink=3"},
    "rolling_sink": {"1/12": "frames=1:sink=3", "1/6": "frames=3:sink=5", "1/3": "frames=3:sink=13"},
    "strided": {"1/12": "sink=0:stride=12", "1/6": "sink=0:stride=6", "1/3": "sink=0:stride=3"},
    "memory_bank": {
        "1/12": "frames=1:bank=3:every=3",
        "1/6": "frames=3:bank=5:every=2",
        "1/3": "frames=3:bank=13:every=1",
    },
    "deep_sink": {
        "1/12": "sink=2:middle=1:recent=1",
        "1/6": "sink=4:middle=2:recent=2",
        "1/3": "sink=8:middle=4:recent=4",
    },
    "flow_cache": {"1/12": "frames=3:recent=1", "1/6": "frames=5:recent=3", "1/3": "frames=13:recent=3"},
    "heavy_hitters": {"1/12": "frames=3:recent=1", "1/6": "frames=5:recent=3", "1/3": "frames=13:recent=3"},
    "snap_kv": {"1/12": "frames=3:recent=1", "1/6": "frames=5:recent=3", "1/3": "frames=13:recent=3"},
    "merged_frames": {"1/12": "frames=3:recent=1", "1/6": "frames=5:recent=3", "1/3": "frames=13:recent=3"},
    "geometric": {"1/6": "whole=1:each=1", "1/3": "whole=6:each=2"},
    "pose_retrieval": {
        "all": "frames=4:recent=3",
        "1/3": "frames=4:recent=3:bits=8",
        "1/6": "frames=4:recent=3:bits=4",
    },
    "feature_retrieval": {
        "all": "frames=4:recent=3",
        "1/3": "frames=4:recent=3:bits=8",
        "1/6": "frames=4:recent=3:bits=4",
    },
    "quantised": {"1/3": "stored=8", "1/6": "stored=4"},
    "mag": {
        "1/3": "first_block_whole=0",
        "1/6": "first_block_whole=0:bits=8",
        "1/12": "first_block_whole=0:bits=4",
    },
    "mag_ring": {"1/12": "ring=2:sink=2", "1/6": "ring=6:sink=2", "1/3": "ring=14:sink=2"},
    "mag_sparse": {"1/3": "frames=4:newest=1", "1/6": "frames=4:newest=1:bits=8", "1/12": "frames=4:newest=1:bits=4"},
    "mag_deep": {"1/6": "near=4:group=3", "1/12": "near=1:group=6"},
}
"""Policy -> budget -> its numbers."""


def model(policy: str, numbers: str) -> str:
    """``nano:POLICY[:NUMBERS]``."""
    return f"nano:{policy}:{numbers}" if numbers else f"nano:{policy}"


if __name__ == "__main__":
    print(",".join(model(p, n) for p, at in AT.items() for n in at.values()))
