"""Where every random number of a run starts."""

from __future__ import annotations

import hashlib


def task_seed(clip_id: str, sample: int) -> int:
    """The 63-bit seed of one sample of one clip; it depends on nothing else, so not on order or workers."""
    digest = hashlib.sha256(f"{clip_id}@{sample}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
