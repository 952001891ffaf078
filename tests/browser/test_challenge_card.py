"""The card at the end of the ten-digit challenge: its words and colours, and how it is shared and copied."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from .challenge import ADDRESS, card, draw_right, draw_wrong, open_challenge, scribble, skip_to, status, words
from .pad import button, expect_settled

# A browser that shares files, and notes what it is given.
SHARES = """
    window.shared = null;
    navigator.canShare = ({ files }) => files.every((file) => file.type === "image/png");
    navigator.share = async ({ files, ...others }) => {
        if (window.shareError) throw new DOMException("", window.shareError);
        const bytes = [...new Uint8Array(await files[0].arrayBuffer())];
        window.shared = { bytes, name: files[0].name, ...others };
    };
"""
# A clipboard that notes what it is given, where there is none to write on.
COPIES = """
    window.copied = null;
    const clipboard = {
        async write([item]) {
            if (window.refusesPictures) throw new DOMException("", "NotAllowedError");
            const picture = await item.getType("image/png");
            window.copied = [...new Uint8Array(await picture.arrayBuffer())];
        },
        async writeText(text) {
            if (window.refusesWords) throw new DOMException("", "NotAllowedError");
            window.copied = text;
        },
    };
    Object.defineProperty(navigator, "clipboard", { value: clipboard });
"""


def play(page: Page) -> None:
    """A short game: one digit read, one tried in vain, the others skipped."""
    open_challenge(page)
    draw_right(page, 0)
    scribble(page)
    skip_to(page, 10)
    card(page)


def test_the_card_is_saved_as_a_picture(page):
    play(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the card").click()
    assert download.value.suggested_filename == "ten-digits.png"
    saved = Image.open(download.value.path()).convert("RGB")
    assert np.array_equal(np.asarray(saved), np.asarray(card(page)))


def test_the_words_of_the_card_say_all_that_it_shows(page):
    open_challenge(page)
    draw_right(page, 0)
    draw_wrong(page, 7)
    button(page, "Try again").click()
    scribble(page)
    expect_settled(page)
    said = page.locator("#prediction strong").inner_text()
    skip_to(page, 10)
    score, details, *digits, address = words(page)
    assert score == "Ten-digit challenge: 1 of 10 read in 0:01."
    assert details == "Longest streak: 1. Hardest: 9 digits, skipped."
    assert digits[0].startswith("0: read as 0, ")
    assert digits[0].endswith(" % sure.")
    assert digits[1] == f"1: skipped, read as {said}, at try 2."
    assert digits[2:] == [f"{digit}: skipped, not drawn." for digit in range(2, 10)]
    assert address == f"Digit Recognizer, {page.url.removeprefix('http://')}"
    page.get_by_text("The card in words").click()
    expect(page.get_by_text(digits[1])).to_be_visible()


def test_the_card_has_the_colours_of_the_page(page):
    page.emulate_media(color_scheme="light")
    play(page)
    assert card(page).getpixel((5, 5)) == (0xF6, 0xF5, 0xF1)
    before = page.locator("[data-action=save]").get_attribute("href")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("[data-action=save]")).not_to_have_attribute("href", before)
    assert card(page).getpixel((5, 5)) == (0x14, 0x16, 0x1B)


def test_the_card_tells_what_is_read_from_what_is_skipped(page):
    page.emulate_media(color_scheme="light")
    play(page)
    picture = card(page)
    amber = (0x8A, 0x53, 0x00)
    top = [[picture.getpixel((x, 352)) for x in range(left, left + 172)] for left in (64, 259)]
    assert amber not in top[0]
    assert amber in top[1]


def test_a_browser_that_shares_no_files_does_not_offer_to(page):
    play(page)
    expect(page.locator("[data-action=share]")).to_be_hidden()
    expect(page.locator("[data-action=save]")).to_be_visible()


def test_the_card_is_shared_as_a_picture_with_its_words(page):
    page.add_init_script(SHARES)
    play(page)
    button(page, "Share").click()
    page.wait_for_function("() => window.shared")
    shared = page.evaluate("window.shared")
    assert shared["name"] == "ten-digits.png"
    assert shared["title"] == "Ten-digit challenge"
    assert shared["text"].splitlines()[:-1] == words(page)[:-1]
    assert shared["text"].endswith(f"/{ADDRESS.strip('/')}/")
    assert Image.open(io.BytesIO(bytes(shared["bytes"]))).size == (1080, 1080)


@pytest.mark.parametrize(("error", "told"), [("AbortError", ""), ("NotAllowedError", "The card could not be shared.")])
def test_only_a_failure_to_share_is_told(page, error, told):
    page.add_init_script(SHARES)
    play(page)
    page.evaluate("(error) => { window.shareError = error; }", error)
    button(page, "Share").click()
    if told:
        expect(page.locator(".told")).to_contain_text(told)
        assert told in status(page)
    else:
        page.evaluate("new Promise((resolve) => queueMicrotask(resolve))")
        expect(page.locator(".told")).to_be_empty()


def test_the_card_is_copied_as_a_picture(page):
    page.add_init_script(COPIES)
    play(page)
    button(page, "Copy").click()
    expect(page.locator(".told")).to_have_text("The card is copied.")
    assert status(page) == "The card is copied."
    assert Image.open(io.BytesIO(bytes(page.evaluate("window.copied")))).size == (1080, 1080)


def test_a_browser_that_copies_no_pictures_copies_the_words(page):
    page.add_init_script(COPIES)
    play(page)
    page.evaluate("window.refusesPictures = true")
    button(page, "Copy").click()
    expect(page.locator(".told")).to_have_text("The words of the card are copied.")
    assert page.evaluate("window.copied").splitlines()[:-1] == words(page)[:-1]
    page.evaluate("window.refusesWords = true")
    button(page, "Copy").click()
    expect(page.locator(".told")).to_have_text("The card could not be copied. Save it instead.")
    button(page, "Play again").click()
    skip_to(page, 10)
    expect(page.locator(".told")).to_be_empty()  # what was told was about another card
