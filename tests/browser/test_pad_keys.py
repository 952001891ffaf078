"""The drawing pad under the keys alone."""

import pytest
from playwright.sync_api import expect

from .pad import bitmap, button, expect_digit, expect_nothing_drawn, ink, pad
from .strokes import draw


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
    page.get_by_role("link", name="Home").focus()
    page.keyboard.press("Delete")
    page.keyboard.press("e")
    assert ink(page)["share"] > 0
    expect(page.get_by_label("Medium")).to_be_checked()


@pytest.mark.parametrize("how", ["by its button", "by its key"])
def test_clear_works_while_the_keys_hold_the_pen_down_and_is_announced(page, how):
    page.goto("/draw/")
    pad(page).focus()
    for key in [" ", "ArrowDown", "ArrowDown"]:
        page.keyboard.press(key)
    if how == "by its key":
        page.keyboard.press("Delete")
    else:
        button(page, "Clear").click()
    expect(page.get_by_role("status")).to_have_text("Cleared.")
    page.keyboard.press("Tab")  # which takes away the circle where the pen is
    expect_nothing_drawn(page)


def test_explain_works_while_the_keys_hold_the_pen_down(page):
    page.goto("/draw/")
    pad(page).focus()
    for key in ["ArrowUp"] * 10 + [" "] + ["ArrowDown"] * 20:
        page.keyboard.press(key)
    button(page, "Explain").click()
    expect(page.get_by_role("heading", name="Why 1, and not")).to_be_visible()
