"""The model card says what the weights file says."""

import re
from dataclasses import replace

import pytest

from digit_recognizer_dl_model import model_card
from digit_recognizer_dl_model.model_card import CARD, describe_model
from digit_recognizer_dl_model.weights import load_weights


@pytest.fixture(scope="module")
def weights():
    return load_weights()


def test_the_card_is_made_from_the_shipped_weights(weights):
    assert CARD.read_text(encoding="utf-8") == describe_model(weights)


def test_the_command_writes_the_card(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(model_card, "CARD", tmp_path / "MODEL_CARD.md")
    model_card.main()
    assert (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8") == CARD.read_text(encoding="utf-8")
    assert str(tmp_path / "MODEL_CARD.md") in capsys.readouterr().out


def test_the_card_tells_the_figures(weights):
    test = weights.figures["test"] | {"accuracy": 0.9123, "interval_95": [0.9, 0.95], "uncertain": 0.4321}
    card = describe_model(replace(weights, figures=weights.figures | {"test": test}))
    assert "**91.23 %** are right (95 % interval 90.00 % to 95.00 %)" in " ".join(card.split())
    assert '43.21 % are marked "not sure"' in " ".join(card.split())
    assert card.count("\n| **7** |") == 1


def test_known_failures_fail_at_least_once_in_a_hundred(weights):
    forms = {"zero": 0.991, "one": 0.99, "two": 1.0, "three": 0.5}
    card = describe_model(replace(weights, figures=weights.figures | {"forms": forms}))
    failures = card[card.index("## Known failures") :]
    assert [form in failures for form in ("*zero*", "*one*", "*two*", "*three*")] == [False, True, False, True]


def test_forms_that_are_all_read_right_share_a_row(weights):
    forms = {"zero": 1.0, "one": 0.99, "two": 1.0}
    card = describe_model(replace(weights, figures=weights.figures | {"forms": forms}))
    assert "| one | 99.0 % |\n| the other 2 | 100.0 % |\n" in card


def test_the_card_tells_of_photographs_where_they_were_measured(weights):
    card = describe_model(replace(weights, figures=weights.figures | {"photographs": {"in the dark": 0.4321}}))
    assert "\n\n### Photographs\n" in card
    assert "| in the dark | 43.2 % |\n\n### What it refuses" in card


@pytest.mark.parametrize(("measured", "told"), [([0.9, None, 0.8], ["15.0 %"]), ([None] * 3, [])])
def test_the_card_tells_of_thick_pens_what_was_measured(weights, measured, told):
    teachers = [
        teacher | {"pens": teacher["pens"] | {"by_thickness": {"0 to 3": 0.5, "3 to 5": share}}}
        for teacher, share in zip(weights.figures["teachers"], measured, strict=True)
    ]
    card = describe_model(replace(weights, figures=weights.figures | {"teachers": teachers}))
    assert re.findall("over 3 of the 28 pixels, (.+?) are misread", card) == told


@pytest.mark.parametrize(
    "part", ["test", "forms", "refusal", "robustness", "repeats", "teachers", "composition", "training"]
)
def test_without_a_whole_evaluation_there_is_no_card(weights, part):
    figures = {name: value for name, value in weights.figures.items() if name != part}
    with pytest.raises(KeyError, match=part):
        describe_model(replace(weights, figures=figures))
