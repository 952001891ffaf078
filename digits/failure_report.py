"""The pictures that the page `/model/` begins with: what the network gets wrong, by where the pictures come from."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from digit_recognizer_dl_model.figures import Failure, grouped_failures

from .charts import misread
from .recognizer import recognize_uncounted
from .stages import untimed

# The groups of failures in the weights file, and their names in the templates.
GROUPS = {
    "Test images": "images",
    "Pens of strangers": "pens",
    "Damaged pictures": "damaged",
    "Pictures of no digit": "no_digits",
}


def describe_failures(failures: Sequence[Failure]) -> dict:
    """For each group, by the name that templates use, its pictures and a varied few of them."""
    return {
        GROUPS[name]: {"name": name, "examples": examples, "varied": varied(examples)}
        for name, members in grouped_failures(failures).items()
        if name in GROUPS
        for examples in [describe_group(members)]
    }


def describe_group(failures: Sequence[Failure]) -> list[dict]:
    return [
        misread(
            failure.pixels,
            f"A handwritten {failure.shown}" if failure.shown.isdigit() else f"A picture of the kind {failure.shown}",
            failure.shown,
            str(failure.answer),
            failure.is_uncertain,
            sure,
        )
        for failure, sure in zip(failures, confidences(failures), strict=True)
    ]


@untimed()
def confidences(failures: Sequence[Failure]) -> list[int] | list[None]:
    """How sure the network is of each answer, in percent and rounded down, so that only certainty is 100.

    All are None where the answers of the group are not the network's: its teachers have read the pens of strangers.
    """
    predictions = recognize_uncounted(np.stack([failure.pixels for failure in failures]))
    if [prediction.digit for prediction in predictions] != [failure.answer for failure in failures]:
        return [None] * len(failures)
    return [int(prediction.percent) for prediction in predictions]


def varied(examples: list[dict]) -> list[dict]:
    """The examples in an order in which those that show the same come as late as they can."""
    seen: Counter[str] = Counter()
    turns = []
    for example in examples:
        turns.append(seen[example["shown"]])
        seen[example["shown"]] += 1
    return [examples[index] for index in sorted(range(len(examples)), key=turns.__getitem__)]
