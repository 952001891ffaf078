"""The map: moved and enlarged by pointers, keys and buttons; tiles, address, filter, and one's own drawing."""

import io
import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from digits.gallery import gallery
from digits.map.tile_map import tile_map

from .pad import PHONE, WITHOUT_JAVASCRIPT
from .strokes import DIGITS
from .test_accessibility import assert_accessible, in_both_schemes

ON_A_PHONE = pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
CALM = pytest.mark.parametrize("page", [{"reduced_motion": "reduce"}], indirect=True, ids=["calm"])
PLACE = re.compile(r"#x=([\d.]+)&y=([\d.]+)&zoom=([\d.]+)&show=(\w+)$")
TILE = 1232  # one that is read wrong
# Two fingers in the middle of the canvas that part to twice the distance.
PINCH = """(canvas) => {
    canvas.setPointerCapture = () => {};  // there are no such pointers to capture
    const box = canvas.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const finger = (kind, pointerId, aside) => canvas.dispatchEvent(
        new PointerEvent(kind, { pointerId, pointerType: "touch", button: 0, clientX: x + aside, clientY: y })
    );
    finger("pointerdown", 1, -40);
    finger("pointerdown", 2, 40);
    for (let aside = 44; aside <= 80; aside += 4) {
        finger("pointermove", 1, -aside);
        finger("pointermove", 2, aside);
    }
    finger("pointerup", 1, -80);
    finger("pointerup", 2, 80);
}"""


def open_map(page: Page, place: str = "") -> Locator:
    page.goto(f"/map/{place}")
    canvas = the_map(page)
    expect(canvas).to_have_attribute("data-shows", re.compile("dots|pictures"))
    expect_place(page)
    return canvas


def the_map(page: Page) -> Locator:
    return page.get_by_role("application", name="Map of 10,000 tiles")


def expect_place(page: Page, **expected: float) -> dict[str, float]:
    """Wait until the address tells a place with these coordinates, to a hundredth of the map; returns all of it."""
    expect(page).to_have_url(PLACE)

    def matches(address: str) -> bool:
        place = coordinates(address)
        return bool(place) and all(abs(place[name] - number) < 0.01 for name, number in expected.items())

    page.wait_for_url(matches)
    return coordinates(page.url)


def coordinates(address: str) -> dict[str, float]:
    found = PLACE.search(address)
    return dict(zip(("x", "y", "zoom"), map(float, found.groups()), strict=False)) if found else {}


def expect_zoom(page: Page, least: float, most: float) -> dict[str, float]:
    page.wait_for_url(lambda address: least <= coordinates(address).get("zoom", 0) <= most)
    return coordinates(page.url)


def picture(canvas: Locator) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")).astype(int)


def middle(canvas: Locator) -> tuple[float, float]:
    box = canvas.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_mouse_drags_the_map_and_its_wheel_enlarges_what_is_under_it(page):
    canvas = open_map(page, "#x=0.5&y=0.5&zoom=4&show=all")
    x, y = middle(canvas)
    side = 4 * min(canvas.bounding_box()["width"], canvas.bounding_box()["height"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y - 60, steps=5)
    page.mouse.up()
    # The first pixels tell a tap from a drag, and are lost to neither.
    before = expect_place(page, x=0.5 - 100 / side, y=0.5 + 60 / side)
    left, top = x + 150, y + 80
    page.mouse.move(left, top)
    page.mouse.wheel(0, -400)
    after = expect_zoom(page, 7, 9)
    factor = after["zoom"] / 4
    for axis, aside in (("x", 150), ("y", 80)):
        under = before[axis] + aside / side
        assert after[axis] + aside / side / factor == pytest.approx(under, abs=2e-3)


@ON_A_PHONE
def test_two_fingers_enlarge_the_map_and_it_does_not_scroll_the_page(page):
    canvas = open_map(page, "#x=0.5&y=0.5&zoom=2&show=all")
    canvas.evaluate(PINCH)
    expect_zoom(page, 3.9, 4.1)
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 375


@CALM
def test_the_buttons_enlarge_the_map_reduce_it_and_show_all_of_it(page):
    open_map(page)
    page.get_by_role("button", name="Zoom in").click()
    expect_zoom(page, 1.59, 1.61)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom out").click()
    expect_zoom(page, 1.59, 1.61)
    page.get_by_role("button", name="Go to the 4s").click()
    name = next(name for name in tile_map().names if name.digit == 4)
    expect_place(page, y=name.y, zoom=3)
    page.get_by_role("button", name="Whole map").click()
    expect_place(page, x=0.5, y=0.5, zoom=1)


def test_a_way_to_an_island_ends_there(page):
    open_map(page)
    page.get_by_role("button", name="Go to the 0s").click()
    name = next(name for name in tile_map().names if name.digit == 0)
    expect_place(page, x=name.x, y=name.y, zoom=3)


@CALM
def test_keys_move_the_map_and_open_the_tile_in_the_middle(page):
    canvas = open_map(page, f"#tile-{TILE}")
    start = coordinates(page.url)
    canvas.focus()
    page.keyboard.press("+")
    page.keyboard.press("-")
    card = page.locator("#map-tile")
    expect(card).to_contain_text(f"Tile {TILE}")
    expect(page.locator("#announcement")).to_contain_text(f"Tile {TILE}: a 9")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda address: coordinates(address).get("x", 0) > start["x"])
    page.keyboard.press("ArrowLeft")
    expect_place(page, x=start["x"], y=start["y"])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/tiles/{TILE}/$"))
    page.go_back()
    expect_place(page, x=start["x"], y=start["y"], zoom=start["zoom"])
    the_map(page).focus()
    page.keyboard.press("0")
    expect_place(page, zoom=1)


def test_a_tap_on_dots_comes_closer_and_a_tap_on_a_picture_opens_it(page):
    canvas = open_map(page)
    expect(canvas).to_have_attribute("data-shows", "dots")
    number = int(np.flatnonzero(gallery().labels == 4)[0])
    box = canvas.bounding_box()
    side = min(box["width"], box["height"])
    x, y = (tile_map().places[number] / 65_535 - 0.5) * side
    page.mouse.click(middle(canvas)[0] + x, middle(canvas)[1] + y)
    expect(canvas).to_have_attribute("data-shows", "pictures")
    page.goto("about:blank")
    canvas = open_map(page, f"#tile-{TILE}")
    page.mouse.move(*middle(canvas))
    expect(page.locator("#map-tile")).to_contain_text("read as 4 ✗")
    page.mouse.click(*middle(canvas))
    expect(page).to_have_url(re.compile(rf"/tiles/{TILE}/$"))
    page.get_by_role("link", name="On the map").click()
    expect(page.locator("#map-tile")).to_contain_text(f"Tile {TILE}")


def test_near_the_pictures_of_the_tiles_are_shown_in_the_colour_of_their_digit(page):
    canvas = open_map(page, f"#tile-{TILE}")
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(({name}) => name.includes('/sheets/28/'))"
    )
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    colour = np.array(
        page.locator(".map-legend .digit-4 .swatch").evaluate(
            "e => getComputedStyle(e).color.match(/\\d+/g).map(Number)"
        )
    )
    near = (np.abs(picture(canvas) - colour).sum(axis=2) < 60).sum()
    assert near > 500  # pixels of ink of the 4s around this 9


def test_pictures_that_were_stretched_while_the_map_was_enlarged_are_sharp_once_it_rests(page):
    canvas = open_map(page, f"#tile-{TILE}")
    page.wait_for_load_state("networkidle")
    before = expect_place(page)["zoom"]
    page.mouse.move(*middle(canvas))
    page.mouse.wheel(0, -60)
    expect_zoom(page, 1.1 * before, 1.2 * before)
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    after = picture(canvas)
    for scheme in ("dark", "light"):  # other colours paint everything anew
        page.emulate_media(color_scheme=scheme)
        page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
    assert np.abs(picture(canvas) - after).max() < 16  # grey levels: the edges of the canvas are rounded


def test_the_filter_leaves_the_mistakes_alone_and_is_kept_in_the_address(page):
    canvas = open_map(page)
    colours = [
        np.array(each.evaluate("e => getComputedStyle(e).color.match(/\\d+/g).map(Number)"))
        for each in page.locator(".map-legend .swatch").all()
    ]

    def coloured() -> int:
        pixels = picture(canvas)
        return sum(int((np.abs(pixels - colour).sum(axis=2) < 30).sum()) for colour in colours)

    before = coloured()
    wrong = int(gallery().are_wrong.sum())
    page.get_by_text(f"Mistakes {wrong}").click()
    page.wait_for_url(re.compile("show=wrong"))
    page.wait_for_load_state("networkidle")
    assert coloured() < before / 3
    page.reload()
    expect(page.get_by_role("radio", name="Mistakes")).to_be_checked()
    canvas = the_map(page)
    expect(canvas).to_have_attribute("data-shows", "pictures")
    x, y = (tile_map().places[TILE] / 65_535 - 0.5) * min(
        canvas.bounding_box()["width"], canvas.bounding_box()["height"]
    )
    page.mouse.click(middle(canvas)[0] + x, middle(canvas)[1] + y)
    page.wait_for_url(re.compile(r"/tiles/\d+/"))
    opened = int(re.search(r"/tiles/(\d+)/", page.url)[1])
    assert gallery().are_wrong[opened]


def draw_on_pad(page: Page, digit: int) -> None:
    canvas = page.get_by_label("Drawing pad")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    left = box["x"] + (box["width"] - box["height"]) / 2
    for stroke in DIGITS[digit]:
        points = [(left + x * box["height"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


@pytest.mark.parametrize("page", [{}, {"reduced_motion": "reduce"}], indirect=True, ids=["falls", "calm"])
def test_a_drawing_falls_into_place_and_follows_the_pen_until_it_is_cleared(page):
    open_map(page)
    button = page.get_by_role("button", name="Place my drawing")
    expect(button).to_be_disabled()
    draw_on_pad(page, 4)
    expect(page.locator("#placed > *")).to_have_count(0)  # until it is asked for
    button.click()
    expect(page.locator(".placed")).to_contain_text("It lies among the 4s.")
    expect(page.locator("#announcement")).to_contain_text("Your drawing lies among the 4s.")
    expect(page.locator(".alike a")).to_have_count(5)
    x, y = (float(page.locator(".placed").get_attribute(f"data-{axis}")) for axis in "xy")
    expect_place(page, x=x, y=y)
    expect(the_map(page)).to_have_attribute("data-shows", "pictures")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#placed > *")).to_have_count(0)
    draw_on_pad(page, 0)
    button.click()
    expect(page.locator(".placed")).to_contain_text("It lies among the 0s.")
    place_of_zero = page.locator(".placed").get_attribute("data-x")
    draw_on_pad(page, 1)  # over it, which the map follows without being asked
    expect(page.locator(".placed")).not_to_have_attribute("data-x", place_of_zero)


def test_the_drawing_of_the_other_page_is_kept_in_this_tab(page):
    page.goto("/draw/")
    draw_on_pad(page, 7)
    expect(page.locator("#prediction .answered strong")).to_have_text("7")
    open_map(page)
    page.get_by_role("button", name="Place my drawing").click()
    expect(page.locator(".placed")).to_contain_text("It lies among the 7s.")
    expect_place(page, x=float(page.locator(".placed").get_attribute("data-x")))
    page.reload()
    expect(page.locator(".placed")).to_contain_text("It lies among the 7s.")
    page.get_by_role("button", name="Clear").click()
    page.reload()
    expect(page.get_by_role("button", name="Place my drawing")).to_be_disabled()
    expect(page.locator("#placed > *")).to_have_count(0)


@ON_A_PHONE
def test_a_finger_scrolls_the_page_where_all_of_the_map_is_seen_and_moves_it_elsewhere(page):
    canvas = open_map(page)
    expect(canvas).to_have_css("touch-action", "pan-y")
    page.get_by_role("button", name="Zoom in").tap()
    expect_zoom(page, 1.5, 1.7)
    expect(canvas).to_have_css("touch-action", "none")


def test_keys_find_only_tiles_that_are_in_sight(page):
    canvas = open_map(page, "#x=0.02&y=0.02&zoom=8&show=wrong")  # where there are none
    canvas.focus()
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    expect_zoom(page, 12, 13)
    expect(page.locator("#map-tile")).to_be_hidden()


@WITHOUT_JAVASCRIPT
def test_without_javascript_there_are_a_picture_and_the_list(page):
    page.goto("/map/")
    picture = page.get_by_role("img", name="A map with an island of dots for each digit")
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 1000
    expect(the_map(page)).to_be_hidden()
    page.get_by_role("link", name="9 read as 4").click()
    assert parse_qs(urlsplit(page.url).query) == {"digit": ["9"], "read": ["4"]}


@in_both_schemes
def test_the_map_is_accessible_far_out_near_and_with_a_drawing(page):
    canvas = open_map(page)
    assert_accessible(page)
    page.get_by_text("How to move about").click()
    page.get_by_text(re.compile("^Mistakes ")).click()
    canvas.focus()
    page.keyboard.press("+")
    expect(page.locator("#map-tile")).to_be_visible()
    draw_on_pad(page, 3)
    page.get_by_role("button", name="Place my drawing").click()
    expect(page.locator(".placed")).to_be_visible()
    assert_accessible(page)
    for width in (320, 375, 1920):
        page.set_viewport_size({"width": width, "height": 812})
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("page", [{"forced_colors": "active"}], indirect=True, ids=["forced-colours"])
def test_in_forced_colours_the_map_has_the_colours_of_the_system(page):
    canvas = open_map(page)
    expected = page.evaluate(
        """() => {
            const probe = document.body.appendChild(document.createElement("p"));
            return getComputedStyle(probe).color.match(/\\d+/g).map(Number);
        }"""
    )
    assert (np.abs(picture(canvas) - np.array(expected)).sum(axis=2) < 30).sum() > 5000
