"""Somebody else's text where a person reads it: no sign of it works a terminal, turns a line around or hides."""

from __future__ import annotations

import re

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""Control characters but tab and line feed, and those that turn or hide the text around them."""


def visible(text: str) -> str:
    """The text with U+FFFD for each sign of ``UNSEEN``."""
    return UNSEEN.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Likewise, on one line."""
    return visible(text).replace("\n", " ").replace("\t", " ")
