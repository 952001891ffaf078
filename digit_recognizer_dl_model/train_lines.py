"""Train the network that reads lines: `python -m digit_recognizer_dl_model.train_lines`, two hours on two cores.

It learns from synthetic lines alone, without end: one process makes them while this one learns. The glyphs are MNIST's
training images, digits that people wrote with a pen, and synthetic handwriting. Some of the images and of the writers
are held out, and the lines that are made of them tell how well the network reads. Ctrl-C leaves a checkpoint;
`--resume` goes on from it and reaches the same weights as an unbroken run.
"""

import os

# Each half of a batch has its own thread, so BLAS must not start more. It reads this when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .calibration import best_temperature
from .ctc import best_path, ctc_loss, log_probabilities
from .dataset import Dataset
from .descent import SHARDS, Descent
from .line_inference import LineReader
from .line_network import ARCHITECTURE
from .network import Network
from .recordings import Recording, fold_of_writers
from .strip import BLANK, HEIGHT, columns_of, width_of
from .synthetic import glyphs, lines
from .synthetic.lines import Line, Sources
from .train import FOLDER, hold_out, read_data
from .train import Settings as DigitSettings
from .weights import LINES, Weights, save_weights

RIGHT_WHERE_SURE = 0.98  # fraction of the validation lines above the limit of confidence that are read right
LEAST = -100.0  # nats of log-probability that a string is given at least when the temperature is fitted
CHUNK = 16  # batches that are made together: their lines are sorted by width, so that those of a batch are alike
AHEAD = 3  # chunks that are made before they are needed


@dataclass(frozen=True)
class Settings:
    """The settings of a training run; the defaults are those of the shipped weights."""

    seed: int = 1
    steps: int = 36_000
    batch: int = 24  # lines a step
    validation: int = 5000  # of MNIST's training images, held out
    validation_lines: int = 1000
    fold: int = 0  # of the pens' writers, held out
    written: int = 40_000  # synthetic glyphs
    drawings: int = 2  # of each digit recorded with a pen
    others: int = 5_000  # characters that are no digits
    peak_learning_rate: float = 3e-3
    warm_up: float = 0.1  # fraction of the steps in which the learning rate rises
    weight_decay: float = 1e-2
    averaging: float = 0.999  # fraction of the average that each step keeps


class Batch(NamedTuple):
    """n lines.

    ink: (n, HEIGHT, width) uint8, ink 255 on 0.
    strings: the symbols of each.
    columns: (n,), the columns of the answer that belong to the line; what is right of it is padding.
    """

    ink: np.ndarray
    strings: list[np.ndarray]
    columns: np.ndarray

    def split(self, parts: int) -> list["Batch"]:
        size = len(self.ink) // parts
        return [Batch(*(each[start : start + size] for each in self)) for start in range(0, size * parts, size)]


def batch_of(made: list[Line]) -> Batch:
    """The lines in strips of the width of the widest."""
    ink = np.zeros((len(made), HEIGHT, max(line.ink.shape[1] for line in made)), np.uint8)
    for strip, line in zip(ink, made, strict=True):
        strip[:, : line.ink.shape[1]] = np.rint(255 * line.ink)
    return Batch(ink, [line.symbols for line in made], np.array([columns_of(line.ink.shape[1]) for line in made]))


def make_sources(settings: Settings, mnist: Dataset, recorded: list[Recording], rng: np.random.Generator) -> Sources:
    """The glyphs that lines are made of: about two minutes' work."""
    drawn = [glyphs.recorded(recorded, rng) for _ in range(settings.drawings)]
    return Sources(
        glyphs.enlarged(mnist),
        glyphs.Glyphs(*map(np.concatenate, zip(*drawn, strict=True))),
        glyphs.written(settings.written, rng),
        glyphs.others(settings.others, rng),
    )


def make_readable_line(sources: Sources, rng: np.random.Generator) -> Line:
    """A line whose symbols have columns enough."""
    while True:
        line = lines.make_line(sources, rng)
        repeats = int((np.diff(line.symbols) == 0).sum())
        if len(line.symbols) + repeats <= columns_of(line.ink.shape[1]):
            return line


def start_making(settings: Settings) -> None:
    """Prepare the process that makes lines; Ctrl-C is for the process that learns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mnist, recorded = read_data(DigitSettings(validation=settings.validation))
    training_set, _ = hold_out(mnist, settings.validation, settings.seed)
    unseen = fold_of_writers(recorded, settings.fold)
    seen = [recording for recording in recorded if recording.writer not in unseen]
    maker.append(make_sources(settings, training_set, seen, np.random.default_rng(settings.seed)))


maker: list[Sources] = []  # of the process that makes lines


def make_chunk(settings: Settings, chunk: int) -> list[Batch]:
    """The batches of a chunk, in random order."""
    rng = np.random.default_rng([settings.seed, chunk])
    made = [make_readable_line(maker[0], rng) for _ in range(CHUNK * settings.batch)]
    made.sort(key=lambda line: line.ink.shape[1])
    batches = [batch_of(made[start : start + settings.batch]) for start in range(0, len(made), settings.batch)]
    return [batches[place] for place in rng.permutation(CHUNK)]


class Chunks:
    """The chunks from one on, which another process makes."""

    def __init__(self, settings: Settings, pool: ProcessPoolExecutor, first: int) -> None:
        self._settings, self._pool, self._next = settings, pool, first
        self._ahead: deque[Future] = deque()

    def take(self) -> list[Batch]:
        while len(self._ahead) < AHEAD:
            self._ahead.append(self._pool.submit(make_chunk, self._settings, self._next))
            self._next += 1
        return self._ahead.popleft().result()


class LineTraining(Descent):
    """Learning to read lines."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, ARCHITECTURE, settings.steps)
        self.chunk: list[Batch] = []
        self.chunks: Chunks

    def read_from(self, pool: ProcessPoolExecutor) -> None:
        """Take lines from this pool, beginning with those of the present step."""
        self.chunks = Chunks(self.settings, pool, self.step // CHUNK)

    def batch(self) -> list[Batch]:
        place = self.step % CHUNK
        if not self.chunk or place == 0:
            self.chunk = self.chunks.take()
        return self.chunk[place].split(SHARDS)

    def differentiate(self, shard: int, network: Network, part: Batch) -> tuple[float, dict[str, np.ndarray]]:
        rng = np.random.default_rng([self.settings.seed, self.step, shard])
        images = part.ink[..., None].astype(np.float32) / np.float32(255)
        logits = network.forward(images, training=True, rng=rng)[:, 0]  # (n, columns, symbols)
        loss, d_logits = ctc_loss(logits, part.strings, part.columns, BLANK)
        network.backward(d_logits[:, None])
        return loss, network.gradients


def read_correctly(weights: Weights, batches: list[Batch]) -> float:
    """The fraction of lines of which the likeliest path spells what they say."""
    network = Network(weights.architecture, np.random.default_rng(0))
    for name, array in network.state.items():
        array[...] = weights.arrays[name]
    right = []
    for batch in batches:
        logits = network.forward(batch.ink[..., None].astype(np.float32) / np.float32(255))[:, 0]
        for line, string, columns in zip(logits, batch.strings, batch.columns, strict=True):
            right.append(np.array_equal(best_path(line[:columns], BLANK)[0], string))
    return float(np.mean(right))


def finish(weights: Weights, validation: list[Batch], out: Path) -> None:
    """Calibrate the trained network and fit its limit on the validation lines, then round and write the weights."""
    print("calibrating", flush=True)
    strips = [
        (ink[:, : width_of(columns)], string)
        for batch in validation
        for ink, string, columns in zip(*batch, strict=True)
    ]
    logits = [LineReader(weights).logits(strip).copy() for strip, _ in strips]

    def loss(temperature: float) -> float:
        return -sum(
            float(log_probabilities(line / temperature, [string], BLANK)[0].clip(LEAST))
            for line, (_, string) in zip(logits, strips, strict=True)
        )

    weights = replace(weights, temperature=best_temperature(loss))
    reader = LineReader(weights)
    readings = [reader.read([strip]) for strip, _ in strips]
    right = np.array([np.array_equal(each.symbols, string) for each, (_, string) in zip(readings, strips, strict=True)])
    confidence = np.array([reading.confidence for reading in readings])
    order = np.argsort(-confidence)
    sure = np.flatnonzero(np.cumsum(right[order]) >= RIGHT_WHERE_SURE * np.arange(1, len(order) + 1))
    limit = float(confidence[order[sure[-1]]]) if len(sure) else 1.0
    save_weights(out, replace(weights, uncertain_below=limit).rounded())
    print(f"temperature     {weights.temperature:.3f}")
    print(f"strings right   {right.mean():.2%}, and {(confidence >= limit).mean():.2%} of all are sure")


def validation_batches(settings: Settings, mnist: Dataset, recorded: list[Recording]) -> list[Batch]:
    """Lines of the images and writers that are held out."""
    rng = np.random.default_rng([settings.seed, 1_000_003])
    _, held_out = hold_out(mnist, settings.validation, settings.seed)
    unseen = fold_of_writers(recorded, settings.fold)
    few = replace(settings, written=3000, others=600, drawings=1)
    strangers = [recording for recording in recorded if recording.writer in unseen]
    sources = make_sources(few, held_out, strangers, rng)
    made = [make_readable_line(sources, rng) for _ in range(settings.validation_lines)]
    made.sort(key=lambda line: line.ink.shape[1])
    return [batch_of(made[start : start + settings.batch]) for start in range(0, len(made), settings.batch)]


def train_to_the_end(
    training: LineTraining, validation: list[Batch], checkpoint: Path, should_stop: Callable[[], bool]
) -> bool:
    """Take all steps that are left and save a checkpoint now and then; False if `should_stop` ended it before."""
    start, first_step, smoothed = time.monotonic(), training.step, None
    every = max(training.steps // 40 // CHUNK, 1) * CHUNK
    with ThreadPoolExecutor(SHARDS) as pool:
        while training.step < training.steps:
            loss = training.advance(pool)
            smoothed = loss if smoothed is None else smoothed + 0.01 * (loss - smoothed)
            stops = should_stop()
            if training.step % every == 0 or training.step == training.steps:
                left = (time.monotonic() - start) / (training.step - first_step) * (training.steps - training.step)
                accuracy = read_correctly(training.weights(), validation)
                print(
                    f"step {training.step}/{training.steps}  loss {smoothed:.4f}  {left / 60:.0f} min left"
                    f"  validation {accuracy:.2%}",
                    flush=True,
                )
            if training.step % every == 0 or stops:
                training.save_checkpoint(checkpoint)
            if stops:
                return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m digit_recognizer_dl_model.train_lines", description=__doc__)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--out", type=Path, default=LINES, help="where the weights are written")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the checkpoint is kept")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the folder")
    options = parser.parse_args()

    settings = Settings(seed=options.seed, steps=options.steps)
    mnist, recorded = read_data(DigitSettings(validation=settings.validation))
    training, checkpoint = LineTraining(settings), options.folder / "line_checkpoint.npz"
    if options.resume:
        try:
            training.restore_checkpoint(checkpoint)
        except (OSError, ValueError, KeyError) as error:
            sys.exit(f"can't resume: {error}")
    options.folder.mkdir(parents=True, exist_ok=True)
    stopping: list[bool] = []
    signal.signal(signal.SIGINT, lambda *_: stopping.append(True))  # ends after the step in progress
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawning, initializer=start_making, initargs=(settings,)) as making:
        training.read_from(making)
        print("drawing glyphs", flush=True)
        validation = validation_batches(settings, mnist, recorded)
        if not train_to_the_end(training, validation, checkpoint, lambda: bool(stopping)):
            print(f"stopped; --resume goes on from {options.folder}")
            sys.exit(130)
    finish(training.weights(), validation, options.out)
    checkpoint.unlink(missing_ok=True)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
