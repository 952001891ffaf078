"""Measure what labelled arrays alone can tell: `python -m digit_recognizer_dl_model.evaluate`, about a minute.

It prints the checksum of the network, its accuracy on the test images, how fresh synthetic digits and negatives are
read, and the time of a forward pass. `--repeats FILE ...`, trained as the weights were but with other seeds, show how
much of the accuracy is chance. `--full` also measures the pictures that the site prepares: it runs
`benchmarks.quality.measure`, which can save all figures.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .counts import Count
from .dataset import DATA, Dataset, MalformedDataset, read_csv
from .doubt import doubts
from .figures import Figures, Form, Repeat, Row
from .frame import SIDE
from .inference import Classifier
from .metrics import describe, describe_rows, measure
from .synthetic import handwriting, negatives
from .weights import SHIPPED, UnusableWeights, Weights, load_weights

SAMPLES_A_FORM = 500
SAMPLES_A_KIND = 500
PENS = DATA / "pen_digits.json.gz"
BATCHES = (1, 16, 256)  # numbers of images that the forward pass is timed for
# Seeds that training does not use.
SEED_OF_FORMS = 987_654_321
SEED_OF_NEGATIVES = 123_456_789


def evaluate(classifier: Classifier, test: Dataset, repeats: Sequence[Weights] = ()) -> Figures:
    """Measure the parts of the figures that need no pictures; the figures that are returned have no others."""
    return Figures(
        test=measure(classifier, test),
        forms=measure_forms(classifier, SAMPLES_A_FORM),
        negatives=measure_negatives(classifier, SAMPLES_A_KIND),
        repeats=tuple(Repeat(weights.figures.training, measure(Classifier(weights), test)) for weights in repeats),
    )


def measure_forms(classifier: Classifier, samples: int) -> tuple[Form, ...]:
    """Read `samples` fresh synthetic digits in each form of `handwriting.FORMS`.

    The same program wrote the digits to train on, so these figures flatter.
    """
    rng = np.random.default_rng(SEED_OF_FORMS)
    rows = []
    for name, form in handwriting.FORMS.items():
        written = handwriting.write_digits(samples, rng, [name])
        right = classifier.probabilities(written.pixels).argmax(axis=1) == written.labels
        rows.append(Form(name, Count(int(right.sum()), samples), form.digit))
    return tuple(rows)


def measure_negatives(classifier: Classifier, samples: int) -> tuple[Row, ...]:
    """Read `samples` fresh negatives of each kind of `negatives.KINDS`; "not sure" is right, for either reason.

    The network was trained on these kinds, so these figures flatter.
    """
    rng = np.random.default_rng(SEED_OF_NEGATIVES)
    rows = []
    for kind in negatives.KINDS:
        probabilities = classifier.probabilities(negatives.make_negatives(samples, rng, kind))
        refused = doubts(probabilities, classifier.weights).is_uncertain
        rows.append(Row(kind, Count(int(refused.sum()), samples)))
    return tuple(rows)


def microseconds_an_image(classifier: Classifier, pixels: np.ndarray, batch: int, rounds: int = 50) -> float:
    """The median time of one forward pass over `batch` of the pixels (n, 28, 28), divided by `batch`."""
    pixels = np.resize(pixels[:batch], (batch, SIDE, SIDE))  # repeats images where there are too few
    classifier.probabilities(pixels)  # the first call allocates the buffers
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        classifier.probabilities(pixels)
        times.append(time.perf_counter() - start)
    return 1e6 * statistics.median(times) / batch


def time_batches(classifier: Classifier, pixels: np.ndarray) -> dict[int, float]:
    """The microseconds that an image takes in batches of each size of `BATCHES`."""
    return {batch: microseconds_an_image(classifier, pixels, batch) for batch in BATCHES}


def describe_weights(path: Path, weights: Weights) -> str:
    """The name, the size and the checksum of a weights file as lines of text."""
    size = f"weights         {path.name}: {weights.parameters:,} parameters, {path.stat().st_size:,} bytes"
    return f"{size}\nchecksum        {weights.checksum}"


def describe_evaluation(figures: Figures) -> str:
    """The figures of `evaluate` as lines of text."""
    parts = [
        describe(figures.test),
        describe_rows("forms            right", figures.forms),
        describe_rows("negatives      refused", figures.negatives),
    ]
    if figures.repeats:
        parts.append(describe_repeats(figures))
    return "\n".join(parts)


def describe_repeats(figures: Figures) -> str:
    """The accuracies on the test images of the network and of its repeats as a line of text."""
    seeds = ", ".join(str(repeat.training.seed) for repeat in figures.repeats)
    accuracies = ", ".join(f"{repeat.test.count.fraction:.2%}" for repeat in figures.repeats)
    spread = figures.of_seeds
    summary = f"mean with the network's own {spread.mean:.2%}, standard deviation {spread.standard_deviation:.2%}"
    return f"repeats         of seeds {seeds}: {accuracies}; {summary}"


def describe_times(times: dict[int, float]) -> str:
    """The times of `time_batches` as lines of text."""
    return "\n".join(
        f"forward pass    {microseconds:.0f} microseconds an image, {batch} at a time"
        for batch, microseconds in times.items()
    )


def option_parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """The options that both commands that measure have."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--csv", type=Path, default=DATA / "mnist_test.csv", help="labelled images to measure on")
    return parser


def read_images(path: Path) -> Dataset:
    """The labelled images of a CSV file; raises MalformedDataset for another file, FileNotFoundError for no file."""
    dataset = read_csv(path)
    if dataset.labels is None:
        raise MalformedDataset(f"{path}: the images have no labels, so there is nothing to measure")
    return dataset


def measure_everything(options: argparse.Namespace) -> int:
    """Run the command that needs Pillow, the site and, if they are there, the pens; its exit code.

    It is another process, because nothing of this package needs them.
    """
    command = [sys.executable, "-m", "benchmarks.quality.measure", "--csv", options.csv.resolve()]
    command += ["--weights", options.weights.resolve()]
    if PENS.exists():
        command += ["--strokes", PENS]
    if options.repeats:
        command += ["--repeats", *(path.resolve() for path in options.repeats)]
    return subprocess.call(command, cwd=Path(__file__).parent.parent)


def main() -> None:
    parser = option_parser("digit_recognizer_dl_model.evaluate", __doc__)
    parser.add_argument("--repeats", type=Path, nargs="+", default=[], metavar="FILE", help="weights of other seeds")
    parser.add_argument("--full", action="store_true", help="measure everything, in about ten minutes")
    options = parser.parse_args()
    if options.full:
        sys.exit(measure_everything(options))
    try:
        weights = load_weights(options.weights)
        repeats = [load_weights(path) for path in options.repeats]
        classifier, test = Classifier(weights), read_images(options.csv)
    except (UnusableWeights, MalformedDataset, OSError) as error:
        sys.exit(str(error))
    print(describe_weights(options.weights, weights))
    print(describe_evaluation(evaluate(classifier, test, repeats)))
    print(describe_times(time_batches(classifier, test.pixels)))


if __name__ == "__main__":
    main()
