"""Whole numbers drawn on the pad."""

import pytest
from playwright.sync_api import expect

from .pad import answer, button, expect_digit, expect_settled, pad
from .strokes import draw, draw_number
from .test_accessibility import assert_accessible


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


def test_each_digit_of_a_number_is_explained(page):
    page.goto("/draw/")
    draw_number(page, "42", 0.1)
    expect_settled(page)
    button(page, "Explain").click()
    explanation = page.get_by_label("Explanation")
    digits = explanation.get_by_role("group", name="Digit to explain").get_by_role("button")
    expect(digits).to_have_text(["4", "2"])
    for place, digit in enumerate("42"):
        digits.nth(place).click()
        expect(explanation.get_by_role("heading", level=2)).to_contain_text(f"Why {digit}, and not ")
        expect(digits.nth(place)).to_have_attribute("aria-pressed", "true")
        expect(digits.nth(1 - place)).to_have_attribute("aria-pressed", "false")
        expect(digits.nth(place)).to_be_focused()
    assert_accessible(page)
    button(page, "Undo").click()
    expect(explanation).to_be_empty()


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
