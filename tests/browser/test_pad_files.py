"""Picture files and tiles on the drawing pad, and without JavaScript."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from ..pictures import encoded, number_picture
from .pad import (
    ANSWERS,
    WITHOUT_JAVASCRIPT,
    answer,
    button,
    choose,
    decoded,
    expect_digit,
    expect_nothing_drawn,
    expect_settled,
    give,
    ink,
    pad,
    sent,
    take,
)
from .strokes import draw, draw_number, draw_stroke, picture


@pytest.mark.parametrize("way", ["choose", "paste", "drop"])
def test_a_picture_file_is_put_on_the_pad_and_read(page, way):
    page.goto("/draw/")
    if way == "choose":
        choose(page, "seven.png", picture(7))
    else:
        give(page, way, picture(7))
    expect_digit(page, 7)
    assert ink(page)["share"] > 0.99  # the paper of the picture, too
    button(page, "Undo").click()
    expect_nothing_drawn(page)


def test_a_picture_is_sent_as_it_is_and_is_paper_to_draw_on(page):
    page.goto("/draw/")
    choose(page, "one.png", picture(1))
    expect_digit(page, 1)
    assert sent(page) == picture(1)
    draw_stroke(page, [(0.3, 0.2), (0.42, 0.19), (0.56, 0.18)])  # the upper line of a seven
    expect_digit(page, 7)
    page.reload()
    expect_digit(page, 7)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "AVIF"])
def test_a_picture_is_read_whatever_it_is_named_and_its_type_is_said_to_be(page, form):
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(7))).convert("RGB").save(file, form)
    page.goto("/draw/")
    choose(page, "seven", file.getvalue(), "image/avif" if form == "AVIF" else "")
    expect_digit(page, 7)
    assert (sent(page) == file.getvalue()) == (form != "AVIF")  # which the server does not read, but the browser does


def test_a_picture_that_neither_the_browser_nor_the_server_reads_is_named(page, complaints):
    complaints.expect_status(415, ANSWERS)
    page.goto("/draw/")
    choose(page, "seven.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/jpeg")
    reason = "This is a HEIC picture; save it as JPEG or PNG."
    expect(page.get_by_role("alert")).to_have_text(f"Not a picture. {reason}")


def test_a_phones_photo_is_reduced_and_the_right_way_up(page):
    photo = Image.open(io.BytesIO(picture(7, side=3000))).rotate(90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    file = io.BytesIO()
    photo.save(file, "JPEG", exif=exif)
    page.goto("/draw/")
    choose(page, "photo.jpg", file.getvalue(), "image/jpeg")
    expect_digit(page, 7)
    assert Image.open(io.BytesIO(sent(page))).size == (1000, 1000)


def test_the_boxes_of_a_number_lie_on_it_in_a_picture_and_in_a_drawing_after_it(page):
    def tops() -> list[float]:
        place = pad(page).bounding_box()
        boxes = [box.bounding_box() for box in page.locator("#boxes rect").all()]
        return [(box["y"] - place["y"]) / place["height"] for box in boxes]

    page.goto("/draw/")
    choose(page, "number.png", encoded(number_picture("1984", height=40, gap=0.2)))  # wide, with empty pad above it
    expect(answer(page)).to_have_text("1984")
    assert all(0.2 < top < 0.4 for top in tops())
    button(page, "Clear").click()
    draw_number(page, "42", gap=0.1, top=0.1)
    expect_settled(page)
    expect(page.locator("#boxes rect")).to_have_count(2)
    assert all(0 < top < 0.15 for top in tops())


def test_a_tile_is_edited_on_the_pad(page):
    page.goto("/draw/?tile=0")
    expect_digit(page, 7)  # as MNIST's first test image is
    assert page.url.endswith("/draw/")
    before = ink(page)["share"]
    assert 0 < before < 0.5
    take(page, "Eraser")
    draw_stroke(page, [(0, 0.3), (1, 0.3)])  # the upper line
    expect_digit(page, 1)
    assert 0 < ink(page)["share"] < before


def test_a_picture_from_the_gallery_is_read_as_in_the_gallery(page):
    page.goto("/?tile=0&predict=0")
    tile = page.locator(".tile")
    digit, percent = (tile.locator(part).inner_text() for part in (".tile-read strong", ".tile-note"))
    source = tile.locator("img").get_attribute("src")
    page.goto("/draw/")
    choose(page, "tile.png", decoded(source))
    expect_digit(page, int(digit))
    expect(page.locator("#prediction .answered")).to_contain_text(f"{percent.partition(',')[0]} sure")


def test_a_file_that_is_no_picture_is_refused_with_the_reason_and_takes_nothing_away(page, complaints):
    complaints.expect_status(415, ANSWERS)
    page.goto("/draw/")
    draw(page, 2)
    expect_digit(page, 2)
    choose(page, "seven.png", b"seven")
    notice = page.get_by_role("alert")
    expect(notice).to_have_text("Not a picture. This file is not a PNG, JPEG, WebP, BMP or GIF picture.")
    expect_digit(page, 2)
    button(page, "Explain").click()  # what is sent is the drawing still
    expect(page.get_by_role("heading", name="Why 2, and not")).to_be_visible()
    expect(notice).to_be_empty()


def test_the_picker_offers_the_pictures_that_are_read(page):
    page.goto("/draw/")
    offered = page.get_by_label("Choose a picture").get_attribute("accept")
    assert offered == "image/png,image/jpeg,image/webp,image/bmp,image/gif"


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_file_is_read_on_a_full_page(page):
    page.goto("/draw/")
    expect(pad(page)).to_be_hidden()
    expect(page.locator("noscript .notice")).to_be_visible()
    choose(page, "two.png", picture(2))
    button(page, "Read the picture").click()
    expect(page).to_have_title("Large pad · Digit Recognizer")
    expect_digit(page, 2)
    expect(page.locator("noscript .notice")).to_be_visible()
    expect(page.get_by_role("img", name="The prepared picture")).to_be_visible()


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_file_is_explained(page):
    page.goto("/draw/")
    choose(page, "two.png", picture(2))
    button(page, "Read and explain it").click()
    expect_digit(page, 2)
    expect(page.get_by_role("heading", name="Why 2, and not")).to_be_visible()


@WITHOUT_JAVASCRIPT
def test_without_javascript_a_refusal_is_on_a_full_page(page, complaints):
    complaints.expect_status(415, "/draw/")
    page.goto("/draw/")
    choose(page, "two.png", b"two")
    button(page, "Read the picture").click()
    expect(page).to_have_title("Large pad · Digit Recognizer")
    expect(page.locator(".refused")).to_contain_text("This file is not a PNG, JPEG, WebP, BMP or GIF picture.")
