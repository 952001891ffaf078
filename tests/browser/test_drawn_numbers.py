"""Whole numbers drawn on the pad."""

import pytest
from playwright.sync_api import expect

from .pad import answer, button, expect_digit, expect_settled, pad
from .strokes import draw, draw_number


@pytest.mark.parametrize(
    ("number", "gap"), [("42", 0.1), ("1984", 0.1), ("66", -0.04)], ids=["42", "1984", "touching-66"]
)
def test_a_drawn_number_is_read_with_a_box_around_each_digit(page, number, gap):
    page.goto("/draw/")
    draw_number(page, number, gap)
    expect_settled(page)
    expect(answer(page)).to_have_text(number)
    expect(page.locator("#boxes text")).to_have_text(list(number))
    drawn = pad(page).bounding_box()
    places = [box.bounding_box() for box in page.locator("#boxes rect").all()]
    assert [place["x"] for place in places] == sorted(place["x"] for place in places)
    assert all(0.3 < place["height"] / drawn["height"] < 0.6 for place in places)
    expect(page.locator("#prediction .digits-of-number .digit")).to_have_text(list(number))
    expect(page.get_by_role("status")).to_contain_text(f"{number}, ")
    expect(button(page, "Explain")).to_be_hidden()


def test_the_boxes_of_a_number_go_with_it(page):
    page.goto("/draw/")
    draw_number(page, "42", 0.1)
    expect(page.locator("#boxes rect")).to_have_count(2)
    button(page, "Clear").click()
    expect(page.locator("#boxes rect")).to_have_count(0)
    draw(page, 7)
    expect_digit(page, 7)
    expect(page.locator("#boxes rect")).to_have_count(0)


def test_a_number_in_two_lines_is_read_from_top_to_bottom(page):
    page.goto("/draw/")
    draw_number(page, "19", 0.12, height=0.35, top=0.08)
    draw_number(page, "84", 0.12, height=0.35, top=0.56)
    expect_settled(page)
    expect(answer(page)).to_have_text("19 84")
    expect(page.locator("#boxes text")).to_have_text(list("1984"))
