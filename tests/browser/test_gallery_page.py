"""The gallery in a browser: by finger, mouse and keyboard, in a narrow window, without JavaScript."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from digits.refusals import ServerError

from .answers import answer_with

WITHOUT_JAVASCRIPT = pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True, ids=["no-js"])
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
    expect(tile.locator(".tile-verdict")).to_be_visible()
    return tile


def reach(page: Page, control: Locator) -> None:
    """Move the focus to a control with the Tab key alone."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if control.evaluate("control => control === document.activeElement"):
            return
    pytest.fail(f"The Tab key does not reach {control}", pytrace=False)


def reading(tile: Locator) -> dict:
    """The content of an answered tile: its digit, the words beside it, its label and the probability of each digit."""
    verdict = tile.locator(".tile-verdict")
    truth = verdict.locator(".truth").text_content()
    return {
        "digit": int(verdict.locator("strong").inner_text()),
        "sureness": verdict.locator("> :nth-child(2)").inner_text(),
        "truth": truth,
        "label": int(re.search(r"label (\d)", truth)[1]),
        "percentages": [float(percent.removesuffix(" %")) for percent in tile.locator("li .percent").all_inner_texts()],
    }


def score(page: Page) -> Locator:
    return page.locator("#score strong")


def test_a_tapped_tile_shows_its_digit_in_place(page):
    page.goto("/")
    expect(page.locator(".tile")).to_have_count(20)
    for place in (0, 7, 19):
        tile = tap(page, place)
        read = reading(tile)
        assert len(read["percentages"]) == 10
        assert sum(read["percentages"]) == pytest.approx(100, abs=1.1)
        assert read["percentages"][read["digit"]] == max(read["percentages"])
        assert read["sureness"] in (f"{max(read['percentages'])} %", "not sure")
        if read["digit"] == read["label"]:
            assert read["truth"].startswith("✓ right")
            expect(tile).to_contain_class("right")
        else:
            assert read["truth"].startswith(f"✗ it is {read['label']}")
            expect(tile).to_contain_class("wrong")
        expect(tile.locator("li.best .digit")).to_have_text(str(read["digit"]))
    expect(page.locator(".tile-verdict")).to_have_count(3)


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
    parts = [*tiles, tiles[0].locator("img"), page.locator(".site-footer")]
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
    expect(page.locator(".tile").first.locator(".tile-verdict")).to_be_visible()
    expect(button).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".tile").first.get_by_role("link")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".tile").nth(1).get_by_role("button")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".tile").nth(1).locator(".tile-verdict")).to_be_visible()


def test_an_answer_is_announced(page):
    page.goto("/")
    announcement = page.get_by_role("status")
    expect(announcement).to_be_empty()
    read = reading(tap(page, 0))
    certain = read["sureness"] != "not sure"
    expect(announcement).to_contain_text(f"{read['digit']}, {read['sureness']}." if certain else "Not sure, could be")
    verdict = "Right" if read["digit"] == read["label"] else "Wrong"
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
    expect(page.locator(".tile-verdict")).to_have_count(0)
    expect(generate).to_be_focused()
    tap(page, 0)


def test_the_score_survives_generate_reload_and_back(page):
    page.goto("/")
    expect(score(page)).to_have_text("No score yet")
    right = [reading(tap(page, place))["truth"].startswith("✓") for place in range(3)]
    expect(score(page)).to_have_text(f"{sum(right)} of 3 right")
    tap(page, 0)  # again
    expect(score(page)).to_have_text(f"{sum(right)} of 3 right")
    before = shown_tiles(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".tile-verdict")).to_have_count(0)
    expect(score(page)).to_have_text(f"{sum(right)} of 3 right")
    right.append(reading(tap(page, 5))["truth"].startswith("✓"))
    expect(score(page)).to_have_text(f"{sum(right)} of 4 right")
    after = shown_tiles(page)
    page.reload()
    assert shown_tiles(page) == after
    expect(page.locator(".tile-verdict")).to_have_count(1)
    expect(score(page)).to_have_text(f"{sum(right)} of 4 right")
    page.go_back()
    expect(page.locator(".tile-verdict")).to_have_count(3)
    assert shown_tiles(page) == before
    page.get_by_role("link", name="Start again").click()
    expect(score(page)).to_have_text("No score yet")


def test_quick_taps_all_count(page):
    page.goto("/")
    for place in range(6):
        page.locator(".tile").nth(place).get_by_role("button").click()
    expect(page.locator(".tile-verdict")).to_have_count(6)
    expect(score(page)).to_contain_text(" of 6 right")


def test_predict_all_answers_every_tile_and_keeps_the_focus(page):
    page.goto("/")
    first = reading(tap(page, 0))
    shown = shown_tiles(page)
    predict_all = page.get_by_role("button", name="Predict all")
    predict_all.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tile-verdict")).to_have_count(20)
    expect(predict_all).to_be_focused()
    assert shown_tiles(page) == shown
    assert reading(page.locator(".tile").first) == first
    right = page.locator(".tile.right").count()
    expect(score(page)).to_have_text(f"{right} of 20 right")
    expect(page.get_by_role("status")).to_have_text(f"20 answered, {right} of 20 right.")


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
    assert reading(tap(page, 0))["digit"] == 4
    page.reload()
    expect(filter_).to_have_value("4")
    expect(page.locator(".tile-verdict")).to_have_count(1)
    page.get_by_label("Digit", exact=True).select_option("0")
    expect(page.locator("#tiles")).to_contain_text("There is no tile of a 0 that the network reads as 4.")
    page.get_by_role("link", name="Show all tiles").click()
    expect(page.locator(".tile")).to_have_count(20)
    expect(score(page)).to_have_text("1 of 1 right")


def test_an_answered_tile_leads_to_its_own_page_and_back_to_the_same_tiles(page):
    page.goto("/?hard=1")
    tile = tap(page, 0)
    answer, index, shown = tile.locator(".tile-answer").bounding_box(), index_of(tile), shown_tiles(page)
    assert min(answer["width"], answer["height"]) >= FINGERTIP
    page.mouse.click(answer["x"] + answer["width"] / 2, answer["y"] + answer["height"] / 2)
    expect(page.get_by_role("heading")).to_have_text(f"Tile {index}")
    page.get_by_role("link", name="Next" if index < 9_999 else "Previous").click()
    expect(page.get_by_role("heading")).not_to_have_text(f"Tile {index}")
    page.go_back()
    page.go_back()
    expect(page.locator(".tile-verdict")).to_have_count(1)
    assert shown_tiles(page) == shown


@NARROW
@pytest.mark.parametrize("path", ["/?hard=1&right=12345&of=23456", "/?digit=0&read=1", "/tiles/5937/"])
def test_a_narrow_window_has_room_for_every_control(page, path):
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for control in page.locator("main :is(a, button, select, label:has(input))").all():
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= FINGERTIP


@NARROW
def test_the_page_of_a_tile_says_everything_in_a_narrow_window(page):
    page.goto("/tiles/2130/")  # one of MNIST's most disputed
    expect(page.get_by_text("Its label is 4: the network is wrong.")).to_be_visible()
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


@pytest.mark.parametrize(("kind", "words"), [("not-sure", "not sure"), ("percent", "100.0 %")])
def test_every_width_has_room_for_the_longest_verdict(page, kind, words):
    """A wrong answer is simulated, because the network gives one too rarely."""

    def misread(route: Route) -> None:
        answer = route.fetch()
        tile = answer.text().replace("✓ right", "✗ it is 8")
        sureness = re.compile(r'<span class="(percent|not-sure)">[^<]*</span>(?=\s*<span class="truth)')
        tile = sureness.sub(f'<span class="{kind}">{words}</span>', tile)
        route.fulfill(response=answer, body=tile)

    page.goto("/")
    page.route(re.compile("/prediction/"), misread)
    verdict = tap(page, 1).locator(".tile-verdict")
    expect(verdict).to_contain_text(words)
    expect(verdict).to_contain_text("✗ it is")
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
    expect(tile).to_contain_text("Tap to read")
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
    expect(tile).to_contain_text("Tap to read")
    page.unroute(f"**{address}*")
    tap(page, 5)
    expect(page.get_by_role("alert")).to_be_empty()


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_tap_answers_on_a_full_page(page):
    page.goto("/")
    shown = shown_tiles(page)
    assert len(set(shown)) == 20
    first = tap(page, 3)
    assert page.url.endswith(f"#{shown[3]}")
    assert shown_tiles(page) == shown
    expect(page.locator(".tile-verdict")).to_have_count(1)
    read = reading(first)

    second = tap(page, 11)
    assert shown_tiles(page) == shown
    expect(page.locator(".tile-verdict")).to_have_count(2)
    assert reading(first) == read
    assert len(reading(second)["percentages"]) == 10


@WITHOUT_JAVASCRIPT
def test_without_javascript_generate_loads_new_tiles(page):
    page.goto("/")
    tap(page, 0)
    before = shown_tiles(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".tile-verdict")).to_have_count(0)
    after = shown_tiles(page)
    assert len(set(after)) == 20
    assert after != before


@WITHOUT_JAVASCRIPT
def test_without_javascript_the_filter_the_score_and_all_answers_work(page):
    page.goto("/")
    tap(page, 0)
    page.get_by_label("Digit", exact=True).select_option("4")
    page.get_by_label("Hard ones").check()
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".selected")).to_contain_text("of a 4 that the network gets wrong or is not sure of")
    expect(score(page)).to_have_text(re.compile(r"^\d of 1 right$"))
    shown = shown_tiles(page)
    tap(page, 0)
    page.get_by_role("button", name="Predict all").click()
    expect(page.locator(".tile-verdict")).to_have_count(len(shown))
    assert shown_tiles(page) == shown
    expect(score(page)).to_have_text(re.compile(rf"^\d+ of {1 + len(shown)} right$"))
    expect(page.get_by_label("Digit", exact=True)).to_have_value("4")
    expect(page.get_by_label("Hard ones")).to_be_checked()
