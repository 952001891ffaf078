"""How good a weights file is: `python -m benchmarks.quality.measure` measures all that can be measured here.

It prints accuracy, calibration, refusals, robustness, photographs and speed, and with `--strokes FILE` also how
recorded pens are read. `--teachers FILE ...` measures these on the test images, and on the pens of the people whom each
has never seen, instead of the network that learned from all of them. `--repeats FILE ...`, trained as the weights were
but with other seeds, tell how much of the accuracy is chance. `--json FILE` writes everything as JSON, and `--save`
keeps it in the weights file, which MODEL_CARD.md is made from.
"""

import argparse
import json
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from digit_recognizer_dl_model.dataset import DATA, SIDE, Dataset, MalformedDataset, read_csv
from digit_recognizer_dl_model.doubt import doubts
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.metrics import describe, measure
from digit_recognizer_dl_model.recordings import MalformedRecordings, Recording, fold_of_writers, read_recordings
from digit_recognizer_dl_model.synthetic import handwriting, negatives
from digit_recognizer_dl_model.weights import SHIPPED, UnusableWeights, Weights, load_weights, save_weights

from .pens import describe_pens, measure_pens
from .photographs import describe_photographs, measure_photographs
from .robustness import describe_robustness, measure_robustness
from .unseen_kinds import describe_refusal, measure_refusal

SAMPLES_A_FORM = 500
SAMPLES_A_KIND = 500
BATCHES = (1, 16, 256)  # images that the time is measured for


def report(classifier: Classifier, test: Dataset, recordings: list[Recording] | None = None) -> dict:
    """Everything that is measured, by the name of the part; `pens` only where there are recordings."""
    figures = {
        "test": measure(classifier, test),
        "forms": measure_forms(classifier),
        "negatives": measure_negatives(classifier),
        "refusal": measure_refusal(classifier, test, SAMPLES_A_KIND),
        "robustness": measure_robustness(classifier, test, progress=progress("robustness")),
        "photographs": measure_photographs(classifier, test, progress=progress("photographs")),
    }
    if recordings:
        figures["pens"] = measure_pens(classifier, recordings, progress("pens"))
    return figures


def describe_report(figures: dict) -> str:
    """What `report` measured as lines of text."""
    parts = [
        describe(figures["test"]),
        describe_forms(figures["forms"]),
        describe_negatives(figures["negatives"]),
        describe_refusal(figures["refusal"]),
        describe_robustness(figures["robustness"]),
        describe_photographs(figures["photographs"]),
    ]
    if "pens" in figures:
        parts.append(describe_pens(figures["pens"]))
    return "\n".join(parts)


def progress(part: str):
    """A function that shows how much of a part is done, where somebody looks at a terminal."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            line = f"measuring {part}: {done} of {total}"
            print(f"\r{line:<60}" if done < total else f"\r{'':60}\r", end="", file=sys.stderr, flush=True)

    return show


def measure_forms(classifier: Classifier) -> dict[str, float]:
    """The share read right, 0-1, of made-up digits in each form of `handwriting.FORMS`.

    The seed is none that training uses; the hand is the one that wrote for training, so this flatters.
    """
    rng = np.random.default_rng(987_654_321)
    accuracies = {}
    for form in handwriting.FORMS:
        written = handwriting.write_digits(SAMPLES_A_FORM, rng, [form])
        answers = classifier.probabilities(written.pixels).argmax(axis=1)
        accuracies[form] = float((answers == written.labels).mean())
    return accuracies


def measure_negatives(classifier: Classifier) -> dict[str, float]:
    """The share refused, 0-1, of made-up pictures in each kind of `negatives.KINDS`: not sure, for whatever reason.

    The seed is none that training uses; the kinds are those that were trained on, so this flatters.
    """
    rng = np.random.default_rng(123_456_789)
    shares = {}
    for kind in negatives.KINDS:
        probabilities = classifier.probabilities(negatives.make_negatives(SAMPLES_A_KIND, rng, kind))
        shares[kind] = float(doubts(probabilities, classifier.weights).is_uncertain.mean())
    return shares


def measure_teacher(weights: Weights, test: Dataset, recordings: list[Recording]) -> dict:
    """A teacher's settings, and its figures on the test images and on the pens of the writers it has never seen."""
    classifier, settings = Classifier(weights), weights.figures["training"]
    writers = fold_of_writers(recordings, settings["fold"])
    unseen = [recording for recording in recordings if recording.writer in writers]
    pens = measure_pens(classifier, unseen, progress("pens"))
    return {"training": settings, "test": measure(classifier, test), "pens": pens}


def microseconds_an_image(classifier: Classifier, pixels: np.ndarray, batch: int, repeats: int = 50) -> float:
    """The median time of one forward pass over `batch` images, divided by their number."""
    pixels = np.resize(pixels[:batch], (batch, SIDE, SIDE))  # repeats images where there are too few
    classifier.probabilities(pixels)  # the first call allocates the buffers
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        classifier.probabilities(pixels)
        times.append(time.perf_counter() - start)
    return 1e6 * statistics.median(times) / batch


def describe_teacher(figures: dict) -> str:
    """The figures of `measure_teacher` as lines of text."""
    seed, accuracy = figures["training"]["seed"], figures["test"]["accuracy"]
    return f"teacher         of seed {seed}: {accuracy:.2%} of the test images\n{describe_pens(figures['pens'])}"


def describe_repeats(figures: dict) -> str:
    """The accuracies on the test images of the network and of its repeats, as lines of text."""
    accuracies = [figures["test"]["accuracy"], *(repeat["test"]["accuracy"] for repeat in figures["repeats"])]
    seeds = ", ".join(str(repeat["training"]["seed"]) for repeat in figures["repeats"])
    shares = ", ".join(f"{accuracy:.2%}" for accuracy in accuracies[1:])
    mean, deviation = statistics.mean(accuracies), statistics.stdev(accuracies)
    return f"repeats         of seeds {seeds}: {shares}; with the network's own {mean:.2%}, deviation {deviation:.2%}"


def describe_forms(accuracies: dict[str, float]) -> str:
    """The accuracies of `measure_forms` as lines of text, the lowest first."""
    ordered = sorted(accuracies.items(), key=lambda item: item[1])
    return "\n".join(["made-up forms   right", *(f"{share:>21.1%}  {form}" for form, share in ordered)])


def describe_negatives(shares: dict[str, float]) -> str:
    """The shares of `measure_negatives` as lines of text, the lowest first."""
    ordered = sorted(shares.items(), key=lambda item: item[1])
    return "\n".join(["no digits     refused", *(f"{share:>21.1%}  {kind}" for kind, share in ordered)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.measure", description=__doc__)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--csv", type=Path, default=DATA / "mnist_test.csv", help="labelled images to measure on")
    parser.add_argument("--strokes", type=Path, metavar="FILE", help="recorded pen strokes, as fetch_pen_digits writes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--save", action="store_true", help="keep the figures in the weights file")
    parser.add_argument("--teachers", type=Path, nargs="+", default=[], metavar="FILE", help="weights; needs --strokes")
    parser.add_argument("--repeats", type=Path, nargs="+", default=[], metavar="FILE", help="weights of other seeds")
    options = parser.parse_args()
    if options.teachers and not options.strokes:
        parser.error("--teachers needs --strokes")
    try:
        weights = load_weights(options.weights)
        teachers = [load_weights(path) for path in options.teachers]
        repeats = [load_weights(path) for path in options.repeats]
        classifier = Classifier(weights)
        dataset = read_csv(options.csv)
        recordings = read_recordings(options.strokes) if options.strokes else None
    except (UnusableWeights, MalformedDataset, MalformedRecordings, OSError) as error:
        sys.exit(str(error))
    if dataset.labels is None:
        sys.exit(f"{options.csv}: no labels, so there is nothing to measure")

    size = f"{weights.trained_values:,} trained values, {options.weights.stat().st_size:,} bytes"
    print(f"weights         {options.weights.name}: {size}")
    figures = report(classifier, dataset, None if teachers else recordings)
    print(describe_report(figures))
    if teachers:
        figures["teachers"] = [measure_teacher(teacher, dataset, recordings) for teacher in teachers]
        for teacher in figures["teachers"]:
            print(describe_teacher(teacher))
    if repeats:
        figures["repeats"] = [
            {"training": repeat.figures["training"], "test": measure(Classifier(repeat), dataset)} for repeat in repeats
        ]
        print(describe_repeats(figures))
    times = {str(batch): microseconds_an_image(classifier, dataset.pixels, batch) for batch in BATCHES}
    for batch, microseconds in times.items():
        print(f"forward pass    {microseconds:.0f} microseconds an image, {batch} at a time")
    if options.json:
        options.json.write_text(json.dumps(figures | {"microseconds_an_image": times}, indent=1), encoding="utf-8")
    if options.save:
        save_weights(options.weights, replace(weights, figures=weights.figures | figures))


if __name__ == "__main__":
    main()
