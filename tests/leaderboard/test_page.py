"""What the pages are made of: names of files, addresses, data as a script, plots, sheets, bytes."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from magbench.core.errors import MagbenchError
from magbench.leaderboard.page import claim, write_contents
from magbench.leaderboard.site import model, plots, svg
from magbench.leaderboard.site.content import window_of
from magbench.leaderboard.site.html import link, rounded, safe_names, script_data, shown
from magbench.leaderboard.site.looks import PALETTE, legible
from magbench.leaderboard.site.sheets import WIDEST, write_sheet
from magbench.leaderboard.site.table import table
from magbench.leaderboard.watch import spread_clips
from magbench.render.grid import human_bytes
from tests.leaderboard import known_page as site
from tests.report.synthetic import records


def test_names_of_files_are_safe_and_never_shared() -> None:
    labels = ["mag", "MAG", "a b", "a/b", "../../x", ".hidden", "", "модель", "CON:1", "x" * 300, "<img>", "a\u202eb"]
    names = safe_names(labels)
    assert list(names) == sorted(labels) and names["mag"] != names["MAG"]
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}", name) for name in names.values()), names
    assert len({name.lower() for name in names.values()}) == len(labels)


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://example.org/a?b=c&d", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://example.org/a b", False),
        ("https://e.org/\u2028", False),
        ("//example.org", False),
        ('https://e.org/" onclick="x', False),
    ],
)
def test_only_web_addresses_are_links(url: str, linked: bool) -> None:
    assert link(url).startswith("<a ") == linked


def test_data_comes_back_from_its_script_and_holds_no_sign_that_ends_one() -> None:
    value = {"a": "</script><!--\u2028\u2029&", "b": [1, None, 2.5]}
    text = script_data("x", value)
    assert not set(text) & set("<>&\u2028\u2029") and text.isascii()
    assert json.loads(text.partition("window.x = ")[2].strip().rstrip(";")) == value


def test_signs_that_nobody_sees_are_seen() -> None:
    assert shown("a\x1b[31mb\u202ec\x00<") == "a\ufffd[31mb\ufffdc\ufffd&lt;"


def test_numbers_are_rounded_wherever_they_stand() -> None:
    assert rounded({"a": [0.12345678, (1 / 3, None)], "b": "0.12345678", "c": 7}) == {
        "a": [0.123457, [0.333333, None]],
        "b": "0.12345678",
        "c": 7,
    }


def test_colours_of_models_are_legible_and_stay_where_they_are_so_already() -> None:
    assert legible("#000000", "#ffffff") == "#000000" and legible("#ffffff", "#0d1117") == "#ffffff"
    assert legible("#ffff00", "#ffffff") != "#ffff00"
    assert legible(PALETTE[0][0], "#ffffff") == PALETTE[0][0]


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.0, 47.0, [0, 10, 20, 30, 40]),
        (-0.1, 0.11, [-0.1, -0.05, 0, 0.05, 0.1]),
    ],
)
def test_ticks_are_round(low: float, high: float, wanted: list[float]) -> None:
    assert svg.nice_ticks(low, high) == pytest.approx(wanted)


def test_ticks_of_a_logarithmic_axis_are_round_and_few() -> None:
    assert [text for _, text in svg.log_ticks(4e5, 6e6, human_bytes)] == ["500 kB", "1 MB", "2 MB", "5 MB"]
    for high in (2.0, 30.0, 1e4, 1e9, 1e15):
        ticks = [value for value, _ in svg.log_ticks(1.0, high, str)]
        assert 1 <= len(ticks) <= 5 and ticks == sorted(ticks) and ticks[0] >= 1 and ticks[-1] <= high


def test_names_lie_neither_on_one_another_nor_on_points() -> None:
    rng = np.random.default_rng(0)
    points = [svg.Named(f"model-{i}", *rng.uniform(60, 300, 2).tolist(), "look") for i in range(25)]
    boxes = []
    for text in svg.names(points, 468):
        node = ET.fromstring(text)
        wide, x, y = len(node.text or "") * svg.SIGN, float(node.get("x", "")), float(node.get("y", ""))
        left = x - wide if node.get("text-anchor") else x
        boxes.append((left, y - 11, left + wide, y + 2))
    assert len(boxes) > 8
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] + 0.2 or b[2] <= a[0] + 0.2 or a[3] <= b[1] + 0.3 or b[3] <= a[1] + 0.3
    for left, top, right, bottom in boxes:
        assert not any(left < p.x < right and top < p.y < bottom for p in points)


def test_the_front_has_the_rows_that_nobody_beats_in_both() -> None:
    """Against every pair, in the words of the definition."""
    rng = np.random.default_rng(1)
    costs, scores = rng.integers(1, 9, 40).tolist(), rng.integers(0, 9, 40).tolist()
    both = list(zip(costs, scores, strict=True))
    wanted = {a for a in both if not any(b != a and b[0] <= a[0] and b[1] >= a[1] for b in both)}
    assert {both[i] for i in plots._front(costs, scores)} == wanted


def test_speed_is_compared_within_one_machine_and_run_alone() -> None:
    rows = site.rows()[:3] + [
        {**site.row("far", "rescored", [0.9, 1.0, 1.0, 0.001]), "machine": "another", "submitter": "x", "date": "y"}
    ]
    (only,) = plots.against_latency([{**row, "variant": False} for row in rows], {})
    assert "a machine" in only and "alpha-2" in only and "far" not in only
    assert plots.against_latency(rows[3:], {}) == []


def test_a_plot_is_whole_xml_and_says_what_it_shows() -> None:
    rows = site.rows()
    drawing = re.search(r"<svg.*</svg>", plots.against_bytes(rows, {}), re.S)
    assert drawing is not None
    root = ET.fromstring(drawing[0])
    assert "alpha 0.900 at 4 MB" in root.attrib["aria-label"]
    assert len(root.findall("circle")) == 2 and [dot.get("class") for dot in root.findall("circle")] == ["dot look"] * 2


@pytest.mark.parametrize(
    ("shape", "scaled"), [((30, 16, 64, 3), False), ((161, 48, 96, 3), False), ((7, 480, 832, 3), True)]
)
def test_sheets_hold_every_frame_in_its_place(tmp_path: Path, shape: tuple[int, ...], scaled: bool) -> None:
    frames = np.zeros(shape, np.uint8)
    frames[:] = np.arange(shape[0], dtype=np.uint8)[:, None, None, None] * (255 // shape[0])
    sheet = write_sheet(frames, tmp_path)
    assert sheet["width"] == (WIDEST if scaled else shape[2])
    exact = shape[2] <= 64
    assert sheet["src"].endswith("png" if exact else "webp")
    with Image.open(tmp_path / sheet["src"]) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    for i in range(shape[0]):
        y, x = i // sheet["columns"] * sheet["down"], i % sheet["columns"] * sheet["across"]
        apart = np.abs(pixels[y : y + sheet["height"], x : x + sheet["width"]] - frames[i, 0, 0])
        assert apart.max() <= (0 if exact else 8) and apart.mean() <= (0 if exact else 2)
    assert write_sheet(frames, tmp_path) == sheet and len(list((tmp_path / "sheets").iterdir())) == 1


def test_a_film_of_many_frames_fits_into_what_a_picture_may_be(tmp_path: Path) -> None:
    sheet = write_sheet(np.zeros((700, 300, 20, 3), np.uint8), tmp_path)
    rows = -(-700 // sheet["columns"])
    assert sheet["columns"] * 20 <= 16383 and rows * 300 <= 16383


def test_the_window_is_read_from_the_records() -> None:
    """Gaps are even, and views last seen 9 or more frames ago are out of window."""
    assert window_of(records(["mag", "oracle"])) == 10 and window_of([]) == 0


def test_clips_are_evenly_apart() -> None:
    clips: list[Any] = list(range(42))
    assert spread_clips(clips, 4) == [5, 15, 26, 36] and spread_clips(clips, 42) == spread_clips(clips, 99) == clips
    assert len(set(spread_clips(clips, 41))) == 41 and spread_clips(clips, 1) == [20]


def test_rows_that_are_gone_leave_no_page(tmp_path: Path) -> None:
    site.write(tmp_path / "site")
    rows = [one for one in site.rows() if one["model"] != "gamma"]
    claim(tmp_path / "site")
    write_contents([site.content(site.TOY, rows)], [], tmp_path / "site")
    pages = {path.stem for path in (tmp_path / "site" / "models").rglob("*.html")}
    assert pages == {"alpha", "alpha-2", "beta", "delta", "old"} and not (tmp_path / "site" / "sheets").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "weights").write_text("mine")
    (tmp_path / "index.html").write_text("mine too")
    with pytest.raises(MagbenchError, match="holds 'models', but not the page that it would belong to"):
        claim(tmp_path)
    assert (tmp_path / "models" / "weights").read_text() == "mine"


def test_a_hundred_models_are_less_than_a_megabyte(tmp_path: Path) -> None:
    """With as many columns and clips as revisit-nano has, and a good deal of text about each."""
    told = {"family": "a family", "policy": "a policy", "submitter": "a group of people", "licence": "Apache-2.0"}
    told |= {"training_data": "nothing of the suite, as far as is known " * 2, "command": "magbench run --models x"}
    told |= {"machine": "cuda, H100, Linux x86_64, Python 3.11.7, torch 2.13.0", "revision": "0.1.0+8ecb94cdddcd"}
    rows = [site.row(f"some-model-{i}", "rescored", [0.9, 30.0, 1e6, 0.5], **told) for i in range(100)]
    extra = [(f"aligned_score{i}_out_of_window", f"score {i} ↑", "", "higher") for i in range(7)]
    for i, row in enumerate(rows):
        values = {"mean": 0.123456 + i, "low": 0.1 + i, "high": 0.2 + i, "n": 42}
        row["cells"] |= {key: values for key, *_ in extra}
    board = site.content(
        site.TOY, rows, columns=[*site.COLUMNS, *extra], clips=[f"{i:02d}-pan-slow" for i in range(42)]
    )
    write_contents([board], [], tmp_path / "site")
    assert sum(path.stat().st_size for path in (tmp_path / "site").rglob("*") if path.is_file()) < 1_000_000


def test_a_disturbed_time_is_marked_and_in_no_plot() -> None:
    found = [site.row(name, "rescored", [0.5, 10.0, 1e6, 0.5], machine="m", date="d") for name in ("a", "b", "c")]
    looks = dict.fromkeys("abc", "look")
    assert len(plots.against_latency(found, looks)) == 1
    found[1]["cells"][site.BLOCK.key]["disturbed"] = True
    html = table("toy", site.COLUMNS, found, {}, key="toy")
    assert [line.count("†") for line in html.splitlines() if line.startswith("<tr class")] == [0, 1, 0]
    assert "†" in model.page("toy", found[1], site.COLUMNS, model.Details(), "../index.html")
    (drawn,) = plots.against_latency(found, looks)
    assert drawn.count("<circle") == 2 and "b:" not in drawn
    found[0]["cells"][site.BLOCK.key]["disturbed"] = True
    assert plots.against_latency(found, looks) == []
