"""Train the network on MNIST: `python -m digit_recognizer_dl_model.train`, about an hour on two cores.

Ctrl-C leaves a checkpoint; `--resume` goes on from it and reaches the same weights as an unbroken run.
"""

import os

# Each half of a batch computes on its own thread, so BLAS must not start more; it reads this once, with NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import math
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from . import handwriting, nondigits, novelty
from .augmentation import Augmentation
from .calibration import confidence_of_share, fit_temperature
from .dataset import Dataset, MalformedDataset, read_csv
from .evaluate import (
    DATA,
    describe,
    describe_forms,
    describe_nondigits,
    measure,
    measure_forms,
    measure_nondigits,
)
from .inference import Classifier
from .loss import cross_entropy
from .network import ARCHITECTURE, Network
from .optimizer import AdamW, one_cycle
from .weights import SHIPPED, Weights, load_npz, save_npz, save_weights

CHECKPOINT = Path(__file__).with_name("checkpoint.npz")
SHARDS = 2  # parts of a batch that are computed at the same time; a fixed number, so that results don't depend on cores
# Novelty is fitted to whatever a run ends in, so these are no settings of the run, and its checkpoints fit them all.
NOVELTY_IMAGES = 20_000  # digits, lightly changed, whose features say where digits lie
NOVELTY_CHANGES = Augmentation(8.0, 0.08, 0.1, 1.0, 0.4, thickness=0.3)
NONDIGITS = 1500  # made-up pictures of each kind
NO_DIGIT_SHARE = 0.005  # of held-out digits that may be said not to look like one digit
HELD_OUT_HANDWRITING = 3000  # made-up digits of which no larger share may


@dataclass(frozen=True)
class Settings:
    """One training run; the values are those of the shipped weights."""

    seed: int = 1
    epochs: int = 24
    batch: int = 128  # images a step
    validation: int = 5000  # images held out of the training set, for whatever is chosen
    handwriting: int = 16_000  # made-up digits added to the others, in forms that MNIST's writers hardly used
    peak_learning_rate: float = 4e-3
    warm_up: float = 0.2  # share of the steps in which the learning rate rises
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    averaging: float = 0.999  # of the old average that each step keeps; a memory of about 1,000 steps
    uncertain_share: float = 0.005  # of the held-out digits that may be called "not sure"
    augmentation: Augmentation = field(default_factory=Augmentation)


class Training:
    """A run at some step: the live network, its averaged weights and the optimizer.

    All randomness comes from the seed and the number of the step, so a resumed run repeats an unbroken one exactly.
    """

    def __init__(self, settings: Settings, training_set: Dataset, architecture: list[dict] = ARCHITECTURE) -> None:
        self.settings = settings
        self.dataset = training_set
        self.network = Network(architecture, np.random.default_rng(settings.seed))
        self.replicas = [self.network, *(self.network.replicate() for _ in range(SHARDS - 1))]
        self.optimizer = AdamW(self.network.parameters, settings.weight_decay)
        self.average = {name: array.copy() for name, array in self.network.state.items()}
        self.step = 0
        self.steps_an_epoch = len(training_set.pixels) // settings.batch
        self.steps = settings.epochs * self.steps_an_epoch

    def advance(self, pool: ThreadPoolExecutor) -> float:
        """Take one step and return its loss in nats."""
        settings = self.settings
        epoch, position = divmod(self.step, self.steps_an_epoch)
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(self.dataset.pixels))
        chosen = order[position * settings.batch : (position + 1) * settings.batch]
        parts = list(pool.map(self._differentiate, range(SHARDS), self.replicas, np.split(chosen, SHARDS)))
        losses, gradients_of_parts = zip(*parts, strict=True)
        gradients = {
            name: sum(gradients[name] for gradients in gradients_of_parts) / SHARDS for name in self.network.parameters
        }
        progress = self.step / self.steps
        self.optimizer.step(gradients, one_cycle(progress, settings.peak_learning_rate, settings.warm_up))
        self.step += 1
        # Early on the average spans the last tenth of the steps, or the random first weights would linger in it.
        keep = min(settings.averaging, self.step / (self.step + 10))
        for name, array in self.network.state.items():
            self.average[name] += (1 - keep) * (array - self.average[name])
        return float(np.mean(losses))

    def _differentiate(self, shard: int, network: Network, chosen: np.ndarray) -> tuple[float, dict[str, np.ndarray]]:
        rng = np.random.default_rng([self.settings.seed, self.step, shard])
        images = self.settings.augmentation(self.dataset.pixels[chosen], rng)[..., None]  # (n, 28, 28, 1)
        logits = network.forward(images, training=True, rng=rng)
        loss, d_logits = cross_entropy(logits, self.dataset.labels[chosen], self.settings.label_smoothing)
        network.backward(d_logits)
        return loss, network.gradients

    def weights(self) -> Weights:
        """The averaged weights as they are now, with nothing fitted to them yet."""
        average = {name: array.astype(np.float32) for name, array in self.average.items()}
        return Weights(self.network.architecture, average, 1.0, 0.0, math.inf, {})

    def save_checkpoint(self, path: Path) -> None:
        about = {"step": self.step, "run": self._identity()}
        arrays = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            **{f"state/{name}": array for name, array in self.network.state.items()},
            **{f"average/{name}": array for name, array in self.average.items()},
            **{f"first/{name}": array for name, array in self.optimizer.first.items()},
            **{f"second/{name}": array for name, array in self.optimizer.second.items()},
        }
        save_npz(path, arrays)

    def restore_checkpoint(self, path: Path) -> None:
        """Go on where the checkpoint stopped; raises ValueError where it is of a run with other settings."""
        arrays = load_npz(path)
        if "about" not in arrays:
            raise ValueError(f"{path} is no checkpoint")
        about = json.loads(arrays["about"].tobytes())
        if about["run"] != self._identity():
            raise ValueError(f"{path} is of a run with other settings; remove it, or train without --resume")
        self.step = self.optimizer.steps = about["step"]
        live = {"state": self.network.state, "average": self.average}
        live |= {"first": self.optimizer.first, "second": self.optimizer.second}
        for group, target in live.items():
            for name, array in target.items():
                array[...] = arrays[f"{group}/{name}"]

    def _identity(self) -> dict:
        """What a checkpoint must agree in, as JSON gives it back."""
        return json.loads(json.dumps({"settings": asdict(self.settings), "architecture": self.network.architecture}))


def hold_out(dataset: Dataset, count: int, seed: int) -> tuple[Dataset, Dataset]:
    """Split at random into a training set and `count` validation images."""
    order = np.random.default_rng(seed).permutation(len(dataset.pixels))
    training, validation = order[count:], order[:count]
    return (
        Dataset(dataset.pixels[training], dataset.labels[training]),
        Dataset(dataset.pixels[validation], dataset.labels[validation]),
    )


def run(training: Training, validation: Dataset, checkpoint: Path, should_stop=lambda: False) -> bool:
    """Train to the end, saving a checkpoint every epoch; False where `should_stop` ended it before."""
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
                accuracy = measure(Classifier(training.weights()), validation)["accuracy"]
                print(f"  validation {accuracy:.2%}", flush=True)
            stops = should_stop()
            if ends_epoch or stops:
                training.save_checkpoint(checkpoint)
            if stops:
                return False
    return True


def show_progress(training: Training, loss: float, seconds_left: float) -> None:
    epoch, position = divmod(training.step - 1, training.steps_an_epoch)
    ends_epoch = position + 1 == training.steps_an_epoch
    if not (ends_epoch or sys.stdout.isatty()):
        return  # in a log, one line an epoch
    line = f"epoch {epoch + 1}/{training.settings.epochs}  step {position + 1}/{training.steps_an_epoch}"
    line += f"  loss {loss:.4f}  {seconds_left / 60:.0f} min left"
    print(f"\r{line}" if sys.stdout.isatty() else line, end="", flush=True)


def finish(training: Training, validation: Dataset, test: Dataset, out: Path) -> None:
    """Calibrate on the validation images, look at the test images once, and write the weights."""
    print("calibrating and measuring, about a minute", flush=True)
    settings, weights = training.settings, training.weights()
    logits = Classifier(weights).logits(validation.pixels)
    temperature = fit_temperature(logits, validation.labels)
    uncertain_below = confidence_of_share(logits, temperature, settings.uncertain_share)
    weights = replace(weights, temperature=temperature, uncertain_below=uncertain_below)
    weights = fit_novelty(weights, training.dataset, validation, settings.seed)
    classifier = Classifier(weights)
    figures = {
        "validation": measure(classifier, validation),
        "test": measure(classifier, test),
        "forms": measure_forms(classifier),
        "nondigits": measure_nondigits(classifier),
        "training": asdict(settings),
    }
    save_weights(out, replace(weights, figures=figures))
    print(f"temperature     {temperature:.3f}, fitted on {len(validation.pixels):,} held-out images")
    print(describe(figures["test"]))
    print(describe_forms(figures["forms"]))
    print(describe_nondigits(figures["nondigits"]))
    print(f"wrote {out}")


def fit_novelty(weights: Weights, training_set: Dataset, validation: Dataset, seed: int) -> Weights:
    """The weights with what tells digits from other pictures: regions of the former, and a limit they may not pass."""
    rng = np.random.default_rng([seed, 1])
    network = Classifier(weights)
    chosen = rng.permutation(len(training_set.pixels))[:NOVELTY_IMAGES]
    changed = np.rint(255 * NOVELTY_CHANGES(training_set.pixels[chosen], rng)).astype(np.uint8)
    others = np.concatenate([nondigits.sample(NONDIGITS, rng, kind) for kind in nondigits.KINDS])
    means, directions = novelty.fit(
        network.forward(changed)[1], training_set.labels[chosen], network.forward(others)[1]
    )
    limits = []
    for held_out in (validation, handwriting.sample(HELD_OUT_HANDWRITING, rng)):
        logits, features = network.forward(held_out.pixels)
        scores = novelty.score(features, logits.argmax(axis=1), means, directions)
        limits.append(float(np.quantile(scores, 1 - NO_DIGIT_SHARE)))
    arrays = weights.arrays | {"novelty.means": means, "novelty.directions": directions}
    return replace(weights, arrays=arrays, no_digit_above=max(limits))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m digit_recognizer_dl_model.train", description=__doc__)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--epochs", type=int, default=Settings.epochs)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the weights go")
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    options = parser.parse_args()

    settings = Settings(seed=options.seed, epochs=options.epochs)
    try:
        labelled, test = read_csv(DATA / "mnist_train.csv"), read_csv(DATA / "mnist_test.csv")
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is missing: `python manage.py fetch_mnist` gets it")
    except MalformedDataset as error:
        sys.exit(str(error))
    for name, dataset in (("mnist_train.csv", labelled), ("mnist_test.csv", test)):
        if dataset.labels is None:
            sys.exit(f"{DATA / name}: no labels, so there is nothing to learn from")
    if len(labelled.pixels) < settings.validation + settings.batch:
        sys.exit(
            f"{DATA / 'mnist_train.csv'}: {len(labelled.pixels):,} images are too few, as {settings.validation:,} of "
            f"them are held out and a step takes {settings.batch}"
        )
    training_set, validation = hold_out(labelled, settings.validation, settings.seed)
    print(f"writing {settings.handwriting:,} digits", flush=True)
    written = handwriting.sample(settings.handwriting, np.random.default_rng(settings.seed))
    training = Training(settings, Dataset(*map(np.concatenate, zip(training_set, written, strict=True))))
    if options.resume:
        try:
            training.restore_checkpoint(options.checkpoint)
        except (OSError, ValueError, KeyError) as error:
            sys.exit(f"can't resume: {error}")

    stopping = []
    signal.signal(signal.SIGINT, lambda *_: stopping.append(True))  # ends after the step in progress
    if not run(training, validation, options.checkpoint, lambda: bool(stopping)):
        print(f"\nstopped; --resume goes on from {options.checkpoint}")
        sys.exit(130)
    finish(training, validation, test, options.out)
    options.checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
