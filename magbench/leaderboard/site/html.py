"""What every page has: its head, its policy against foreign scripts, links that are safe, data as a script."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from magbench.core.text import visible

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy: a page loads its own files and nothing else, whatever text came in."""

WEB = re.compile(r"https?://[^\s\"'<>\\]+")
"""The addresses that may be linked to; whatever else a field holds is shown as text."""

TRUST = {
    "fresh": "somebody else has run the model on clips that were drawn after the submission",
    "reproduced": "somebody else has run the model again",
    "rescored": "somebody else has scored the videos again",
    "reported": "numbers of the submitter or of a paper: no rank",
    "reference": "has seen the truth, shows what a score is worth: no rank",
    "quarantined": "a check found a fault: no rank",
}
"""What a row may claim, the most first."""


def document(title: str, body: str, *, up: str = "", scripts: Sequence[str] = ()) -> str:
    """A whole page.

    Args:
        up: the way to the folder of style and scripts, ``"../../"`` from a model's page.
        scripts: files that are run at the end of the page, in order.
    """
    runs = "\n".join(f'<script src="{up}{name}"></script>' for name in scripts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{shown(title)}</title>
<link rel="stylesheet" href="{up}board.css">
</head>
<body>
{body}
{runs}
</body>
</html>
"""


def shown(value: object) -> str:
    """Text of somebody else's as HTML shows it; signs that nobody sees become U+FFFD."""
    return escape(visible(str(value)), quote=True)


def link(url: str, text: str = "") -> str:
    """A link to a web address; anything else is shown as text."""
    if not WEB.fullmatch(url):
        return shown(text or url)
    return f'<a href="{shown(url)}" rel="noopener noreferrer nofollow">{shown(text or url)}</a>'


def badge(kind: str) -> str:
    """A word of the trust column."""
    return f'<span class="badge {shown(kind)}">{shown(kind)}</span>'


def script_data(name: str, value: Any) -> str:
    """A script that sets one global name to plain data; no text in it can end a script or a line."""
    text = json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'"use strict";\nwindow.{name} = {text};\n'


def rounded(value: Any, figures: int = 6) -> Any:
    """Plain data with every number to so many figures, so that another processor gives the same text."""
    match value:
        case float():
            return float(f"{value:.{figures}g}")
        case dict():
            return {key: rounded(item, figures) for key, item in value.items()}
        case list() | tuple():
            return [rounded(item, figures) for item in value]
        case _:
            return value


def safe_names(labels: Iterable[str]) -> dict[str, str]:
    """Label -> a name for its file, safe on every file system; two never share one, also where case is ignored."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for label in sorted(set(labels)):
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", label).strip("._")[:80]
        if not name or name.lower() in taken or not label.isascii():
            name = f"{name or 'model'}-{hashlib.sha256(label.encode('utf-8', 'replace')).hexdigest()[:8]}"
        taken.add(name.lower())
        found[label] = name
    return found
