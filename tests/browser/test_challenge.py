"""The ten-digit challenge, played."""

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from .challenge import (
    MOMENT,
    PAUSE,
    card,
    draw_right,
    draw_wrong,
    expect_asked,
    expect_read,
    expect_right,
    hint,
    let_pass,
    open_challenge,
    scribble,
    skip_to,
    slot,
    status,
    words,
)
from .pad import ANSWERS, button, ink, pad
from .strokes import DIGITS, draw, draw_stroke, points

# A zero in two strokes, neither of which is read as one, and the bar of a seven.
HALVES = [points("52,18 40,22 32,34 29,50 31,66 39,78 50,82"), points("52,18 61,22 68,34 71,50 69,66 61,78 50,82")]
BAR = points("40,52 52,51 66,50")


@pytest.fixture
def game(page: Page) -> Page:
    """The challenge, whose clock stands still until a test moves it."""
    open_challenge(page)
    return page


# A whole game


def test_ten_digits_are_asked_for_read_and_put_on_a_card(page):
    open_challenge(page)
    expect(hint(page)).to_have_text("The clock starts with your first stroke. A pause or Done ends a digit.")
    for digit in DIGITS:
        expect_asked(page, digit)
        expect(page.locator("#streak")).to_have_text(str(digit))
        assert ink(page)["share"] == 0
        draw_right(page, digit)
        expect(slot(page, digit)).to_have_class("read")
        assert f"{digit}: read as {digit}, " in status(page) or digit == 9
    heading = page.get_by_role("heading", name="10 of 10 read in 0:")
    expect(heading).to_be_focused()
    expect(page.locator(".challenge")).to_be_hidden()
    told = words(page)
    assert told[0].startswith("Ten-digit challenge: 10 of 10 read in 0:")
    assert told[1].startswith("Longest streak: 10. Hardest: ")
    assert [line[:12] for line in told[2:12]] == [f"{digit}: read as {digit}" for digit in DIGITS]
    assert told[12].endswith("/challenge/")
    expect(page.get_by_role("img", name="The card: ten drawings, 10 of them read.")).to_be_visible()
    picture = card(page)
    assert picture.size == (1080, 1080)
    assert [digit for digit in DIGITS if not is_drawn(picture, digit)] == []
    button(page, "Play again").click()
    expect_asked(page, 0)
    expect(pad(page)).to_be_focused()
    expect(page.locator("#time")).to_have_text("0:00")
    expect(page.locator(".slots :is(.read, .skipped)")).to_have_count(0)
    expect(page.locator("#result")).to_be_hidden()


def test_a_game_can_be_ended_once_it_is_begun(game):
    end = button(game, "End the game")
    expect(end).to_be_hidden()
    draw_right(game, 0)
    draw(game, 5)
    end.click()
    expect(game.get_by_role("heading", name="1 of 10 read in 0:")).to_be_focused()
    assert [line.partition(",")[0] for line in words(game)[3:5]] == ["1: skipped", "2: skipped"]
    button(game, "Play again").click()
    expect(end).to_be_hidden()


def test_a_game_in_which_nothing_was_read_names_no_time(game):
    skip_to(game, 10)
    expect(game.get_by_role("heading", name="0 of 10 read", exact=True)).to_be_visible()
    assert words(game)[0] == "Ten-digit challenge: 0 of 10 read."


def is_drawn(picture: Image.Image, digit: int) -> bool:
    """Whether the card has ink in the digit's cell wherever it was drawn, and none in the corners."""
    side, gap, margin, top, row = 172.8, 22, 64, 352, 290.8
    left, upper = margin + digit % 5 * (side + gap), top + digit // 5 * row

    def is_dark(x: float, y: float) -> bool:
        return sum(picture.getpixel((round(left + x * side), round(upper + y * side)))) < 3 * 80

    drawn = [stroke[len(stroke) // 2] for stroke in DIGITS[digit]]
    return all(is_dark(x, y) for x, y in drawn) and not is_dark(0.1, 0.1) and not is_dark(0.9, 0.9)


# When a reading counts


def test_a_right_reading_counts_after_a_moment_in_which_more_strokes_may_follow(game):
    skip_to(game, 7)
    draw(game, 7)
    expect_right(game)
    let_pass(game, MOMENT - 1)
    expect_asked(game, 7)
    draw_stroke(game, BAR)
    expect_right(game)
    let_pass(game, MOMENT - 1)
    expect_asked(game, 7)
    let_pass(game, 1)
    expect_asked(game, 8)
    assert slot(game, 7).locator("path").get_attribute("d").count("M") == 2


def test_an_unfinished_digit_is_not_called_wrong(game):
    draw_stroke(game, HALVES[0])
    expect(game.locator("#prediction strong")).to_be_visible()
    let_pass(game, PAUSE - 1)
    expect(hint(game)).not_to_contain_text("Not a 0")
    expect(game.locator(".is-wrong")).to_have_count(0)
    draw_stroke(game, HALVES[1])
    expect_right(game)
    let_pass(game, MOMENT)
    expect_asked(game, 1)
    assert words_of(game, 0).endswith("% sure")


def words_of(page: Page, digit: int) -> str:
    """The outcome of a digit that is done with."""
    return slot(page, digit).locator(".outcome").text_content()


def test_going_on_with_a_drawing_takes_a_judgement_back(game):
    draw_stroke(game, HALVES[0])
    expect(game.locator("#prediction strong")).to_be_visible()
    let_pass(game, PAUSE)
    expect(hint(game)).to_have_text("Not a 0 yet: go on, try again or skip it.")
    draw_stroke(game, HALVES[1])
    expect_right(game)
    expect(button(game, "Clear")).to_be_visible()
    let_pass(game, MOMENT)
    expect_asked(game, 1)
    expect(game.locator("#streak")).to_have_text("1")
    assert "try" not in words_of(game, 0)


def test_a_wrong_digit_is_tried_again_and_the_card_says_so(game):
    draw_wrong(game, 3)
    expect(hint(game)).to_have_text("Not a 0 yet: go on, try again or skip it.")
    assert status(game).startswith("3, ")
    assert status(game).endswith("% sure. Not a 0 yet: go on, try again or skip it.")
    button(game, "Try again").click()
    expect(pad(game)).to_be_focused()
    expect_asked(game, 0)
    assert ink(game)["share"] == 0
    expect(button(game, "Clear")).to_be_disabled()
    draw_right(game, 0)
    assert words_of(game, 0).endswith(", at try 2")
    expect(game.locator("#streak")).to_have_text("0")
    draw_right(game, 1)
    expect(game.locator("#streak")).to_have_text("1")
    skip_to(game, 10)
    assert words(game)[0].startswith("Ten-digit challenge: 2 of 10 ")


def test_done_asks_for_the_judgement_at_once(game):
    draw(game, 3)
    expect_read(game, "3")
    button(game, "Done").click()
    expect(hint(game)).to_have_text("Not a 0 yet: go on, try again or skip it.")
    expect(button(game, "Done")).to_be_disabled()
    button(game, "Try again").click()
    draw(game, 0)
    expect_right(game)
    button(game, "Done").click()
    expect_asked(game, 1)
    expect(pad(game)).to_be_focused()


def test_done_before_the_answer_judges_when_it_comes(game):
    held = []
    game.route(f"**{ANSWERS}", lambda route: held.append(route))
    with game.expect_request(f"**{ANSWERS}"):
        draw(game, 0)
    button(game, "Done").click()
    expect_asked(game, 0)
    held[-1].continue_()
    expect_asked(game, 1)


def test_an_unsure_reading_does_not_count_and_is_kept_when_it_is_skipped(game):
    scribble(game)
    button(game, "Done").click()
    expect(hint(game)).to_contain_text("Not a 0 yet")
    said = game.locator("#prediction strong").inner_text()  # of all strokes
    button(game, "Skip").click()
    expect_asked(game, 1)
    expect(slot(game, 0)).to_have_class("skipped")
    assert words_of(game, 0) == f": skipped, read as {said}"
    assert slot(game, 0).locator("path").get_attribute("d").count("M") == 2


def test_a_number_of_several_digits_is_no_digit(game):
    skip_to(game, 1)
    draw_stroke(game, [(0.3, 0.3), (0.3, 0.7)])
    draw_stroke(game, [(0.7, 0.3), (0.7, 0.7)])
    expect_read(game, "11")
    button(game, "Done").click()
    expect(hint(game)).to_contain_text("Not a 1 yet")


def test_with_the_next_stroke_the_page_no_longer_speaks_of_the_digit_before(game):
    draw_right(game, 0)
    expect(hint(game)).to_contain_text("0: read as 0")
    draw(game, 7)
    expect(hint(game)).to_have_text("Draw a 1.")


def test_a_dot_is_told_kindly(game, complaints):
    complaints.expect_status(422, ANSWERS)
    draw_stroke(game, [(0.5, 0.5)])
    expect(game.locator("#prediction .refused")).to_be_visible()
    let_pass(game, PAUSE)
    expect(hint(game)).to_contain_text("Not a 0 yet")


# Skipping, and the hardest digit


def test_the_hardest_digit_is_the_skipped_one_then_the_one_with_the_most_tries(game):
    draw_right(game, 0)
    draw_wrong(game, 8)
    button(game, "Try again").click()
    draw_right(game, 1)
    for digit in range(2, 10):
        draw_right(game, digit)
    assert words(game)[1] == "Longest streak: 8. Hardest: 1, 2 tries."
    button(game, "Play again").click()
    for digit in range(10):
        button(game, "Skip").click() if digit in (2, 5) else draw_right(game, digit)
    assert words(game)[1].endswith("Hardest: 2 and 5, skipped.")
    button(game, "Play again").click()
    draw_wrong(game, 8)
    button(game, "Try again").click()
    draw_right(game, 0)
    button(game, "Skip").click()
    assert words_of(game, 1) == ": skipped, not drawn"
    skip_to(game, 10)
    assert words(game)[1] == "Longest streak: 0. Hardest: 9 digits, skipped."


def test_a_skipped_digit_keeps_its_last_drawing(game):
    draw_wrong(game, 3)
    button(game, "Try again").click()
    button(game, "Skip").click()
    assert words_of(game, 0).startswith(": skipped, read as 3, ")
    assert slot(game, 0).locator("path").get_attribute("d")
    draw(game, 1)
    expect_right(game)
    expect(button(game, "Undo")).to_be_enabled()
    button(game, "Undo").click()
    expect(button(game, "Undo")).to_be_disabled()  # nothing of the digit before comes back
    expect_asked(game, 1)


# The clock


def test_the_clock_runs_only_while_it_is_the_persons_turn(game):
    time = game.locator("#time")
    let_pass(game, 60_000)
    expect(time).to_have_text("0:00")
    draw_right(game, 0)  # which takes no time while the clock stands still
    let_pass(game, 5250)
    expect(time).to_have_text("0:05")
    held = []
    game.route(f"**{ANSWERS}", lambda route: held.append(route))
    with game.expect_request(f"**{ANSWERS}"):
        draw(game, 7)
    let_pass(game, 60_000)
    expect(time).to_have_text("0:05")
    held[-1].continue_()
    expect_read(game, "7")
    let_pass(game, PAUSE)  # which is the person's turn, as the reading is wrong
    let_pass(game, 58_000)
    expect(time).to_have_text("1:04")


# Keys


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_it_is_played_with_the_keyboard_alone(game):
    pad(game).focus()
    press(game, *["Tab"], "Enter")  # Undo and Clear have nothing to do yet
    expect_asked(game, 1)
    expect(button(game, "Skip")).to_be_focused()
    press(game, "Shift+Tab")
    expect(pad(game)).to_be_focused()
    press(game, *["ArrowUp"] * 10, " ")
    assert status(game) == "Pen down."
    press(game, *["ArrowDown"] * 20, " ", "Enter")
    expect_asked(game, 2)
    assert status(game).endswith("Draw a 2.")
    expect(pad(game)).to_be_focused()
    press(game, "Tab", *["Enter"] * 8)
    expect(game.get_by_role("heading", name="1 of 10 read in")).to_be_focused()
    card(game)
    press(game, "Tab")
    expect(game.get_by_role("link", name="Save the card")).to_be_focused()


def test_keys_that_move_the_pen_put_the_judgement_off(game):
    pad(game).focus()
    press(game, *["ArrowUp"] * 10, " ", *["ArrowDown"] * 20, " ")
    expect_read(game, "1")
    for _ in range(3):
        let_pass(game, PAUSE - 1)
        press(game, "ArrowRight")
    expect(hint(game)).not_to_contain_text("Not a 0")
    let_pass(game, PAUSE)
    expect(hint(game)).to_contain_text("Not a 0")
