"""The model card says what the weights file says."""

import re
from dataclasses import replace

import pytest

from digit_recognizer_dl_model import model_card
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.figures import Change, Figures, Form, Row, Thickness
from digit_recognizer_dl_model.model_card import CARD, describe_model
from digit_recognizer_dl_model.weights import LINES, load_weights


@pytest.fixture(scope="module")
def weights():
    return load_weights()


def test_the_card_is_made_from_the_shipped_weights(weights):
    assert CARD.read_text(encoding="utf-8") == describe_model(weights, load_weights(LINES))


def test_the_command_writes_the_card(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(model_card, "CARD", tmp_path / "MODEL_CARD.md")
    model_card.main()
    assert (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8") == CARD.read_text(encoding="utf-8")
    assert str(tmp_path / "MODEL_CARD.md") in capsys.readouterr().out


def card_of(weights, **parts):
    return describe_model(replace(weights, figures=replace(weights.figures, **parts)))


def test_the_card_tells_the_figures(weights):
    test = replace(weights.figures.test, uncertain=4321, right_where_certain=5600)
    card = card_of(weights, test=test)
    right, (low, high) = (f"{100 * test.count.fraction:.2f} %", test.count.interval)
    assert f"**{right}** are right (95 % interval {100 * low:.2f} % to {100 * high:.2f} %)" in " ".join(card.split())
    assert '43.21 % are marked "not sure", and of the rest 98.61 % are right' in " ".join(card.split())
    assert card.count("\n| **7** |") == 1


def forms(**right):
    return tuple(Form(name, Count(count, 500), 0) for name, count in right.items())


def test_known_failures_fail_at_least_once_in_a_hundred(weights):
    card = card_of(weights, forms=forms(zero=496, one=495, two=500, three=250))
    failures = card[card.index("## Known failures") :]
    assert [form in failures for form in ("*zero*", "*one*", "*two*", "*three*")] == [False, True, False, True]


def test_forms_without_a_mistake_share_a_sentence(weights):
    card = card_of(weights, forms=forms(zero=500, one=495, two=500))
    assert "Of 3 forms, all but these 1 are read without a mistake:\n\n| form | right |" in card
    assert "| one | 99.0 % |\n\n" in card
    assert "All 2 forms are read without a mistake.\n" in card_of(weights, forms=forms(zero=500, one=500))


def test_changes_are_summed_up_by_group_and_the_lowest_are_listed(weights):
    changes = tuple(
        Change(f"change {number}", Count(90 + number, 100), "odd" if number % 2 else "even") for number in range(10)
    )
    card = card_of(weights, robustness=changes)
    assert "| even | 5 | 94.00 % | change 0: 90.00 % |\n| odd | 5 | 95.00 % | change 1: 91.00 % |" in card
    assert "The 8 lowest of all 10 changes:" in card
    assert "| change 7 | 97.00 % |\n\n" in card
    assert "| change 8 |" not in card


def test_the_card_tells_of_photographs_where_they_were_measured(weights):
    card = card_of(weights, photographs=(Row("in the dark", Count(432, 1000)),))
    assert "| in the dark | 43.2 % |\n\n### Damaged small pictures" in card
    assert "### Photographs" not in card_of(weights, photographs=())


@pytest.mark.parametrize(("right", "told"), [(85, ["15.0 %"]), (100, [])])
def test_thick_pens_are_a_known_failure_where_they_are_misread(weights, right, told):
    thicknesses = (Thickness(0, 3, Count(50, 100)), Thickness(3, 5, Count(right, 100)))
    teachers = tuple(
        replace(teacher, pens=replace(teacher.pens, by_thickness=thicknesses)) for teacher in weights.figures.teachers
    )
    card = card_of(weights, teachers=teachers)
    assert re.findall("strokes of 3 to 5 of the 28 pixels, (.+?) are misread", card) == told


@pytest.mark.parametrize("part", ["test", "forms", "unseen_kinds", "robustness", "teachers", "composition", "training"])
def test_without_a_whole_evaluation_there_is_no_card(weights, part):
    with pytest.raises(ValueError, match=f"lack {part}"):
        card_of(weights, **{part: getattr(Figures(), part)})
