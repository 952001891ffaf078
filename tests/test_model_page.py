"""GET /model/: what the page tells is what the weights file says."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.quality import failures as measured
from digit_recognizer_dl_model.counts import Bin, Count
from digit_recognizer_dl_model.figures import Failure, Figures, Row, grouped, grouped_failures, in_order
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.weights import load_weights
from digits import charts, failure_report, report

BINS = (Bin(0.4, 0.6, Count(4, 8), 0.513), Bin(0.8, 1.0, Count(9966, 9992), 0.998))
DAMAGED = (Row("fog", Count(18, 20)), Row("stripe", Count(19, 20)))
FAILURES = (
    Failure.of(np.eye(28, dtype=np.uint8), "Test images", "4", 9, is_uncertain=False),
    Failure.of(np.eye(28, dtype=np.uint8), "Pictures of no digit", "lines", 7, is_uncertain=True),
)
PHOTOGRAPHS = (Row("pencil", Count(77, 80)), Row("marker", Count(197, 200)))


class Tables(HTMLParser):
    """The tables of a page by caption: rows of the cells' text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._text = ""
        self._rows: list[list[str]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self._rows = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td", "caption"):
            self._text = ""

    def handle_data(self, data):
        self._text += data

    def handle_endtag(self, tag):
        text = " ".join(self._text.split())
        if tag in ("th", "td"):
            self._rows[-1].append(text)
        elif tag == "caption":
            self.found[text] = self._rows


@pytest.fixture
def weights():
    """The shipped weights with other figures: bins of confidence, photographs, damaged pictures and failures."""
    weights = load_weights()
    parts = {"photographs": PHOTOGRAPHS, "damaged": DAMAGED, "failures": FAILURES}
    test = replace(weights.figures.test, reliability=BINS)
    return replace(weights, figures=replace(weights.figures, test=test, **parts))


@pytest.fixture
def show(client, monkeypatch):
    """The page of weights."""

    def show(weights):
        monkeypatch.setattr(report, "classifier", lambda: SimpleNamespace(weights=weights))
        report.report.cache_clear()
        answer = client.get("/model/")
        assert answer.status_code == 200
        return answer.content.decode()

    yield show
    report.report.cache_clear()


@pytest.fixture
def tables(show, weights):
    return Tables(show(weights)).found


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page.replace("&nbsp;", " ")).split())


def percent(fraction: float, decimals: int = 2) -> str:
    return charts.percent(fraction, decimals).replace("\u00a0", " ")


def test_the_words_tell_the_figures(show, weights):
    text, figures = text_of(show(weights)).replace("\u00a0", " "), weights.figures
    test, unseen = figures.test, figures.unseen_kinds
    low, high = test.count.interval
    for told in (
        f"{percent(test.count.fraction)} are read right and {test.count.wrong} wrong",
        f"10,000 test images {percent(test.count.fraction)} {100 * low:.2f} to {percent(high)}",
        f"{test.uncertain} of the test images are marked “not sure”",
        f"answers {percent(test.certain.fraction)} are right",
        f"over all images, is {percent(test.expected_calibration_error)}",
        f"{percent(in_order(figures.robustness)[0].count.fraction)} are read right",
        f"{percent(unseen.pooled.count.fraction, 1)} are marked “not sure”",
        f"digits {percent(unseen.digits.wrong_fraction)} are.",
        f"Over all kinds it is {unseen.pooled.auroc:.3f}",
        f"read worst, {percent(in_order(figures.forms)[0].count.fraction, 1)} are right",
        f"{weights.parameters:,} parameters in 6 layers",
        f"It saw each image {figures.training.epochs} times",
    ):
        assert told in text, told


def test_the_gains_and_costs_of_not_sure_add_up(tables, weights):
    [_, *rows] = tables["Answers that are wrong, “not sure” or both"]
    caught, missed, doubted = (int(count) for _, count in rows)
    test = weights.figures.test
    assert caught + doubted == test.uncertain
    assert caught + missed == test.count.wrong
    assert missed == test.certain.wrong


def test_the_people_never_seen_are_those_of_the_teachers(show, weights):
    page = show(weights)
    pens = [teacher.pens for teacher in weights.figures.teachers]
    text, writers = text_of(page).replace("\u00a0", " "), [writer for each in pens for writer in each.by_writer]
    assert f"{len(writers)} people wrote {sum(each.accuracy.images for each in pens):,} digits" in text
    assert f"reads worst, {percent(min(writer.count.fraction for writer in writers), 1)} are right" in text
    for number, each in enumerate(pens, start=1):
        assert f"Group {number} of 3 {percent(each.accuracy.count.fraction)}" in text
    [people] = re.findall(r'<svg class="people".*?</svg>', page, re.DOTALL)
    assert people.count("<circle") == len(writers)


def test_each_digit_has_its_recall_and_precision(tables, weights):
    test, pens = weights.figures.test, weights.figures.unseen_writers.accuracy
    [_, *rows] = tables["Missed and wrong, by digit"]
    for digit, row in enumerate(rows):
        counts = (test.recall[digit], test.precision[digit], pens.recall[digit])
        expected = [str(digit), f"{counts[0].total:,}", *(percent(count.wrong_fraction, 1) for count in counts)]
        assert row == expected


def test_each_number_of_the_confusion_matrix_leads_to_its_images(show, tables, weights):
    confusion = weights.figures.test.confusion
    assert [row[1:] for row in tables["Row: digit; column: answer"][1:]] == [
        [str(count) if count else "" for count in row] for row in confusion
    ]
    links = re.findall(r'<a href="/\?digit=(\d)&amp;read=(\d)" aria-label="(\d+): (\d) read as (\d)">', show(weights))
    told = {(int(digit), int(read)): int(count) for digit, read, count, *named in links if [digit, read] == named}
    assert told == {
        (digit, read): count for digit, row in enumerate(confusion) for read, count in enumerate(row) if count
    }


def test_confidence_is_compared_with_truth_in_each_bin(show, tables, weights):
    [_, *rows] = tables["Confidence and the fraction of right answers"]
    assert rows == [["40 to 60 %", "8", "51.3 %", "50.0 %"], ["80 to 100 %", "9,992", "99.8 %", "99.7 %"]]
    [diagram] = re.findall(r'<svg class="reliability" role="img".*?</svg>', show(weights), re.DOTALL)
    assert re.findall(r'<circle cx="([\d.]+)%" cy="([\d.]+)%"', diagram) == [("51.30", "50.00"), ("99.80", "0.26")]


def test_every_change_kind_and_form_is_told(tables, weights):
    figures = weights.figures
    lowest = in_order(figures.robustness)[0]
    for group in grouped(figures.robustness, lambda change: change.group):
        assert tables[group.key][1:] == [
            [f"{row.name} worst" if row == lowest else row.name, percent(row.count.wrong_fraction)]
            for row in group.rows
        ]
    assert tables["Photographed digits"][1:] == [["pencil worst", "3.75 %"], ["marker", "1.50 %"]]
    assert tables["Damaged pictures"][1:] == [["fog worst", "10.0 %"], ["stripe", "5.0 %"]]
    assert tables["Kinds that nothing was trained on"][1:] == [
        [f"{kind.name} worst" if place == 0 else kind.name, percent(kind.count.wrong_fraction, 1), f"{kind.auroc:.3f}"]
        for place, kind in enumerate(in_order(figures.unseen_kinds.kinds))
    ]
    forms = {name.removesuffix(" worst"): wrong for name, wrong in tables["By form, the worst first"][1:]}
    assert forms == {form.name: percent(form.count.wrong_fraction, 1) for form in figures.forms}
    digits = tables["The form of each digit that is read worst"][1:]
    assert [(digit.removesuffix(" worst"), int(count)) for digit, _, count in digits] == [
        (str(digit), sum(form.digit == digit for form in figures.forms)) for digit in range(10)
    ]
    composition = figures.composition
    parts = (composition.mnist, composition.drawn, composition.handwriting, composition.negatives)
    learned = {images for _, images in tables[f"What it learned from: {sum(parts):,} images an epoch"][1:]}
    assert learned == {f"{part:,}" for part in parts}


def test_pictures_that_are_read_wrong_come_before_the_figures_with_what_they_were_read_as(show, weights):
    page = show(weights)
    images, kinds, figures = (page.index(f'id="{name}"') for name in ("failures", "kinds", "accuracy"))
    [first] = re.findall(r"<li>(.*?)</li>", page[images:kinds], re.DOTALL)
    assert 'alt="A handwritten 4"' in first
    assert text_of(first) == "4 as 9"
    second, *_ = re.findall(r"<li>(.*?)</li>", page[kinds:figures], re.DOTALL)
    assert 'alt="A picture of the kind lines"' in second
    assert text_of(second) == "lines as 7 not sure"
    assert re.findall(r"<h3[^>]*>(.*?)</h3>", page[kinds:figures]) == ["Pictures of no digit", "Whole numbers"]


def test_every_kept_picture_is_on_the_page_and_the_story_has_some_of_each_kind(client):
    page = client.get("/model/").content.decode()
    failures = load_weights().figures.failures
    for picture in {charts.image_of(failure.pixels) for failure in failures}:
        assert picture in page
    story = page[page.index('id="kinds"') : page.index("The figures")]
    groups = {name: members for name, members in grouped_failures(failures).items() if name != measured.IMAGES}
    assert re.findall(r"<h3[^>]*>(.*?)</h3>", story) == [*groups, "Whole numbers"]
    for members in groups.values():
        pictures = [charts.image_of(failure.pixels) for failure in members]
        assert sum(picture in story for picture in pictures) >= min(6, len(pictures))


def test_the_groups_of_failures_are_those_that_are_measured():
    assert list(failure_report.GROUPS) == [measured.IMAGES, measured.PENS, measured.DAMAGED, measured.NO_DIGITS]


def test_the_confidence_of_a_mistake_is_the_networks_and_absent_where_others_have_read(client):
    page = client.get("/model/").content.decode()
    figures = load_weights().figures
    images = [failure for failure in figures.failures if failure.group == measured.IMAGES]
    probabilities = Classifier(load_weights()).probabilities(np.stack([failure.pixels for failure in images]))
    [part] = re.findall(r'id="failures".*?</section>', page, re.DOTALL)
    told = [int(sure) for sure in re.findall(r"<small>(\d+)&nbsp;% sure", part)]
    assert told == [int(100 * row.max()) for row in probabilities]
    assert failure_report.confidences(FAILURES[:1]) == [None]


def test_every_bar_shows_the_number_beside_it_on_the_scale_above_it(client, weights):
    page = client.get("/model/").content.decode().replace("\u00a0", " ")
    ends = set()
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    for table in tables:
        marked = {(low, float(high)) for low, high in re.findall(r"<span>(\d+)</span><span>(\d+) %</span>", table)}
        bars = re.findall(r'class="measure">([\d.]+) %\s*<svg class="bar".*?<rect width="([\d.]+)"', table, re.DOTALL)
        assert len(marked) == bool(bars), table[:300]
        for value, width in bars:
            [(low, high)] = marked
            assert low == "0"
            assert float(width) == pytest.approx(100 * float(value) / high, abs=0.006)
            assert float(width) <= 100
        ends |= {high for _, high in marked if "form" not in table[:200].lower()}
    assert len(ends) == 1
    assert f"from 0 to {ends.pop():.0f} % in all tables" in text_of(page)


def test_long_tables_are_folded_under_what_they_tell(client):
    page = client.get("/model/").content.decode()
    for part in re.split(r"<details>.*?</details>", page, flags=re.DOTALL):
        for table in re.findall(r"<table.*?</table>", part, re.DOTALL):
            assert table.count("<tr") <= 8, table[:300]


@pytest.mark.parametrize(
    ("part", "section"),
    [
        ("forms", 'id="forms"'),
        ("robustness", 'id="robustness"'),
        ("photographs", 'id="photographs"'),
        ("damaged", 'id="damaged"'),
        ("failures", 'id="failures"'),
        ("unseen_kinds", 'id="refusal"'),
        ("teachers", 'id="pens"'),
        ("composition", "All settings"),
    ],
)
def test_a_part_that_was_not_measured_is_left_out(show, weights, part, section):
    page = show(replace(weights, figures=replace(weights.figures, **{part: getattr(Figures(), part)})))
    assert section not in page
    assert "Not measured yet" not in page


@pytest.mark.parametrize("parts", [[], ["training", "composition", "validation"]])
def test_weights_that_nobody_has_measured_are_told_so(show, weights, parts):
    page = show(replace(weights, figures=Figures(**{part: getattr(weights.figures, part) for part in parts})))
    assert "Not measured yet" in page
    assert "python -m benchmarks.quality.measure --save" in page
    assert 'id="accuracy"' not in page
    assert ("What it learned from" in page) is bool(parts)


def test_the_report_is_made_once(client, monkeypatch):
    client.get("/model/")
    monkeypatch.setattr(report, "describe", None)
    assert client.get("/model/").status_code == 200
