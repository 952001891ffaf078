"""The part of the page `/model/` about whole numbers."""

import base64
import io
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from PIL import Image

from digit_recognizer_dl_model.figures import Figures, MisreadNumber
from digit_recognizer_dl_model.line_inference import LineReader
from digit_recognizer_dl_model.strip import HEIGHT, NARROWEST, STEP
from digits import number_report, recognizer
from digits.number_report import EXAMPLE, describe_numbers


@pytest.fixture(scope="module")
def figures():
    return recognizer.line_reader().weights.figures.numbers


def test_the_page_tells_every_set_of_numbers_and_how_much_is_read_right(client, figures):
    page = unescape(client.get("/model/").content.decode())
    part = page[page.index('id="numbers"') :].partition("</section>")[0]
    for row in figures.sets:
        assert row.name in part
        assert f"{100 * row.count.wrong_fraction:.1f}\u00a0%" in part
    assert f"{100 * figures.calibration_error:.2f}\u00a0%" in part


def test_an_example_shows_the_strip_with_the_digits_where_they_are_read():
    example = describe_numbers(end=1)["example"]
    assert "".join(str(digit["digit"]) for digit in example["digits"]) == EXAMPLE
    strip = np.asarray(Image.open(io.BytesIO(base64.b64decode(example["image"]))))
    assert strip.shape == (HEIGHT, example["width"])
    for digit in example["digits"]:
        place = round(digit["x"])
        assert strip[:, place - 6 : place + 7].max() > 150


def test_numbers_that_are_read_wrong_are_shown_with_what_they_were_read_as(client, figures):
    page = unescape(client.get("/model/").content.decode())
    part = page[page.index('id="numbers"') :].partition("</section>")[0]
    assert len(re.findall(r'alt="(?:The handwritten number \d+|A picture of no number)"', part)) == len(
        figures.failures
    )


def test_each_kind_is_shown_before_the_figures_with_how_many_are_right(client, figures):
    page = unescape(client.get("/model/").content.decode())
    story = page[page.index('id="kinds"') : page.index("The figures")]
    mistakes = {failure.group: failure for failure in reversed(figures.failures)}
    for row in (row for row in figures.sets if row.name in mistakes):
        assert f"<strong>{100 * row.count.fraction:.1f}\u00a0%</strong> {row.name}" in story
        example = mistakes[row.name]
        assert f"<span>{example.shown} as\u00a0{example.answer}</span>" in story


def test_a_misread_number_keeps_its_strip():
    ink = np.random.default_rng(1).integers(0, 256, (HEIGHT, NARROWEST + STEP), np.uint8)
    failure = MisreadNumber.of(ink, "a set", "42", "47", is_uncertain=True)
    assert np.array_equal(MisreadNumber.from_json(failure.to_json()).ink, ink)


def test_what_was_not_measured_is_left_out(monkeypatch):
    weights = replace(recognizer.line_reader().weights, figures=Figures())
    monkeypatch.setattr(number_report, "line_reader", lambda: LineReader(weights))
    assert describe_numbers(end=1) is None
