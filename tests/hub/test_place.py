"""A file of a data set at a commit: what is such a name, and what is none."""

from __future__ import annotations

import pytest

from magbench.core.errors import MagbenchError
from magbench.hub.place import Place

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_place_is_read_and_written() -> None:
    text = f"hf://datasets/org/a.name@{COMMIT}/videos/suite-v1/mag+2/00-pan@0.mkv"
    place = Place.parse(text)
    assert (place.repository, place.commit, place.path) == ("org/a.name", COMMIT, "videos/suite-v1/mag+2/00-pan@0.mkv")
    assert str(place) == text
    assert place.address() == (
        f"https://huggingface.co/datasets/org/a.name/resolve/{COMMIT}/videos/suite-v1/mag%2B2/00-pan%400.mkv"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hf://datasets/org/name@main/a.mkv", "names no commit"),
        ("hf://datasets/org/name@refs%2Fpr%2F1/a.mkv", "names no commit"),
        (f"hf://datasets/org/name@{COMMIT[:12]}/a.mkv", "names no commit"),
        (f"hf://datasets/org/name@{COMMIT.upper()}/a.mkv", "names no commit"),
        ("hf://datasets/org/name/a.mkv", "is no file at a commit"),
        (f"hf://org/name@{COMMIT}/a.mkv", "is no file at a commit"),
        (f"https://huggingface.co/datasets/org/name/resolve/{COMMIT}/a.mkv", "is no file at a commit"),
        (f"hf://datasets/../name@{COMMIT}/a.mkv", "is no file at a commit"),
        (f"hf://datasets/org/name@{COMMIT}/", "is no file at a commit"),
        (f"hf://datasets/org/name@{COMMIT}/../a.mkv", "is not a path inside"),
        (f"hf://datasets/org/name@{COMMIT}/videos/../../a.mkv", "is not a path inside"),
        (f"hf://datasets/org/name@{COMMIT}//a.mkv", "is not a path inside"),
        (f"hf://datasets/org/name@{COMMIT}/a\\b.mkv", "is not a path inside"),
        (f"hf://datasets/org/name@{COMMIT}/a%2e%2e/b.mkv", "is not a path inside"),
        (f"hf://datasets/org/name@{COMMIT}/a.mkv?x=1", "is not a path inside"),
        (f"hf://datasets/org/name@{COMMIT}/a.mkv\n", "is no file at a commit"),
    ],
)
def test_what_is_no_place(text: str, message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        Place.parse(text)
