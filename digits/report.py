"""The figures in the weights file as texts, rows and coordinates for the page `/model/`."""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from digit_recognizer_dl_model.counts import Accuracy, Count
from digit_recognizer_dl_model.figures import (
    Change,
    Composition,
    Figures,
    Form,
    Row,
    TrainingSettings,
    UnseenKinds,
    flawed,
    grouped,
    in_order,
    pooled_count,
)
from digit_recognizer_dl_model.weights import Weights

from .charts import (
    Scale,
    bars,
    coordinate,
    end_of_scale,
    interval_text,
    intervals,
    mistakes,
    percent,
    points,
    rows_of_mistakes,
    stacked,
)
from .failure_report import describe_failures
from .number_report import describe_numbers, number_figures
from .recognizer import classifier

TINTS = 4  # steps of colour in the confusion matrix


@functools.cache
def report() -> dict:
    """The context of the page for the shipped weights, made once a process."""
    weights, numbers = classifier().weights, number_figures()
    end = end_of_scale([*compared(weights.figures), *(row.count for row in (numbers.sets if numbers else ()))])
    return describe(weights, end) | {"numbers": describe_numbers(end)}


def compared(figures: Figures) -> Iterator[Count]:
    """All counts of which bars show the mistakes on one scale, so that bars of two tables can be compared.

    Forms have a scale of their own: half of one that nobody writes may be misread, beside which all others vanish.
    """
    rows = [*figures.robustness, *figures.photographs, *figures.damaged]
    if figures.unseen_kinds:
        rows += [*figures.unseen_kinds.kinds, *figures.negatives]
    if figures.teachers:
        rows += figures.unseen_writers.by_thickness
    yield from (row.count for row in rows)
    for column in columns_of_digits(figures).values():
        yield from column


def describe(weights: Weights, end: float) -> dict:
    """The context of the page; a part that was not measured is absent. `end` is that of the scale of mistakes."""
    figures = weights.figures
    parts = {"network": describe_network(weights), "end": percent(end, 0)}
    if figures.test:
        scale = scale_of_intervals(figures)
        parts["accuracy"] = describe_accuracy(figures.test, figures.validation, scale)
        parts["doubts"] = describe_doubts(figures.test)
        parts["digits"] = describe_digits(figures, end)
        parts["confusion"] = describe_confusion(figures.test)
        if figures.repeats:
            parts["repeats"] = describe_repeats(figures)
        if figures.test.reliability:
            parts["reliability"] = describe_reliability(figures.test)
    if figures.teachers:
        parts["pens"] = describe_pens(figures, end)
        parts["teachers"] = describe_teachers(figures)
    if figures.forms:
        parts["forms"] = describe_forms(figures.forms)
    if figures.robustness:
        parts["robustness"] = describe_robustness(figures.robustness, end)
    if figures.photographs:
        parts["photographs"] = describe_photographs(figures.photographs, end)
    if figures.damaged:
        parts["damaged"] = describe_damaged(figures.damaged, end)
    if figures.failures:
        parts["failures"] = describe_failures(figures.failures)
    if figures.unseen_kinds:
        parts["unseen_kinds"] = describe_unseen_kinds(figures.unseen_kinds, figures.negatives, end)
    if figures.composition and figures.training:
        parts["training"] = describe_training(figures.composition, figures.training)
    return parts


def describe_network(weights: Weights) -> dict:
    return {
        "layers": weights.layers,
        "parameters": f"{weights.parameters:,}",
        "uncertain_below": percent(weights.uncertain_below, 1),
        "no_digit_above": percent(weights.no_digit_above, 1),
    }


def scale_of_intervals(figures: Figures) -> Scale:
    """One scale for all plots of intervals."""
    measured = [figures.test, figures.validation, *(teacher.pens.accuracy for teacher in figures.teachers)]
    return Scale.of(accuracy.count.interval[0] for accuracy in measured if accuracy)


def describe_accuracy(test: Accuracy, validation: Accuracy | None, scale: Scale) -> dict:
    measured = {f"{test.images:,} test images": test.count}
    if validation:
        measured[f"{validation.images:,} held-out images, to choose by"] = validation.count
    return {
        "right": percent(test.count.fraction),
        "images": f"{test.images:,}",
        "wrong": test.count.wrong,
        "plot": intervals(measured, scale),
    }


def describe_repeats(figures: Figures) -> dict:
    """The same training from other seeds, which shows how much of the accuracy is chance."""
    spread = figures.of_seeds
    return {
        "count": len(spread.fractions),
        "mean": percent(spread.mean),
        "standard_deviation": points(spread.standard_deviation),
    }


def describe_doubts(test: Accuracy) -> dict:
    """The wrong answers that "not sure" marks, those that it misses, and the right answers that it marks too."""
    counts = {
        "wrong and marked": test.wrong_and_uncertain,
        "wrong, not marked": test.wrong_and_certain,
        "right, but marked": test.right_and_uncertain,
    }
    return {
        "uncertain": percent(test.uncertain_fraction),
        "marked": test.uncertain,
        "certain": f"{test.certain.total:,}",
        "certain_right": percent(test.certain.fraction),
        "rows": bars(counts, max(1, *counts.values())),
        "caught": test.wrong_and_uncertain,
        "wrong": test.count.wrong,
        "doubted": test.right_and_uncertain,
    }


def columns_of_digits(figures: Figures) -> dict[str, Sequence[Count]]:
    """For each digit its recall and its precision, and its recall for people that the network has never seen."""
    if not figures.test:
        return {}
    columns = {"missed": figures.test.recall, "wrong": figures.test.precision}
    return columns | ({"pens": figures.unseen_writers.accuracy.recall} if figures.teachers else {})


def describe_digits(figures: Figures, end: float) -> dict:
    """What is missing of these columns to 1, and the digit that is missed most."""
    columns = columns_of_digits(figures)
    most = min(range(10), key=lambda digit: columns["missed"][digit].fraction)
    return {
        "rows": [
            {"digit": digit, "images": f"{columns['missed'][digit].total:,}"}
            | {name: mistakes(column[digit], end, 1) for name, column in columns.items()}
            for digit in range(10)
        ],
        "worst": {"digit": most, "missed": percent(columns["missed"][most].wrong_fraction, 1)},
    }


def describe_confusion(accuracy: Accuracy) -> dict:
    frequent = accuracy.mistakes
    most = frequent[0].images if frequent else 1

    def tint(label: int, answer: int, count: int) -> str:
        if not count:
            return ""
        return "hit" if label == answer else f"miss-{math.ceil(TINTS * count / most)}"

    rows = [
        [{"label": label, "answer": answer, "count": n, "tint": tint(label, answer, n)} for answer, n in enumerate(row)]
        for label, row in enumerate(accuracy.confusion)
    ]
    return {"rows": rows, "frequent": frequent[:3]}


def describe_reliability(test: Accuracy) -> dict:
    """The bins of confidence as points of a square drawing, higher for a smaller `y`, with their 95 % intervals."""
    drawn = []
    for each in test.reliability:
        low, high = each.count.interval
        drawn.append(
            {
                "range": f"{100 * each.least:.0f} to {percent(each.most, 0)}",
                "images": f"{each.count.total:,}",
                "confidence": percent(each.confidence, 1),
                "accuracy": percent(each.count.fraction, 1),
                "x": coordinate(each.confidence),
                "y": coordinate(each.count.wrong_fraction),
                "top": coordinate(1 - high),
                "bottom": coordinate(1 - low),
                "radius": round(3 + 1.5 * math.log10(each.count.total), 2),
            }
        )
    return {
        "points": drawn,
        "marks": [{"text": f"{20 * step}", "x": 20 * step, "y": 100 - 20 * step} for step in range(6)],
        "surest": drawn[-1],
        "error": percent(test.expected_calibration_error),
    }


def describe_pens(figures: Figures, end: float) -> dict:
    """The digits of people that a network has never seen, each read by the teacher that did without them."""
    everybody, folds = figures.unseen_writers, [teacher.pens.accuracy.count for teacher in figures.teachers]
    fractions = [writer.count.fraction for writer in everybody.writers]
    scale = Scale.of(fractions)
    measured = {f"All {len(fractions)} people": everybody.accuracy.count}
    measured |= {f"Group {number} of {len(folds)}": count for number, count in enumerate(folds, start=1)}
    thicknesses = [Row(f"{each.least:g} to {each.most:g} pixels", each.count) for each in everybody.by_thickness]
    return {
        "right": percent(everybody.accuracy.count.fraction),
        "images": f"{everybody.accuracy.images:,}",
        "interval": interval_text(everybody.accuracy.count.interval),
        "uncertain": percent(everybody.accuracy.uncertain_fraction),
        "plot": intervals(measured, scale_of_intervals(figures)),
        "writers": stacked(scale.place(round(fraction, 3)) for fraction in fractions),
        "marks": scale.marks,
        "people": len(fractions),
        "worst": percent(fractions[0], 1),
        "median": percent(everybody.median, 1),
        "best": percent(fractions[-1], 1),
        "thicknesses": rows_of_mistakes(thicknesses, end),
    }


def describe_teachers(figures: Figures) -> dict:
    spread = figures.of_teachers
    return {
        "count": len(spread.fractions),
        "mean": percent(spread.mean),
        "standard_deviation": points(spread.standard_deviation),
        "rows": [
            {
                "seed": teacher.training.seed,
                "cells": [
                    percent(teacher.test.count.fraction),
                    percent(teacher.pens.accuracy.count.fraction),
                    percent(teacher.pens.accuracy.expected_calibration_error),
                    percent(teacher.pens.accuracy.uncertain_fraction),
                ],
            }
            for teacher in figures.teachers
        ],
    }


def describe_forms(forms: Sequence[Form]) -> dict:
    """All forms, and for each digit the number of its forms and the one that is read worst."""
    end = end_of_scale(form.count for form in forms)
    groups = grouped(forms, lambda form: form.digit)
    worst = rows_of_mistakes([Row(str(group.key), group.lowest.count) for group in groups], end, 1)
    [lowest, *_] = in_order(forms)
    return {
        "digits": [row | {"more": len(group.rows)} for row, group in zip(worst, groups, strict=True)],
        "rows": rows_of_mistakes(in_order(forms), end, 1),
        "end": percent(end, 0),
        "count": len(forms),
        "flawless": len(forms) - len(flawed(forms)),
        "lowest": percent(lowest.count.fraction, 1),
        "worst": {"name": lowest.name, "wrong": percent(lowest.count.wrong_fraction, 1)},
    }


def describe_robustness(changes: Sequence[Change], end: float) -> dict:
    rows = {row["name"]: row for row in rows_of_mistakes(changes, end)}
    [lowest, *_] = in_order(changes)
    return {
        "groups": {
            group.key: [rows[change.name] for change in group.rows]
            for group in grouped(changes, lambda change: change.group)
        },
        "count": len(changes),
        "right": percent(lowest.count.fraction),
        "worst": {"name": lowest.name, "wrong": percent(lowest.count.wrong_fraction)},
    }


def describe_photographs(photographs: Sequence[Row], end: float) -> dict:
    [lowest, *_] = in_order(photographs)
    return {
        "rows": rows_of_mistakes(photographs, end),
        "right": percent(pooled_count(photographs).fraction),
        "worst": {"name": lowest.name, "wrong": percent(lowest.count.wrong_fraction)},
    }


def describe_damaged(damaged: Sequence[Row], end: float) -> dict:
    [lowest, *_] = in_order(damaged)
    return {
        "mean": percent(pooled_count(damaged).fraction, 1),
        "images": f"{damaged[0].count.total:,}",
        "rows": rows_of_mistakes(in_order(damaged), end, 1),
        "worst": {"name": lowest.name, "wrong": percent(lowest.count.wrong_fraction, 1)},
    }


def describe_unseen_kinds(unseen: UnseenKinds, negatives: Sequence[Row], end: float) -> dict:
    kinds = in_order(unseen.kinds)
    rows = rows_of_mistakes(kinds, end, 1)
    return {
        "refused": percent(unseen.pooled.count.fraction, 1),
        "auroc": f"{unseen.pooled.auroc:.3f}",
        "digits": percent(unseen.digits.wrong_fraction),
        "rows": [row | {"more": f"{kind.auroc:.3f}"} for row, kind in zip(rows, kinds, strict=True)],
        "worst": {"name": kinds[0].name, "wrong": percent(kinds[0].count.wrong_fraction, 1)},
        "negatives": rows_of_mistakes(in_order(negatives), end, 1),
    }


def describe_training(composition: Composition, settings: TrainingSettings) -> dict:
    data = {
        "training images of MNIST": composition.mnist,
        f"{composition.recorded:,} digits that {composition.writers} people wrote with a pen": composition.drawn,
        "synthetic handwriting": composition.handwriting,
        "negatives, which do not show one digit": composition.negatives,
    }
    values = asdict(settings)
    values |= values.pop("augmentation")
    return {
        "data": bars(data, composition.images),
        "caption": f"What it learned from: {composition.images:,} images an epoch",
        "epochs": settings.epochs,
        "validation": f"{settings.validation:,}",
        "settings": [
            {"name": name.replace("_", " "), "value": value} for name, value in values.items() if value is not None
        ],
    }
