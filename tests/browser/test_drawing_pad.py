"""The drawing pad under the mouse and the keys, and the answer that follows them."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from digits.refusals import Refusal

from .answers import answer_with
from .pad import (
    ACROSS,
    ANSWERS,
    FAST_MOUSE,
    IN_A_WIDE_WINDOW,
    answer,
    bitmap,
    button,
    choose,
    expect_digit,
    expect_nothing_drawn,
    expect_settled,
    ink,
    late_answers,
    pad,
    take,
)
from .strokes import DIGITS, VARIANTS, draw, draw_and_hold, draw_stroke, draw_strokes, on_screen, picture, points


def test_a_drawn_digit_is_read_when_the_pen_is_lifted(page):
    page.goto("/draw/")
    for digit in DIGITS:
        draw(page, digit)
        expect_digit(page, digit)
        button(page, "Clear").click()


def test_digits_as_others_write_them_are_read(page):
    page.goto("/draw/")
    for digit, strokes in VARIANTS.values():
        draw_strokes(page, [points(stroke) for stroke in strokes])
        expect_digit(page, digit)
        button(page, "Clear").click()


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
    draw_and_hold(page, pad(page), DIGITS[7][0])
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


def test_a_digit_can_be_drawn_with_the_keys(page):
    page.goto("/draw/")
    pad(page).focus()
    for key in ["ArrowUp"] * 10 + [" "] + ["ArrowDown"] * 20 + [" "]:
        page.keyboard.press(key)
    expect_digit(page, 1)


def test_the_chosen_tool_outlives_a_reload(page):
    page.goto("/draw/")
    take(page, "Broad")
    page.reload()
    expect(page.get_by_label("Broad")).to_be_checked()
    pad(page).focus()
    page.keyboard.press("1")
    page.reload()
    expect(page.get_by_label("Fine")).to_be_checked()


def test_an_eraser_gives_way_to_the_pen_where_nothing_is_left_to_erase(page):
    page.goto("/draw/")
    take(page, "Broad")
    draw(page, 2)
    expect_digit(page, 2)
    take(page, "Eraser")
    button(page, "Clear").click()
    expect(page.get_by_label("Broad")).to_be_checked()
    draw(page, 7)
    expect_digit(page, 7)
    take(page, "Eraser")
    button(page, "Undo").click()
    button(page, "Undo").click()
    page.reload()
    expect(page.get_by_label("Broad")).to_be_checked()


def test_an_eraser_on_an_empty_pad_does_nothing(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/predict/" in request.url else None)
    page.goto("/draw/")
    take(page, "Eraser")
    draw(page, 2)
    pad(page).press(" ")
    pad(page).press("ArrowDown")
    pad(page).press(" ")
    pad(page).blur()  # or the keyboard's pen shows where it is
    expect_nothing_drawn(page)
    expect(button(page, "Undo")).to_be_disabled()
    take(page, "Medium")
    draw(page, 2)
    expect_digit(page, 2)
    assert 0 < len(asked) < 20


def test_what_is_not_read_gets_no_guess_no_figure_and_no_explanation(page):
    page.goto("/draw/")
    draw(page, 2)
    draw(page, 8)
    expect(page.locator("#prediction .unread")).to_have_text(re.compile("Not a (digit|number), as far as I can tell"))
    expect(page.locator("#prediction")).not_to_contain_text("%")
    expect(button(page, "Explain")).to_be_disabled()
    button(page, "Undo").click()
    expect(button(page, "Explain")).to_be_enabled()


def test_a_slowly_drawn_digit_is_not_called_unclear_on_its_way(page):
    page.goto("/draw/")
    page.evaluate(
        """() => {
            window.scolded = 0;
            new MutationObserver(() => {
                window.scolded += document.querySelectorAll("#prediction .not-sure, #boxes .doubtful").length;
            }).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    first, *others = on_screen(pad(page), DIGITS[2][0])
    page.mouse.move(*first)
    page.mouse.down()
    for place in others[:3]:  # too short to be read
        page.mouse.move(*place, steps=3)
    for place in others[3:]:
        with page.expect_response(f"**{ANSWERS}"):
            page.mouse.move(*place, steps=3)
    page.mouse.up()
    expect_digit(page, 2)
    assert page.evaluate("window.scolded") == 0


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
    expect(explanation.get_by_role("heading", level=2)).to_contain_text("Why 7, and not ")
    expect(page.get_by_role("status")).to_contain_text("Explained: 7")
    explanation.get_by_text("Feature maps").click()
    expect(explanation.get_by_alt_text("small pictures of the digit")).to_be_visible()
    draw_stroke(page, ACROSS)
    expect(explanation.get_by_role("heading", level=2)).to_have_count(0)


def test_a_drawing_outlives_leaving_the_page(page):
    page.goto("/draw/")
    draw(page, 4)
    expect_digit(page, 4)
    drawn = bitmap(page)
    page.get_by_role("link", name="Home").click()
    page.get_by_role("link", name="Large pad").click()
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
    far_right = (3839 - box["x"] - (box["width"] - box["height"]) / 2) / box["height"]
    assert far_right > 4.5
    [two] = DIGITS[2]
    foot = two[9:]
    draw_stroke(page, [*foot, (far_right, 0.79), *reversed(foot)])
    expect(page.locator("#prediction .answered")).to_be_visible()
    draw_stroke(page, two[:10])
    expect_digit(page, 2)


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


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_drawing_outlives_an_error(page, complaints, status):
    complaints.expect_status(status, ANSWERS)
    page.goto("/draw/")
    refusal = Refusal("It failed.")
    refusal.status = status
    page.route(f"**{ANSWERS}", lambda route: answer_with(route, refusal))
    draw(page, 7)
    expect_to_be_tried_again(page, "It failed.")
