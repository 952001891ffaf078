"""Requests that bring no answer: to a busy server, and those that something else answers in its place."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from digits.refusals import Busy, TooManyRequests

from .answers import answer_as_another, answer_with
from .pad import ACROSS, ANSWERS, answer, button, expect_digit, expect_nothing_drawn, expect_settled, late_answers, pad
from .strokes import DIGITS, draw, draw_number, draw_stroke, on_screen

TILES = re.compile(r"/tiles/\d+/prediction/")
MOST_RETRIES = 5
NO_SPREAD = "Math.random = () => 0;"
A_WHILE = 300_000  # ms
STOPPED = 1000  # seconds after the beginning of 1970, which the clock of the browser shows then

busy = Busy("More predictions are asked for than this server makes at once.", {"Retry-After": "2"})


@pytest.fixture
def still_page(page: Page) -> Page:
    """The drawing pad, whose clock stands still until a test moves it."""
    page.clock.install(time=0)
    page.add_init_script(NO_SPREAD)
    page.goto("/draw/")
    page.clock.pause_at(STOPPED)
    return page


@pytest.fixture
def asked(page: Page) -> Iterator[list[Request]]:
    """The drawings that were sent."""
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request) if ANSWERS in request.url else None)
    return requests


def let_pass(page: Page, seconds: int) -> None:
    page.clock.run_for(1000 * seconds + 1)  # a timer of no time is one of a millisecond


def notice(page: Page) -> Locator:
    return page.get_by_role("alert")


def refuse_drawings(page: Page, times: int | None = None, refusal: Busy | TooManyRequests = busy) -> None:
    page.route(f"**{ANSWERS}", lambda route: answer_with(route, refusal), times=times)


def expect_no_answer_yet(page: Page) -> None:
    expect(page.locator("#prediction .verdict")).to_have_text("No answer yet")
    expect(page.locator("#boxes rect")).to_have_count(0)
    expect_settled(page)


# Others' answers


@pytest.mark.parametrize("status", [200, 403, 502])
def test_what_another_answers_comes_into_no_page(page, complaints, status):
    if status != 200:
        complaints.expect_status(status, ANSWERS)
    page.goto("/draw/")
    draw_stroke(page, ACROSS)
    expect(answer(page)).to_be_visible()
    entries, title = page.evaluate("history.length"), page.title()
    page.route(f"**{ANSWERS}", lambda route: answer_as_another(route, status))
    draw_stroke(page, [(x, 0.3) for x, _ in ACROSS])
    expect(notice(page)).to_contain_text("No answer from Digit Recognizer.")
    expect_no_answer_yet(page)
    expect(page.get_by_text("Please sign in")).to_have_count(0)
    assert page.url.endswith("/draw/")
    assert (page.evaluate("history.length"), page.title()) == (entries, title)
    page.unroute(f"**{ANSWERS}")
    button(page, "Try again").click()
    expect(page.locator("#prediction .answered")).to_be_visible()
    expect(notice(page)).to_be_empty()


def test_what_another_answers_replaces_no_tiles(page):
    page.goto("/")
    page.route("**/tiles/?*", lambda route: answer_as_another(route, 200))
    tiles = page.locator("#tiles").inner_html()
    entries, url = page.evaluate("history.length"), page.url
    page.get_by_role("button", name="Generate").click()
    expect(notice(page)).to_contain_text("No answer from Digit Recognizer.")
    assert page.locator("#tiles").inner_html() == tiles
    assert (page.evaluate("history.length"), page.url) == (entries, url)
    page.unroute("**/tiles/?*")
    button(page, "Try again").click()
    expect(page.get_by_role("status")).to_have_text("20 new digits.")
    expect(notice(page)).to_be_empty()


# A busy server


@pytest.mark.parametrize(
    "refusal",
    [busy, TooManyRequests("This client has asked 60 times already.", {"Retry-After": "2"})],
    ids=["busy", "rate"],
)
def test_a_drawing_that_finds_the_server_busy_is_sent_again_by_itself(still_page, complaints, asked, refusal):
    complaints.expect_status(refusal.status, ANSWERS)
    refuse_drawings(still_page, times=1, refusal=refusal)
    draw(still_page, 1)
    expect(notice(still_page)).to_have_text("Busy: trying again in 2 seconds.")
    expect_no_answer_yet(still_page)
    let_pass(still_page, 1)
    expect(notice(still_page)).to_have_text("Busy: trying again in 1 second.")
    assert len(asked) == 1
    let_pass(still_page, 1)
    expect_digit(still_page, 1)
    expect(notice(still_page)).to_be_empty()
    assert len(asked) == 2


def test_others_are_given_time_before_all_come_back(page, complaints, asked):
    complaints.expect_status(503, ANSWERS)
    page.clock.install(time=0)
    page.add_init_script("Math.random = () => 0.5;")
    page.goto("/draw/")
    page.clock.pause_at(STOPPED)
    refuse_drawings(page, times=1)
    draw(page, 1)
    expect(notice(page)).to_be_visible()
    page.clock.run_for(2499)
    expect(notice(page)).to_have_text("Busy: trying again now.")
    assert len(asked) == 1
    page.clock.run_for(1)
    expect_digit(page, 1)


def test_an_earlier_answer_goes_when_the_server_is_busy(page, complaints):
    complaints.expect_status(503, ANSWERS)
    page.goto("/draw/")
    draw_number(page, "42", 0.1)
    expect(page.locator("#boxes rect")).to_have_count(2)
    refuse_drawings(page, times=1)
    draw_stroke(page, ACROSS)
    expect_no_answer_yet(page)
    expect(page.locator("#prediction .answered")).to_be_visible()  # in two seconds
    expect(notice(page)).to_be_empty()


def test_a_server_that_stays_busy_is_not_asked_for_ever(still_page, complaints, asked):
    complaints.expect_status(503, ANSWERS)
    refuse_drawings(still_page)
    draw(still_page, 1)
    for _ in range(MOST_RETRIES):
        expect(notice(still_page)).to_have_text("Busy: trying again in 2 seconds.")
        let_pass(still_page, 2)
    expect(notice(still_page)).to_contain_text(busy.detail)
    still_page.clock.run_for(A_WHILE)
    expect_no_answer_yet(still_page)
    assert len(asked) == 1 + MOST_RETRIES
    still_page.unroute(f"**{ANSWERS}")
    button(still_page, "Try again").click()
    expect_digit(still_page, 1)


def test_a_long_wait_is_left_to_the_person(still_page, complaints, asked):
    complaints.expect_status(429, ANSWERS)
    refuse_drawings(still_page, refusal=TooManyRequests("Try again in 3000 seconds.", {"Retry-After": "3000"}))
    draw(still_page, 1)
    expect(notice(still_page)).to_contain_text("Try again in 3000 seconds.")
    expect(button(still_page, "Try again")).to_be_visible()
    expect_no_answer_yet(still_page)
    still_page.clock.run_for(A_WHILE)
    assert len(asked) == 1


@pytest.mark.parametrize("told", ["3", "Thu, 01 Jan 1970 00:16:43 GMT"], ids=["seconds", "date"])
def test_a_busy_proxy_is_asked_again_too(still_page, complaints, told):
    complaints.expect_status(503, ANSWERS)
    tell = {"Retry-After": told}
    still_page.route(f"**{ANSWERS}", lambda route: answer_as_another(route, 503, **tell), times=1)
    draw(still_page, 1)
    expect(notice(still_page)).to_have_text("Busy: trying again in 3 seconds.")
    let_pass(still_page, 3)
    expect_digit(still_page, 1)
    expect(notice(still_page)).to_be_empty()


def test_a_newer_drawing_replaces_the_one_that_waits(still_page, complaints, asked):
    complaints.expect_status(503, ANSWERS)
    refuse_drawings(still_page, times=1)
    first, second = DIGITS[4]
    draw_stroke(still_page, first)
    expect(notice(still_page)).to_have_text("Busy: trying again in 2 seconds.")
    draw_stroke(still_page, second)
    expect_digit(still_page, 4)
    expect(notice(still_page)).to_be_empty()
    still_page.clock.run_for(A_WHILE)
    expect_digit(still_page, 4)
    assert len(asked) == 2


def test_a_busy_server_is_not_asked_about_what_is_under_the_pen(still_page, complaints, asked):
    complaints.expect_status(503, ANSWERS)
    refuse_drawings(still_page, times=1)
    first, second = DIGITS[4]
    draw_stroke(still_page, first)
    expect(notice(still_page)).to_be_visible()
    start, *others = on_screen(pad(still_page), second)
    still_page.mouse.move(*start)
    still_page.mouse.down()
    for place in others:
        still_page.mouse.move(*place)
        still_page.clock.run_for(100)
    assert len(asked) == 1
    still_page.mouse.up()
    expect_digit(still_page, 4)
    assert len(asked) == 2


def test_a_drawing_that_is_cleared_while_it_waits_is_not_sent(still_page, complaints, asked):
    complaints.expect_status(503, ANSWERS)
    refuse_drawings(still_page)
    draw(still_page, 1)
    expect(notice(still_page)).to_be_visible()
    button(still_page, "Clear").click()
    expect_nothing_drawn(still_page)
    expect(notice(still_page)).to_be_empty()
    still_page.clock.run_for(A_WHILE)
    assert len(asked) == 1


def test_tiles_that_find_the_server_busy_are_answered_later(page, complaints):
    page.clock.install(time=0)
    page.add_init_script(NO_SPREAD)
    page.goto("/")
    page.clock.pause_at(STOPPED)
    page.route(TILES, lambda route: answer_with(route, busy), times=3)
    for tile in page.locator(".tile").all()[:3]:
        complaints.expect_status(503, f"/tiles/{tile.get_attribute('id').removeprefix('tile-')}/prediction/")
        tile.get_by_role("button").click()
    expect(page.locator(".tile-face.awaits-retry")).to_have_count(3)
    expect(notice(page)).to_have_text("Busy: trying again in 2 seconds.")
    let_pass(page, 2)
    expect(page.locator(".tile-read")).to_have_count(3)
    expect(notice(page)).to_be_empty()
    expect(page.locator("#score strong")).to_contain_text(" of 3 right")


# Requests that are withdrawn


@pytest.fixture
def console(page: Page) -> list[str]:
    """What anything says in the console of the browser, at any level."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    return said


def test_many_quick_strokes_say_nothing_in_the_console(page, console):
    page.goto("/draw/")
    for y in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        draw_stroke(page, [(x, y) for x, _ in ACROSS])
    expect_settled(page)
    for _ in range(3):
        button(page, "Undo").click()
    button(page, "Clear").click()
    draw(page, 7)
    expect_digit(page, 7)
    assert console == []


def test_a_request_that_is_withdrawn_says_nothing_in_the_console(page, console):
    page.goto("/draw/")
    first, second = DIGITS[4]
    with late_answers(page):
        with page.expect_request(f"**{ANSWERS}"):
            draw_stroke(page, first)
        with page.expect_event("requestfailed"):
            draw_stroke(page, second)
    expect_digit(page, 4)
    assert console == []


def test_an_explanation_of_an_earlier_drawing_is_withdrawn(page, console):
    page.goto("/draw/")
    draw(page, 7)
    expect_digit(page, 7)
    page.route("**/draw/explain/", lambda route: None)
    with page.expect_request("**/draw/explain/"):
        button(page, "Explain").click()
    with page.expect_event("requestfailed", lambda request: "explain" in request.url):
        draw_stroke(page, ACROSS)
    expect(page.locator("#explanation")).to_be_empty()
    assert console == []
