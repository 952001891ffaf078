"""The drawing pad as people use it: with the mouse, with fingers, with files, and without JavaScript."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from .strokes import DIGITS, VARIANTS, drag_fingers, draw, draw_stroke, draw_strokes, on_screen, picture, points, touch

ANSWERS = "/draw/predict/"
PHONE = {"viewport": {"width": 375, "height": 660}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
IN_A_WIDE_WINDOW = pytest.mark.parametrize(
    "page", [{"viewport": {"width": 2560, "height": 900}}], indirect=True, ids=["wide"]
)
# What a browser's bars leave of small phones' screens.
UPRIGHT = [PHONE | {"viewport": {"width": width, "height": height}} for width, height in ((375, 553), (320, 460))]
LANDSCAPE = [PHONE | {"viewport": {"width": width, "height": height}} for width, height in ((667, 331), (568, 320))]
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
    """How much of the pad is inked, and the box around that, all in fractions of the pad's side."""
    inked = bitmap(page).getchannel("A").point(lambda alpha: 255 * (alpha > 127))
    share = inked.histogram()[255] / (inked.width * inked.height)
    box = [edge / inked.width for edge in inked.getbbox() or ()]
    return {"share": share} | dict(zip(("left", "top", "right", "bottom"), box, strict=False))


def expect_digit(page: Page, digit: int) -> None:
    """The answer is of the drawing as it was left: what was read while the pen moved is no longer shown."""
    expect_settled(page)
    expect(answer(page)).to_have_text(str(digit))


def expect_settled(page: Page) -> None:
    expect(page.locator(".drawing-pad:not(.htmx-request) [name=live]:disabled")).to_have_count(1)


def answer(page: Page) -> Locator:
    return page.locator("#prediction .answered strong")


def bottom(part: Locator) -> float:
    box = part.bounding_box()
    return box["y"] + box["height"]


def expect_nothing_drawn(page: Page) -> None:
    expect(page.locator("#prediction")).to_contain_text("Nothing drawn yet")
    for name in ("Clear", "Explain"):
        expect(button(page, name)).to_be_disabled()
    assert ink(page)["share"] == 0


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def take(page: Page, tool: str) -> None:
    page.get_by_title(tool).click()


def choose(page: Page, name: str, content: bytes, kind: str = "image/png") -> None:
    page.get_by_label("Choose a picture").set_input_files({"name": name, "mimeType": kind, "buffer": content})


def sent(page: Page) -> bytes:
    """The picture file that the form holds."""
    read = "input => input.files[0].arrayBuffer().then((buffer) => [...new Uint8Array(buffer)])"
    return bytes(page.locator(".drawing-pad [name=file]").evaluate(read))


def give(page: Page, event: str, content: bytes) -> None:
    """Paste a picture file into the page, or drop one on it."""
    page.evaluate(
        """([event, base64]) => {
            const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "picture.png", { type: "image/png" }));
            const happening = new Event(event, { bubbles: true, cancelable: true });
            const name = event === "paste" ? "clipboardData" : "dataTransfer";
            // As an option, Firefox's ClipboardEvent does not know it.
            Object.defineProperty(happening, name, { value: data });
            document.body.dispatchEvent(happening);
        }""",
        [event, base64.b64encode(content).decode()],
    )


# What pointers do, one after the other, where there are none.
POINTERS = """(canvas, deeds) => {
    canvas.setPointerCapture = () => {};  // there is no such pointer to capture
    const box = canvas.getBoundingClientRect();
    for (const [kind, pointer, [x, y]] of deeds) {
        const place = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
        canvas.dispatchEvent(new PointerEvent(kind, { isPrimary: true, button: 0, ...place, ...pointer }));
    }
}"""

# Draws along a path so many times, in so many steps, of which the browser holds back a thousand each frame.
FAST_MOUSE = """(canvas, [path, times, steps]) => {
    canvas.setPointerCapture = () => {};  // there is no such pointer to capture
    const box = canvas.getBoundingClientRect();
    const legs = Array.from({ length: times }, () => path).flat();
    const event = (kind, step, coalescedEvents = []) => {
        const done = (step / steps) * (legs.length - 1);
        const leg = Math.min(Math.floor(done), legs.length - 2);
        const [x, y] = [0, 1].map((axis) => legs[leg][axis] + (done - leg) * (legs[leg + 1][axis] - legs[leg][axis]));
        const place = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
        return new PointerEvent(kind, { pointerId: 11, isPrimary: true, button: 0, ...place, coalescedEvents });
    };
    canvas.dispatchEvent(event("pointerdown", 0));
    for (let step = 1000; step <= steps; step += 1000) {
        const between = Array.from({ length: 1000 }, (_, i) => event("pointermove", step - 999 + i));
        canvas.dispatchEvent(event("pointermove", step, between));
    }
    canvas.dispatchEvent(event("pointerup", steps));
}"""


@contextmanager
def late_answers(page: Page) -> Iterator[None]:
    """Hold back every answer to the end of the block."""
    page.route(f"**{ANSWERS}", lambda route: None)
    yield
    page.unroute(f"**{ANSWERS}")  # which sends on what was held


@pytest.mark.parametrize("digit", DIGITS)
def test_a_drawn_digit_is_read_when_the_pen_is_lifted(page, digit):
    page.goto("/draw/")
    draw(page, digit)
    expect_digit(page, digit)


@pytest.mark.parametrize("name", VARIANTS)
def test_digits_as_others_write_them_are_read(page, name):
    digit, strokes = VARIANTS[name]
    page.goto("/draw/")
    draw_strokes(page, [points(stroke) for stroke in strokes])
    expect_digit(page, digit)


def test_every_probability_and_what_the_network_sees_are_shown(page):
    page.goto("/draw/")
    draw(page, 2)
    expect_digit(page, 2)
    percentages = [float(text.removesuffix(" %")) for text in page.locator("#prediction li .percent").all_inner_texts()]
    assert len(percentages) == 10
    assert sum(percentages) == pytest.approx(100, abs=1.1)
    assert percentages[2] == max(percentages)
    expect(page.locator("#prediction li.best .digit")).to_have_text("2")
    expect(page.locator("#prediction .answered")).to_contain_text(f"{percentages[2]} % sure")
    expect(page.get_by_role("img", name="The prepared picture")).to_be_visible()


def test_the_answer_follows_the_pen_and_is_announced_when_it_is_lifted(page):
    page.goto("/draw/")
    first, *others = on_screen(pad(page), DIGITS[7][0])
    page.mouse.move(*first)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place, steps=3)
    expect(answer(page)).to_have_text("7")
    expect(page.get_by_role("status")).to_be_empty()
    page.mouse.up()
    expect(page.get_by_role("status")).to_contain_text("7, ")
    sureness = page.locator("#prediction .answered span").inner_text()
    expect(page.get_by_role("status")).to_have_text(f"7, {sureness}.")


def test_while_an_answer_is_slow_only_the_newest_drawing_waits_behind_it(page):
    page.goto("/draw/")
    held: list[Route] = []
    page.route(f"**{ANSWERS}", lambda route: held.append(route), times=1)
    first, *others = on_screen(pad(page), DIGITS[2][0])
    page.mouse.move(*first)
    page.mouse.down()
    with page.expect_request(f"**{ANSWERS}"):
        page.mouse.move(*others[3], steps=20)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for place in others:
        page.mouse.move(*place, steps=5)
    assert asked == []
    with page.expect_response(f"**{ANSWERS}"):
        page.mouse.up()  # which withdraws the slow one
    expect_digit(page, 2)
    assert len(asked) == 1


def test_undo_takes_away_the_last_stroke_and_redo_brings_it_back(page):
    page.goto("/draw/")
    empty = bitmap(page)
    expect(button(page, "Undo")).to_be_disabled()
    first, second = DIGITS[4]
    draw_stroke(page, first)
    with_first = bitmap(page)
    draw_stroke(page, second)
    with_both = bitmap(page)
    assert empty != with_first != with_both

    button(page, "Undo").click()
    assert bitmap(page) == with_first
    button(page, "Undo").click()
    assert bitmap(page) == empty
    expect_nothing_drawn(page)
    expect(button(page, "Undo")).to_be_disabled()
    button(page, "Redo").click()
    button(page, "Redo").click()
    assert bitmap(page) == with_both
    expect(button(page, "Redo")).to_be_disabled()
    expect_digit(page, 4)


def test_clear_takes_away_everything_and_can_be_undone(page):
    page.goto("/draw/")
    expect_nothing_drawn(page)
    draw(page, 4)
    expect_digit(page, 4)
    button(page, "Clear").click()
    expect_nothing_drawn(page)
    button(page, "Undo").click()
    expect_digit(page, 4)
    button(page, "Clear").click()
    draw(page, 7)
    expect_digit(page, 7)


def test_the_eraser_takes_ink_away(page):
    page.goto("/draw/")
    draw(page, 4)
    before = ink(page)["share"]
    take(page, "Eraser")
    draw_stroke(page, DIGITS[4][1])
    assert 0 < ink(page)["share"] < before - 0.02
    take(page, "Medium")
    draw_stroke(page, DIGITS[4][1])
    expect_digit(page, 4)


@pytest.mark.parametrize(("pen", "width"), [("Fine", 12), ("Medium", 20), ("Broad", 28)])
def test_a_pen_is_as_wide_as_it_says(page, pen, width):
    page.goto("/draw/")
    take(page, pen)
    draw_stroke(page, ACROSS)
    drawn = ink(page)
    assert drawn["bottom"] - drawn["top"] == pytest.approx(width / 280, abs=2 / 280)


def test_keys_choose_tools_undo_redo_and_clear(page):
    page.goto("/draw/")
    draw(page, 4)
    for key, tool in {"1": "Fine", "e": "Eraser", "3": "Broad", "2": "Medium"}.items():
        page.keyboard.press(key)
        expect(page.get_by_label(tool)).to_be_checked()
    both = bitmap(page)
    page.keyboard.press("Control+z")
    assert bitmap(page) != both
    page.keyboard.press("Control+Shift+z")
    assert bitmap(page) == both
    page.keyboard.press("Delete")
    expect_nothing_drawn(page)
    page.keyboard.press("Control+z")
    expect_digit(page, 4)


def test_letters_are_no_commands_away_from_the_pad(page):
    page.goto("/draw/")
    draw(page, 4)
    page.get_by_role("link", name="Gallery").focus()
    page.keyboard.press("Delete")
    page.keyboard.press("e")
    assert ink(page)["share"] > 0
    expect(page.get_by_label("Medium")).to_be_checked()


def test_a_digit_can_be_drawn_with_the_keys(page):
    page.goto("/draw/")
    pad(page).focus()
    for key in ["ArrowUp"] * 10 + [" "] + ["ArrowDown"] * 20 + [" "]:
        page.keyboard.press(key)
    expect_digit(page, 1)


def test_the_focus_goes_to_the_pad_from_a_button_that_is_done_with(page):
    page.goto("/draw/")
    draw(page, 1)
    button(page, "Clear").focus()
    page.keyboard.press("Enter")
    expect_nothing_drawn(page)
    expect(pad(page)).to_be_focused()


def test_an_answer_is_explained_until_the_drawing_changes(page):
    page.goto("/draw/")
    draw(page, 7)
    expect_digit(page, 7)
    button(page, "Explain").click()
    explanation = page.get_by_label("Explanation")
    expect(explanation.get_by_role("heading")).to_contain_text("Why 7, and not ")
    expect(page.get_by_role("status")).to_contain_text("Explained: 7")
    explanation.get_by_text("Feature maps").click()
    expect(explanation.get_by_alt_text("small pictures of the digit")).to_be_visible()
    draw_stroke(page, ACROSS)
    expect(explanation.get_by_role("heading")).to_have_count(0)


def test_a_drawing_outlives_leaving_the_page(page):
    page.goto("/draw/")
    draw(page, 4)
    expect_digit(page, 4)
    drawn = bitmap(page)
    page.get_by_role("link", name="Gallery").click()
    page.get_by_role("link", name="Draw", exact=True).click()
    expect_digit(page, 4)
    assert bitmap(page) == drawn
    page.reload()
    expect_digit(page, 4)
    page.goto("/")
    page.go_back()
    expect_digit(page, 4)
    button(page, "Undo").click()
    assert bitmap(page) != drawn


def test_a_drawing_that_is_cleared_while_it_is_read_gets_no_answer(page):
    page.goto("/draw/")
    with late_answers(page):
        with page.expect_request(f"**{ANSWERS}"):
            draw(page, 7)
        with page.expect_event("requestfailed", timeout=5000):  # withdrawn, sooner than htmx gives up
            button(page, "Clear").click()
    expect_nothing_drawn(page)


def test_a_drawing_that_goes_on_while_it_is_read_gets_the_newer_answer(page):
    page.goto("/draw/")
    first, second = DIGITS[4]
    with late_answers(page):
        with page.expect_request(f"**{ANSWERS}"):
            draw_stroke(page, first)
        with page.expect_event("requestfailed", timeout=5000):
            draw_stroke(page, second)
    expect_digit(page, 4)


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
    button(page, "Clear").dispatch_event("click")  # by another finger
    for point in others:
        page.mouse.move(*point)
    page.mouse.up()
    expect_nothing_drawn(page)


@IN_A_WIDE_WINDOW
def test_a_pen_that_slips_far_off_the_pad_spoils_nothing(page):
    page.goto("/draw/")
    box = pad(page).bounding_box()
    far_right = (2559 - box["x"]) / box["width"]
    assert far_right > 4.5
    upper_line = [(0.3, 0.22), (0.45, 0.21), (0.7, 0.2)]
    draw_stroke(page, [*upper_line, (far_right, 0.2), *reversed(upper_line)])
    expect(page.locator("#prediction .answered")).to_be_visible()
    draw_stroke(page, DIGITS[7][0][3:])
    expect_digit(page, 7)


@pytest.mark.parametrize(("times", "as_strokes"), [(1, True), (100, False)], ids=["slow", "scribbled"])
def test_a_drawing_of_any_number_of_points_is_read(page, times, as_strokes):
    page.goto("/draw/")
    there_and_back = DIGITS[7][0] + DIGITS[7][0][-2::-1]
    pad(page).evaluate(FAST_MOUSE, [there_and_back, times, 30_000])
    expect_digit(page, 7)
    assert (page.locator(".drawing-pad [name=strokes]").input_value() != "") == as_strokes
    assert ink(page) == pytest.approx(INK_OF_SEVEN, abs=0.02)


def test_a_drawing_replaces_a_picture_that_is_being_read(page):
    page.goto("/draw/")
    page.route(f"**{ANSWERS}", lambda route: None, times=1)  # the answer is long in coming
    with page.expect_request(f"**{ANSWERS}"):
        choose(page, "seven.png", picture(7))
    with page.expect_event("requestfailed", timeout=5000):
        button(page, "Clear").click()
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
        expect(verdict).to_contain_text("% sure")
        assert bottom(verdict) <= place["y"]
        assert pad(page).bounding_box() == place
    expect(verdict).to_contain_text("Not sure: this does not look like one digit")  # the longest that it says


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
    expect(explanation.get_by_role("heading")).to_be_in_viewport(ratio=1)
    expect(explanation.get_by_text("Feature maps")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("page", LANDSCAPE, indirect=True, ids=["667-px", "568-px"])
def test_the_answer_is_beside_the_pad_on_a_phone_in_landscape(page):
    page.goto("/draw/")
    touch(page, 7)
    expect_digit(page, 7)
    pad(page).scroll_into_view_if_needed()
    place, verdict = pad(page).bounding_box(), page.locator(".verdict").bounding_box()
    assert place["height"] <= page.viewport_size["height"]
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


@pytest.mark.parametrize("way", ["choose", "paste", "drop"])
def test_a_picture_file_is_put_on_the_pad_and_read(page, way):
    page.goto("/draw/")
    if way == "choose":
        choose(page, "seven.png", picture(7))
    else:
        give(page, way, picture(7))
    expect_digit(page, 7)
    assert ink(page)["share"] > 0.99  # the paper of the picture, too
    button(page, "Undo").click()
    expect_nothing_drawn(page)


def test_a_picture_is_sent_as_it_is_and_is_paper_to_draw_on(page):
    page.goto("/draw/")
    choose(page, "one.png", picture(1))
    expect_digit(page, 1)
    assert sent(page) == picture(1)
    draw_stroke(page, [(0.3, 0.2), (0.42, 0.19), (0.56, 0.18)])  # the upper line of a seven
    expect_digit(page, 7)
    page.reload()
    expect_digit(page, 7)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "AVIF"])
def test_a_picture_is_read_whatever_it_is_named_and_its_type_is_said_to_be(page, form):
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(7))).convert("RGB").save(file, form)
    page.goto("/draw/")
    choose(page, "seven", file.getvalue(), "image/avif" if form == "AVIF" else "")
    expect_digit(page, 7)
    assert (sent(page) == file.getvalue()) == (form != "AVIF")  # which the server does not read, but the browser does


def test_a_picture_that_neither_the_browser_nor_the_server_reads_is_named(page, complaints):
    complaints.expect_status(415, ANSWERS)
    page.goto("/draw/")
    choose(page, "seven.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/jpeg")
    reason = "This is a HEIC picture; save it as JPEG or PNG."
    expect(page.locator("#prediction .refused")).to_have_text(f"Not a picture {reason}")


def test_a_phones_photo_is_reduced_and_the_right_way_up(page):
    photo = Image.open(io.BytesIO(picture(7, side=3000))).rotate(90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    file = io.BytesIO()
    photo.save(file, "JPEG", exif=exif)
    page.goto("/draw/")
    choose(page, "photo.jpg", file.getvalue(), "image/jpeg")
    expect_digit(page, 7)
    assert Image.open(io.BytesIO(sent(page))).size == (1000, 1000)


def test_a_tile_is_edited_on_the_pad(page):
    page.goto("/draw/?tile=0")
    expect_digit(page, 7)  # as MNIST's first test image is
    assert page.url.endswith("/draw/")
    before = ink(page)["share"]
    assert 0 < before < 0.5
    take(page, "Eraser")
    draw_stroke(page, [(0, 0.3), (1, 0.3)])  # the upper line
    expect_digit(page, 1)
    assert 0 < ink(page)["share"] < before


def test_a_picture_from_the_gallery_is_read_as_in_the_gallery(page):
    page.goto("/?tile=0&predict=0")
    tile = page.locator(".tile")
    digit, percent = (tile.locator(part).inner_text() for part in (".tile-verdict strong", ".tile-verdict .percent"))
    source = tile.locator("img").get_attribute("src")
    page.goto("/draw/")
    choose(page, "tile.png", decoded(source))
    expect_digit(page, int(digit))
    expect(page.locator("#prediction .answered")).to_contain_text(f"{percent} sure")


def test_a_file_that_is_no_picture_is_refused_with_the_reason(page, complaints):
    complaints.expect_status(415, ANSWERS)
    page.goto("/draw/")
    choose(page, "seven.png", b"seven")
    expect(page.locator("#prediction .refused")).to_have_text(
        "Not a picture This file is not a PNG, JPEG, WebP, BMP or GIF picture."
    )
    expect(page.get_by_role("status")).to_contain_text("This file is not a PNG, JPEG, WebP, BMP or GIF picture.")


INK_OF_SEVEN = {"share": 0.09, "left": 0.26, "top": 0.16, "right": 0.72, "bottom": 0.86}


def expect_to_be_tried_again(page: Page, words: str) -> None:
    """The notice says what failed, the drawing is still there, and the notice's button has it read."""
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text(words)
    expect_settled(page)  # it tells of the whole drawing, not of what was sent while the pen moved
    assert ink(page) == pytest.approx(INK_OF_SEVEN, abs=0.02)  # nothing moved under the pen
    page.unroute(f"**{ANSWERS}")
    notice.get_by_role("button", name="Try again").click()
    expect_digit(page, 7)
    expect(notice).to_be_empty()


def test_a_drawing_outlives_a_server_that_is_gone(page, complaints):
    complaints.expect_no_answer(ANSWERS)
    page.goto("/draw/")
    page.route(f"**{ANSWERS}", lambda route: route.abort("connectionrefused"))
    draw(page, 7)
    expect_to_be_tried_again(page, "No answer from the server.")


def test_a_drawing_outlives_a_server_that_does_not_answer_in_time(page, complaints):
    complaints.expect_timeout()
    page.goto("/draw/")
    page.evaluate("htmx.config.timeout = 200")
    page.route(f"**{ANSWERS}", lambda route: None)
    draw(page, 7)
    expect(page.get_by_role("alert")).to_contain_text("No answer")
    page.evaluate("htmx.config.timeout = 10_000")
    expect_to_be_tried_again(page, "No answer from the server.")


@pytest.mark.parametrize("status", [413, 429, 500, 503])
def test_a_drawing_outlives_an_error(page, complaints, status):
    complaints.expect_status(status, ANSWERS)
    page.goto("/draw/")
    failure = '<div class="notice"><strong>It failed.</strong><button data-action="retry">Try again</button></div>'
    headers = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"}
    page.route(f"**{ANSWERS}", lambda route: route.fulfill(status=status, headers=headers, body=failure))
    draw(page, 7)
    expect_to_be_tried_again(page, "It failed.")


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_file_is_read_on_a_full_page(page):
    page.goto("/draw/")
    expect(pad(page)).to_be_hidden()
    expect(page.locator("noscript .notice")).to_be_visible()
    choose(page, "two.png", picture(2))
    button(page, "Read the picture").click()
    expect(page).to_have_title("Draw · Digit Recognizer")
    expect_digit(page, 2)
    expect(page.locator("noscript .notice")).to_be_visible()
    expect(page.get_by_role("img", name="The prepared picture")).to_be_visible()


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_file_is_explained(page):
    page.goto("/draw/")
    choose(page, "two.png", picture(2))
    button(page, "Read and explain it").click()
    expect_digit(page, 2)
    expect(page.get_by_role("heading", name="Why 2, and not")).to_be_visible()


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_refusal_is_on_a_full_page(page, complaints):
    complaints.expect_status(415, "/draw/")
    page.goto("/draw/")
    choose(page, "two.png", b"two")
    button(page, "Read the picture").click()
    expect(page).to_have_title("Draw · Digit Recognizer")
    expect(page.locator(".refused")).to_contain_text("This file is not a PNG, JPEG, WebP, BMP or GIF picture.")
