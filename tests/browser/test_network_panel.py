"""The network at work below the pad: it lights up while the pen moves, and each unit says what it is."""

import io

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page, expect

from .pad import ANSWERS, ON_A_PHONE, WITHOUT_JAVASCRIPT, button, decoded, expect_digit, pad
from .strokes import DIGITS, draw, draw_number, on_screen, picture

STILL = pytest.mark.parametrize("page", [{"reduced_motion": "reduce"}], indirect=True, ids=["still"])
LAYERS = 7
# How many layers show the newest drawing, each time the picture is painted.
NOTE_PAINTING = """network => {
    window.reached = [];
    network.addEventListener("painted", ({ detail }) => reached.push(detail.reached));
}"""
IS_LIT = f"() => reached.at(-1) === {LAYERS} && document.querySelector('#activations').dataset.values"


def summary(page: Page) -> Locator:
    return page.get_by_text("The network at work")


def network(page: Page) -> Locator:
    return page.get_by_label("The network, layer by layer")


def name(page: Page) -> Locator:
    return page.locator(".network h2")


def open_network(page: Page, path: str = "/draw/") -> None:
    page.goto(path)
    summary(page).click()
    expect(name(page)).to_have_text("The network at rest")
    page.locator(".network").evaluate(NOTE_PAINTING)


def draw_and_see(page: Page, digit: int) -> None:
    draw(page, digit)
    expect_digit(page, digit)
    page.wait_for_function(IS_LIT)


def painted(page: Page) -> Image.Image:
    png = decoded(network(page).evaluate("canvas => canvas.toDataURL()"))
    return Image.open(io.BytesIO(png)).convert("RGBA")


def changed(one: Image.Image, other: Image.Image) -> list[float]:
    """Which parts of the picture differ: the left, middle and right third, as fractions of their pixels."""
    difference = ImageChops.difference(one, other).convert("RGB").convert("L").point(lambda level: 255 * (level > 9))
    third = one.width // 3
    parts = [difference.crop((third * i, 0, third * (i + 1), one.height)) for i in range(3)]
    return [part.histogram()[255] / (part.width * part.height) for part in parts]


def test_the_network_is_closed_at_first_and_loads_nothing(page):
    loaded = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto("/")
    draw(page, 7)
    expect_digit(page, 7)
    expect(network(page)).to_have_count(0)
    assert not [url for url in loaded if "network" in url and ".css" not in url]


@pytest.mark.parametrize("path", ["/", "/draw/"])
def test_the_network_lights_up_for_a_drawing_and_goes_out_when_it_is_cleared(page, path):
    open_network(page, path)
    dark = painted(page)
    draw_and_see(page, 4)
    lit = painted(page)
    assert min(changed(dark, lit)) > 0.02
    expect(name(page)).to_have_text("Output: 4")
    expect(page.locator(".network [data-part=state]")).to_contain_text("99.")
    button(page, "Clear").click()
    expect(name(page)).to_have_text("The network at rest")
    expect(page.locator(".network .unit-words")).to_contain_text("Draw something to see it work.")
    assert changed(dark, painted(page)) == [0, 0, 0]


def test_the_network_lights_up_while_the_pen_moves(page):
    open_network(page)
    dark = painted(page)
    first, *others = on_screen(pad(page), DIGITS[2][0])
    page.mouse.move(*first)
    page.mouse.down()
    for place in others[:4]:
        page.mouse.move(*place, steps=3)
    with page.expect_response(f"**{ANSWERS}"):
        page.mouse.move(*others[4], steps=3)
    page.wait_for_function(IS_LIT)
    early = painted(page)
    assert min(changed(dark, early)) > 0.02
    for place in others[5:]:
        with page.expect_response(f"**{ANSWERS}"):
            page.mouse.move(*place, steps=3)
    page.mouse.up()
    expect_digit(page, 2)
    page.wait_for_function(IS_LIT)
    assert min(changed(early, painted(page))) > 0.005


def test_the_signal_reaches_one_layer_after_the_other(page):
    open_network(page)
    with page.expect_response(f"**{ANSWERS}"):
        draw(page, 1)
    page.wait_for_function(IS_LIT)
    reached = page.evaluate("reached")
    assert min(reached) < LAYERS - 1


@STILL
def test_all_layers_light_up_at_once_where_motion_is_reduced(page):
    open_network(page)
    draw_and_see(page, 4)
    assert set(page.evaluate("reached")) == {LAYERS}


def test_an_open_network_is_open_again_after_a_reload_and_a_closed_one_closed(page):
    open_network(page)
    draw(page, 3)
    expect_digit(page, 3)
    page.reload()
    expect(name(page)).to_have_text("Output: 3")
    summary(page).click()
    expect(network(page)).to_be_hidden()
    expect(page.locator(".drawing-pad [name=network]")).to_be_disabled()  # the page has taken note
    page.reload()
    expect_digit(page, 3)
    expect(network(page)).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/draw/"])
def test_an_opened_network_is_in_sight_with_the_pad_beside_the_same_answer(page, path):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(path)
    before = pad(page).bounding_box()
    summary(page).click()
    expect(network(page)).to_be_in_viewport(ratio=0.99)
    expect(pad(page)).to_be_in_viewport(ratio=0.75)
    after = pad(page).bounding_box()
    if path == "/":
        assert (after["x"], after["width"]) == (before["x"], before["width"])


def test_opening_the_network_shows_the_drawing_that_is_there(page):
    page.goto("/draw/")
    draw(page, 6)
    expect_digit(page, 6)
    summary(page).click()
    expect(name(page)).to_have_text("Output: 6")


def test_keys_lead_through_layers_and_units_and_say_what_they_are(page):
    open_network(page)
    draw_and_see(page, 7)
    status = page.get_by_role("status")
    network(page).focus()
    page.keyboard.press("Home")
    expect(status).to_contain_text("Output: 0 ")
    for _ in range(7):
        page.keyboard.press("ArrowDown")
    expect(status).to_contain_text("Output: 7 ")
    expect(status).to_contain_text("What counts most: neuron ")
    page.keyboard.press("ArrowLeft")
    expect(name(page)).to_contain_text("Dense layer, neuron ")
    expect(status).to_contain_text("It speaks most for ")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    expect(status).to_contain_text("Convolution 4, filter 1 of 64")
    expect(status).to_contain_text("It looks at: filter ")
    page.keyboard.press("ArrowUp")
    expect(name(page)).to_have_text("Convolution 4, filter 64 of 64")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    expect(status).to_contain_text("Input: the picture")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    expect(status).to_contain_text("Convolution 1, filter 32 of 32")
    expect(page.locator(".sources li")).to_have_count(1)
    expect(page.locator(".sources li")).to_contain_text("the picture, weights ")


def test_buttons_and_a_list_of_layers_do_what_keys_do(page):
    open_network(page)
    page.get_by_label("Layer", exact=True).select_option("Convolution 2")
    expect(name(page)).to_have_text("Convolution 2, filter 1 of 32")
    button(page, "Previous").click()
    expect(name(page)).to_have_text("Convolution 2, filter 32 of 32")
    button(page, "Next").click()
    button(page, "Next").click()
    expect(page.get_by_role("status")).to_contain_text("Convolution 2, filter 2 of 32")
    expect(page.locator(".sources li")).to_have_count(6)


def test_nothing_is_said_of_the_network_while_the_pen_moves(page):
    open_network(page)
    network(page).focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("status")).to_contain_text("Output: 0")
    page.evaluate("""() => {
        window.said = [];
        const status = document.querySelector("#announcement");
        new MutationObserver(() => said.push(status.textContent.trim())).observe(status, { childList: true });
    }""")
    draw_and_see(page, 2)
    said = page.evaluate("said")
    assert said
    assert all(words.startswith("2, ") for words in said)


def test_pointing_shows_a_unit_and_a_click_keeps_it(page):
    open_network(page)
    draw_and_see(page, 5)
    box = network(page).bounding_box()
    place = {"x": box["width"] * 0.96, "y": box["height"] * 0.15}
    network(page).hover(position=place)
    expect(name(page)).to_have_text("Output: 0")
    pad(page).hover()
    expect(name(page)).to_have_text("Output: 5")
    network(page).click(position=place)
    pad(page).hover()
    expect(name(page)).to_have_text("Output: 0")
    draw_and_see(page, 5)
    expect(name(page)).to_have_text("Output: 0")


@ON_A_PHONE
def test_on_a_phone_a_tap_chooses_a_unit_below_the_others(page):
    open_network(page)
    draw_and_see(page, 1)
    box = network(page).bounding_box()
    assert box["height"] > box["width"]
    network(page).tap(position={"x": box["width"] / 2, "y": 60})
    expect(name(page)).to_have_text("Input: the picture")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    expect(page.locator(".network [data-part=role]")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [320, 500, 760, 1000, 1920])
def test_the_network_fits_any_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    open_network(page)
    draw_and_see(page, 8)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    box = network(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_the_last_digit_of_a_number_is_shown(page):
    open_network(page)
    draw_number(page, "47", gap=0.1)
    expect(page.locator("#activations")).to_contain_text("how the one for single digits sees the last digit.")
    expect(page.locator(".network [data-part=name]")).to_have_text("Output: 7")


@WITHOUT_JAVASCRIPT
def test_without_scripts_there_is_no_panel_but_a_sheet_of_each_layer(page):
    page.goto("/draw/")
    expect(page.locator(".network-panel")).to_be_hidden()
    page.get_by_label("Choose a picture").set_input_files(
        {"name": "seven.png", "mimeType": "image/png", "buffer": picture(7)}
    )
    button(page, "Read and explain it").click()
    page.get_by_text("Feature maps").click()
    expect(page.locator(".sheet img")).to_have_count(5)
    for sheet in page.locator(".sheet img").all():
        expect(sheet).to_be_visible()
    expect(page.locator(".look-alikes a")).to_have_count(10)


def test_a_look_alike_leads_to_its_tile(page):
    page.goto("/draw/")
    draw(page, 3)
    expect_digit(page, 3)
    button(page, "Explain").click()
    page.get_by_role("list", name="It looks like these").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tile ")
    page.get_by_role("link", name="Explain", exact=True).click()
    expect(page.get_by_role("heading", name="Why 3, and not ")).to_be_visible()
