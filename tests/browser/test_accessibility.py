"""axe-core finds nothing on any page, in any state, in both colour schemes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from .strokes import draw, draw_number, draw_stroke

SCHEMES = [{"color_scheme": scheme, "viewport": {"width": 375, "height": 812}} for scheme in ("light", "dark")]
in_both_schemes = pytest.mark.parametrize("page", SCHEMES, indirect=True, ids=["light", "dark"])


def assert_accessible(page: Page) -> None:
    expect(page.locator(".htmx-request")).to_have_count(0)  # which pales what is about to be replaced
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@in_both_schemes
def test_the_gallery_is_accessible_before_and_after_answers(page):
    page.goto("/")
    assert_accessible(page)
    for place in range(3):
        tile = page.locator(".tile").nth(place)
        tile.get_by_role("button").click()
        expect(tile.locator(".tile-read")).to_be_visible()
    assert_accessible(page)


@in_both_schemes
def test_wrong_and_uncertain_tiles_are_accessible(page):
    # Two of MNIST's most disputed digits.
    page.goto("/?tile=1247&tile=2130&predict=1247&predict=2130")
    expect(page.locator(".tile-read")).to_have_count(2)
    assert_accessible(page)


@in_both_schemes
@pytest.mark.parametrize(
    "path", ["/?hard=1&predict=all&right=1&of=2", "/?digit=0&read=1", "/tiles/0/", "/tiles/2130/?explain=1"]
)
def test_filters_scores_and_the_pages_of_tiles_are_accessible(page, path):
    page.goto(path)
    assert_accessible(page)


@in_both_schemes
def test_the_drawing_pad_is_accessible_empty_answered_unsure_and_refused(page, complaints):
    complaints.expect_status(422, "/draw/predict/")
    page.goto("/draw/")
    assert_accessible(page)
    draw(page, 2)
    expect(page.locator(".answered")).to_be_visible()
    assert_accessible(page)
    page.get_by_text("The network at work").click()
    expect(page.get_by_label("Layer", exact=True)).to_have_value("6")
    assert_accessible(page)
    page.get_by_role("button", name="Explain").click()
    page.get_by_text("Feature maps").click()
    assert_accessible(page)
    draw(page, 8)
    expect(page.locator(".answered.not-sure")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Clear").click()
    draw_number(page, "42", gap=0.1)
    expect(page.locator(".number")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Clear").click()
    draw_stroke(page, [(0.5, 0.5)])
    expect(page.locator(".refused")).to_be_visible()
    assert_accessible(page)


@in_both_schemes
def test_saying_what_was_drawn_is_accessible_while_it_is_chosen_and_kept(page):
    page.goto("/draw/")
    draw(page, 7)
    page.get_by_text("It\u2019s a …").click()
    expect(page.get_by_role("button", name="9", exact=True)).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="7", exact=True).click()
    page.get_by_text("Your corrections (1)").click()
    expect(page.get_by_role("button", name="Download as CSV")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("page", [{"forced_colors": "active"}], indirect=True, ids=["forced-colours"])
def test_what_is_chosen_and_what_colours_mean_still_shows_in_forced_colours(page):
    def style(part: Locator, name: str) -> str:
        return part.evaluate("(part, name) => getComputedStyle(part)[name]", name)

    page.goto("/draw/")
    current, other = (page.get_by_role("link", name=name, exact=True) for name in ("Large pad", "Home"))
    paper = style(page.locator("html"), "backgroundColor")
    assert style(other, "borderBottomColor") == paper != style(current, "borderBottomColor")
    chosen, others = page.get_by_title("Medium"), page.get_by_title("Broad")
    assert style(chosen, "borderTopWidth") > style(others, "borderTopWidth")
    draw(page, 7)
    page.get_by_role("button", name="Explain").click()
    swatches = page.locator(".swatch")
    expect(swatches).to_have_count(2)
    colours = {style(swatch, "backgroundColor") for swatch in swatches.all()}
    assert len(colours) == 2
    assert paper not in colours


@in_both_schemes
def test_the_page_about_the_network_is_accessible_closed_and_open(page):
    page.goto("/model/")
    assert_accessible(page)
    for summary in page.locator("summary").all():
        summary.click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 375


@in_both_schemes
def test_the_documentation_of_the_api_is_accessible_closed_open_and_tried(page):
    page.goto("/api/")
    assert_accessible(page)
    for summary in page.locator("summary").all():
        summary.click()
    form = page.get_by_role("form", name="Try it: Read a digit")
    form.get_by_label("Picture").set_input_files("docs/seven.png")
    form.get_by_label("Picture").press("Tab")
    expect(form.get_by_role("button", name="Try it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#predict_digit output")).to_contain_text('"prediction": 7')
    assert_accessible(page)
    for width in (375, 320):
        page.set_viewport_size({"width": width, "height": 812})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator(".site-header").bounding_box()["height"] < 2 * 44


@in_both_schemes
def test_a_page_of_an_error_is_accessible(page, complaints):
    complaints.expect_status(404, "/nowhere/")
    page.goto("/nowhere/")
    assert_accessible(page)
