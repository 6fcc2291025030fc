"""The page in a real browser: what a visitor does, with and without JavaScript, and that nothing leaves the folder."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from magbench.leaderboard.page import write_view
from tests.leaderboard import known_page as site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.write(tmp_path_factory.mktemp("page") / "site")


@pytest.fixture
def visit(browser: Any, written: Path) -> Iterator[Open]:
    """Opens a page at a link. In the end nothing was asked for outside its folder, and nothing failed."""
    asked: list[str] = []
    wrong: list[str] = []
    contexts = []

    def go(state: str = "", at: Path = written, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 800}, **options})
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.goto(f"{at.as_uri()}{f'#{state}' if state else ''}")
        folders.append(at.parent.as_uri())
        return page

    folders: list[str] = []
    yield go
    for context in contexts:
        context.close()
    assert not wrong
    assert asked and all(any(url.startswith(folder) for folder in folders) for url in asked), asked


def models(page: Any, board: str = site.TOY) -> list[str]:
    """The names of the rows that are shown, from top to bottom."""
    found: list[str] = page.eval_on_selector_all(
        f'table[data-board="{board}"] tbody th', "cells => cells.map(cell => cell.dataset.v)"
    )
    return found


def ranks(page: Any) -> dict[str, str]:
    rows = page.eval_on_selector_all(
        f'table[data-board="{site.TOY}"] tbody tr',
        "rows => rows.map(row => [row.cells[1].dataset.v, row.cells[0].dataset.v ?? ''])",
    )
    return dict(rows)


def head(page: Any, key: str) -> Any:
    return page.locator(f'table[data-board="{site.TOY}"] th[data-key="{key}"] button')


def pixel(page: Any, tile: int, x: float = 0.5) -> tuple[int, int, int]:
    """The colour in the middle of a tile's height."""
    shot = np.asarray(Image.open(io.BytesIO(page.locator("canvas").nth(tile).screenshot())).convert("RGB"))
    red, green, blue = shot[shot.shape[0] // 2, int(shot.shape[1] * x)].tolist()
    return red, green, blue


def frames(page: Any) -> set[str]:
    """The frames that are drawn now, over all tiles, once each has been drawn."""
    sync_api.expect(page.locator("canvas:not([data-frame])")).to_have_count(0)
    return drawn(page)


def drawn(page: Any) -> set[str]:
    return set(page.eval_on_selector_all("canvas", "tiles => tiles.map(tile => tile.dataset.frame)"))


EMPTY_LAST = ["gamma", "delta"]


def test_columns_sort_as_numbers_and_what_is_empty_is_last_both_ways(visit: Open) -> None:
    page = visit("all=1")
    head(page, site.PSNR.key).click()
    assert models(page) == ["alpha", "oracle", "beta", "alpha-2", "old", *EMPTY_LAST]
    head(page, site.PSNR.key).click()
    assert models(page) == ["old", "alpha-2", "beta", "oracle", "alpha", *EMPTY_LAST]


def test_lower_is_better_sorts_the_lowest_first_and_words_as_words(visit: Open) -> None:
    page = visit()
    head(page, site.HISTORY.key).click()
    assert models(page)[:2] == ["beta", "alpha"]
    head(page, "model").click()
    assert models(page) == ["alpha", "beta", "delta", "gamma", "old", "oracle"]


def test_speeds_of_different_machines_are_not_sorted(visit: Open) -> None:
    page = visit(f"sort.{site.TOY}={site.BLOCK.key},ascending")
    assert head(page, site.BLOCK.key).count() == 0 and models(page)[0] == "alpha"
    assert "as declared" in page.locator(f'th[data-key="{site.BLOCK.key}"]').first.inner_text()


def test_filters_keep_the_global_ranks(visit: Open) -> None:
    page = visit()
    page.select_option("#policy", "window")
    assert ranks(page) == {"beta": "2", "gamma": ""}
    page.fill("#text", "gam")
    assert models(page) == ["gamma"]
    assert page.locator(".count").first.inner_text() == "1 of 7 rows"
    page.click("button[type=reset]")
    sync_api.expect(page.locator(".count").first).to_have_text("6 of 7 rows")
    page.select_option("#trust", "quarantined")
    assert models(page) == ["delta"]
    page.select_option("#trust", "")
    page.select_option("#family", "x")
    assert ranks(page) == {"alpha": "1"}


def test_a_link_restores_everything_that_was_chosen(visit: Open) -> None:
    page = visit()
    page.check("#all")
    page.fill("#text", "a")
    head(page, site.HISTORY.key).click()
    page.select_option("#clip", f"{site.TOY}/second")
    page.select_option("#view", "wipe")
    page.focus("#tiles")
    page.keyboard.press("End")
    wanted = models(page), page.locator("#moment").inner_text()
    again = visit(page.url.partition("#")[2])
    assert (models(again), again.locator("#moment").inner_text()) == wanted
    assert again.locator(f'th[data-key="{site.HISTORY.key}"]').first.get_attribute("aria-sort") == "ascending"
    chosen = [again.input_value(field) for field in ("#text", "#clip", "#view", "#frame")]
    assert chosen == ["a", f"{site.TOY}/second", "wipe", "11"] and again.is_checked("#all")


def test_one_suite_alone_takes_no_filter_to_another(visit: Open) -> None:
    page = visit()
    page.select_option("#suite", site.OTHER)
    assert page.locator("section.board:visible h2").all_inner_texts() == ["other v2 test bbbbbbbbbbbb bbbbbbbbbbbb"]
    page.select_option("#suite", "")
    assert page.locator("section.board:visible").count() == 2 and len(models(page)) == 6


def test_the_keyboard_alone_sorts(visit: Open) -> None:
    page = visit()
    page.focus("#text")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.parentElement.dataset.key") == site.PSNR.key:
            break
    page.keyboard.press("Enter")
    assert models(page)[0] == "alpha"
    page.keyboard.press("Space")
    assert models(page)[0] == "old"
    assert page.locator(f'th[data-key="{site.PSNR.key}"]').first.get_attribute("aria-sort") == "ascending"


def test_other_rows_of_a_family_are_behind_a_switch(visit: Open) -> None:
    page = visit()
    assert "alpha-2" not in models(page)
    page.check("#all")
    assert ranks(page) == {"alpha": "1", "alpha-2": "2", "beta": "2", "gamma": "", "delta": "", "old": "", "oracle": ""}


def test_a_long_table_shows_its_first_rows_until_all_are_asked_for(visit: Open, tmp_path: Path) -> None:
    values = np.random.default_rng(0).permutation(150).tolist()
    rows = [site.row(f"m{value}", "reported", [value / 1000, None, None, None]) for value in values]
    page = visit(at=site.write_contents([site.content(site.TOY, rows)], [], tmp_path / "long"))
    assert len(models(page)) == 100 and page.locator(".count").inner_text() == "150 rows"
    head(page, site.PRIMARY.key).click()
    assert models(page) == [f"m{value}" for value in range(149, 49, -1)]
    page.fill("#text", "m2")
    assert models(page) == [f"m{value}" for value in (*range(29, 19, -1), 2)]
    assert not page.locator(".more").is_visible()
    page.fill("#text", "")
    page.click("text=Show all 150 rows")
    assert models(page) == [f"m{value}" for value in range(149, -1, -1)]


def test_all_tiles_run_on_one_clock(visit: Open) -> None:
    page = visit(f"clip={site.TOY}/first&frame=0")
    assert page.locator("canvas").count() == 4 and frames(page) == {"0"}
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.select_option("#speed", "0.5")
    page.click("#play")
    page.clock.run_for(500)  # 8 frames a second, from the first time that the screen is drawn
    assert drawn(page) == {"3"}
    page.clock.run_for(250)
    assert drawn(page) == {"5"}
    page.click("#play")
    page.clock.run_for(1000)
    assert drawn(page) == {"5"} and page.locator("#play").inner_text() == "Play"


def test_frames_are_stepped_by_keys_and_buttons_and_are_exact(visit: Open) -> None:
    page = visit(f"clip={site.TOY}/first&shown=alpha&shown=beta&frame=6")
    page.focus("#tiles")
    page.keyboard.press("ArrowRight")
    assert frames(page) == {"7"} and page.locator("canvas").count() == 3
    assert [pixel(page, tile) for tile in range(3)] == [(140, 0, 0), (140, 0, 40), (0, 140, 0)]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert frames(page) == {"5"} and pixel(page, 2) == (100, 0, 0)  # given: the truth's own
    page.click("#step")
    assert frames(page) == {"6"}
    page.keyboard.press("End")
    assert frames(page) == {"11"}
    page.keyboard.press("Home")
    assert frames(page) == {"0"}


def test_the_wipe_shows_the_truth_left_and_the_model_right(visit: Open) -> None:
    page = visit(f"clip={site.TOY}/first&shown=alpha&shown=beta&frame=8")
    frames(page)
    page.focus("#tiles")
    page.keyboard.press("w")
    assert (pixel(page, 2, 0.2), pixel(page, 2, 0.8)) == ((160, 0, 0), (0, 160, 0))
    page.locator("#wipe").fill("90")
    assert pixel(page, 2, 0.8) == (160, 0, 0) and "wipe=90" in page.url


def test_the_difference_is_shown_four_times(visit: Open) -> None:
    page = visit(f"clip={site.TOY}/first&shown=alpha&shown=beta&frame=8&view=difference")
    frames(page)
    assert [pixel(page, tile) for tile in range(3)] == [(160, 0, 0), (0, 0, 160), (255, 255, 0)]


def test_frames_out_of_the_window_are_marked(visit: Open) -> None:
    page = visit(f"clip={site.TOY}/first&frame=6")
    frames(page)
    gaps = site.clip("first").gap.tolist()
    marked = page.eval_on_selector_all("#curve .far", "marks => marks.map(mark => Number(mark.dataset.frame))")
    assert marked == [t for t in range(site.SWITCH, site.FRAMES) if gaps[t] >= site.WINDOW] == [8, 9, 10]
    page.focus("#tiles")
    page.keyboard.press("ArrowRight")
    assert page.locator("#moment").inner_text().endswith("last seen 3 frames ago, in the window")
    page.keyboard.press("ArrowRight")
    assert page.locator("#moment").inner_text().endswith("last seen 5 frames ago, out of the window")
    page.keyboard.press("End")
    assert page.locator("#moment").inner_text().endswith("not seen before")


def test_each_frames_score_is_drawn_and_said(visit: Open) -> None:
    page = visit(f"clip={site.TOY}/first&shown=alpha&shown=beta&frame=6")
    frames(page)
    (line, _) = page.eval_on_selector_all("#curve polyline", "lines => lines.map(line => line.getAttribute('points'))")
    points = [tuple(map(float, point.split(","))) for point in line.split()]
    assert [x for x, _ in points] == [6.5, 7.5, 8.5, 9.5, 10.5, 11.5]
    assert [y for _, y in points] == [50, 74, 2, 98, 26, 50]  # 0.5, 0.25, 1, 0, 0.75, 0.5 of a height of 96
    assert page.locator(".tile .note").all_inner_texts() == ["", "0.5", "0.5"]
    page.select_option("#metric", site.PSNR.key)
    assert page.locator(".tile .note").nth(1).inner_text() == "30"


def test_four_models_stand_beside_the_truth(visit: Open) -> None:
    page = visit()
    page.locator("#player").scroll_into_view_if_needed()
    frames(page)
    page.locator("[data-slot='3']").select_option("alpha")
    assert page.locator(".tile b").all_inner_texts() == ["truth", "alpha", "beta", "alpha-2", "alpha"]


def test_a_link_keeps_places_that_are_left_empty(visit: Open) -> None:
    page = visit(f"clip={site.TOY}/first&shown=beta")
    assert page.locator(".tile b").all_inner_texts() == ["truth", "beta", "alpha", "alpha-2"]
    for slot in (0, 2):
        page.locator(f"[data-slot='{slot}']").select_option("")
    again = visit(page.url.partition("#")[2])
    assert again.locator(".tile b").all_inner_texts() == ["truth", "alpha"]


def test_a_models_page_leads_to_the_player_and_back(visit: Open) -> None:
    page = visit()
    page.click("th a >> text=gamma")
    assert page.locator("h1").inner_text() == "gamma"
    assert page.locator("a[rel]").get_attribute("href") == "https://example.org/paper"
    page.locator("svg.strip a").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("canvas")
    assert page.input_value("#clip") == f"{site.TOY}/second"
    assert page.locator(".tile b").all_inner_texts()[:2] == ["truth", "beta"]


def test_without_javascript_there_is_a_table(visit: Open) -> None:
    page = visit(java_script_enabled=False)
    text = page.locator(f"section[data-suite='{site.TOY}'] table").inner_text()
    for words in ("alpha-2", "100.00", "[2, 3]", "quarantined", "superseded", "4 MB"):
        assert words in text
    assert not page.locator("#filters").is_visible() and page.locator(".plots svg").count() == 2


def test_one_run_has_the_player_alone(visit: Open, tmp_path: Path) -> None:
    page = visit(at=write_view("a run", site.clips(), tmp_path / "view"))
    assert page.locator("h1").inner_text() == "a run" and page.locator("section.board").count() == 0
    assert frames(page) == {"6"} and page.locator(".tile").count() == 4
    page.keyboard.press("ArrowRight")
    assert frames(page) == {"7"}


HOSTILE = "</script><script>window.hit=1</script><img src=x onerror=window.hit=1>\u2028'\"`${window.hit=1}"


def test_hostile_text_in_any_field_is_text(visit: Open, tmp_path: Path) -> None:
    plain = site.rows()[0]
    fields = ("family", "policy", "machine", "submitter", "date", "command", "status", "superseded_by", "reason")
    more = ("relationship", "licence", "training_data", "samples", "conversions", "revision", "weights", "code")
    odd = {**plain, "model": HOSTILE, **{key: f"{key} {HOSTILE}" for key in (*fields, *more, "submission")}}
    odd |= {"source": HOSTILE, "url": f"javascript:{HOSTILE}"}
    odd |= {key: [HOSTILE] for key in ("faults", "warnings", "attestations")}
    site.claim(tmp_path / "odd")
    watched = site.player.write_clips(site.clips((HOSTILE, "beta")), tmp_path / "odd")
    watched[0] |= {"clip": HOSTILE, "about": HOSTILE, "board": HOSTILE}
    contents = [site.content(HOSTILE, [odd, plain]), site.content(site.TOY, [{**odd, "trust": HOSTILE}])]
    page = visit(at=site.write_contents(contents, watched, tmp_path / "odd", HOSTILE))
    page.locator("#player").scroll_into_view_if_needed()
    frames(page)
    tame = HOSTILE.replace("\u2028", "\ufffd")
    assert tame in page.locator("tbody").first.inner_text()
    assert page.locator(".tile b").nth(1).inner_text().startswith("</script><script>")
    page.locator("#clip").select_option(index=1)
    head = page.locator("thead button").nth(1)
    head.click()
    page.locator("tbody a").first.click()
    for field in (*fields[1:], *more):
        if field not in ("status", "date"):
            assert tame in page.locator("main").inner_text(), field
    assert page.evaluate("window.hit") is None
    assert (
        page.eval_on_selector_all("script, img, iframe, [onerror], a[href^=javascript]", "found => found.length") == 0
    )


SPOKEN = """() => [...document.querySelectorAll('body *')].filter(element => {
  const box = element.getBoundingClientRect();
  return box.width && box.height && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
}).map(element => {
  const style = getComputedStyle(element);
  const drawn = element instanceof SVGElement;
  let ground = element;
  while (ground && /rgba\\(.*, 0\\)/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
  return [element.tagName + ' ' + element.textContent.trim().slice(0, 40), drawn ? style.fill : style.color,
    getComputedStyle(ground ?? document.body).backgroundColor];
})"""


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = np.array([float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1440])
def test_every_width_and_ground_is_legible(visit: Open, written: Path, width: int, scheme: str) -> None:
    """Nothing is wider than the window, and all text has the contrast of WCAG AA, 4.5 to 1."""
    size = {"width": width, "height": 800}
    model = written.parent / "models" / site.TOY / "alpha.html"
    for at in (written, model):
        page = visit("" if at == model else f"clip={site.TOY}/first&frame=8", at=at, viewport=size, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for text, ink, ground in page.evaluate(SPOKEN):
            high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ink, ground)
