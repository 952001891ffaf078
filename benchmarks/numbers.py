"""How well whole numbers are read: `python -m benchmarks.numbers`, beside Tesseract and RapidOCR if they are installed.

The numbers are MNIST's test images side by side, on plain and other paper; digits that people wrote with a pen, by
writers that the network for lines has not seen; and, with `--cheques FOLDER`, pictures of a folder whose `numbers.csv`
says what each shows. Tesseract is Debian's package tesseract-ocr, RapidOCR is in requirements-benchmarks.txt.
"""

from .environment import use_one_blas_thread

use_one_blas_thread()

import argparse
import contextlib
import io
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_DEBUG", "1")

import django

django.setup()

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.calibration import reliability_of
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.dataset import read_csv
from digit_recognizer_dl_model.figures import Figures, MisreadNumber, NumberFigures, NumberSet
from digit_recognizer_dl_model.recordings import fold_of_writers, read_recordings
from digit_recognizer_dl_model.train import DATA
from digit_recognizer_dl_model.weights import LINES, load_weights, save_weights
from digits.numbers import read_uncounted
from digits.pictures import DrawingSheet, PictureSheet
from digits.pictures.drawing import FULL, blank_sheet, draw_line
from digits.recognizer import recognize_uncounted
from digits.refusals import Blank

from .quality import number_sets
from .quality.number_sets import APART, DIGITS, OVERLAPPING, PAPERS, TOUCHING, Sample

SAMPLES = 300  # of each set
SINGLES = 2000  # of MNIST's test images, each sent alone
SEED = 20_261_128
FOLD = 0  # of the writers that the network for lines has not seen
PAD = (2.0, 1.0)
TIMED = 100  # pictures whose reading is timed
FAILURES = 8  # pictures of a set that are kept to be looked at
NONE = "no number: words, scribbles, frames"

Reader = Callable[[np.ndarray], str]  # luminance (h, w) uint8 -> what it reads, with or without separators


class Answer(NamedTuple):
    """What is read in one sample."""

    number: str
    confidence: float
    is_sure: bool


def sets(count: int, cheques: Path | None) -> Iterator[tuple[str, Iterator[Sample]]]:
    """Each set with its name."""
    test = read_csv(DATA / "mnist_test.csv")
    if cheques:
        yield "cheque amounts", iter(number_sets.cheques(cheques))
    recorded = DATA / "pen_digits.json.gz"
    if recorded.exists():
        recordings = read_recordings(recorded)
        unseen = fold_of_writers(recordings, FOLD)
        strangers = [recording for recording in recordings if recording.writer in unseen]
        yield "pens of strangers, 2 to 6 digits", number_sets.drawn(strangers, count, np.random.default_rng(SEED))
    for name, gap in (("apart", APART), ("touching", TOUCHING), ("overlapping by 15 %", OVERLAPPING)):
        yield f"MNIST, 5 digits {name}", number_sets.side_by_side(test, gap, count, np.random.default_rng([SEED, 1]))
    for number, paper in enumerate(PAPERS):
        if paper != "plain":
            rng = np.random.default_rng([SEED, 2, number])
            yield f"MNIST, {paper}", number_sets.side_by_side(test, APART / 2, count, rng, paper)
    yield NONE, number_sets.no_numbers(count, np.random.default_rng([SEED, 3]))


def sheet_of(sample: Sample) -> PictureSheet | DrawingSheet:
    if isinstance(sample.picture, np.ndarray):
        return PictureSheet(sample.picture)
    return DrawingSheet(sample.picture, PAD)


def read(sample: Sample) -> Answer:
    try:
        number = read_uncounted(sheet_of(sample))
    except Blank:
        return Answer("", 0.0, is_sure=False)
    return Answer(number.number, number.confidence, not number.uncertain)


def is_right(answer: Answer, sample: Sample) -> bool:
    """Whether all digits are right, or the answer to a picture without a number is "not sure"."""
    return answer.number == sample.number if sample.number else not answer.is_sure


def picture_of(sample: Sample) -> np.ndarray:
    """What other systems are given: the picture, or the drawing in black on white."""
    if isinstance(sample.picture, np.ndarray):
        return sample.picture
    sheet = blank_sheet(PAD, 280)
    for stroke in sample.picture:
        draw_line(sheet, 280 * stroke.points, 280 * stroke.width, FULL)
    return 255 - np.asarray(sheet)


def tesseract(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    command = ["tesseract", "-", "-", "--psm", "7", "-c", "tessedit_char_whitelist=0123456789"]
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    return subprocess.run(
        command, input=file.getvalue(), capture_output=True, env=environment, check=True
    ).stdout.decode()


def rapidocr() -> Reader:
    """Its recogniser without its detector, because each picture shows one line."""
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def read_line(picture: np.ndarray) -> str:
        found, _ = engine(np.repeat(picture[..., None], 3, axis=2), use_det=False, use_cls=False)
        return found[0][0] if found else ""

    return read_line


def others() -> dict[str, Reader]:
    """The other systems that are installed, by their names."""
    readers = {}
    if shutil.which("tesseract"):
        readers["Tesseract"] = tesseract
    with contextlib.suppress(ImportError):
        readers["RapidOCR"] = rapidocr()
    return readers


def digits_of(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def misread(name: str, samples: list[Sample], answers: list[Answer]) -> list[MisreadNumber]:
    """The surest wrong answers of a set, with the line that was found first."""
    wrong = [(sample, answer) for sample, answer in zip(samples, answers, strict=True) if not is_right(answer, sample)]
    wrong.sort(key=lambda each: (not each[1].is_sure, -each[1].confidence))
    found = []
    for sample, answer in wrong[:FAILURES]:
        lines = sheet_of(sample).lines()
        if lines:
            found.append(
                MisreadNumber.of(lines[0].ink, name, sample.number or "no number", answer.number, not answer.is_sure)
            )
    return found


def measure(count: int, cheques: Path | None, readers: dict[str, Reader]) -> NumberFigures:
    """Read all sets and print a line for each."""
    print(
        f"{'':36} {'right':>8} {'95 % interval':>16} {'sure':>7} {'of them right':>14}", *(f"{n:>10}" for n in readers)
    )
    rows, failures, confidence, right = [], [], [], []
    for name, samples in sets(count, cheques):
        chosen = list(samples)
        answers = [read(sample) for sample in chosen]
        hits = np.array([is_right(answer, sample) for answer, sample in zip(answers, chosen, strict=True)])
        sure = np.array([answer.is_sure for answer in answers])
        of_sure = np.array([answer.number == sample.number for answer, sample in zip(answers, chosen, strict=True)])
        row = NumberSet(name, Count(int(hits.sum()), len(hits)), Count(int((of_sure & sure).sum()), int(sure.sum())))
        if name != NONE:
            confidence += [answer.confidence for answer in answers]
            right += hits.tolist()
            rivals = {
                rival: np.mean([digits_of(reader(picture_of(sample))) == sample.number for sample in chosen])
                for rival, reader in readers.items()
            }
        else:
            rivals = {
                rival: np.mean([not digits_of(reader(picture_of(sample))) for sample in chosen])
                for rival, reader in readers.items()
            }
        if name != "cheque amounts":  # their licence is not this project's
            rows.append(row)
            failures += misread(name, chosen, answers)
        low, high = row.count.interval
        print(
            f"{name:36} {row.count.fraction:8.1%} {low:8.1%} {high:7.1%} {sure.mean():7.1%} {row.sure.fraction:14.1%}",
            *(f"{share:10.1%}" for share in rivals.values()),
            flush=True,
        )
    figures = NumberFigures(tuple(rows), tuple(reliability_of(np.array(confidence), np.array(right))), tuple(failures))
    print(f"{'calibration error of all strings':36} {figures.calibration_error:8.1%}")
    return figures


def measure_singles() -> None:
    """Print how often one digit alone is read, or refused, as `predict-digit` does."""
    test = read_csv(DATA / "mnist_test.csv")
    chosen = np.random.default_rng(SEED).permutation(len(test.labels))[:SINGLES]
    predictions = recognize_uncounted(test.pixels[chosen])
    expected = ["" if prediction.is_refused else str(prediction.digit) for prediction in predictions]
    answers = [read(Sample(test.pixels[index], "")) for index in chosen]
    same = sum(
        answer.number == digit or (not digit and not answer.is_sure)
        for answer, digit in zip(answers, expected, strict=True)
    )
    count = Count(same, len(chosen))
    low, high = count.interval
    print(f"{'one digit, as predict-digit':36} {count.fraction:8.1%} {low:8.1%} {high:7.1%}")


def measure_time(readers: dict[str, Reader]) -> None:
    """Print how long pictures of five digits take, 300 x 60 pixels, on one core; the systems take turns."""
    test = read_csv(DATA / "mnist_test.csv")
    pictures = []
    for first in range(0, DIGITS * TIMED, DIGITS):
        line = number_sets.line_of(list(test.pixels[first : first + DIGITS]), 4)
        scale = min(60 / line.shape[0], 300 / line.shape[1])
        line = Image.fromarray(255 - np.rint(255 * line).astype(np.uint8)).resize(
            (round(line.shape[1] * scale), round(line.shape[0] * scale)), Image.Resampling.BICUBIC
        )
        picture = Image.new("L", (300, 60), "white")
        picture.paste(line, ((300 - line.width) // 2, (60 - line.height) // 2))
        pictures.append(np.asarray(picture))
    timed: dict[str, Reader] = {"this": lambda picture: read_uncounted(PictureSheet(picture)).number}
    timed |= readers
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for turn, picture in enumerate(pictures):
        for name, function in timed.items():
            start = time.perf_counter()
            function(picture)
            if turn >= 3:  # the first ones prepare
                seconds[name].append(time.perf_counter() - start)
    for name, each in seconds.items():
        median, mean = (1000 * function(each) for function in (statistics.median, statistics.mean))
        print(f"five digits, 300 x 60 pixels: {name:10} median {median:5.1f} ms, mean {mean:5.1f} ms")


def save(figures: NumberFigures) -> None:
    weights = load_weights(LINES)
    save_weights(LINES, replace(weights, figures=weights.figures.updated(Figures(numbers=figures))))
    print(f"saved in {LINES}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.numbers", description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"of each set ({SAMPLES})")
    parser.add_argument("--cheques", type=Path, help="a folder of pictures and numbers.csv")
    parser.add_argument("--alone", action="store_true", help="leave out the other systems")
    parser.add_argument("--save", action="store_true", help="keep the figures in the weights file")
    options = parser.parse_args()
    readers = {} if options.alone else others()
    figures = measure(options.samples, options.cheques, readers)
    measure_singles()
    measure_time(readers)
    if options.save:
        save(figures)


if __name__ == "__main__":
    main()
