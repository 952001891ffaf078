"""Train the network: `python -m digit_recognizer_dl_model.train`, one to two hours on two cores.

Three teachers are trained first, each without one fold of the people whose pens were recorded: the digits of that fold
show how well the network reads people it has never seen. The shipped network starts with the weights of a teacher and
also learns from the answers of all (distillation, Hinton et al. 2015, arXiv:1503.02531).

All learn from MNIST, from digits that people wrote with a pen, from synthetic handwriting in the forms that both lack,
and from negatives. MNIST's test images are never opened here: `benchmarks.quality.measure` measures the trained weights
on them. Ctrl-C leaves a checkpoint; `--resume` goes on from it and reaches the same weights as an unbroken run.
"""

import os

# Each half of a batch has its own thread, so BLAS must not start more. It reads this when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from .calibration import fit_temperature
from .dataset import DATA, Dataset, MalformedDataset, read_csv
from .descent import SHARDS, Descent
from .doubt import beyond_two
from .figures import Composition, Figures, TrainingSettings
from .inference import Classifier
from .loss import NO_DIGIT, cross_entropy, targets_of
from .metrics import describe, measure
from .network import ARCHITECTURE, Network
from .recordings import FOLDS, MalformedRecordings, Recording, fold_of_writers, read_recordings
from .synthetic import handwriting, negatives, redrawing
from .synthetic.augmentation import Augmentation
from .synthetic.damage import damage
from .weights import SHIPPED, UnusableWeights, Weights, load_weights, save_weights

FOLDER = Path(__file__).with_name("training")  # where teachers and the checkpoint are kept
TEACHER_EPOCHS = 24
# Distillation weight: how much of the target is a teacher's prediction; the rest is the smoothed label.
DISTILLATION = 0.8
# The fractions of held-out digits that may be doubted, as between two digits or as not looking like one digit. The
# thresholds are fitted after training, so changing them does not invalidate a checkpoint.
UNSURE_FRACTION = 0.003
NO_DIGIT_FRACTION = 0.007


@dataclass(frozen=True)
class Settings:
    """The settings of one training run; the defaults are those of the shipped weights."""

    seed: int = 1
    epochs: int = 32
    batch: int = 128  # images a step
    validation: int = 5000  # images held out of the training set, to fit thresholds and to choose settings
    handwriting: int = 20_000  # synthetic digits, in forms that are rare in MNIST
    drawings: int = 2  # drawings of each digit recorded with a pen
    fold: int | None = None  # the fold of the pens' writers that is held out
    negatives: int = 15_000  # pictures that do not show one digit
    peak_learning_rate: float = 4e-3
    warm_up: float = 0.2  # fraction of the steps in which the learning rate rises
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    damaged: float = 0.05  # fraction of the images of each step that are damaged
    averaging: float = 0.999  # fraction of the average that each step keeps: a memory of about 1,000 steps
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Run:
    """One network to train: a teacher, or the shipped network, which learns from teachers."""

    settings: Settings
    out: Path  # the weights file that it writes
    teachers: Sequence[Path] = ()  # the weights files of its teachers


def teacher_run(settings: Settings, fold: int, folder: Path) -> Run:
    """The run of the teacher that never sees this fold of the writers.

    It learns without label smoothing, which would blur the differences between digits that it teaches, and without
    damage, because it is shown what was there before.
    """
    own = replace(
        settings,
        seed=settings.seed + 1 + fold,
        fold=fold,
        epochs=TEACHER_EPOCHS,
        label_smoothing=0.0,
        damaged=0.0,
    )
    return Run(own, folder / f"teacher{fold}.npz")


class Training(Descent):
    """Learning digits from labelled images, and from teachers where there are any."""

    def __init__(
        self,
        settings: Settings,
        training_set: Dataset,
        architecture: list[dict] = ARCHITECTURE,
        teachers: Sequence[Classifier] = (),
    ) -> None:
        self.steps_an_epoch = len(training_set.pixels) // settings.batch
        super().__init__(settings, architecture, settings.epochs * self.steps_an_epoch)
        self.teachers = teachers
        self.dataset = training_set

    def start_from(self, weights: Weights) -> None:
        """Take over trained weights, if they are of the same architecture, as if their training went on."""
        if weights.architecture == self.network.architecture:
            for name, array in self.network.state.items():
                array[...] = self.average[name][...] = weights.arrays[name]

    def batch(self) -> list[np.ndarray]:
        """The indices of the images of this step, (n,) for each shard."""
        settings = self.settings
        epoch, position = divmod(self.step, self.steps_an_epoch)
        order = order_of_epoch(settings.seed, epoch, len(self.dataset.pixels))
        return np.split(order[position * settings.batch : (position + 1) * settings.batch], SHARDS)

    def differentiate(self, shard: int, network: Network, part: np.ndarray) -> tuple[float, dict[str, np.ndarray]]:
        """One forward and backward pass on the images with these indices, (n,)."""
        rng = np.random.default_rng([self.settings.seed, self.step, shard])
        images = self.settings.augmentation(self.dataset.pixels[part], rng)  # (n, 28, 28)
        shown = images.copy()  # the teachers see what was there before the damage
        if self.settings.damaged:
            for index in np.flatnonzero(rng.random(len(images)) < self.settings.damaged):
                shown[index] = damage(images[index], rng)
        logits = network.forward(shown[..., None], training=True, rng=rng)
        targets = targets_of(self.dataset.labels[part], self.settings.label_smoothing)
        if self.teachers:
            # Teachers read pixels as the site does, in whole grey levels, although `images` has finer ones.
            pixels = np.rint(255 * images).astype(np.uint8)
            # One teacher at random: that is their mean over the steps, in a third of the time.
            teacher = self.teachers[rng.integers(len(self.teachers))]
            targets += DISTILLATION * (teacher.outputs(pixels) - targets)
        loss, d_logits = cross_entropy(logits, targets)
        network.backward(d_logits)
        return loss, network.gradients

    def identity(self) -> dict:
        """All that must be the same in a run and in its checkpoint."""
        return super().identity() | {"teachers": len(self.teachers)}


@lru_cache(maxsize=1)
def order_of_epoch(seed: int, epoch: int, images: int) -> np.ndarray:
    """The order of the images in an epoch, as indices (images,)."""
    return np.random.default_rng([seed, epoch]).permutation(images)


def hold_out(dataset: Dataset, count: int, seed: int) -> tuple[Dataset, Dataset]:
    """Split at random into a training set and `count` validation images."""
    order = np.random.default_rng(seed).permutation(len(dataset.pixels))
    training, validation = order[count:], order[:count]
    return (
        Dataset(dataset.pixels[training], dataset.labels[training]),
        Dataset(dataset.pixels[validation], dataset.labels[validation]),
    )


def compose(settings: Settings, mnist: Dataset, recorded: list[Recording]) -> Dataset:
    """The training set: MNIST, synthetic handwriting, drawings of recorded digits, and negatives."""
    rng = np.random.default_rng(settings.seed)
    parts = [mnist, handwriting.write_digits(settings.handwriting, rng)]
    parts += [redrawing.draw_recordings(recorded, rng) for _ in range(settings.drawings)]
    for kind, count in negatives.numbers_of_kinds(settings.negatives).items():
        pixels = negatives.make_negatives(count, rng, kind)
        parts.append(Dataset(pixels, np.full(len(pixels), NO_DIGIT, np.uint8)))
    return Dataset(*map(np.concatenate, zip(*parts, strict=True)))


def train_to_the_end(
    training: Training, validation: Dataset, checkpoint: Path, should_stop: Callable[[], bool] = lambda: False
) -> bool:
    """Take all steps that are left and save a checkpoint after every epoch; False if `should_stop` ended it before."""
    start, first_step = time.monotonic(), training.step
    smoothed = None
    with ThreadPoolExecutor(SHARDS) as pool:
        while training.step < training.steps:
            loss = training.advance(pool)
            smoothed = loss if smoothed is None else smoothed + 0.02 * (loss - smoothed)
            ends_epoch = training.step % training.steps_an_epoch == 0
            if training.step % 20 == 0 or ends_epoch:
                left = (time.monotonic() - start) / (training.step - first_step) * (training.steps - training.step)
                show_progress(training, smoothed, left)
            if ends_epoch:
                accuracy = measure(Classifier(training.weights()), validation).count.fraction
                print(f"  validation {accuracy:.2%}", flush=True)
            stops = should_stop()
            if ends_epoch or stops:
                training.save_checkpoint(checkpoint)
            if stops:
                return False
    return True


def show_progress(training: Training, loss: float, seconds_left: float) -> None:
    """Print the step and its loss: each time on a terminal, and one line for each epoch in a log."""
    epoch, position = divmod(training.step - 1, training.steps_an_epoch)
    ends_epoch = position + 1 == training.steps_an_epoch
    if not (ends_epoch or sys.stdout.isatty()):
        return
    line = f"epoch {epoch + 1}/{training.settings.epochs}  step {position + 1}/{training.steps_an_epoch}"
    line += f"  loss {loss:.4f}  {seconds_left / 60:.0f} min left"
    print(f"\r{line}" if sys.stdout.isatty() else line, end="", flush=True)


def finish(training: Training, validation: Dataset, composition: Composition, out: Path) -> None:
    """Calibrate the trained network and fit its limits on the validation images, then write the weights."""
    print("calibrating", flush=True)
    settings, weights = training.settings, training.weights()
    temperature = fit_temperature(Classifier(weights).logits(validation.pixels), validation.labels)
    weights = replace(weights, temperature=temperature)
    probabilities = Classifier(weights).probabilities(validation.pixels)
    weights = replace(
        weights,
        uncertain_below=float(np.quantile(probabilities.max(axis=1), UNSURE_FRACTION)),
        no_digit_above=float(np.quantile(beyond_two(probabilities), 1 - NO_DIGIT_FRACTION)),
    )
    accuracy = measure(Classifier(weights), validation)
    figures = Figures(training=record(settings), composition=composition, validation=accuracy)
    save_weights(out, replace(weights, figures=figures))
    print(f"checksum        {weights.checksum}")
    print(f"temperature     {temperature:.3f}, fitted on {len(validation.pixels):,} held-out images")
    print(describe(accuracy))
    print(f"wrote {out}")


def learn(
    run: Run, mnist: Dataset, recorded: list[Recording], checkpoint: Path, should_stop: Callable[[], bool]
) -> bool:
    """Train the network of a run and write its weights, beginning from the checkpoint if there is one.

    mnist: the labelled training images, of which the validation images are held out.
    recorded: the recordings of all writers, including the fold that is held out.
    checkpoint: the file for an unfinished run; it is removed at the end.
    Returns False if `should_stop` ended the run before. Exits where a teacher or the checkpoint cannot be used.
    """
    settings = run.settings
    try:
        teachers = [Classifier(load_weights(path)) for path in run.teachers]
    except UnusableWeights as error:
        sys.exit(f"can't learn from {error}")
    training_set, validation = hold_out(mnist, settings.validation, settings.seed)
    unseen = set() if settings.fold is None else fold_of_writers(recorded, settings.fold)
    seen = [recording for recording in recorded if recording.writer not in unseen]
    print("drawing recorded digits, synthetic handwriting and negatives", flush=True)
    dataset = compose(settings, training_set, seen)
    composition = Composition(
        mnist=len(training_set.pixels),
        recorded=len(seen),
        writers=len({recording.writer for recording in seen}),
        drawn=settings.drawings * len(seen),
        handwriting=settings.handwriting,
        negatives=int((dataset.labels == NO_DIGIT).sum()),
    )
    training = Training(settings, dataset, teachers=teachers)
    if teachers:  # other seeds start elsewhere
        training.start_from(teachers[settings.seed % len(teachers)].weights)
    if checkpoint.exists():
        try:
            training.restore_checkpoint(checkpoint)
        except (OSError, ValueError, KeyError) as error:
            sys.exit(f"can't resume: {error}")
    if not train_to_the_end(training, validation, checkpoint, should_stop):
        return False
    finish(training, validation, composition, run.out)
    checkpoint.unlink(missing_ok=True)
    return True


def is_trained(path: Path, settings: Settings) -> bool:
    """Whether a file holds weights that were trained with these settings."""
    try:
        return load_weights(path).figures.training == record(settings)
    except UnusableWeights:
        return False


def record(settings: Settings) -> TrainingSettings:
    """The settings as the figures keep them."""
    return TrainingSettings.from_json(asdict(settings))


def read_data(settings: Settings) -> tuple[Dataset, list[Recording]]:
    """MNIST's training images and the recordings; exits where they are missing, malformed or too few."""
    csv = DATA / "mnist_train.csv"
    try:
        mnist, recorded = read_csv(csv), read_recordings(DATA / "pen_digits.json.gz")
    except FileNotFoundError as error:
        command = "fetch_mnist" if error.filename.endswith(".csv") else "fetch_pen_digits"
        sys.exit(f"{error.filename} is missing: `python manage.py {command}` gets it")
    except (MalformedDataset, MalformedRecordings) as error:
        sys.exit(str(error))
    if mnist.labels is None:
        sys.exit(f"{csv}: no labels, so there is nothing to learn from")
    if len(mnist.pixels) < settings.validation + settings.batch:
        sys.exit(
            f"{csv}: {len(mnist.pixels):,} images are too few, as {settings.validation:,} of them are held out and a "
            f"step takes {settings.batch}"
        )
    return mnist, recorded


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m digit_recognizer_dl_model.train", description=__doc__)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--epochs", type=int, default=Settings.epochs, help="epochs of the shipped network")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the weights are written")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where teachers and the checkpoint are kept")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the teachers and the checkpoint in the folder"
    )
    parser.add_argument(
        "--teachers", type=Path, nargs="+", metavar="FILE", help="learn from these weights and train no teachers"
    )
    options = parser.parse_args()

    settings = Settings(seed=options.seed, epochs=options.epochs)
    mnist, recorded = read_data(settings)
    own = [] if options.teachers else [teacher_run(settings, fold, options.folder) for fold in range(FOLDS)]
    shipped = Run(settings, options.out, options.teachers or [teacher.out for teacher in own])
    checkpoint = options.folder / "checkpoint.npz"
    kept = [path for path in (*(teacher.out for teacher in own), checkpoint) if path.exists()]
    if options.resume and not kept:
        sys.exit(f"can't resume: {options.folder} holds nothing to go on from")
    if not options.resume:
        for path in kept:
            path.unlink()
    options.folder.mkdir(parents=True, exist_ok=True)

    stopping = []
    signal.signal(signal.SIGINT, lambda *_: stopping.append(True))  # ends after the step in progress
    for run in (*own, shipped):
        if run.out in kept and is_trained(run.out, run.settings):
            continue
        print(f"training {run.out.name}", flush=True)
        if not learn(run, mnist, recorded, checkpoint, lambda: bool(stopping)):
            print(f"\nstopped; --resume goes on from {options.folder}")
            sys.exit(130)


if __name__ == "__main__":
    main()
