"""The gallery in a browser without JavaScript."""

import re

from playwright.sync_api import expect

from .pad import WITHOUT_JAVASCRIPT
from .test_gallery_page import answer, reading, score, shown_tiles, tap


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_tap_answers_on_a_full_page(page):
    page.goto("/")
    shown = shown_tiles(page)
    assert len(set(shown)) == 20
    first = tap(page, 3)
    assert page.url.endswith(f"#{shown[3]}")
    assert shown_tiles(page) == shown
    expect(answer(page)).to_have_count(1)
    read = reading(first)

    second = tap(page, 11)
    assert shown_tiles(page) == shown
    expect(answer(page)).to_have_count(2)
    assert reading(first) == read
    assert reading(second)["label"] in range(10)


@WITHOUT_JAVASCRIPT
def test_without_javascript_generate_loads_new_tiles(page):
    page.goto("/")
    tap(page, 0)
    before = shown_tiles(page)
    page.get_by_role("button", name="Generate").click()
    expect(answer(page)).to_have_count(0)
    after = shown_tiles(page)
    assert len(set(after)) == 20
    assert after != before


@WITHOUT_JAVASCRIPT
def test_without_javascript_the_filter_the_score_and_all_answers_work(page):
    page.goto("/")
    tap(page, 0)
    page.get_by_label("Digit", exact=True).select_option("4")
    page.get_by_label("Hard ones").check()
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".selected")).to_contain_text("of a 4 that the network gets wrong or is not sure of")
    expect(score(page)).to_have_text("No tile read yet")  # of these
    shown = shown_tiles(page)
    tap(page, 0)
    page.get_by_role("button", name="Predict all").click()
    expect(answer(page)).to_have_count(len(shown))
    assert shown_tiles(page) == shown
    expect(score(page)).to_have_text(re.compile(rf"^\d+ of {len(shown)} right(, \d+ not sure)?$"))
    expect(page.get_by_label("Digit", exact=True)).to_have_value("4")
    expect(page.get_by_label("Hard ones")).to_be_checked()
