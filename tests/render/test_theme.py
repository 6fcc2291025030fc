"""Colours stay with their models, are legible on their ground, and every plot has four files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from magbench.render.theme import (
    DARK,
    HOUSE,
    LIGHT,
    SPARE,
    Theme,
    dress,
    looks,
    new_figure,
    picture,
    remove,
    save,
    variants,
)


def test_a_model_looks_the_same_in_any_company() -> None:
    assert looks(["mag", "window"])["mag"] == looks(["strided", "another", "mag"])["mag"]


def test_no_two_models_look_the_same() -> None:
    names = ["mag", "window", "window_sink", "full_history", "strided", *(f"model{i}" for i in range(20))]
    assert len(set(looks(names).values())) == len(names)


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_is_legible_on_its_ground(theme: Theme) -> None:
    colours = [theme.colour(look) for look in (*HOUSE.values(), *SPARE)]
    for colour in (*colours, theme.ink, theme.quiet, theme.reference):
        low, high = sorted([luminance(colour), luminance(theme.ground)])
        assert (high + 0.05) / (low + 0.05) >= 3.5, colour


def draw(theme: Theme) -> Figure:
    figure = new_figure(theme, 4.0, 3.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=theme.colour(HOUSE["mag"]))
    dress(axes, theme, "A title", "more of it", "x", "y")
    return figure


def test_four_files_with_the_same_bytes_in_two_calls_whatever_style_is_in_use(tmp_path: Path) -> None:
    save(draw, tmp_path / "a" / "plot.png")
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 30, "svg.fonttype": "none"}):
        save(draw, tmp_path / "b" / "plot.png")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["plot.png", "plot.svg", "plot_dark.png", "plot_dark.svg"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_files_are_what_they_are_called(tmp_path: Path) -> None:
    save(draw, tmp_path / "plot.png")
    for suffix, theme in (("", LIGHT), ("_dark", DARK)):
        ground = tuple(int(theme.ground[i : i + 2], 16) for i in (1, 3, 5))
        with Image.open(tmp_path / f"plot{suffix}.png") as image:
            assert image.size == (600, 450)
            assert image.convert("RGB").getpixel((0, 0)) == ground
        text = (tmp_path / f"plot{suffix}.svg").read_text()
        assert ElementTree.fromstring(text).tag.endswith("svg")
        assert theme.ground in text and "<text" not in text and "<dc:date>" not in text


def test_a_palette_keeps_what_is_frequent_and_comes_near_the_rest(tmp_path: Path) -> None:
    figure = draw(LIGHT)
    figure.savefig(tmp_path / "true.png")
    save(draw, tmp_path / "plot.png")
    with Image.open(tmp_path / "true.png") as true, Image.open(tmp_path / "plot.png") as reduced:
        assert reduced.mode == "P"
        difference = np.abs(np.asarray(true.convert("RGB"), int) - np.asarray(reduced.convert("RGB"), int))
    assert (difference > 0).mean() < 0.02 and (difference > 32).mean() < 0.001


def test_all_four_are_removed(tmp_path: Path) -> None:
    save(draw, tmp_path / "plot.png")
    assert set(variants(tmp_path / "plot.png")) == set(tmp_path.iterdir())
    remove(tmp_path / "plot.png")
    remove(tmp_path / "plot.png")
    assert not list(tmp_path.iterdir())


def test_markdown_for_both_themes() -> None:
    assert picture("plots/score.svg", 'a "plot"') == (
        "<picture>\n"
        '  <source media="(prefers-color-scheme: dark)" srcset="plots/score_dark.svg">\n'
        '  <img alt="a &quot;plot&quot;" src="plots/score.svg">\n'
        "</picture>\n"
    )
