"""What each part of the training data is good for: the network trained without it.

Run as `python -m benchmarks.ablation`; each variant takes some minutes. All are trained as in
`digit_recognizer_dl_model.train`, but without teachers, for fewer epochs and without one fold of the writers. They are
measured on what they have not seen: held-out training images, as they are and damaged, the pens of those writers, and
pictures of no digit. MNIST's test images are never read.
"""

from .environment import use_one_blas_thread

use_one_blas_thread()

import argparse
import contextlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np

from benchmarks.quality.corruptions import measure_damaged
from benchmarks.quality.pens import measure_pens
from benchmarks.quality.unseen_kinds import measure_unseen_kinds
from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.figures import pooled_count
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.recordings import Recording, fold_of_writers
from digit_recognizer_dl_model.synthetic import negatives
from digit_recognizer_dl_model.train import Run, Settings, hold_out, learn, read_data
from digit_recognizer_dl_model.weights import load_weights

VALIDATION = 1000  # of the held-out images that pictures of no digit are told from
DAMAGED = 200  # of the held-out images that are damaged in each way
NO_DIGIT = 200  # pictures of each kind that shows no digit

# What differs from the shipped settings, and the kinds of negatives that are left out.
VARIANTS: dict[str, tuple[dict, tuple[str, ...]]] = {
    "everything": ({}, ()),
    "no damage": ({"damaged": 0.0}, ()),
    "twice the damage": ({"damaged": 0.1}, ()),
    "no letters": ({}, ("letter",)),
    "no negatives": ({}, tuple(negatives.KINDS)),
    "no synthetic digits": ({"handwriting": 0}, ()),
    "no pens": ({"drawings": 0}, ()),
}


class Result(NamedTuple):
    """Fractions of right answers, and how well pictures of no digit are told from digits."""

    validation: float
    pens: float
    damaged: float
    worst_damage: float
    refused: float
    auroc: float


def train(
    changes: dict, without: tuple[str, ...], epochs: int, mnist: Dataset, recorded: list[Recording], folder: Path
) -> Classifier:
    """The classifier of a variant; its progress is not shown."""
    settings = replace(Settings(), epochs=epochs, fold=0, label_smoothing=0.0, **changes)
    kept = {kind: make for kind, make in negatives.KINDS.items() if kind not in without}
    if not kept:
        kept, settings = dict(negatives.KINDS), replace(settings, negatives=0)
    out = folder / "weights.npz"
    with (
        mock.patch.object(negatives, "KINDS", kept),
        Path(os.devnull).open("w") as null,
        contextlib.redirect_stdout(null),
    ):
        learn(Run(settings, out), mnist, recorded, folder / "checkpoint.npz", lambda: False)
    return Classifier(load_weights(out))


def measure(classifier: Classifier, mnist: Dataset, recorded: list[Recording]) -> Result:
    settings = classifier.weights.figures.training
    _, validation = hold_out(mnist, settings.validation, settings.seed)
    strangers = fold_of_writers(recorded, settings.fold)
    damaged = measure_damaged(classifier, validation, DAMAGED)
    digits = Dataset(validation.pixels[:VALIDATION], validation.labels[:VALIDATION])
    unseen = measure_unseen_kinds(classifier, digits, NO_DIGIT).pooled
    return Result(
        float((classifier.probabilities(validation.pixels).argmax(axis=1) == validation.labels).mean()),
        measure_pens(classifier, [each for each in recorded if each.writer in strangers]).accuracy.count.fraction,
        pooled_count(damaged).fraction,
        float(np.min([row.count.fraction for row in damaged])),
        unseen.count.fraction,
        unseen.auroc,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    mnist, recorded = read_data(Settings())
    print("| trained with | held-out images | unseen pens | damaged | worst damage | no digit, refused | AUROC |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, (changes, without) in VARIANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            classifier = train(changes, without, options.epochs, mnist, recorded, Path(folder))
        *fractions, auroc = measure(classifier, mnist, recorded)
        cells = [name, *(f"{100 * fraction:.1f} %" for fraction in fractions), f"{auroc:.3f}"]
        cells[1:3] = [f"{100 * fraction:.2f} %" for fraction in fractions[:2]]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
