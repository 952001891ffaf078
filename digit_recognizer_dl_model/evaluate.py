"""How good a weights file is: `python -m digit_recognizer_dl_model.evaluate` prints accuracy, calibration and speed."""

import argparse
import math
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from . import handwriting, nondigits
from .calibration import expected_calibration_error
from .dataset import SIDE, Dataset, MalformedDataset, read_csv
from .inference import Classifier
from .weights import SHIPPED, UnusableWeights, load_weights

DATA = Path(__file__).parent.parent / "data"
SAMPLES_A_FORM = 500
SAMPLES_A_KIND = 500


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share of `right` out of `total` (Wilson 1927)."""
    z = 1.959964
    share = right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return centre - half, centre + half


def measure(classifier: Classifier, dataset: Dataset) -> dict:
    """The figures of a classifier on labelled images, all shares 0-1.

    `confusion[label][answer]` counts images; `uncertain` is the share marked "not sure" for any reason, and `no_digit`
    that of those which "do not look like one digit".
    """
    probabilities, novelty = classifier.answer(dataset.pixels)  # (n, 10), (n,)
    answers, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = answers == dataset.labels
    digits = novelty <= classifier.weights.no_digit_above
    certain = digits & (confidence >= classifier.weights.uncertain_below)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (dataset.labels, answers), 1)
    return {
        "images": len(right),
        "accuracy": float(right.mean()),
        "interval_95": wilson_interval(int(right.sum()), len(right)),
        "expected_calibration_error": expected_calibration_error(probabilities, dataset.labels),
        "uncertain": float(1 - certain.mean()),
        "no_digit": float(1 - digits.mean()),
        "accuracy_where_certain": float(right[certain].sum() / max(certain.sum(), 1)),
        "confusion": confusion.tolist(),
    }


def measure_forms(classifier: Classifier) -> dict[str, float]:
    """The share read right, 0-1, of made-up digits in each form of `handwriting.FORMS`.

    The seed is none that training uses; the hand is the one that wrote for training, so this flatters.
    """
    rng = np.random.default_rng(987_654_321)
    accuracies = {}
    for form in handwriting.FORMS:
        written = handwriting.sample(SAMPLES_A_FORM, rng, [form])
        answers = classifier.probabilities(written.pixels).argmax(axis=1)
        accuracies[form] = float((answers == written.labels).mean())
    return accuracies


def measure_nondigits(classifier: Classifier) -> dict[str, float]:
    """The share refused, 0-1, of made-up pictures in each kind of `nondigits.KINDS`: not sure, for whatever reason.

    The seed is none that training uses; the kinds are those that the rule was fitted to, so this flatters.
    """
    rng = np.random.default_rng(123_456_789)
    weights, shares = classifier.weights, {}
    for kind in nondigits.KINDS:
        probabilities, novelty = classifier.answer(nondigits.sample(SAMPLES_A_KIND, rng, kind))
        refused = (novelty > weights.no_digit_above) | (probabilities.max(axis=1) < weights.uncertain_below)
        shares[kind] = float(refused.mean())
    return shares


def milliseconds_an_image(classifier: Classifier, pixels: np.ndarray, batch: int, repeats: int = 50) -> float:
    """The median time of one forward pass over `batch` images, divided by their number."""
    pixels = np.resize(pixels[:batch], (batch, SIDE, SIDE))  # repeats images where there are too few
    classifier.answer(pixels)  # the first call allocates the buffers
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        classifier.answer(pixels)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times) / batch


def describe(figures: dict) -> str:
    """The figures of `measure` as a few lines of text."""
    low, high = figures["interval_95"]
    lines = [
        f"accuracy        {figures['accuracy']:.2%} of {figures['images']:,} images (95 %: {low:.2%} to {high:.2%})",
        f"calibration     expected calibration error {figures['expected_calibration_error']:.2%}",
        f"not sure        {figures['uncertain']:.2%}; of the rest {figures['accuracy_where_certain']:.2%} are right",
        f"no digit        {figures['no_digit']:.2%}, which are among the not sure",
        "confusion       rows: label, columns: answer",
        "       " + "".join(f"{digit:>6}" for digit in range(10)),
    ]
    lines += [f"{label:>7}" + "".join(f"{n:>6}" for n in row) for label, row in enumerate(figures["confusion"])]
    return "\n".join(lines)


def describe_forms(accuracies: dict[str, float]) -> str:
    """The accuracies of `measure_forms` as lines of text, the lowest first."""
    ordered = sorted(accuracies.items(), key=lambda item: item[1])
    return "\n".join(["made-up forms   right", *(f"{share:>21.1%}  {form}" for form, share in ordered)])


def describe_nondigits(shares: dict[str, float]) -> str:
    """The shares of `measure_nondigits` as lines of text, the lowest first."""
    ordered = sorted(shares.items(), key=lambda item: item[1])
    return "\n".join(["no digits     refused", *(f"{share:>21.1%}  {kind}" for kind, share in ordered)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m digit_recognizer_dl_model.evaluate", description=__doc__)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--csv", type=Path, default=DATA / "mnist_test.csv", help="labelled images to measure on")
    options = parser.parse_args()
    try:
        weights = load_weights(options.weights)
        classifier = Classifier(weights)
        dataset = read_csv(options.csv)
    except (UnusableWeights, MalformedDataset, FileNotFoundError) as error:
        sys.exit(str(error))
    if dataset.labels is None:
        sys.exit(f"{options.csv}: no labels, so there is nothing to measure")
    values = sum(array.size for array in weights.arrays.values())
    print(f"weights         {options.weights.name}: {values:,} values, {options.weights.stat().st_size:,} bytes")
    print(describe(measure(classifier, dataset)))
    print(describe_forms(measure_forms(classifier)))
    print(describe_nondigits(measure_nondigits(classifier)))
    for batch in (1, 64):
        milliseconds = milliseconds_an_image(classifier, dataset.pixels, batch)
        print(f"forward pass    {milliseconds:.3f} ms an image, {batch} at a time")


if __name__ == "__main__":
    main()
