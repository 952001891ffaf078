"""The drawing pad as people use it: with the mouse, with fingers, with files, and without JavaScript."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from .strokes import DIGITS, drag_fingers, draw, draw_stroke, on_screen, picture, touch

ANSWERS = "/draw/predict/"
PHONE = {"viewport": {"width": 375, "height": 660}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
ON_A_PHONE = pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
WITHOUT_JAVASCRIPT = pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True, ids=["no-js"])

ACROSS = [(0.2, 0.5), (0.5, 0.5), (0.8, 0.5)]
HALF_A_PEN = 10 / 280  # of the pad's side


def pad(page: Page) -> Locator:
    return page.locator("canvas")


def bitmap(page: Page) -> Image.Image:
    """The pad's own pixels."""
    return Image.open(io.BytesIO(decoded(pad(page).evaluate("canvas => canvas.toDataURL()"))))


def decoded(data_url: str) -> bytes:
    return base64.b64decode(data_url.partition(",")[2])


def ink(page: Page) -> dict:
    """How much of the pad is inked, and the box around that, all in shares of the pad's side."""
    inked = bitmap(page).getchannel("A").point(lambda alpha: 255 * (alpha > 127))
    share = inked.histogram()[255] / (inked.width * inked.height)
    box = [edge / inked.width for edge in inked.getbbox() or ()]
    return {"share": share} | dict(zip(("left", "top", "right", "bottom"), box, strict=False))


def expect_digit(page: Page, digit: int) -> None:
    expect(page.locator("#prediction .answered strong")).to_have_text(str(digit))


def expect_nothing_drawn(page: Page) -> None:
    expect(page.locator("#prediction")).to_contain_text("Nothing drawn yet.")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    expect(page.get_by_role("button", name="Clear")).to_be_disabled()
    assert ink(page)["share"] == 0


def upload(page: Page, name: str, content: bytes) -> None:
    page.get_by_label("choose a picture").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    page.get_by_role("button", name="Read the picture").click()


@contextmanager
def late_answer(page: Page) -> Iterator[None]:
    """Hold back the next answer to the end of the block."""
    held: list[Route] = []
    page.route(f"**{ANSWERS}", lambda route: held.append(route), times=1)
    yield
    held[0].abort()


@pytest.mark.parametrize("digit", DIGITS)
def test_a_drawn_digit_is_read_when_the_pen_is_lifted(page, digit):
    page.goto("/draw/")
    draw(page, digit)
    expect_digit(page, digit)


def test_every_probability_and_the_prepared_picture_are_shown(page):
    page.goto("/draw/")
    draw(page, 2)
    expect_digit(page, 2)
    percentages = [float(text.removesuffix(" %")) for text in page.locator("#prediction li .percent").all_inner_texts()]
    assert len(percentages) == 10
    assert sum(percentages) == pytest.approx(100, abs=1.1)
    assert percentages[2] == max(percentages)
    expect(page.locator("#prediction li.best .digit")).to_have_text("2")
    expect(page.locator("#prediction .answered")).to_contain_text(f"{percentages[2]} % sure")
    prepared = page.get_by_alt_text("The prepared picture")
    expect(prepared).to_have_js_property("naturalWidth", 28)
    expect(prepared).to_have_js_property("naturalHeight", 28)
    expect(prepared).to_be_visible()


def test_an_answer_is_announced(page):
    page.goto("/draw/")
    draw(page, 2)
    expect_digit(page, 2)
    sureness = page.locator("#prediction .answered span").first.inner_text()
    uncertain = page.locator("#prediction .not-sure").count()
    announced = "Not sure: could be 2 or" if uncertain else f"2, {sureness}."
    expect(page.get_by_role("status")).to_contain_text(announced)


def test_the_button_reads_the_drawing_again(page):
    page.goto("/draw/")
    draw(page, 7)
    expect_digit(page, 7)
    with page.expect_response(f"**{ANSWERS}") as answer:
        page.get_by_role("button", name="Read it").click()
    assert answer.value.status == 200
    expect_digit(page, 7)


def test_undo_takes_away_the_last_stroke(page):
    page.goto("/draw/")
    empty = bitmap(page)
    first, second = DIGITS[4]
    draw_stroke(page, first)
    with_first = bitmap(page)
    assert with_first != empty
    draw_stroke(page, second)
    expect_digit(page, 4)
    assert bitmap(page) != with_first

    undo = page.get_by_role("button", name="Undo")
    with page.expect_response(f"**{ANSWERS}"):
        undo.click()
    assert bitmap(page) == with_first
    expect(undo).to_be_enabled()
    undo.click()
    assert bitmap(page) == empty
    expect_nothing_drawn(page)


def test_clear_takes_away_everything(page):
    page.goto("/draw/")
    expect_nothing_drawn(page)
    draw(page, 4)
    expect_digit(page, 4)
    page.get_by_role("button", name="Clear").click()
    expect_nothing_drawn(page)
    draw(page, 7)
    expect_digit(page, 7)


def test_a_drawing_that_is_cleared_while_it_is_read_gets_no_answer(page):
    page.goto("/draw/")
    with late_answer(page):
        with page.expect_request(f"**{ANSWERS}"):
            draw(page, 7)
        with page.expect_event("requestfailed", timeout=5000):  # withdrawn, sooner than htmx gives up
            page.get_by_role("button", name="Clear").click()
    expect_nothing_drawn(page)


def test_a_drawing_that_goes_on_while_it_is_read_gets_the_newer_answer(page):
    page.goto("/draw/")
    first, second = DIGITS[4]
    with late_answer(page):
        with page.expect_request(f"**{ANSWERS}"):
            draw_stroke(page, first)
        with page.expect_event("requestfailed", timeout=5000):
            draw_stroke(page, second)
    expect_digit(page, 4)


def test_reading_an_empty_pad_is_answered_kindly(page, complaints):
    complaints.expect_status(400, ANSWERS)
    page.goto("/draw/")
    page.get_by_role("button", name="Read it").click()
    expect(page.locator("#prediction .refused")).to_have_text(
        "Nothing to read Draw a digit, or choose a picture of one."
    )
    expect(page.get_by_role("status")).to_contain_text("Draw a digit")


def test_a_dot_is_answered_kindly(page, complaints):
    complaints.expect_status(422, ANSWERS)
    page.goto("/draw/")
    draw_stroke(page, [(0.5, 0.5)])
    expect(page.locator("#prediction .refused")).to_have_text("No ink There is only a dot in this picture.")
    assert ink(page)["share"] > 0


def test_a_stroke_that_is_cleared_under_the_pen_is_over(page):
    page.goto("/draw/")
    draw_stroke(page, ACROSS)
    expect(page.locator("#prediction .answered")).to_be_visible()
    start, *others = on_screen(pad(page), [(x, 0.25) for x, _ in ACROSS])
    page.mouse.move(*start)
    page.mouse.down()
    page.get_by_role("button", name="Clear").dispatch_event("click")  # by another finger
    for point in others:
        page.mouse.move(*point)
    page.mouse.up()
    expect_nothing_drawn(page)


def test_a_drawing_replaces_a_picture_that_is_being_read(page):
    page.goto("/draw/")
    page.route(f"**{ANSWERS}", lambda route: None, times=1)  # the answer is long in coming
    with page.expect_request(f"**{ANSWERS}"):
        upload(page, "seven.png", picture(7))
    with page.expect_event("requestfailed", timeout=5000):
        draw(page, 2)
    expect_digit(page, 2)


@ON_A_PHONE
def test_a_finger_draws(page):
    page.goto("/draw/")
    touch(page, 4)
    expect_digit(page, 4)


@ON_A_PHONE
def test_the_page_does_not_scroll_while_a_finger_draws(page):
    page.goto("/draw/")
    assert page.evaluate("document.documentElement.scrollHeight > innerHeight + 100")
    pad(page).scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    upwards = [(0.5, 0.9 - step / 20) for step in range(17)]
    drag_fingers(page, [on_screen(pad(page), upwards)])
    expect(page.locator("#prediction .answered")).to_be_attached()
    assert page.evaluate("scrollY") == before
    assert ink(page)["bottom"] - ink(page)["top"] > 0.75


@ON_A_PHONE
def test_a_second_finger_draws_nothing(page):
    page.goto("/draw/")
    upper = [(x, 0.25) for x, _ in ACROSS]
    lower = [(x, 0.75) for x, _ in ACROSS]
    drag_fingers(page, [on_screen(pad(page), upper)])
    alone = bitmap(page)
    page.get_by_role("button", name="Clear").click()
    drag_fingers(page, [on_screen(pad(page), upper), on_screen(pad(page), lower)])
    assert bitmap(page) == alone


@pytest.mark.parametrize("button", ["middle", "right"])
def test_other_buttons_of_the_mouse_draw_nothing(page, button):
    page.goto("/draw/")
    draw_stroke(page, ACROSS, button=button)
    expect_nothing_drawn(page)
    draw_stroke(page, ACROSS)
    assert ink(page)["share"] > 0


@pytest.mark.parametrize(
    ("page", "ratio"),
    [({"device_scale_factor": ratio}, ratio) for ratio in (1, 2, 3)],
    indirect=["page"],
    ids=["1x", "2x", "3x"],
)
def test_the_line_is_sharp_and_where_the_pointer_was(page, ratio):
    page.goto("/draw/")
    draw_stroke(page, ACROSS)
    side = pad(page).evaluate("canvas => canvas.clientWidth")
    expect(pad(page)).to_have_js_property("width", side * ratio)
    expect(pad(page)).to_have_js_property("height", side * ratio)
    drawn = ink(page)
    pixel = 2 / side
    assert drawn["left"] == pytest.approx(0.2 - HALF_A_PEN, abs=pixel)
    assert drawn["right"] == pytest.approx(0.8 + HALF_A_PEN, abs=pixel)
    assert drawn["top"] == pytest.approx(0.5 - HALF_A_PEN, abs=pixel)
    assert drawn["bottom"] == pytest.approx(0.5 + HALF_A_PEN, abs=pixel)


def test_the_drawing_survives_a_change_of_the_windows_size(page):
    page.goto("/draw/")
    draw(page, 2)
    expect_digit(page, 2)
    before = ink(page)
    width = pad(page).evaluate("canvas => canvas.width")
    page.set_viewport_size({"width": 320, "height": 640})
    expect(pad(page)).not_to_have_js_property("width", width)
    assert ink(page) == pytest.approx(before, abs=0.01)
    page.get_by_role("button", name="Read it").click()
    expect_digit(page, 2)


@pytest.mark.parametrize("page", [{"color_scheme": "dark"}], indirect=True, ids=["dark"])
def test_a_drawing_in_the_dark_scheme_is_light_and_reads_the_same(page):
    page.goto("/draw/")
    draw(page, 2)
    expect_digit(page, 2)
    colours = bitmap(page).getcolors(maxcolors=100_000)
    _, (*rgb, alpha) = max(colour for colour in colours if colour[1][3])  # the most frequent that is not clear
    assert alpha == 255
    assert min(rgb) > 200


@pytest.mark.parametrize("page", [{"viewport": {"width": 320, "height": 640}}], indirect=True, ids=["320-px"])
def test_a_narrow_window_shows_everything(page):
    page.goto("/draw/")
    draw(page, 2)
    expect_digit(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for part in (pad(page), page.locator("#prediction"), page.locator(".upload")):
        box = part.bounding_box()
        assert box["x"] >= 16
        assert box["x"] + box["width"] <= 320 - 16  # as wide as the margin of the page


def test_a_picture_file_is_read(page):
    page.goto("/draw/")
    upload(page, "seven.png", picture(7))
    expect_digit(page, 7)
    expect(page.get_by_alt_text("The prepared picture")).to_be_visible()


def test_a_picture_from_the_gallery_is_read_as_in_the_gallery(page):
    page.goto("/")
    tile = page.locator(".tile").first
    tile.get_by_role("button").click()
    digit = tile.locator(".tile-verdict strong").inner_text()
    source = tile.locator("img").get_attribute("src")
    page.goto("/draw/")
    upload(page, "tile.png", decoded(source))
    expect_digit(page, int(digit))


def test_a_file_that_is_no_picture_is_refused_with_the_reason(page, complaints):
    complaints.expect_status(415, ANSWERS)
    page.goto("/draw/")
    upload(page, "seven.png", b"seven")
    expect(page.locator("#prediction .refused")).to_have_text("Not a picture This file is not a PNG or JPEG picture.")
    expect(page.get_by_role("status")).to_contain_text("This file is not a PNG or JPEG picture.")


def test_a_drawing_outlives_a_server_that_is_gone(page, complaints):
    complaints.expect_no_answer(ANSWERS)
    page.goto("/draw/")
    page.route(f"**{ANSWERS}", lambda route: route.abort("connectionrefused"))
    draw(page, 7)
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("No answer from the server.")
    assert ink(page)["share"] > 0
    page.unroute(f"**{ANSWERS}")
    page.get_by_role("button", name="Read it").click()
    expect_digit(page, 7)
    expect(notice).to_be_empty()


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_file_is_read_on_a_full_page(page):
    page.goto("/draw/")
    expect(pad(page)).to_be_hidden()
    expect(page.locator("noscript .notice")).to_be_visible()
    upload(page, "two.png", picture(2))
    expect(page).to_have_title("Draw · Digit Recognizer")
    expect_digit(page, 2)
    expect(page.locator("noscript .notice")).to_be_visible()
    expect(page.get_by_alt_text("The prepared picture")).to_be_visible()


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_refusal_is_on_a_full_page(page, complaints):
    complaints.expect_status(415, "/draw/")
    page.goto("/draw/")
    upload(page, "two.png", b"two")
    expect(page).to_have_title("Draw · Digit Recognizer")
    expect(page.locator(".refused")).to_contain_text("This file is not a PNG or JPEG picture.")
