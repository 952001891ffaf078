"""The page about the network in a browser: the story in pictures comes first, and it is short."""

import pytest
from playwright.sync_api import expect

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.mark.parametrize(
    ("page", "screens"),
    [({"viewport": DESKTOP}, 3), ({"viewport": PHONE}, 5.5)],
    indirect=["page"],
    ids=["desktop", "phone"],
)
def test_the_story_ends_within_few_screens(page, screens):
    page.goto("/model/")
    ends = [page.locator(part).bounding_box() for part in (".key-figures", "#failures", "#kinds")]
    tops = [box["y"] for box in ends]
    assert tops == sorted(tops)
    assert ends[-1]["y"] + ends[-1]["height"] <= screens * page.viewport_size["height"]
    first = page.locator("#failures img").first.bounding_box()
    assert first["y"] + first["height"] <= 1.2 * page.viewport_size["height"]
    expect(page.locator("table:visible")).to_have_count(3)  # the short ones; the long ones are folded


def test_the_page_never_scrolls_sideways_closed_or_open(page):
    page.goto("/model/")
    for is_open in (False, True):
        page.evaluate("is => document.querySelectorAll('details').forEach(each => { each.open = is; })", is_open)
        for width in (320, 390, 768, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_pictures_and_bars_keep_their_shape(page):
    page.set_viewport_size(PHONE)
    page.goto("/model/")
    for picture in page.locator("#failures img, #kinds img").all():
        size = picture.evaluate("img => [img.naturalWidth / img.naturalHeight, img.clientWidth / img.clientHeight]")
        assert size[0] == pytest.approx(size[1], rel=0.03)
    for is_fold in page.locator("details").all():
        is_fold.evaluate("each => { each.open = true; }")
    for bar in page.locator(".measure .bar").all():
        assert bar.bounding_box()["width"] >= 20


@pytest.mark.parametrize("page", [{"forced_colors": "active"}], indirect=True, ids=["forced-colours"])
def test_bars_and_points_show_in_forced_colours(page):
    page.goto("/model/")
    for part in (".shares .bar rect", ".interval circle", ".people circle"):
        fill = page.locator(part).first.evaluate("each => getComputedStyle(each).fill")
        assert fill != page.locator("html").evaluate("each => getComputedStyle(each).backgroundColor"), part
