"""GET /model/: what the page tells is what the weights file says."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from digit_recognizer_dl_model.weights import load_weights
from digits import report

BINS = [
    {"from": 0.4, "to": 0.6, "images": 8, "confidence": 0.513, "accuracy": 0.5},
    {"from": 0.8, "to": 1.0, "images": 9992, "confidence": 0.998, "accuracy": 0.9974},
]


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
    """The shipped weights, with figures that not every evaluation has yet."""
    weights = load_weights()
    test = weights.figures["test"] | {"reliability": BINS}
    photographs = {"pencil": 0.9625, "marker": 0.985}
    return replace(weights, figures=weights.figures | {"test": test, "photographs": photographs})


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


def percent(share: float, decimals: int = 2) -> str:
    return f"{100 * share:.{decimals}f} %"


def test_the_words_tell_the_figures(show, weights):
    text, figures = text_of(show(weights)), weights.figures
    test, refusal = figures["test"], figures["refusal"]
    wrong = test["images"] - sum(test["confusion"][digit][digit] for digit in range(10))
    low, high = test["interval_95"]
    for told in (
        f"{percent(test['accuracy'])} are read right and {wrong} wrong",
        f"10,000 test images {percent(test['accuracy'])} {100 * low:.2f} to {percent(high)}",
        f"{round(test['uncertain'] * test['images'])} of the test images are marked “not sure”",
        f"answers {percent(test['accuracy_where_certain'])} are right",
        f"{percent(test['expected_calibration_error'])} apart",
        f"{percent(min(figures['robustness'].values()))} are read right",
        f"{percent(refusal['pooled']['refused'], 1)} are marked “not sure”",
        f"digits {percent(refusal['digits'])} are.",
        f"Over all kinds it is {refusal['pooled']['auroc']:.3f}",
        f"lowest in {percent(min(figures['forms'].values()), 1)}",
        f"{weights.trained_values:,} values in 6 layers",
        f"It saw each image {figures['training']['epochs']} times",
    ):
        assert told in text, told


def test_what_not_sure_gains_and_costs_adds_up(show, tables, weights):
    [_, *rows] = tables["Answers that are wrong, “not sure” or both"]
    caught, missed, doubted = (int(count) for _, count in rows)
    test = weights.figures["test"]
    certain = test["images"] - caught - doubted
    assert (caught + doubted) / test["images"] == pytest.approx(test["uncertain"])
    assert 1 - (caught + missed) / test["images"] == pytest.approx(test["accuracy"])
    assert 1 - missed / certain == pytest.approx(test["accuracy_where_certain"])


def test_the_people_never_seen_are_those_of_the_teachers(show, weights):
    page = show(weights)
    pens = [teacher["pens"] for teacher in weights.figures["teachers"]]
    text, shares = text_of(page), [share for each in pens for share in each["by_writer"].values()]
    assert f"{len(shares)} people wrote {sum(each['images'] for each in pens):,} digits" in text
    assert f"worst is read right in {percent(min(shares), 1)}" in text
    for number, each in enumerate(pens, start=1):
        assert f"Group {number} of 3 {percent(each['accuracy'])}" in text
    [people] = re.findall(r'<svg class="people".*?</svg>', page, re.DOTALL)
    assert people.count("<circle") == len(shares)


def test_each_digit_has_its_recall_and_precision(tables, weights):
    confusion = weights.figures["test"]["confusion"]
    pens = [teacher["pens"]["confusion"] for teacher in weights.figures["teachers"]]
    [_, *rows] = tables["Found and right, by digit"]
    for digit, row in enumerate(rows):
        hits = confusion[digit][digit]
        unseen = sum(each[digit][digit] for each in pens) / sum(sum(each[digit]) for each in pens)
        shares = (hits / sum(confusion[digit]), hits / sum(line[digit] for line in confusion), unseen)
        assert row == [str(digit), f"{sum(confusion[digit]):,}", *(percent(share, 1) for share in shares)]


def test_each_number_of_the_confusion_matrix_leads_to_its_images(show, tables, weights):
    confusion = weights.figures["test"]["confusion"]
    assert [row[1:] for row in tables["Row: digit; column: answer"][1:]] == [
        [str(count) if count else "" for count in row] for row in confusion
    ]
    links = re.findall(r'<a href="/\?digit=(\d)&amp;read=(\d)" aria-label="(\d+): (\d) read as (\d)">', show(weights))
    told = {(int(digit), int(read)): int(count) for digit, read, count, *named in links if [digit, read] == named}
    assert told == {
        (digit, read): count for digit, row in enumerate(confusion) for read, count in enumerate(row) if count
    }


def test_confidence_is_compared_with_truth_in_each_bin(show, tables, weights):
    [_, *rows] = tables["Confidence against the share of right answers"]
    assert rows == [["40 to 60 %", "8", "51.3 %", "50.0 %"], ["80 to 100 %", "9,992", "99.8 %", "99.7 %"]]
    [diagram] = re.findall(r'<svg class="reliability" role="img".*?</svg>', show(weights), re.DOTALL)
    assert re.findall(r'<circle cx="([\d.]+)%" cy="([\d.]+)%"', diagram) == [("51.30", "50.00"), ("99.80", "0.26")]


def test_every_change_kind_and_form_is_told(tables, weights):
    figures = weights.figures
    groups = ["Place, turn and size", "Pen and focus", "Noise and compression", "Faint ink", "Light and shadow"]
    told = {tuple(row) for group in groups for row in tables[group][1:]}
    worst = min(figures["robustness"], key=figures["robustness"].get)
    assert told == {
        (f"{change} lowest" if change == worst else change, percent(share))
        for change, share in figures["robustness"].items()
    }
    assert tables["Photographed digits"][1:] == [["pencil lowest", "96.25 %"], ["marker", "98.50 %"]]
    assert {tuple(row) for row in tables["Kinds that nothing was trained on"][1:]} == {
        (kind, percent(row["refused"], 1), f"{row['auroc']:.3f}") for kind, row in figures["refusal"]["kinds"].items()
    }
    forms = {name.removesuffix(" lowest"): share for name, share in tables["By form, the lowest first"][1:]}
    assert forms == {form: percent(share, 1) for form, share in figures["forms"].items()}
    learned = {images for _, images in tables["What it learned from: 98,984 images an epoch"][1:]}
    assert learned == {f"{figures['composition'][part]:,}" for part in ("mnist", "drawn", "handwriting", "negatives")}


@pytest.mark.parametrize("part", ["forms", "robustness", "photographs", "refusal", "teachers", "composition"])
def test_a_part_that_was_not_measured_is_left_out(show, weights, part):
    figures = {name: value for name, value in weights.figures.items() if name != part}
    page = show(replace(weights, figures=figures))
    section = {"teachers": 'id="pens"', "composition": "All settings"}.get(part, f'id="{part}"')
    assert section not in page
    assert "Not measured yet" not in page


@pytest.mark.parametrize("parts", [[], ["training", "composition", "validation"]])
def test_weights_that_nobody_has_measured_are_told_so(show, weights, parts):
    page = show(replace(weights, figures={part: weights.figures[part] for part in parts}))
    assert "Not measured yet" in page
    assert "python -m benchmarks.quality.measure --save" in page
    assert 'id="accuracy"' not in page
    assert ("What it learned from" in page) is bool(parts)


def test_the_report_is_made_once(client, monkeypatch):
    client.get("/model/")
    monkeypatch.setattr(report, "describe", None)
    assert client.get("/model/").status_code == 200
