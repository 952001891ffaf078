"""The ten-digit challenge on screens of all sizes, in all of its states, with fingers and in forced colours."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from .challenge import (
    ADDRESS,
    MOMENT,
    card,
    draw_right,
    draw_wrong,
    expect_asked,
    expect_read,
    expect_right,
    let_pass,
    open_challenge,
    scribble,
    skip_to,
)
from .pad import LANDSCAPE, ON_A_PHONE, UPRIGHT, bottom, button, pad
from .strokes import draw, touch
from .test_accessibility import assert_accessible, in_both_schemes

SIZES = [(320, 640), (390, 760), (568, 320), (768, 1024), (1280, 800), (1920, 1080)]
PHONES = [*UPRIGHT, *LANDSCAPE]
# The left, right, upper and lower edge of each part of the page that a selector finds and that has a place there.
EDGES = """(selector) => [...document.querySelectorAll(selector)].filter((part) => part.offsetParent).map((part) => {
    const box = part.getBoundingClientRect();
    return [box.left, box.right, box.top + scrollY, box.bottom + scrollY].map(Math.round);
})"""


def name(options: dict) -> str:
    return "{width}x{height}".format(**options["viewport"])


def in_every_state(page: Page, check: Callable[[], None]) -> None:
    """Play a short game, and check the page in each of its states."""
    open_challenge(page)
    check()
    draw(page, 0)
    expect_right(page)
    check()
    let_pass(page, MOMENT)
    check()
    draw_wrong(page, 8)
    check()
    button(page, "Try again").click()
    draw_right(page, 1)
    check()
    scribble(page)
    button(page, "Done").click()
    expect(page.locator(".is-wrong")).to_have_count(1)
    check()


@pytest.mark.parametrize(
    "page",
    [{"viewport": {"width": width, "height": height}} for width, height in SIZES],
    indirect=True,
    ids=["{}x{}".format(*size) for size in SIZES],
)
def test_everything_is_within_the_window_and_nothing_moves_the_pad(page):
    width, places = page.viewport_size["width"], []

    def check() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        edges = page.evaluate(EDGES, ":is(main button, .slots li, .figures div, .hint, .verdict strong)")
        assert all(left >= 0 and right <= width for left, right, _, _ in edges)
        [(_, _, top, end)] = page.evaluate(EDGES, ".read-as")
        assert all(top <= each[2] and each[3] <= end for each in page.evaluate(EDGES, ".read-as :is(p, strong, span)"))
        [(_, _, pad_top, _)] = page.evaluate(EDGES, ".drawing-pad canvas")
        assert pad_top >= end or pad_top < top  # below it, or beside it
        places.append(pad_top)

    in_every_state(page, check)
    assert len(set(places)) == 1
    skip_to(page, 10)
    card(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert all(right <= width for _, right, _, _ in page.evaluate(EDGES, "#result :is(canvas, a, button)"))


@pytest.mark.parametrize("page", PHONES, indirect=True, ids=map(name, PHONES))
def test_a_phone_shows_the_task_the_pad_and_its_buttons_together(page):
    open_challenge(page)
    box = pad(page).bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=2)
    assert box["width"] >= 170
    for part in [page.locator("#task"), page.locator(".read-as"), pad(page), button(page, "Done")]:
        assert part.bounding_box()["y"] >= 0
        assert bottom(part) <= page.viewport_size["height"]
    for control in page.locator(".tools .button").all():
        assert control.bounding_box()["height"] >= 44


@ON_A_PHONE
def test_fingers_play_it(page):
    open_challenge(page)
    for digit in (0, 1):
        touch(page, digit)
        expect_right(page)
        let_pass(page, MOMENT)
    expect_asked(page, 2)
    assert page.evaluate("scrollY") == 0


@in_both_schemes
def test_the_challenge_is_accessible_in_all_its_states(page):
    page.goto(ADDRESS)  # with a clock that runs, as axe waits for it
    assert_accessible(page)
    draw(page, 0)
    expect_asked(page, 1)
    draw(page, 8)
    expect_read(page, "8")
    button(page, "Done").click()
    expect(page.locator(".is-wrong")).to_have_count(1)
    assert_accessible(page)
    page.locator(".is-wrong").evaluate("(part) => part.classList.replace('is-wrong', 'is-right')")  # for a moment only
    assert_accessible(page)
    button(page, "Try again").click()
    scribble(page)
    button(page, "Done").click()
    expect(page.locator(".is-wrong")).to_have_count(1)
    assert_accessible(page)
    skip_to(page, 10)
    card(page)
    assert_accessible(page)
    page.get_by_text("The card in words").click()
    assert_accessible(page)


@pytest.mark.parametrize("page", [{"forced_colors": "active"}], indirect=True, ids=["forced-colours"])
def test_the_states_show_in_forced_colours(page):
    def style(part: Locator, of: str) -> str:
        return part.evaluate("(part, of) => getComputedStyle(part)[of]", of)

    open_challenge(page)
    draw(page, 0)
    expect_right(page)
    assert style(pad(page), "outlineStyle") == "solid"
    let_pass(page, MOMENT)
    expect_asked(page, 1)
    button(page, "Skip").click()
    read, skipped, current, later = (page.locator(".slots li").nth(place) for place in range(4))
    widths = [style(each, "borderTopWidth") for each in (read, current, later)]
    assert len(set(widths)) == 3
    assert style(skipped, "borderTopStyle") == "dashed" != style(read, "borderTopStyle")


@pytest.mark.parametrize("page", [{"reduced_motion": "reduce"}, {}], indirect=True, ids=["still", "moving"])
def test_digits_land_in_their_places_without_motion_where_that_is_asked_for(page):
    open_challenge(page)
    draw_right(page, 0)
    animation = page.locator(".slots .read").evaluate("(slot) => getComputedStyle(slot).animationName")
    asked = page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    assert (animation == "none") == asked
