"""The model card, made from the figures in the weights file: `python -m digit_recognizer_dl_model.model_card`.

It writes MODEL_CARD.md beside the README, so that none of its figures is copied by hand.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from .counts import Accuracy
from .figures import Change, Figures, Row, UnseenKinds, flawed, grouped, in_order, pooled_count
from .train import DISTILLATION
from .weights import LINES, SHIPPED, Weights, load_weights

KNOWN_FAILURE = 0.01  # the card names as a failure what fails at least this often
LOWEST_CHANGES = 8  # rows of the table of changed pictures
OPTIONAL = {
    "validation",
    "negatives",
    "photographs",
    "damaged",
    "failures",
    "pens",
    "repeats",
    "numbers",
}  # parts of the figures that a card can do without
CARD = Path(__file__).parent.parent / "MODEL_CARD.md"
TEXT = """# Model card

`{file}`: what it is, how it was made, how good it is and where it fails. Written by
`python -m digit_recognizer_dl_model.model_card` from the figures in that file; a test compares the two.

## What it is

A convolutional network in NumPy that reads one handwritten digit from 28x28 pixels, prepared as MNIST prepares them.
Its {parameters:,} parameters are in these layers:

{layers}

It reads single digits that people write or draw. Another network reads [whole numbers](#whole-numbers). Do not use
either for letters, or where a wrong digit does harm before anybody notices.

## What it learned from

| data | images an epoch | origin | licence |
| --- | --- | --- | --- |
| MNIST's training images, without {validation:,} that are held out | {data.mnist:,} | LeCun, Cortes and Burges | \
commonly CC BY-SA 3.0 |
| {data.recorded:,} digits that {data.writers} people wrote with a pen | {data.drawn:,} | [Alpaydin, Alimoglu][pens] | \
CC BY 4.0 |
| synthetic handwriting in {forms} forms | {data.handwriting:,} | `handwriting.py` | MIT |
| negatives, which have an output of their own | {data.negatives:,} | `negatives.py` | MIT |

[pens]: https://archive.ics.uci.edu/dataset/81

Few of MNIST's writers slashed their zeros, flagged their ones or barred their sevens, and nobody slashed a zero with
the pen; the synthetic handwriting does. These commands train the network:

```
python manage.py fetch_mnist
python manage.py fetch_pen_digits
python -m digit_recognizer_dl_model.train --seed {training.seed}
```

They first train {teachers} teachers, each without one fold of the people who wrote with a pen. The shipped network
starts with the weights of one of them and learns from everybody: its target is {distillation} the mean of the teachers'
answers, and the rest is the label. The shipped file is the result of one such run from beginning to end.
Training prints a checksum of the network at its end, and `python -m digit_recognizer_dl_model.evaluate` that of a file.
This one's is `{checksum}`.

These commands measure the figures below:

```
{training_again}python -m benchmarks.quality.measure --save --strokes data/pen_digits.json.gz \\
    --teachers digit_recognizer_dl_model/training/teacher*.npz{repeated}
python -m digit_recognizer_dl_model.model_card
```

Training takes {training.epochs} epochs in batches of {training.batch}, and {teacher_epochs} epochs for a teacher, with
AdamW. The learning rate rises to {training.peak_learning_rate} and falls to zero; the weight decay is
{training.weight_decay}, the label smoothing {training.label_smoothing} (none for a teacher). Dropout is used, and the
weights are averaged. Every image is turned, scaled, slanted, shifted, bent, thinned or thickened and sometimes blurred
at random, each time in another way; {damaged} are also damaged: by noise, blur, haze, bands, spots or lines, or to
outlines alone. The architecture, the number of epochs, the averaging and all limits were chosen on the
{validation:,} held-out images and on held-out writers. Each finished candidate was measured once on the test images,
and nothing was chosen by them.

## How good it is

On MNIST's {test.images:,} test images **{accuracy}** are right (95 % interval {interval}). The expected calibration
error is {error}; {uncertain} are marked "not sure", and of the rest {certain} are right.
{repeats}
{test.count.wrong} are wrong:

{confusion}

Rows: the digit; columns: the answer.

{of_teachers}

### Forms that people write

Fresh samples of the synthetic forms. The same program wrote digits to train on, so these figures flatter.

{form_rows}

### Changed pictures

MNIST's test images, changed as people's pictures are, and prepared like them.

{robustness}
{photographs}{small}
### What it refuses

A picture is marked "not sure" where two digits are about equally likely, or where much probability remains outside the
two likeliest digits. Of pictures that do not show one digit, of kinds that nothing was trained on or fitted to,
{refused} are refused, and of MNIST's test images {digits_refused}; the AUROC of the two is {auroc}:

{unseen_kinds}

## Known failures

Forms, unseen kinds and thick pens are named here if they fail at least {known_failure} of the time. The tables above
show which changes and photographs are read worst.

{failures}
{failed_pictures}{numbers}"""
TRAINING_AGAIN = """for seed in {seeds}; do
    python -m digit_recognizer_dl_model.train --seed $seed --out seed$seed.npz \\
        --teachers digit_recognizer_dl_model/training/teacher*.npz
done
"""
FAILED_PICTURES = """
![Pictures that are read wrong, each with what it shows and what it is read as](docs/failures.png)

`?` stands for "not sure". `python -m benchmarks.quality.failures` draws the picture from the weights file.
"""

NUMBERS = """
## Whole numbers

`{file}` is a second network of {parameters:,} parameters, which reads a line of digits as a whole. It sees a strip 46
pixels high and gives each four pixels along it a digit, another character, or nothing:

{layers}

It learned from synthetic lines without end: MNIST's training images, pens and synthetic handwriting beside each other,
with separators, signs, rulings, patterns, shadows and neighbours, and words and scribbles to be refused. These commands
train it and measure it; its checksum is `{checksum}`.

```
python -m digit_recognizer_dl_model.train_lines
python -m benchmarks.numbers --save
```

A number is right only if all its digits are. None of these images and writers was trained on; some
limits and the scale of the confidence were chosen with these writers:

{rows}

The expected calibration error of the confidence of whole numbers is {error}.
"""


def describe_model(weights: Weights, lines: Weights | None = None) -> str:
    """The model card in Markdown, with a part on `lines`, the network that reads whole numbers, if it was measured.

    Raises ValueError if another part of the figures was not measured.
    """
    figures = weights.figures
    names = [field.name for field in fields(figures) if field.name not in OPTIONAL]
    if missing := [name for name in names if not getattr(figures, name)]:
        raise ValueError(f"the figures of the weights lack {', '.join(missing)}: measure them first")
    test, unseen = figures.test, figures.unseen_kinds
    seeds = " ".join(str(repeat.training.seed) for repeat in figures.repeats)
    return TEXT.format(
        file=SHIPPED.name,
        checksum=weights.checksum,
        layers="\n".join(f"- {layer}" for layer in weights.layers),
        parameters=weights.parameters,
        data=figures.composition,
        training=figures.training,
        validation=figures.training.validation,
        forms=len(figures.forms),
        teachers=len(figures.teachers),
        teacher_epochs=figures.teachers[0].training.epochs,
        distillation=percent(DISTILLATION, 0),
        training_again=TRAINING_AGAIN.format(seeds=seeds) if seeds else "",
        repeated=" --repeats seed*.npz" if seeds else "",
        test=test,
        accuracy=percent(test.count.fraction),
        interval=interval_text(test.count.interval),
        error=percent(test.expected_calibration_error),
        uncertain=percent(test.uncertain_fraction),
        certain=percent(test.certain.fraction),
        repeats=describe_repeats(figures),
        confusion=confusion_table(test),
        of_teachers=describe_teachers(figures),
        form_rows=describe_forms(figures),
        robustness=describe_changes(figures.robustness),
        photographs=describe_photographs(figures.photographs),
        damaged=percent(figures.training.damaged, 0),
        small=describe_damaged(figures.damaged),
        refused=percent(unseen.pooled.count.fraction, 0),
        digits_refused=percent(unseen.digits.wrong_fraction),
        auroc=f"{unseen.pooled.auroc:.3f}",
        unseen_kinds=unseen_table(unseen),
        known_failure=percent(KNOWN_FAILURE, 0),
        failed_pictures=FAILED_PICTURES if figures.failures else "",
        failures="\n".join(f"- {failure}" for failure in known_failures(figures)),
        numbers=describe_numbers(lines) if lines and lines.figures.numbers else "",
    )


def describe_numbers(lines: Weights) -> str:
    """The part on the network that reads whole numbers."""
    figures = lines.figures.numbers
    rows = [
        [row.name, percent(row.count.fraction, 1), interval_text(row.count.interval), percent(row.sure.fraction, 1)]
        for row in figures.sets
    ]
    return NUMBERS.format(
        file=LINES.name,
        parameters=lines.parameters,
        layers="\n".join(f"- {layer}" for layer in lines.layers),
        checksum=lines.checksum,
        rows=table(["numbers", "right", "95 % interval", "right of the sure ones"], rows),
        error=percent(figures.calibration_error),
    )


def describe_repeats(figures: Figures) -> str:
    """The accuracy of the same training from other seeds, which shows how much is chance; empty if there are none."""
    if not figures.repeats:
        return ""
    seeds = " and ".join(str(repeat.training.seed) for repeat in figures.repeats)
    accuracies = " and ".join(percent(repeat.test.count.fraction) for repeat in figures.repeats)
    spread = figures.of_seeds
    text = wrap(
        f"Trained again from seeds {seeds}, with the same teachers, it reads {accuracies} right: the mean of all"
        f" {len(spread.fractions)} is {percent(spread.mean)}, their standard deviation"
        f" {points(spread.standard_deviation)} points."
    )
    return f"\n{text}\n"


def confusion_table(accuracy: Accuracy) -> str:
    rows = [
        [f"**{digit}**", *(str(count) if count else "" for count in row)]
        for digit, row in enumerate(accuracy.confusion)
    ]
    return table(["", *map(str, range(10))], rows)


def describe_teachers(figures: Figures) -> str:
    """The accuracy of the teachers, on the test images and on the writers that each has never seen."""
    spread, pens = figures.of_teachers, figures.unseen_writers.accuracy
    text = (
        f"Its {len(figures.teachers)} teachers, each from another seed, read on average {percent(spread.mean)} of"
        f" MNIST's test images right (standard deviation {points(spread.standard_deviation)} points). Each reads the"
        f" pens of the fold of people it has never seen; of these {pens.images:,} digits"
        f" **{percent(pens.count.fraction)}** are right (95 % interval {interval_text(pens.count.interval)}):"
    )
    header = ["fold", "seed", "MNIST test right", "unseen pens right", "calibration error there", "not sure there"]
    rows = [
        [
            str(teacher.training.fold),
            str(teacher.training.seed),
            percent(teacher.test.count.fraction),
            percent(teacher.pens.accuracy.count.fraction),
            percent(teacher.pens.accuracy.expected_calibration_error),
            percent(teacher.pens.accuracy.uncertain_fraction),
        ]
        for teacher in figures.teachers
    ]
    recall = table(
        ["unseen pens", *map(str, range(10))], [["right", *(percent(count.fraction, 1) for count in pens.recall)]]
    )
    return "\n\n".join([wrap(text), table(header, rows), recall])


def describe_forms(figures: Figures) -> str:
    """The forms that are misread at times; one sentence tells of the others."""
    misread = flawed(figures.forms)
    if not misread:
        return f"All {len(figures.forms)} forms are read without a mistake."
    sentence = f"Of {len(figures.forms)} forms, all but these {len(misread)} are read without a mistake:"
    return f"{sentence}\n\n{rows_table('form', misread, 1)}"


def describe_changes(changes: Sequence[Change]) -> str:
    """A summary of each group of changes, and the changes that are read worst."""
    groups = [
        [group.key, str(len(group.rows)), percent(group.pooled.fraction), row_text(group.lowest)]
        for group in grouped(changes, lambda change: change.group)
    ]
    lowest = in_order(changes)[:LOWEST_CHANGES]
    return "\n\n".join(
        [
            table(["group", "changes", "right", "the lowest"], groups),
            f"The {len(lowest)} lowest of all {len(changes)} changes:",
            rows_table("change", lowest, 2),
        ]
    )


def describe_photographs(photographs: Sequence[Row]) -> str:
    """The section on photographs, which is left out if they were not measured."""
    if not photographs:
        return ""
    return f"""
### Photographs

Synthetic photographs of digits on paper; half of them show MNIST's test images, half synthetic handwriting.

{rows_table("photograph", in_order(photographs), 1)}
"""


def describe_damaged(damaged: Sequence[Row]) -> str:
    """The section on damaged pictures, which is left out if they were not measured."""
    if not damaged:
        return ""
    mean = percent(pooled_count(damaged).fraction, 1)
    return f"""
### Damaged small pictures

MNIST's test images, damaged and sent as pictures of 28x28 pixels. In the mean {mean} are read right.

{rows_table("damage", in_order(damaged), 1)}
"""


def unseen_table(unseen: UnseenKinds) -> str:
    rows = [[kind.name, percent(kind.count.fraction, 0), f"{kind.auroc:.3f}"] for kind in in_order(unseen.kinds)]
    return table(["kind", "refused", "AUROC"], rows)


def known_failures(figures: Figures) -> list[str]:
    """The forms, unseen kinds, writers and pens that the network often fails on."""
    pens = figures.unseen_writers
    worst, best = (percent(writer.count.fraction, 1) for writer in (pens.writers[0], pens.writers[-1]))
    failures = [
        f"{percent(form.count.wrong_fraction, 1)} of synthetic digits of the form *{form.name}* are misread."
        for form in flawed(figures.forms, KNOWN_FAILURE)
    ]
    failures += [
        f"{percent(kind.count.wrong_fraction, 0)} of pictures of the kind *{kind.name}* are taken for a digit."
        for kind in flawed(figures.unseen_kinds.kinds, KNOWN_FAILURE)
    ]
    failures.append(
        f"Of {len(pens.writers)} unseen writers the worst is read right in {worst} of the digits, the best in {best}."
    )
    failures += [
        f"In pictures, small drawings with a thick pen run together: with strokes of {each.least:g} to {each.most:g} of"
        f" the 28 pixels, {percent(each.count.wrong_fraction, 1)} are misread."
        for each in flawed([pens.thickest], KNOWN_FAILURE)
    ]
    return failures


def rows_table(title: str, rows: Sequence[Row], decimals: int) -> str:
    return table([title, "right"], [[row.name, percent(row.count.fraction, decimals)] for row in rows])


def row_text(row: Row) -> str:
    return f"{row.name}: {percent(row.count.fraction)}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def wrap(text: str) -> str:
    """The text in lines of at most 120 characters, none of which begins with a percent sign."""
    return textwrap.fill(text.replace(" %", "\u00a0%"), 120).replace("\u00a0%", " %")


def percent(fraction: float, decimals: int = 2) -> str:
    return f"{100 * fraction:.{decimals}f} %"


def points(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def interval_text(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{percent(low)} to {percent(high)}"


def main() -> None:
    CARD.write_text(describe_model(load_weights(), load_weights(LINES)), encoding="utf-8")
    print(f"wrote {CARD}")


if __name__ == "__main__":
    main()
