"""The drawing pad under fingers and pens, on phones and on screens of any size, light and dark."""

import itertools

import pytest
from playwright.sync_api import expect

from .pad import (
    ACROSS,
    HALF_A_PEN,
    LANDSCAPE,
    ON_A_PHONE,
    POINTERS,
    UPRIGHT,
    bitmap,
    bottom,
    button,
    choose,
    expect_digit,
    expect_nothing_drawn,
    expect_settled,
    ink,
    pad,
)
from .strokes import DIGITS, drag_fingers, draw, draw_number, draw_stroke, on_screen, picture, touch

IS_SEEN = """
heading => {
    const { x, y, width, height } = heading.getBoundingClientRect();
    return document.elementFromPoint(x + width / 2, y + height / 2) === heading;
}
"""
SIZES = [(320, 640), (375, 660), (667, 331), (768, 1024), (1280, 900), (1920, 1080)]


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


@pytest.mark.parametrize("page", UPRIGHT, indirect=True, ids=["375-px", "320-px"])
def test_the_answer_is_above_the_pad_on_a_phone_and_moves_nothing(page):
    page.goto("/draw/")
    place = pad(page).bounding_box()
    verdict = page.locator(".verdict")
    assert place["y"] + place["height"] <= page.viewport_size["height"]
    assert bottom(verdict) <= place["y"]
    for stroke in (*DIGITS[7], [(0.2, 0.9), (0.8, 0.1)], [(0.2, 0.1), (0.8, 0.9)], ACROSS):
        drag_fingers(page, [on_screen(pad(page), stroke)])
        expect_settled(page)
        expect(verdict.locator(".answered")).to_be_visible()
        assert bottom(verdict) <= place["y"]
        assert pad(page).bounding_box() == place
    expect(verdict).to_contain_text("Not a number, as far as I can tell")


@pytest.mark.parametrize("page", UPRIGHT, indirect=True, ids=["375-px", "320-px"])
@pytest.mark.parametrize("path", ["/", "/draw/"])
def test_a_phone_says_what_to_do_where_the_answer_will_be(page, path):
    page.goto(path)
    place = pad(page).bounding_box()
    headline = page.get_by_role("heading", name="Draw a number")
    expect(headline).to_be_visible()
    expect(page.get_by_text("One digit or several, or a picture of them.")).to_be_in_viewport(ratio=1)
    assert bottom(headline) <= place["y"]
    touch(page, 7)
    expect_digit(page, 7)
    assert pad(page).bounding_box() == place
    assert not headline.evaluate(IS_SEEN)
    button(page, "Clear").tap()
    expect_nothing_drawn(page)
    headline.scroll_into_view_if_needed()
    assert headline.evaluate(IS_SEEN)


@ON_A_PHONE
def test_a_pad_that_is_no_wider_than_high_begins_with_a_fine_pen(page):
    page.goto("/")
    expect(page.get_by_label("Fine")).to_be_checked()
    page.get_by_title("Medium").tap()
    page.reload()
    expect(page.get_by_label("Medium")).to_be_checked()


@pytest.mark.parametrize("page", UPRIGHT, indirect=True, ids=["375-px", "320-px"])
def test_a_long_answer_moves_nothing_on_a_phone(page):
    page.goto("/")
    place = pad(page).bounding_box()
    verdict = page.locator(".verdict")
    draw_number(page, "42", 0.1)
    expect(verdict.locator("strong")).to_have_text("42")
    for text in ("1184 or 1984?", "84712 or 84772?", "12345678901234567890"):
        verdict.evaluate(
            """(verdict, text) => {
                verdict.querySelector("p").className = "answered not-sure number long";
                verdict.querySelector("strong").textContent = text;
            }""",
            text,
        )
        assert pad(page).bounding_box() == place


@ON_A_PHONE
def test_an_explanation_leads_back_to_the_drawing(page):
    page.goto("/")
    touch(page, 7)
    expect_digit(page, 7)
    button(page, "Explain").tap()
    page.get_by_role("link", name="Back to the drawing").tap()
    expect(pad(page)).to_be_in_viewport(ratio=0.99)


@ON_A_PHONE
def test_a_picture_is_chosen_from_the_first_screen_of_a_phone(page):
    page.goto("/")
    with page.expect_file_chooser() as chooser:
        page.get_by_text("a picture", exact=True).tap()
    chooser.value.set_files({"name": "seven.png", "mimeType": "image/png", "buffer": picture(7)})
    expect_digit(page, 7)


@ON_A_PHONE
def test_the_answer_to_a_picture_comes_into_sight(page):
    page.goto("/")
    page.get_by_text("Choose a picture").scroll_into_view_if_needed()
    page.evaluate("scrollBy(0, 200)")
    expect(page.locator(".verdict")).not_to_be_in_viewport()
    choose(page, "seven.png", picture(7))
    expect_digit(page, 7)
    expect(page.locator(".verdict strong")).to_be_in_viewport(ratio=1)
    expect(pad(page)).to_be_in_viewport(ratio=1)


@ON_A_PHONE
def test_a_button_can_be_tapped_right_after_a_quick_stroke(page):
    page.goto("/draw/")
    touch(page, 1)
    button(page, "Clear").tap()
    expect_nothing_drawn(page)


@ON_A_PHONE
def test_an_explanation_is_brought_onto_the_screen(page):
    page.goto("/draw/")
    touch(page, 7)
    expect_digit(page, 7)
    button(page, "Explain").tap()
    explanation = page.get_by_label("Explanation")
    expect(explanation.get_by_role("heading", level=2)).to_be_in_viewport(ratio=1)
    expect(explanation.get_by_alt_text("The prepared picture, coloured")).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize("is_watched", [False, True], ids=["network closed", "network open"])
def test_an_explanation_is_below_the_pad_in_two_columns(page, is_watched):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/")
    draw(page, 3)
    expect_digit(page, 3)
    if is_watched:
        page.get_by_text("The network at work").click()
        expect(page.get_by_label("Layer", exact=True)).to_have_value("6")  # its picture has its place
    button(page, "Explain").click()
    explanation = page.get_by_label("Explanation")
    overlay = explanation.get_by_alt_text("The prepared picture, coloured").bounding_box()
    look_alike = explanation.get_by_role("link").first.bounding_box()
    assert overlay["x"] == pytest.approx(pad(page).bounding_box()["x"], abs=2)
    assert look_alike["x"] > overlay["x"] + overlay["width"]
    assert abs(look_alike["y"] - overlay["y"]) < 100


@pytest.mark.parametrize("page", LANDSCAPE, indirect=True, ids=["667-px", "568-px"])
def test_the_answer_is_beside_the_pad_on_a_phone_in_landscape(page):
    page.goto("/draw/")
    expect(pad(page)).to_be_in_viewport(ratio=1)
    touch(page, 7)
    expect_digit(page, 7)
    place, verdict = pad(page).bounding_box(), page.locator(".verdict").bounding_box()
    assert verdict["x"] >= place["x"] + place["width"]
    assert 0 <= verdict["y"] <= page.viewport_size["height"] / 2


@ON_A_PHONE
def test_a_second_finger_draws_nothing(page):
    page.goto("/draw/")
    upper = [(x, 0.25) for x, _ in ACROSS]
    lower = [(x, 0.75) for x, _ in ACROSS]
    drag_fingers(page, [on_screen(pad(page), upper)])
    alone = bitmap(page)
    button(page, "Clear").click()
    drag_fingers(page, [on_screen(pad(page), upper), on_screen(pad(page), lower)])
    assert bitmap(page) == alone


def test_a_hand_that_rests_beside_a_pen_draws_nothing(page):
    page.goto("/draw/")
    palm, pen = {"pointerId": 11, "pointerType": "touch"}, {"pointerId": 12, "pointerType": "pen", "pressure": 0.1}
    pad(page).evaluate(
        POINTERS,  # all at once: a second after the pen, a touch is meant again
        [
            ("pointerdown", palm, (0.9, 0.9)),
            ("pointerdown", pen, (0.3, 0.2)),
            ("pointermove", palm, (0.8, 0.8)),
            ("pointermove", pen, (0.3, 0.6)),
            ("pointerup", pen, (0.3, 0.8)),
            ("pointerup", palm, (0.8, 0.8)),
            ("pointerdown", palm, (0.9, 0.9)),
            ("pointerup", palm, (0.9, 0.9)),
        ],
    )
    drawn = ink(page)
    assert drawn["right"] - drawn["left"] == pytest.approx(2 * HALF_A_PEN, abs=0.01)  # whatever the pressure
    assert drawn["right"] < 0.4


@pytest.mark.parametrize("other", ["middle", "right"])
def test_other_buttons_of_the_mouse_draw_nothing(page, other):
    page.goto("/draw/")
    draw_stroke(page, ACROSS, button=other)
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
    width, side = pad(page).evaluate("canvas => [canvas.clientWidth, canvas.clientHeight]")
    expect(pad(page)).to_have_js_property("width", width * ratio)
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
    button(page, "Undo").click()
    button(page, "Redo").click()
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
    assert page.evaluate("document.documentElement.scrollWidth === document.documentElement.clientWidth")
    for part in (pad(page), page.locator(".verdict"), page.locator(".probabilities"), page.locator(".upload")):
        box = part.bounding_box()
        assert box["x"] >= 16
        assert box["x"] + box["width"] <= 320 - 16  # as wide as the margin of the page


WIDTHS = pytest.mark.parametrize(
    "page",
    [{"viewport": {"width": width, "height": height}} for width, height in SIZES],
    indirect=True,
    ids=[f"{width}x{height}" for width, height in SIZES],
)


@WIDTHS
@pytest.mark.parametrize("path", ["/", "/draw/"])
def test_nothing_shifts_while_a_drawing_is_read_and_every_control_is_within_the_window(page, path):
    page.add_init_script(
        """
        window.shifted = 0;
        new PerformanceObserver((list) => {
            for (const shift of list.getEntries()) window.shifted += shift.value;
        }).observe({ type: "layout-shift", buffered: true });
        """
    )
    page.goto(path)
    draw(page, 2)
    expect_digit(page, 2)
    page.reload()
    expect_digit(page, 2)
    assert page.evaluate("window.shifted") <= 0.01
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for control in page.locator(":is(a, button, label, select, summary):visible").all():
        box = control.bounding_box()
        if box["height"] > 1:  # what only screen readers meet is a pixel large
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("page", [{"viewport": {"width": 320, "height": 640}}], indirect=True, ids=["320-px"])
@pytest.mark.parametrize("path", ["/", "/draw/"])
def test_the_navigation_reads_as_words_apart_in_a_narrow_window(page, path):
    page.goto(path)
    links = page.get_by_label("Pages").get_by_role("link")
    expect(links).to_have_text(["Home", "Challenge", "Map", "Accuracy", "API"])  # both pads are as large there
    boxes = [link.bounding_box() for link in page.get_by_label("Pages").get_by_role("link").all()]
    assert len({box["y"] for box in boxes}) == 1
    for left, right in itertools.pairwise(boxes):
        assert right["x"] - left["x"] - left["width"] >= 8


def test_the_header_is_the_same_on_every_page(page):
    page.set_viewport_size({"width": 1920, "height": 1080})
    boxes = []
    for path in ("/", "/draw/", "/challenge/", "/map/", "/model/", "/api/"):
        page.goto(path)
        boxes.append([link.bounding_box()["x"] for link in page.locator("header a").all()])
    assert all(places == boxes[0] for places in boxes)
