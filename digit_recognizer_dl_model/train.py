"""Train the network: `python -m digit_recognizer_dl_model.train`, about an hour on two cores.

Three teachers are trained first, each without a third of the people whose pens were recorded, which tells how well
people are read whom a network has never seen. The shipped network then learns from their answers too (distillation,
Hinton et al. 2015, arXiv:1503.02531).

Each learns from MNIST, from digits that people wrote with a pen, from made-up handwriting in the forms that both lack,
and from made-up pictures of no digit. It never opens MNIST's test images: `benchmarks.quality.measure` measures
on them what has been trained. Ctrl-C leaves a checkpoint; `--resume` goes on from it and reaches the same weights as an
unbroken run.
"""

import os

# Each half of a batch computes on its own thread, so BLAS must not start more; it reads this once, with NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from . import recordings
from .calibration import fit_temperature
from .dataset import DATA, Dataset, MalformedDataset, read_csv
from .doubt import beyond_two
from .inference import Classifier, softmax
from .loss import NO_DIGIT, cross_entropy, targets_of
from .metrics import describe, measure
from .network import ARCHITECTURE, Network
from .optimizer import AdamW, one_cycle
from .recordings import THIRDS, MalformedRecordings, Recording, read_recordings, third_of_writers
from .synthetic import handwriting, negatives
from .synthetic.augmentation import Augmentation
from .weights import SHIPPED, UnusableWeights, Weights, load_npz, load_weights, save_npz, save_weights

FOLDER = Path(__file__).with_name("training")  # of teachers and the checkpoint
TEACHER_EPOCHS = 24
TAUGHT = 0.8  # of what is to be answered, the share that teachers say; the rest is the label's
SHARDS = 2  # parts of a batch that are computed at the same time; a fixed number, so that results don't depend on cores
# The limits are fitted to whatever a run ends in: these are no settings of the run, and its checkpoints fit them all.
UNSURE_SHARE = 0.003  # of held-out digits that may be between two digits
NO_DIGIT_SHARE = 0.006  # of held-out digits that may be said not to look like one digit


@dataclass(frozen=True)
class Settings:
    """One training run; the values are those of the shipped weights."""

    seed: int = 1
    epochs: int = 32
    batch: int = 128  # images a step
    validation: int = 5000  # images held out of the training set, for whatever is chosen
    handwriting: int = 20_000  # made-up digits added to MNIST's, in forms that its writers hardly used
    drawings: int = 2  # of each digit recorded from a pen, added too
    third: int | None = None  # 0-2: of the pens' writers, the third that is held out
    nondigits: int = 9_000  # made-up pictures of no digit, added too, in equal parts of each kind
    peak_learning_rate: float = 4e-3
    warm_up: float = 0.2  # share of the steps in which the learning rate rises
    weight_decay: float = 1e-2
    label_smoothing: float = 0.05
    averaging: float = 0.999  # of the old average that each step keeps; a memory of about 1,000 steps
    augmentation: Augmentation = field(default_factory=Augmentation)


def teacher_settings(settings: Settings, third: int) -> Settings:
    """Those of a teacher that never sees this third of the writers; label smoothing would blur what it teaches."""
    return replace(settings, seed=settings.seed + 1 + third, third=third, epochs=TEACHER_EPOCHS, label_smoothing=0.0)


class Training:
    """A run at some step: the live network, its averaged weights and the optimizer; and its teachers, if it has any.

    All randomness comes from the seed and the number of the step, so a resumed run repeats an unbroken one exactly.
    """

    def __init__(
        self,
        settings: Settings,
        training_set: Dataset,
        architecture: list[dict] = ARCHITECTURE,
        teachers: Sequence[Classifier] = (),
    ) -> None:
        self.settings = settings
        self.teachers = teachers
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
        order = order_of_epoch(settings.seed, epoch, len(self.dataset.pixels))
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
        images = self.settings.augmentation(self.dataset.pixels[chosen], rng)  # (n, 28, 28)
        logits = network.forward(images[..., None], training=True, rng=rng)
        targets = targets_of(self.dataset.labels[chosen], self.settings.label_smoothing)
        if self.teachers:
            pixels = np.rint(255 * images).astype(np.uint8)
            taught = sum(teacher.probabilities(pixels) for teacher in self.teachers) / len(self.teachers)
            targets += TAUGHT * (taught - targets)
        loss, d_logits = cross_entropy(logits, targets)
        network.backward(d_logits)
        return loss, network.gradients

    def weights(self) -> Weights:
        """The averaged weights as they are now, with nothing fitted to them yet."""
        average = {name: array.astype(np.float32) for name, array in self.average.items()}
        return Weights(self.network.architecture, average, 1.0, 0.0, 1.0, {})

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
        run = {"settings": asdict(self.settings), "architecture": self.network.architecture}
        return json.loads(json.dumps(run | {"teachers": len(self.teachers)}))


@lru_cache(maxsize=1)
def order_of_epoch(seed: int, epoch: int, images: int) -> np.ndarray:
    """In which order an epoch takes the images: (images,) indices."""
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
    """All that is trained on: MNIST, drawings of recorded digits, made-up handwriting, and pictures of no digit."""
    rng = np.random.default_rng(settings.seed)
    parts = [mnist, handwriting.sample(settings.handwriting, rng)]
    parts += [recordings.draw(recorded, rng) for _ in range(settings.drawings)]
    for kind in negatives.KINDS:
        pixels = negatives.sample(settings.nondigits // len(negatives.KINDS), rng, kind)
        parts.append(Dataset(pixels, np.full(len(pixels), NO_DIGIT, np.uint8)))
    return Dataset(*map(np.concatenate, zip(*parts, strict=True)))


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


def finish(training: Training, validation: Dataset, composition: dict[str, int], out: Path) -> None:
    """Calibrate and set the limits on the validation images, and write the weights.

    composition: how many pictures of what were trained on, for the report.
    """
    print("calibrating", flush=True)
    settings, weights = training.settings, training.weights()
    logits = Classifier(weights).logits(validation.pixels)
    temperature = fit_temperature(logits, validation.labels)
    probabilities = softmax(logits / temperature)
    weights = replace(
        weights,
        temperature=temperature,
        uncertain_below=float(np.quantile(probabilities.max(axis=1), UNSURE_SHARE)),
        no_digit_above=float(np.quantile(beyond_two(probabilities), 1 - NO_DIGIT_SHARE)),
    )
    figures = {
        "training": asdict(settings),
        "composition": composition,
        "validation": measure(Classifier(weights), validation),
    }
    save_weights(out, replace(weights, figures=figures))
    print(f"temperature     {temperature:.3f}, fitted on {len(validation.pixels):,} held-out images")
    print(describe(figures["validation"]))
    print(f"wrote {out}")


def learn(
    settings: Settings,
    mnist: Dataset,
    recorded: list[Recording],
    teachers: Sequence[Classifier],
    checkpoint: Path,
    out: Path,
    should_stop: Callable[[], bool],
) -> bool:
    """One run from the data to the weights file, from the checkpoint on if there is one; False where it was stopped."""
    training_set, validation = hold_out(mnist, settings.validation, settings.seed)
    unseen = set() if settings.third is None else third_of_writers(recorded, settings.third)
    seen = [recording for recording in recorded if recording.writer not in unseen]
    print("drawing recorded, made-up and no digits", flush=True)
    dataset = compose(settings, training_set, seen)
    composition = {
        "mnist": len(training_set.pixels),
        "recorded": len(seen),
        "writers": len({recording.writer for recording in seen}),
        "drawn": settings.drawings * len(seen),
        "handwriting": settings.handwriting,
        "nondigits": int((dataset.labels == NO_DIGIT).sum()),
    }
    training = Training(settings, dataset, teachers=teachers)
    if checkpoint.exists():
        try:
            training.restore_checkpoint(checkpoint)
        except (OSError, ValueError, KeyError) as error:
            sys.exit(f"can't resume: {error}")
    if not run(training, validation, checkpoint, should_stop):
        return False
    finish(training, validation, composition, out)
    checkpoint.unlink(missing_ok=True)
    return True


def is_trained(path: Path, settings: Settings) -> bool:
    """Whether the weights that these settings make lie there already."""
    try:
        return load_weights(path).figures["training"] == json.loads(json.dumps(asdict(settings)))
    except (UnusableWeights, KeyError):
        return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m digit_recognizer_dl_model.train", description=__doc__)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--epochs", type=int, default=Settings.epochs, help="of the shipped network")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the weights go")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where teachers and the checkpoint are kept")
    parser.add_argument("--resume", action="store_true", help="go on from what the folder holds")
    parser.add_argument(
        "--teachers", type=Path, nargs="+", metavar="FILE", help="learn from these weights and train no teachers"
    )
    options = parser.parse_args()

    settings = Settings(seed=options.seed, epochs=options.epochs)
    try:
        mnist = read_csv(DATA / "mnist_train.csv")
        recorded = read_recordings(DATA / "pen_digits.json.gz")
    except FileNotFoundError as error:
        command = "fetch_mnist" if error.filename.endswith(".csv") else "fetch_pen_digits"
        sys.exit(f"{error.filename} is missing: `python manage.py {command}` gets it")
    except (MalformedDataset, MalformedRecordings) as error:
        sys.exit(str(error))
    if mnist.labels is None:
        sys.exit(f"{DATA / 'mnist_train.csv'}: no labels, so there is nothing to learn from")
    if len(mnist.pixels) < settings.validation + settings.batch:
        sys.exit(
            f"{DATA / 'mnist_train.csv'}: {len(mnist.pixels):,} images are too few, as {settings.validation:,} of "
            f"them are held out and a step takes {settings.batch}"
        )

    own = [options.folder / f"teacher{third}.npz" for third in range(THIRDS)]
    teachers = options.teachers or own
    checkpoint = options.folder / "checkpoint.npz"
    kept = [path for path in (*([] if options.teachers else own), checkpoint) if path.exists()]
    if options.resume and not kept:
        sys.exit(f"can't resume: {options.folder} holds nothing to go on from")
    if not options.resume:
        for path in kept:
            path.unlink()
    options.folder.mkdir(parents=True, exist_ok=True)

    stopping = []
    signal.signal(signal.SIGINT, lambda *_: stopping.append(True))  # ends after the step in progress
    runs = [] if options.teachers else [(teacher_settings(settings, third), path) for third, path in enumerate(own)]
    runs = [(run_settings, path) for run_settings, path in runs if not is_trained(path, run_settings)]
    for run_settings, path in [*runs, (settings, options.out)]:
        print(f"training {path.name}", flush=True)
        try:
            taught_by = [Classifier(load_weights(teacher)) for teacher in teachers] if run_settings is settings else []
        except (OSError, UnusableWeights) as error:
            sys.exit(f"can't learn from {error}")
        if not learn(run_settings, mnist, recorded, taught_by, checkpoint, path, lambda: bool(stopping)):
            print(f"\nstopped; --resume goes on from {options.folder}")
            sys.exit(130)


if __name__ == "__main__":
    main()
