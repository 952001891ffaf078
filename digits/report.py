"""How good the network is, for its page: the figures in the weights file as texts, rows and coordinates to draw.

Coordinates are percent of a drawing's width or height, so that drawings stretch and their text keeps its size.
"""

import functools
import math
import statistics
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, Self

from digit_recognizer_dl_model.metrics import by_digit, pool, wilson_interval
from digit_recognizer_dl_model.weights import Weights

from .recognizer import classifier

# Where a scale up to 100 % may begin, and how far its marks are apart.
SCALES = {0.99: 0.002, 0.98: 0.005, 0.95: 0.01, 0.9: 0.02, 0.75: 0.05, 0.5: 0.1, 0.0: 0.2}
SMALLEST_FULL_BAR = 0.01  # misread: bars of fewer mistakes stay short, so that no trifle looks large
DOT = 10  # pixels from one dot to the next above it
TINTS = 4  # steps of colour in the confusion matrix
# Which changed pictures belong together, by words in their names; the first that fits counts.
CHANGES = {
    "Place, turn and size": ("as drawn", "anywhere", "touching", "turned", "size"),
    "Pen and focus": ("strokes", "blurred"),
    "Noise and compression": ("noise", "salt", "JPEG"),
    "Faint ink": ("ink",),
    "Light and shadow": ("light", "lit", "shadow", "chalk", "photographed"),
}
OTHER_CHANGES = "Other changes"


class Scale(NamedTuple):
    """A scale of shares from `low` to 1 with a mark at every `step`."""

    low: float
    step: float

    @classmethod
    def of(cls, shares: Iterable[float]) -> Self:
        """The narrowest that has room for all of them."""
        least = min(shares)
        return cls(*next((low, step) for low, step in SCALES.items() if low <= least))

    def place(self, share: float) -> str:
        return coordinate((share - self.low) / (1 - self.low))

    @property
    def marks(self) -> list[dict]:
        values = [self.low + number * self.step for number in range(round((1 - self.low) / self.step) + 1)]
        return [{"x": self.place(value), "text": f"{100 * value:.4g}"} for value in values]


@functools.cache
def report() -> dict:
    """What the page shows of the shipped weights, made once a process."""
    return describe(classifier().weights)


def describe(weights: Weights) -> dict:
    """What the page shows; a part whose figures the weights file lacks is absent."""
    figures = weights.figures
    test, teachers = figures.get("test"), figures.get("teachers")
    parts = {"network": describe_network(weights)}
    if test:
        parts["accuracy"] = describe_accuracy(test, figures.get("validation"))
        parts["doubts"] = describe_doubts(test)
        parts["digits"] = describe_digits(test, teachers)
        if "repeats" in figures:
            parts["repeats"] = describe_repeats(test, figures["repeats"])
        parts["confusion"] = describe_confusion(test["confusion"])
        if "reliability" in test:
            parts["reliability"] = describe_reliability(test)
    if teachers:
        parts["pens"] = describe_pens(teachers)
        parts["teachers"] = describe_teachers(teachers)
    if "forms" in figures:
        parts["forms"] = describe_forms(figures["forms"])
    if "robustness" in figures:
        parts["robustness"] = describe_robustness(figures["robustness"])
    if "photographs" in figures:
        parts["photographs"] = rows_of_mistakes(figures["photographs"])
    if "refusal" in figures:
        parts["refusal"] = describe_refusal(figures["refusal"], figures.get("negatives", {}))
    if "composition" in figures and "training" in figures:
        parts["training"] = describe_training(figures["composition"], figures["training"])
    return parts


def describe_network(weights: Weights) -> dict:
    return {
        "layers": weights.layers,
        "values": f"{weights.trained_values:,}",
        "uncertain_below": percent(weights.uncertain_below, 1),
        "no_digit_above": percent(weights.no_digit_above, 1),
    }


def describe_accuracy(test: dict, validation: dict | None) -> dict:
    measured = {f"{test['images']:,} test images": test}
    if validation:
        measured[f"{validation['images']:,} held-out images, to choose by"] = validation
    return {
        "share": percent(test["accuracy"]),
        "images": f"{test['images']:,}",
        "wrong": wrong_answers(test),
        "plot": intervals(measured),
        "error": percent(test["expected_calibration_error"]),
    }


def describe_repeats(test: dict, repeats: list[dict]) -> dict:
    """How much of the accuracy is chance: the same training from other seeds."""
    accuracies = [test["accuracy"], *(repeat["test"]["accuracy"] for repeat in repeats)]
    return {
        "count": len(accuracies),
        "mean": percent(statistics.mean(accuracies)),
        "deviation": f"{100 * statistics.stdev(accuracies):.2f}",
    }


def describe_doubts(test: dict) -> dict:
    """What "not sure" gains, wrong answers that are marked, and what it costs, right ones that are marked too."""
    wrong = wrong_answers(test)
    certain = round((1 - test["uncertain"]) * test["images"])
    missed = certain - round(test["accuracy_where_certain"] * certain)
    marked = test["images"] - certain
    counts = {
        "wrong and marked": wrong - missed,
        "wrong, not marked": missed,
        "right, but marked": marked - (wrong - missed),
    }
    most = max(1, *counts.values())
    return {
        "share": percent(test["uncertain"]),
        "marked": marked,
        "certain": f"{certain:,}",
        "certain_right": percent(test["accuracy_where_certain"]),
        "rows": [{"name": name, "count": count, "bar": coordinate(count / most)} for name, count in counts.items()],
        "caught": wrong - missed,
        "wrong": wrong,
        "doubted": marked - (wrong - missed),
    }


def describe_digits(test: dict, teachers: list[dict] | None) -> list[dict]:
    """For each digit how many are found and how often its name is right, and how many of unseen people's are found."""
    matrix, columns = test["confusion"], list(zip(*test["confusion"], strict=True))
    shares = [
        {"found": found, "right": right} for found, right in zip(by_digit(matrix), by_digit(columns), strict=True)
    ]
    if teachers:
        pens = pool([teacher["pens"] for teacher in teachers])
        for row, found in zip(shares, by_digit(pens["confusion"]), strict=True):
            row["pens"] = found
    most = max(SMALLEST_FULL_BAR, *(1 - share for row in shares for share in row.values()))
    return [
        {"digit": digit, "images": f"{sum(matrix[digit]):,}"}
        | {name: {"share": percent(share, 1), "bar": coordinate((1 - share) / most)} for name, share in row.items()}
        for digit, row in enumerate(shares)
    ]


def describe_confusion(matrix: list[list[int]]) -> dict:
    mistakes = [
        {"label": label, "answer": answer, "count": count}
        for label, row in enumerate(matrix)
        for answer, count in enumerate(row)
        if count and label != answer
    ]
    mistakes.sort(key=lambda mistake: -mistake["count"])
    most = mistakes[0]["count"] if mistakes else 1

    def tint(label: int, answer: int, count: int) -> str:
        if not count:
            return ""
        return "hit" if label == answer else f"miss-{math.ceil(TINTS * count / most)}"

    rows = [
        [{"label": label, "answer": answer, "count": n, "tint": tint(label, answer, n)} for answer, n in enumerate(row)]
        for label, row in enumerate(matrix)
    ]
    return {"rows": rows, "mistakes": mistakes, "frequent": mistakes[:3]}


def describe_reliability(test: dict) -> dict:
    """The bins of confidence as points of a square drawing, higher for a smaller `y`, with their 95 % intervals."""
    points = []
    for each in test["reliability"]:
        low, high = wilson_interval(round(each["accuracy"] * each["images"]), each["images"])
        points.append(
            {
                "range": f"{100 * each['from']:.0f} to {percent(each['to'], 0)}",
                "images": f"{each['images']:,}",
                "confidence": percent(each["confidence"], 1),
                "accuracy": percent(each["accuracy"], 1),
                "x": coordinate(each["confidence"]),
                "y": coordinate(1 - each["accuracy"]),
                "top": coordinate(1 - high),
                "bottom": coordinate(1 - low),
                "radius": round(3 + 1.5 * math.log10(each["images"]), 2),
            }
        )
    return {
        "points": points,
        "marks": [{"text": f"{20 * step}", "x": 20 * step, "y": 100 - 20 * step} for step in range(6)],
        "surest": points[-1],
        "error": percent(test["expected_calibration_error"]),
    }


def describe_pens(teachers: list[dict]) -> dict:
    """How people are read whom a network has never seen, each of them by the teacher that did without them."""
    pens = [teacher["pens"] for teacher in teachers]
    everybody = pool(pens)
    writers = sorted(everybody["by_writer"].values())
    scale = Scale.of(writers)
    shares = {f"{name} pixels": share for name, share in everybody["by_thickness"].items() if share is not None}
    return {
        "share": percent(everybody["accuracy"]),
        "images": f"{everybody['images']:,}",
        "interval": interval_text(everybody["interval_95"]),
        "uncertain": percent(everybody["uncertain"]),
        "plot": intervals(
            {f"All {len(writers)} people": everybody}
            | {f"Group {number} of {len(pens)}": each for number, each in enumerate(pens, start=1)}
        ),
        "writers": stacked(scale.place(round(share, 3)) for share in writers),
        "marks": scale.marks,
        "people": len(writers),
        "worst": percent(writers[0], 1),
        "median": percent(statistics.median(writers), 1),
        "best": percent(writers[-1], 1),
        "thicknesses": rows_of_mistakes(shares),
    }


def describe_teachers(teachers: list[dict]) -> dict:
    accuracies = [teacher["test"]["accuracy"] for teacher in teachers]
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0
    return {
        "count": len(teachers),
        "mean": percent(statistics.mean(accuracies)),
        "deviation": f"{100 * spread:.2f}",
        "epochs": teachers[0]["training"]["epochs"],
        "rows": [
            {
                "seed": teacher["training"]["seed"],
                "shares": [
                    percent(share)
                    for share in (
                        teacher["test"]["accuracy"],
                        teacher["pens"]["accuracy"],
                        teacher["pens"]["expected_calibration_error"],
                        teacher["pens"]["uncertain"],
                    )
                ],
            }
            for teacher in teachers
        ],
    }


def describe_forms(forms: dict[str, float]) -> dict:
    """All forms, and of each digit, the first word of their names, how many there are and how the lowest is read."""
    by_word: dict[str, list[float]] = {}
    for form, share in forms.items():
        by_word.setdefault(form.split()[0], []).append(share)
    digits = rows_of_mistakes({word: min(shares) for word, shares in by_word.items()}, 1)
    return {
        "digits": [row | {"count": len(by_word[row["name"]])} for row in digits],
        "rows": rows_of_mistakes(dict(sorted(forms.items(), key=lambda form: form[1])), 1),
        "count": len(forms),
        "flawless": sum(share == 1 for share in forms.values()),
        "lowest": percent(min(forms.values()), 1),
    }


def describe_robustness(changes: dict[str, float]) -> dict:
    groups: dict[str, list[dict]] = {title: [] for title in [*CHANGES, OTHER_CHANGES]}
    rows = rows_of_mistakes(changes)
    for row in rows:
        fitting = (title for title, words in CHANGES.items() if any(word in row["name"] for word in words))
        groups[next(fitting, OTHER_CHANGES)].append(row)
    return {
        "groups": {title: rows for title, rows in groups.items() if rows},
        "count": len(changes),
        "lowest": min(rows, key=lambda row: changes[row["name"]]),
    }


def describe_refusal(refusal: dict, trained: dict[str, float]) -> dict:
    kinds = sorted(refusal["kinds"].items(), key=lambda kind: kind[1]["refused"])
    return {
        "share": percent(refusal["pooled"]["refused"], 1),
        "auroc": f"{refusal['pooled']['auroc']:.3f}",
        "digits": percent(refusal["digits"]),
        "rows": [row_of_refusals(name, row["refused"]) | {"auroc": f"{row['auroc']:.3f}"} for name, row in kinds],
        "trained": [row_of_refusals(*kind) for kind in sorted(trained.items(), key=lambda kind: kind[1])],
    }


def describe_training(composition: dict, settings: dict) -> dict:
    recorded, writers = composition["recorded"], composition["writers"]
    data = {
        "training images of MNIST": composition["mnist"],
        f"{recorded:,} digits that {writers} people wrote with a pen": composition["drawn"],
        "made-up handwriting": composition["handwriting"],
        "made-up pictures of no digit": composition["negatives"],
    }
    images = sum(data.values())
    flat = {name: value for name, value in settings.items() if not isinstance(value, dict) and value is not None}
    for nested in (value for value in settings.values() if isinstance(value, dict)):
        flat |= nested
    return {
        "data": [
            {"name": name, "images": f"{count:,}", "bar": coordinate(count / images)} for name, count in data.items()
        ],
        "images": f"{images:,}",
        "epochs": settings["epochs"],
        "validation": f"{settings['validation']:,}",
        "settings": [{"name": name.replace("_", " "), "value": value} for name, value in flat.items()],
    }


def wrong_answers(figures: dict) -> int:
    return figures["images"] - sum(row[digit] for digit, row in enumerate(figures["confusion"]))


def intervals(measured: dict[str, dict]) -> dict:
    """A plot of shares with their 95 % intervals, one below the other on one scale."""
    scale = Scale.of(each["interval_95"][0] for each in measured.values())
    rows = [
        {
            "name": name,
            "share": percent(each["accuracy"]),
            "interval": interval_text(each["interval_95"]),
            "x": scale.place(each["accuracy"]),
            "low": scale.place(each["interval_95"][0]),
            "high": scale.place(each["interval_95"][1]),
        }
        for name, each in measured.items()
    ]
    return {"rows": rows, "marks": scale.marks}


def stacked(places: Iterable[str]) -> dict:
    """A dot for each place, above those that are there already; `y` and `height` in pixels."""
    heights: Counter[str] = Counter()
    dots = []
    for x in places:
        heights[x] += 1
        dots.append({"x": x, "up": heights[x]})
    height = DOT * max(heights.values())
    return {"dots": [{"x": dot["x"], "y": height - DOT * (dot["up"] - 0.5)} for dot in dots], "height": height}


def rows_of_mistakes(shares: dict[str, float], decimals: int = 2) -> list[dict]:
    """A row for each share read right, with a bar for what is misread; the lowest has the longest."""
    lowest = min(shares.values(), default=1)
    most = max(1 - lowest, SMALLEST_FULL_BAR)
    return [
        {
            "name": name,
            "share": percent(share, decimals),
            "bar": coordinate((1 - share) / most),
            "lowest": share == lowest < 1,
        }
        for name, share in shares.items()
    ]


def row_of_refusals(name: str, share: float) -> dict:
    return {"name": name, "share": percent(share, 1), "bar": coordinate(share)}


def coordinate(part: float) -> str:
    """As text, which templates copy much faster than they format numbers."""
    return f"{100 * part:.2f}"


def percent(share: float, decimals: int = 2) -> str:
    return f"{100 * share:.{decimals}f}\u00a0%"


def interval_text(interval: Iterable[float]) -> str:
    low, high = interval
    return f"{100 * low:.2f} to {percent(high)}"
