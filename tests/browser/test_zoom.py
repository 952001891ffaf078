"""A photo on the pad is zoomed and moved, and what is seen of it is read."""

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from ..pictures import encoded, number_picture
from .pad import ANSWERS, ON_A_PHONE, answer, button, choose, expect_settled, pad, take
from .strokes import drag_fingers, on_screen


def choose_number(page: Page) -> None:
    """Two digits far apart, 4 on the left and 2 on the right."""
    page.goto("/draw/")
    sheet = Image.new("L", (480, 160), "white")
    for left, digit in ((60, "4"), (300, "2")):
        sheet.paste(number_picture(digit), (left, 30))
    choose(page, "number.png", encoded(sheet))
    expect_read(page, "4 2")


def expect_read(page: Page, number: str) -> None:
    expect_settled(page)
    expect(answer(page)).to_have_text(number)


def place_of(page: Page, number: int) -> tuple[float, float]:
    """The middle of a digit's box on the screen."""
    box = page.locator("#boxes rect").nth(number).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_wheel_zooms_a_photo_to_what_is_read_and_back(page):
    choose_number(page)
    page.mouse.move(*place_of(page, 1))
    page.mouse.wheel(0, -350)
    expect_read(page, "2")
    page.reload()
    expect_read(page, "2")
    page.mouse.wheel(0, 2000)
    expect_read(page, "4 2")


def test_a_zoomed_photo_is_moved_by_the_mouse(page):
    choose_number(page)
    left, right = place_of(page, 0), place_of(page, 1)
    page.mouse.move(*right)
    page.mouse.wheel(0, -210)  # twice as large
    expect_read(page, "2")
    take(page, "Move")
    page.mouse.move(*left)
    page.mouse.down()
    page.mouse.move(2 * right[0] - left[0], right[1], steps=5)
    page.mouse.up()
    expect_read(page, "4")


def test_the_boxes_lie_on_the_digits_of_a_zoomed_photo(page):
    choose_number(page)
    before = page.locator("#boxes rect").first.bounding_box()
    with page.expect_response(f"**{ANSWERS}"):
        button(page, "Zoom in").click()
    expect_settled(page)
    after = page.locator("#boxes rect").first.bounding_box()
    assert after["height"] == pytest.approx(1.5 * before["height"], rel=0.2)
    with page.expect_response(f"**{ANSWERS}"):
        button(page, "Zoom out").click()
    expect_read(page, "4 2")
    assert page.locator("#boxes rect").first.bounding_box() == pytest.approx(before, abs=2)


def test_keys_zoom_a_photo(page, complaints):
    complaints.expect_status(422, ANSWERS)
    choose_number(page)
    pad(page).focus()
    for _ in range(4):
        page.keyboard.press("+")
    expect(page.locator("#prediction .refused")).to_contain_text("No ink")  # between the digits
    for _ in range(4):
        page.keyboard.press("-")
    expect_read(page, "4 2")


def test_what_zooms_is_there_for_a_photo_alone(page):
    page.goto("/draw/")
    expect(button(page, "Zoom in")).to_be_hidden()
    expect(page.get_by_title("Move")).to_be_hidden()
    choose_number(page)
    expect(button(page, "Zoom in")).to_be_visible()
    take(page, "Move")
    button(page, "Clear").click()
    expect(button(page, "Zoom in")).to_be_hidden()
    expect(page.get_by_label("Medium")).to_be_checked()


@ON_A_PHONE
def test_two_fingers_zoom_a_photo_and_draw_nothing(page):
    choose_number(page)
    two = page.locator("#boxes rect").nth(1).bounding_box()
    place = pad(page).bounding_box()
    middle = [(two["x"] + two["width"] / 2 - place["x"]) / place["width"], (two["y"] - place["y"]) / place["height"]]
    apart = [[(middle[0] + side * reach, middle[1]) for reach in (0.03, 0.06, 0.1, 0.13)] for side in (-1, 1)]
    drag_fingers(page, [on_screen(pad(page), path) for path in apart])
    expect_read(page, "2")
    expect(button(page, "Undo")).to_be_enabled()
    button(page, "Undo").click()  # the only mark was the photo
    expect(page.locator("#prediction")).to_contain_text("Nothing drawn yet")
