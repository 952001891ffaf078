"""How good a weights file is: `python -m benchmarks.quality.measure` measures all that can be measured here.

It prints accuracy, calibration, refusals, robustness, photographs, damaged pictures and speed, and with
`--strokes FILE` also how recorded pens are read. `--teachers FILE ...` measures the teachers on the test images and on
the pens of the people whom each has never seen, instead of the network that learned from all of them.
`--repeats FILE ...`, trained as the weights were but with other seeds, show how much of the accuracy is chance.
`--json FILE` writes everything as JSON, and `--save` keeps it in the weights file, from which MODEL_CARD.md and the
page /model/ are made.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from digit_recognizer_dl_model import evaluate
from digit_recognizer_dl_model.dataset import Dataset, MalformedDataset
from digit_recognizer_dl_model.figures import Figures, Teacher
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.metrics import describe_rows, measure
from digit_recognizer_dl_model.recordings import MalformedRecordings, Recording, fold_of_writers, read_recordings
from digit_recognizer_dl_model.weights import UnusableWeights, Weights, load_weights, save_weights

from .corruptions import measure_damaged
from .failures import find_failures
from .pens import describe_pens, measure_pens
from .photographs import measure_photographs
from .robustness import measure_robustness
from .unseen_kinds import describe_unseen_kinds, measure_unseen_kinds


def measure_pictures(classifier: Classifier, test: Dataset) -> Figures:
    """Measure the parts of the figures that need the site's preparation, but no recordings."""
    return Figures(
        unseen_kinds=measure_unseen_kinds(classifier, test),
        robustness=measure_robustness(classifier, test, progress=progress("robustness")),
        photographs=measure_photographs(classifier, test, progress=progress("photographs")),
        damaged=measure_damaged(classifier, test, progress=progress("damaged pictures")),
    )


def measure_teacher(weights: Weights, test: Dataset, recordings: list[Recording]) -> Teacher:
    """Measure a teacher on the test images and on the pens of the writers it has never seen."""
    classifier, unseen = Classifier(weights), of_strangers(weights, recordings)
    pens = measure_pens(classifier, unseen, progress("pens"))
    return Teacher(weights.figures.training, measure(classifier, test), pens)


def of_strangers(weights: Weights, recordings: list[Recording]) -> list[Recording]:
    """The recordings of the writers whom a teacher has never seen."""
    writers = fold_of_writers(recordings, weights.figures.training.fold)
    return [recording for recording in recordings if recording.writer in writers]


def progress(part: str) -> Callable[[int, int], None]:
    """A function that shows on a terminal how much of a part is done and how long the rest of it takes."""
    start = time.monotonic()

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            line = f"measuring {part}: {done} of {total}"
            if done:
                line += f", {(time.monotonic() - start) / done * (total - done):.0f} s left"
            print(f"\r{line:<60}" if done < total else f"\r{'':60}\r", end="", file=sys.stderr, flush=True)

    return show


def describe_pictures(figures: Figures) -> str:
    """The figures of `measure_pictures` as lines of text."""
    return "\n".join(
        [
            describe_unseen_kinds(figures.unseen_kinds),
            describe_rows("pictures         right", figures.robustness),
            describe_rows("photographs      right", figures.photographs),
            describe_rows("damaged          right", figures.damaged),
        ]
    )


def describe_teacher(teacher: Teacher) -> str:
    """The figures of `measure_teacher` as lines of text."""
    accuracy = teacher.test.count.fraction
    title = f"teacher         of seed {teacher.training.seed}: {accuracy:.2%} of the test images"
    return f"{title}\n{describe_pens(teacher.pens)}"


def main() -> None:
    parser = evaluate.option_parser("benchmarks.quality.measure", __doc__)
    parser.add_argument("--strokes", type=Path, metavar="FILE", help="recorded pen strokes, as fetch_pen_digits writes")
    parser.add_argument("--teachers", type=Path, nargs="+", default=[], metavar="FILE", help="weights; needs --strokes")
    parser.add_argument("--repeats", type=Path, nargs="+", default=[], metavar="FILE", help="weights of other seeds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--save", action="store_true", help="keep the figures in the weights file")
    options = parser.parse_args()
    if options.teachers and not options.strokes:
        parser.error("--teachers needs --strokes")
    try:
        weights = load_weights(options.weights)
        teachers = [load_weights(path) for path in options.teachers]
        repeats = [load_weights(path) for path in options.repeats]
        classifier, test = Classifier(weights), evaluate.read_images(options.csv)
        recordings = read_recordings(options.strokes) if options.strokes else []
    except (UnusableWeights, MalformedDataset, MalformedRecordings, OSError) as error:
        sys.exit(str(error))

    print(evaluate.describe_weights(options.weights, weights))
    figures = evaluate.evaluate(classifier, test, repeats)
    print(evaluate.describe_evaluation(figures), flush=True)
    figures = figures.updated(measure_pictures(classifier, test))
    print(describe_pictures(figures), flush=True)
    if teachers:
        figures = replace(figures, teachers=tuple(measure_teacher(each, test, recordings) for each in teachers))
        for teacher in figures.teachers:
            print(describe_teacher(teacher))
    elif recordings:
        figures = replace(figures, pens=measure_pens(classifier, recordings, progress("pens")))
        print(describe_pens(figures.pens))
    strangers = [(Classifier(each), of_strangers(each, recordings)) for each in teachers]
    figures = replace(figures, failures=find_failures(classifier, test, strangers))
    times = evaluate.time_batches(classifier, test.pixels)
    print(evaluate.describe_times(times))
    if options.json:
        report = figures.to_json() | {"microseconds_an_image": times}
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if options.save:
        save_weights(options.weights, replace(weights, figures=weights.figures.updated(figures)))


if __name__ == "__main__":
    main()
