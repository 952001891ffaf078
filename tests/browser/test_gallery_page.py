"""The gallery in a browser: by finger, mouse and keyboard, in a narrow window, without JavaScript."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from digits.refusals import ServerError

from .answers import answer_with
from .strokes import draw

NARROW = pytest.mark.parametrize("page", [{"viewport": {"width": 320, "height": 640}}], indirect=True, ids=["320-px"])

FINGERTIP = 44  # CSS pixels: the smallest side of a control that is easily hit
START_WATCHING_SHIFTS = """() => {
    window.shifts = new PerformanceObserver(() => {});
    window.shifts.observe({type: "layout-shift"});
}"""
SHIFTS = """() => new Promise((done) => {
    const twoFramesOn = (then) => requestAnimationFrame(() => requestAnimationFrame(then));
    twoFramesOn(() => done(window.shifts.takeRecords().map((shift) => shift.value)));
})"""


def index_of(tile: Locator) -> int:
    return int(tile.get_attribute("id").removeprefix("tile-"))


def shown_tiles(page: Page) -> list[str]:
    return [tile.get_attribute("id") for tile in page.locator(".tile").all()]


def tap(page: Page, place: int) -> Locator:
    tile = page.locator(".tile").nth(place)
    tile.get_by_role("button").click()
    expect(answer(tile)).to_be_visible()
    return tile


def answer(tiles: Locator | Page) -> Locator:
    return tiles.locator(".tile-read")


def reach(page: Page, control: Locator) -> None:
    """Move the focus to a control with the Tab key alone."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if control.evaluate("control => control === document.activeElement"):
            return
    pytest.fail(f"The Tab key does not reach {control}", pytrace=False)


def reading(tile: Locator) -> dict:
    """The content of an answered tile: its digit, None where it is not sure; what is written below it; its label."""
    note = tile.locator(".tile-note").text_content()
    read = answer(tile).inner_text()
    return {
        "digit": None if read == "?" else int(read[0]),
        "note": note.partition(",")[0],
        "label": int(re.search(r"label (\d)", note)[1]),
    }


def score(page: Page) -> Locator:
    return page.locator("#score strong")


def test_a_tapped_tile_shows_its_digit_in_place(page):
    page.goto("/")
    expect(page.locator(".tile")).to_have_count(20)
    for place in (0, 7, 19):
        tile = tap(page, place)
        read = reading(tile)
        if read["digit"] is None:
            assert read["note"].endswith("?")
            expect(tile).to_contain_class("unsure")
        elif read["digit"] == read["label"]:
            assert re.fullmatch(r"\d+\.\d %", read["note"])
            expect(tile).to_contain_class("right")
        else:
            assert read["note"] == f"it is {read['label']}"
            expect(tile).to_contain_class("wrong")
    expect(answer(page)).to_have_count(3)


@pytest.mark.parametrize("place", [(0.04, 0.04), (0.96, 0.96), (0.5, 0.97), (0.04, 0.5)])
def test_the_whole_tile_answers_a_tap(page, place):
    page.goto("/")
    tile = page.locator(".tile").nth(3)
    tile.scroll_into_view_if_needed()
    box = tile.bounding_box()
    page.mouse.click(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"])
    expect(answer(tile)).to_be_visible()


@pytest.mark.parametrize("page", [{"viewport": {"width": 1280, "height": 900}}], indirect=True, ids=["1280x900"])
def test_the_front_page_shows_the_pad_its_answer_and_the_first_tiles_at_once(page):
    page.goto("/")
    for part in (page.locator(".drawing-pad canvas"), page.locator("#prediction"), page.locator(".tile").nth(9)):
        expect(part).to_be_in_viewport(ratio=1)
    page.locator(".tile").last.scroll_into_view_if_needed()
    for tile in page.locator(".tile").all():
        expect(tile).to_be_in_viewport(ratio=1)


def test_the_front_page_reads_a_drawing(page):
    page.goto("/")
    draw(page, 7)
    expect(page.locator("#prediction .answered strong")).to_have_text("7")
    page.reload()
    expect(page.locator("#prediction .answered strong")).to_have_text("7")


def test_a_tapped_tile_shows_the_same_as_its_address(page):
    page.goto("/")
    tile = tap(page, 4)
    alone = page.context.new_page()
    alone.goto(f"/tiles/{index_of(tile)}/prediction/")
    assert reading(tile) == reading(alone.locator(".tile"))


@pytest.mark.parametrize(
    "page", [{}, {"viewport": {"width": 320, "height": 1200}}], indirect=True, ids=["wide", "320-px"]
)
def test_nothing_moves_when_an_answer_comes(page):
    page.goto("/")
    tiles = [page.locator(".tile").nth(place) for place in (2, 3, 7)]  # the tapped one, its neighbour, the one below
    page.locator(".site-footer").scroll_into_view_if_needed()
    parts = [*tiles, page.locator(".site-footer")]
    before = [part.bounding_box() for part in parts]
    picture = tiles[0].locator("img").get_attribute("src")
    page.evaluate(START_WATCHING_SHIFTS)
    tap(page, 2)
    assert [part.bounding_box() for part in parts] == before
    assert page.evaluate(SHIFTS) == []
    assert tiles[0].locator("img").get_attribute("src") == picture


def test_the_keyboard_reaches_a_tile_and_stays_on_it(page):
    page.goto("/")
    button = page.locator(".tile").first.get_by_role("button")
    reach(page, button)
    page.keyboard.press("Enter")
    expect(answer(page.locator(".tile").first)).to_be_visible()
    expect(button).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".tile").nth(1).get_by_role("button")).to_be_focused()
    page.keyboard.press("Space")
    expect(answer(page.locator(".tile").nth(1))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tile ")).to_be_visible()


def test_an_answer_is_announced(page):
    page.goto("/")
    announcement = page.get_by_role("status")
    expect(announcement).to_be_empty()
    read = reading(tap(page, 0))
    if read["digit"] is None:
        expect(announcement).to_contain_text(f"{read['note']} The label is {read['label']}.")
    else:
        verdict = "Right" if read["digit"] == read["label"] else "Wrong"
        expect(announcement).to_contain_text(re.compile(rf"{read['digit']}, [\d.]+ %\."))
        expect(announcement).to_contain_text(f"{verdict}: the label is {read['label']}.")


def test_generate_shows_twenty_new_tiles_and_keeps_the_focus(page):
    page.goto("/")
    tap(page, 0)
    before = shown_tiles(page)
    generate = page.get_by_role("button", name="Generate")
    generate.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("20 new digits.")
    after = shown_tiles(page)
    assert len(set(after)) == 20
    assert after != before
    expect(answer(page)).to_have_count(0)
    expect(generate).to_be_focused()
    tap(page, 0)


def test_the_score_survives_generate_reload_and_back(page):
    page.goto("/?tile=0&tile=1&tile=2&tile=3")  # that are read right
    expect(score(page)).to_have_text("No tile read yet")
    for place in range(3):
        tap(page, place)
    expect(score(page)).to_have_text("3 of 3 right")
    before = shown_tiles(page)
    page.get_by_role("button", name="Generate").click()
    expect(answer(page)).to_have_count(0)
    expect(score(page)).to_have_text("3 of 3 right")
    tap(page, 5)
    expect(score(page)).to_have_text(re.compile(r"^([34] of 4 right|3 of 4 right, 1 not sure)$"))
    counted = score(page).inner_text()
    after = shown_tiles(page)
    page.reload()
    assert shown_tiles(page) == after
    expect(answer(page)).to_have_count(1)
    expect(score(page)).to_have_text(counted)
    page.go_back()
    expect(answer(page)).to_have_count(3)
    assert shown_tiles(page) == before
    page.get_by_role("link", name="Start again").click()
    expect(score(page)).to_have_text("No tile read yet")


def test_quick_taps_all_count(page):
    page.goto("/")
    for place in range(6):
        page.locator(".tile").nth(place).get_by_role("button").click()
    expect(answer(page)).to_have_count(6)
    expect(score(page)).to_contain_text(" of 6 right")


def test_predict_all_answers_every_tile_and_keeps_the_focus(page):
    page.goto("/")
    first = reading(tap(page, 0))
    shown = shown_tiles(page)
    predict_all = page.get_by_role("button", name="Predict all")
    predict_all.focus()
    page.keyboard.press("Enter")
    expect(answer(page)).to_have_count(20)
    expect(predict_all).to_be_focused()
    assert shown_tiles(page) == shown
    assert reading(page.locator(".tile").first) == first
    expect(score(page)).to_have_text(re.compile(r"^\d+ of 20 right(, \d+ not sure)?$"))
    assert page.locator(".tile.right").count() == int(score(page).inner_text().split()[0])
    expect(page.get_by_role("status")).to_have_text(f"20 answered, {score(page).inner_text()}.")


def test_a_filter_answers_at_once_keeps_the_focus_and_stays_in_the_address(page):
    page.goto("/")
    filter_ = page.get_by_label("read as")
    reach(page, filter_)
    page.keyboard.press("4")  # chooses it, as on any select
    expect(page.get_by_role("status")).to_contain_text("20 new digits: ")
    expect(page.locator(".selected")).to_contain_text("that the network reads as 4, 20 of them here")
    expect(filter_).to_be_focused()
    first = page.locator(".tile").first.get_attribute("id")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".tile").first).not_to_have_id(first)
    expect(filter_).to_have_value("4")
    assert reading(tap(page, 0))["digit"] in (4, None)
    page.reload()
    expect(filter_).to_have_value("4")
    expect(answer(page)).to_have_count(1)
    page.get_by_label("Digit", exact=True).select_option("0")
    expect(page.locator("#tiles")).to_contain_text("There is no tile of a 0 that the network reads as 4.")
    page.get_by_role("link", name="Show all tiles").click()
    expect(page.locator(".tile")).to_have_count(20)


def test_an_answered_tile_leads_to_its_own_page_and_back_to_the_same_tiles_filter_and_score(page):
    page.goto("/?hard=1")
    tile = tap(page, 0)
    tap(page, 3)
    index, shown, counted = index_of(tile), shown_tiles(page), score(page).inner_text()
    tile.get_by_role("button").click()
    expect(page.get_by_role("heading", name=f"Tile {index}")).to_be_visible()
    page.get_by_role("link", name="Next" if index < 9_999 else "Previous").click()
    expect(page.get_by_role("heading", name=f"Tile {index}")).to_have_count(0)
    page.get_by_role("link", name="To the gallery").click()
    expect(answer(page)).to_have_count(2)
    assert shown_tiles(page) == shown
    expect(page.get_by_label("Hard ones")).to_be_checked()
    expect(score(page)).to_have_text(counted)
    for _ in range(3):
        page.go_back()
    expect(answer(page)).to_have_count(2)
    assert shown_tiles(page) == shown


def test_two_quick_taps_do_not_leave_the_page(page):
    page.goto("/")
    tile = page.locator(".tile").nth(2)
    tile.scroll_into_view_if_needed()
    box = tile.bounding_box()
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, delay=20)
    expect(answer(tile)).to_be_visible()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()


@NARROW
@pytest.mark.parametrize("path", ["/?hard=1&right=12345&of=23456", "/?digit=0&read=1", "/tiles/5937/"])
def test_a_narrow_window_has_room_for_every_control(page, path):
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for control in page.locator("main :is(a, button, select, label:has(input)):visible").all():
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= FINGERTIP


@NARROW
def test_the_page_of_a_tile_says_everything_in_a_narrow_window(page):
    page.goto("/tiles/2130/")  # one of MNIST's most disputed
    expect(page.get_by_text("Its label is 4")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("9")
    expect(page.get_by_label("Probability of each digit").get_by_role("listitem")).to_have_count(10)


@NARROW
def test_a_narrow_window_shows_everything_and_can_be_tapped(page):
    page.goto("/")
    for place in range(4):
        tap(page, place)
    assert page.evaluate("document.documentElement.scrollWidth === document.documentElement.clientWidth")
    for tile in page.locator(".tile").all():
        assert tile.evaluate("tile => tile.scrollWidth <= tile.clientWidth")
        box = tile.get_by_role("button").bounding_box()
        assert min(box["width"], box["height"]) >= FINGERTIP


@pytest.mark.parametrize("words", ["no digit?", "100.0 %"])
def test_every_width_has_room_for_the_longest_verdict(page, words):
    """The answer is simulated, because the network gives such ones too rarely."""

    def misread(route: Route) -> None:
        answered = route.fetch()
        tile = re.sub(r'(<span class="tile-note">)[^<]*', rf"\g<1>{words}", answered.text())
        route.fulfill(response=answered, body=tile)

    page.goto("/")
    page.route(re.compile("/prediction/"), misread)
    verdict = tap(page, 1).locator(".tile-note")
    expect(verdict).to_contain_text(words)
    for width in range(320, 960, 11):  # from two tiles in a row to five
        page.set_viewport_size({"width": width, "height": 640})
        assert verdict.evaluate("verdict => verdict.scrollWidth <= verdict.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth === innerWidth")


def test_the_dark_scheme_is_light_on_dark(page):
    brightness = """() => {
        const style = getComputedStyle(document.documentElement);
        return [style.backgroundColor, style.color].map((colour) => parseInt(colour.match(/\\d+/)[0]));
    }"""
    page.emulate_media(color_scheme="light")
    page.goto("/")
    paper, ink = page.evaluate(brightness)
    assert paper > 200 > 100 > ink
    page.emulate_media(color_scheme="dark")
    paper, ink = page.evaluate(brightness)
    assert paper < 100 < 200 < ink


def test_a_missing_server_shows_a_notice_that_the_next_answer_removes(page, complaints):
    page.goto("/")
    tile = page.locator(".tile").nth(5)
    address = f"/tiles/{index_of(tile)}/prediction/"
    notice = page.get_by_role("alert")
    complaints.expect_no_answer(address)
    page.route(f"**{address}*", lambda route: route.abort("connectionrefused"))
    tile.get_by_role("button").click()
    expect(notice).to_contain_text("No answer from the server.")
    expect(answer(tile)).to_have_count(0)
    page.unroute(f"**{address}*")
    tap(page, 5)
    expect(notice).to_be_empty()


def test_a_server_error_shows_a_notice_and_keeps_the_tile(page, complaints):
    page.goto("/")
    tile = page.locator(".tile").nth(5)
    picture = tile.locator("img").get_attribute("src")
    address = f"/tiles/{index_of(tile)}/prediction/"
    complaints.expect_status(500, address)
    page.route(f"**{address}*", lambda route: answer_with(route, ServerError("Something went wrong here.")))
    tile.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("Server error.")
    expect(tile.locator("img")).to_have_attribute("src", picture)
    expect(answer(tile)).to_have_count(0)
    page.unroute(f"**{address}*")
    tap(page, 5)
    expect(page.get_by_role("alert")).to_be_empty()
