"""What becomes of the challenge on a reload, without an answer from the server, and without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from digits.refusals import Busy

from .answers import answer_with
from .challenge import (
    ADDRESS,
    MOMENT,
    card,
    draw_right,
    expect_asked,
    expect_right,
    hint,
    let_pass,
    open_challenge,
    skip_to,
    slot,
    status,
    words,
)
from .pad import ANSWERS, WITHOUT_JAVASCRIPT, button, expect_digit, ink
from .strokes import draw

busy = Busy("More predictions are asked for than this server makes at once.", {"Retry-After": "2"})


@pytest.fixture
def game(page: Page) -> Page:
    """The challenge, whose clock stands still until a test moves it."""
    open_challenge(page)
    return page


# What is kept, and what is not


def test_a_game_that_is_left_begins_again_and_says_so(game):
    again = "The game begins again"
    expect(hint(game)).not_to_contain_text(again)
    draw_right(game, 0)
    expect_asked(game, 1)
    game.reload()
    expect_asked(game, 0)
    expect(hint(game)).to_contain_text(again)
    assert again in status(game)
    game.reload()
    expect(hint(game)).to_have_text("The clock starts with your first stroke. A pause or Done ends a digit.")


def test_a_card_outlives_a_reload_until_the_next_game(game):
    draw_right(game, 0)
    skip_to(game, 10)
    shown, told = card(game), words(game)
    game.reload()
    assert card(game).tobytes() == shown.tobytes()
    assert words(game) == told
    button(game, "Play again").click()
    game.reload()
    expect_asked(game, 0)
    expect(hint(game)).to_have_text("The clock starts with your first stroke. A pause or Done ends a digit.")


def test_the_drawing_and_the_tool_of_the_other_pad_are_left_alone(page):
    page.goto("/draw/")
    draw(page, 4)
    expect_digit(page, 4)
    page.get_by_title("Eraser").click()
    drawn = ink(page)
    page.get_by_role("link", name="Ten-digit challenge").click()
    page.wait_for_url(f"**{ADDRESS}")
    draw(page, 0)
    expect_asked(page, 1)
    page.goto("/draw/")
    expect_digit(page, 4)
    assert ink(page) == pytest.approx(drawn, abs=0.001)
    expect(page.get_by_label("Eraser")).to_be_checked()


@WITHOUT_JAVASCRIPT
def test_without_javascript_it_says_what_works(page):
    page.goto(ADDRESS)
    notice = page.locator("noscript .notice")
    expect(notice).to_be_visible()
    expect(page.locator(".challenge")).to_be_hidden()
    notice.locator("a").first.click()
    expect(page.get_by_role("button", name="Read the picture")).to_be_visible()


# A server that does not answer


def test_a_game_outlives_a_server_that_is_gone(game, complaints):
    complaints.expect_no_answer(ANSWERS)
    draw_right(game, 0)
    game.route(f"**{ANSWERS}", lambda route: route.abort("connectionrefused"))
    draw(game, 1)
    expect(game.get_by_role("alert")).to_contain_text("No answer from the server.")
    expect(game.locator("#prediction")).to_contain_text("No answer yet")
    expect(hint(game)).to_have_text("Your digits are kept, and the clock stands still.")
    let_pass(game, 60_000)
    expect_asked(game, 1)
    expect(game.locator("#time")).to_have_text("0:00")
    game.unroute(f"**{ANSWERS}")
    game.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect_right(game)
    let_pass(game, MOMENT)
    expect_asked(game, 2)
    expect(slot(game, 0)).to_have_class("read")
    expect(game.get_by_role("alert")).to_be_empty()


def test_done_asks_a_server_again_that_was_gone(game, complaints):
    complaints.expect_no_answer(ANSWERS)
    game.route(f"**{ANSWERS}", lambda route: route.abort("connectionrefused"))
    draw(game, 0)
    expect(game.locator("#prediction")).to_contain_text("No answer yet")
    game.unroute(f"**{ANSWERS}")
    button(game, "Done").click()
    expect_asked(game, 1)


def test_a_busy_server_is_asked_again_by_itself(page, complaints):
    complaints.expect_status(503, ANSWERS)
    page.add_init_script("Math.random = () => 0;")
    open_challenge(page)
    page.route(f"**{ANSWERS}", lambda route: answer_with(route, busy), times=1)
    draw(page, 0)
    expect(page.get_by_role("alert")).to_have_text("Busy: trying again in 2 seconds.")
    let_pass(page, 2001)
    expect_right(page)
    let_pass(page, MOMENT)
    expect_asked(page, 1)


def test_a_digit_that_waits_for_a_busy_server_can_be_skipped(page, complaints):
    complaints.expect_status(503, ANSWERS)
    open_challenge(page)
    page.route(f"**{ANSWERS}", lambda route: answer_with(route, busy))
    draw(page, 0)
    expect(page.get_by_role("alert")).to_contain_text("Busy")
    button(page, "Skip").click()
    expect_asked(page, 1)
    expect(page.get_by_role("alert")).to_be_empty()
    let_pass(page, 300_000)
    expect_asked(page, 1)
