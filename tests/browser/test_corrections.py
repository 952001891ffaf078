"""Saying what a drawing was: offered beside the answer, kept in the tab, and saved as a CSV to train with."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from django.test import RequestFactory
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from digit_recognizer_dl_model.dataset import read_csv
from digits.views import sent_sheet

from .pad import PHONE, WITHOUT_JAVASCRIPT, answer, bottom, button, choose, expect_digit, expect_settled, pad
from .strokes import DIGITS, draw, draw_and_hold, draw_number, draw_stroke, on_screen, picture

EXPLANATIONS = "/draw/explain/"
SCRAWL = [(0.2 + 0.6 * (step % 2), 0.2 + 0.04 * step) for step in range(16)]


def offer(page: Page) -> Locator:
    return page.locator("#prediction .offer")


def said(page: Page) -> Locator:
    return offer(page).locator("summary")


def digit(page: Page, label: int) -> Locator:
    return offer(page).get_by_role("button", name=str(label), exact=True)


def say(page: Page, label: int) -> None:
    said(page).click()
    digit(page, label).click()


def fold(page: Page) -> Locator:
    return page.locator(".corrections")


def kept(page: Page) -> Locator:
    return fold(page).locator("li")  # by its role, it is not found while the fold is closed


def read_and_say(page: Page, drawn: int, label: int) -> np.ndarray:
    """Draw a digit on an empty pad and say what it is; the server's own prepared pixels of it."""
    draw(page, drawn)
    expect_digit(page, drawn)
    pixels = prepared(page)
    say(page, label)
    return pixels


def prepared(page: Page) -> np.ndarray:
    fields = {name: page.locator(f".drawing-pad [name={name}]").input_value() for name in ("strokes", "pad")}
    return sent_sheet(RequestFactory().post("/draw/predict/", fields)).candidates()[0]


def clear(page: Page) -> None:
    button(page, "Clear").click()


def test_a_digit_that_was_read_can_be_said_to_be_another_by_the_mouse(page):
    page.goto("/draw/")
    expect(fold(page)).to_be_hidden()
    expect(offer(page)).to_have_count(0)
    draw(page, 7)
    expect_digit(page, 7)
    expect(said(page)).to_have_text("It\u2019s a …")
    expect(digit(page, 1)).to_be_hidden()
    page.evaluate("""() => {
        window.told = [];
        const note = () => told.push(document.querySelector("#announcement").textContent.trim());
        new MutationObserver(note).observe(document.querySelector("#announcement"), { childList: true });
    }""")
    say(page, 8)
    expect(digit(page, 8)).to_be_hidden()
    expect(said(page)).to_have_text("✓ It\u2019s an 8")
    expect(said(page)).to_be_focused()
    expect(fold(page)).to_contain_text("Your corrections (1)")
    assert page.evaluate("told[0]") == "Noted: it is an 8."
    fold(page).get_by_text("Your corrections").click()
    expect(fold(page)).to_contain_text("Nothing leaves this tab")
    expect(kept(page).locator("span")).to_have_text(["8, read as 7"])


def test_it_is_said_by_the_keyboard(page):
    page.goto("/draw/")
    draw(page, 7)
    said(page).focus()
    page.keyboard.press("Enter")
    expect(digit(page, 0)).to_be_visible()
    page.keyboard.press("Tab")
    expect(digit(page, 0)).to_be_focused()
    page.keyboard.press("Escape")
    expect(digit(page, 0)).to_be_hidden()
    expect(said(page)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("✓ It\u2019s a 1")
    page.keyboard.press("Enter")
    expect(digit(page, 1)).to_have_attribute("aria-pressed", "true")
    expect(digit(page, 2)).to_have_attribute("aria-pressed", "false")
    for _ in range(11):
        page.keyboard.press("Tab")  # past the last digit
    expect(digit(page, 1)).to_be_hidden()


def test_what_was_said_of_the_same_drawing_before_is_replaced(page):
    page.goto("/draw/")
    read_and_say(page, 7, 1)
    say(page, 2)
    expect(kept(page).locator("span")).to_have_text(["2, read as 7"])


def test_the_look_alikes_show_what_misled_the_network_and_only_then(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if EXPLANATIONS in request.url else None)
    page.goto("/draw/")
    read_and_say(page, 7, 7)
    expect(page.get_by_role("status")).to_have_text("Noted: it is a 7.")
    say(page, 1)
    expect(page.get_by_role("list", name="It looks like these")).to_be_visible()
    expect(page.locator("#explanation h2")).to_have_text("Why 7, and not 1?")
    expect(page.locator("#explanation")).to_contain_text("And these are the nearest 1s")
    assert len(asked) == 1
    assert page.evaluate("scrollY") == 0  # nobody asked for it
    button(page, "Explain").click()
    expect(page.locator("#explanation h2")).not_to_have_text("Why 7, and not 3?")
    say(page, 3)
    expect(page.locator("#explanation h2")).to_have_text("Why 7, and not 3?")


def draw_something_unsure(page: Page) -> None:
    """Draw what is between a 1 and a 7: with a top that grows until the network is not sure."""
    unsure = page.locator(".answered.not-sure:not(.unread)")
    for left in range(40, 20, -1):
        draw_stroke(page, [(left / 100, 0.2), (0.55, 0.2), (0.5, 0.8)])
        expect_settled(page)
        if unsure.count():
            return
        clear(page)
    pytest.fail("The network is sure of everything between a 1 and a 7.", pytrace=False)


def test_an_unsure_and_a_refused_drawing_can_be_told_too(page):
    page.goto("/draw/")
    draw_something_unsure(page)
    between = answer(page).inner_text().removesuffix("?")
    assert " or " in between
    say(page, 3)
    expect(kept(page).locator("span")).to_have_text([f"3, read as {between}"])
    expect(page.locator("#explanation h2")).to_be_visible()
    clear(page)
    draw_stroke(page, SCRAWL)
    expect_settled(page)
    expect(page.locator(".answered.unread")).to_be_visible()
    say(page, 5)
    expect(kept(page).locator("span").last).to_have_text("5, not read")
    expect(page.get_by_role("status")).to_have_text("Noted: it is a 5.")  # and nothing was asked for
    expect(page.locator("#explanation")).to_be_empty()


def test_nothing_is_offered_for_numbers_while_the_pen_moves_and_without_ink(page):
    page.goto("/draw/")
    draw_and_hold(page, pad(page), DIGITS[7][0])
    expect(answer(page)).to_have_text("7")
    expect(offer(page)).to_have_count(0)
    page.mouse.up()
    expect(offer(page)).to_be_visible()
    page.mouse.move(*on_screen(pad(page), DIGITS[7][0])[0])
    page.mouse.down()
    expect(offer(page)).to_have_count(0)
    page.mouse.up()
    expect(offer(page)).to_be_visible()
    clear(page)
    expect(page.locator("#prediction")).to_contain_text("Nothing drawn yet")
    expect(offer(page)).to_have_count(0)
    draw_number(page, "42", gap=0.1)
    expect_settled(page)
    expect(page.locator(".answered.number strong")).to_have_text("42")
    expect(offer(page)).to_have_count(0)


def test_the_focus_stays_on_the_page_when_the_drawing_changes_under_it(page):
    page.goto("/draw/")
    draw(page, 7)
    said(page).focus()
    page.keyboard.press("Control+z")
    expect(offer(page)).to_have_count(0)
    expect(pad(page)).to_be_focused()


@WITHOUT_JAVASCRIPT
def test_nothing_is_offered_without_javascript(page):
    page.goto("/draw/")
    choose(page, "seven.png", picture(7))
    button(page, "Read the picture").click()
    expect(answer(page)).to_have_text("7")
    expect(offer(page)).to_have_count(0)
    expect(fold(page)).to_be_hidden()


def test_reloading_keeps_them_and_another_tab_has_none(page):
    page.goto("/draw/")
    read_and_say(page, 7, 1)
    page.reload()
    expect(fold(page)).to_contain_text("Your corrections (1)")
    expect(said(page)).to_have_text("✓ It\u2019s a 1")  # the drawing is kept, too
    page.goto("/")
    expect(kept(page).locator("span")).to_have_text(["1, read as 7"])
    other = page.context.new_page()
    other.goto("/draw/")
    draw(other, 7)
    expect(said(other)).to_have_text("It\u2019s a …")
    expect(fold(other)).to_be_hidden()


@pytest.mark.parametrize("stored", ["{", "7", '[{"label": 10, "read": "1", "picture": "data:image/png;base64,"}]'])
def test_what_another_version_kept_is_left_alone(page, stored):
    page.goto("/draw/")
    page.evaluate("stored => sessionStorage.setItem('corrections', stored)", stored)
    page.reload()
    read_and_say(page, 7, 1)
    expect(kept(page).locator("span")).to_have_text(["1, read as 7"])


def test_a_correction_is_removed_and_the_focus_goes_on(page):
    page.goto("/draw/")
    for drawn in (7, 2, 4):
        read_and_say(page, drawn, 1)
        clear(page)
    fold(page).get_by_text("Your corrections (3)").click()
    button(page, "Remove 1, read as 2").click()
    expect(page.get_by_role("status")).to_have_text("Removed: 1, read as 2.")
    expect(kept(page).locator("span")).to_have_text(["1, read as 7", "1, read as 4"])
    expect(button(page, "Remove 1, read as 4")).to_be_focused()
    page.keyboard.press("Enter")
    expect(button(page, "Remove 1, read as 7")).to_be_focused()
    page.keyboard.press("Enter")
    expect(fold(page)).to_be_hidden()
    expect(pad(page)).to_be_focused()
    page.reload()
    expect(fold(page)).to_be_hidden()


def test_the_csv_has_the_servers_own_pixels_and_can_be_trained_with(page, tmp_path):
    page.goto("/draw/")
    pixels = []
    for drawn, label in ((7, 1), (2, 2)):
        pixels.append(read_and_say(page, drawn, label))
        clear(page)
    fold(page).get_by_text("Your corrections (2)").click()
    with page.expect_download() as download:
        button(page, "Download as CSV").click()
    assert download.value.suggested_filename == "corrections.csv"
    path = tmp_path / "corrections.csv"
    download.value.save_as(path)
    with Path("data/mnist_test.csv").open("rb") as gallery:
        assert path.read_bytes().startswith(gallery.readline())
    dataset = read_csv(path)
    assert dataset.labels.tolist() == [1, 2]
    assert np.array_equal(dataset.pixels, pixels)
    assert len(np.unique(dataset.pixels)) > 32  # many greys, which a browser could have rounded
    shown = [each.get_attribute("src").partition(",")[2] for each in kept(page).locator("img").all()]
    assert np.array_equal([np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in shown], pixels)


SCREENS = [{"viewport": {"width": 1280, "height": 900}}, PHONE | {"viewport": {"width": 320, "height": 640}}]
SCREENS.append(PHONE | {"viewport": {"width": 667, "height": 331}})


def place(page: Page) -> list[float]:
    """Where the pad is on the page, however far that is scrolled."""
    corner = "canvas => [canvas.getBoundingClientRect().x + scrollX, canvas.getBoundingClientRect().y + scrollY]"
    return pad(page).evaluate(corner)


@pytest.mark.parametrize("page", SCREENS, indirect=True, ids=["desktop", "phone", "landscape"])
def test_nothing_moves_and_everything_fits(page):
    page.goto("/")
    before = place(page)
    draw(page, 7)
    expect(offer(page)).to_be_visible()
    assert place(page) == before
    said(page).click()
    assert place(page) == before
    for box in [digit(page, label).bounding_box() for label in range(10)]:
        assert box["x"] >= 0
        assert min(box["width"], box["height"]) >= 44
    digit(page, 7).click()
    expect(fold(page)).to_be_visible()
    assert place(page) == before
    fold(page).get_by_text("Your corrections").click()
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    remove = button(page, "Remove 7, read as 7").bounding_box()
    card = fold(page).bounding_box()
    assert remove["x"] + remove["width"] <= card["x"] + card["width"]


@pytest.mark.parametrize("page", SCREENS, indirect=True, ids=["desktop", "phone", "landscape"])
def test_a_long_verdict_and_the_offer_share_their_row(page):
    page.goto("/draw/")
    before = place(page)
    draw_stroke(page, SCRAWL)
    expect(page.locator(".answered.unread")).to_be_visible()
    expect(offer(page)).to_be_visible()
    assert place(page) == before
    words, control = answer(page).bounding_box(), said(page).bounding_box()
    assert words["x"] + words["width"] <= control["x"] or bottom(answer(page)) <= control["y"]
    assert control["x"] + control["width"] <= page.viewport_size["width"]


@pytest.mark.parametrize("page", SCREENS[:1], indirect=True, ids=["desktop"])
def test_the_first_row_of_the_gallery_stays_in_sight(page):
    page.goto("/")
    first = page.locator(".tile").first
    before = bottom(first)
    assert before <= 900
    draw(page, 7)
    say(page, 7)
    expect(fold(page)).to_be_visible()
    assert bottom(first) == before


@pytest.mark.parametrize("page", [{"forced_colors": "active"}], indirect=True, ids=["forced-colours"])
def test_what_was_said_shows_in_forced_colours(page):
    page.goto("/draw/")
    read_and_say(page, 7, 7)
    said(page).click()
    chosen, other = (
        digit(page, label).evaluate("button => getComputedStyle(button).borderTopWidth") for label in (7, 1)
    )
    assert (chosen, other) == ("3px", "1px")
