"""The model card, made from the figures in the weights file: `python -m digit_recognizer_dl_model.model_card`.

It writes MODEL_CARD.md beside the README, so that none of its figures is copied by hand.
"""

import statistics
import textwrap
from pathlib import Path

from .metrics import by_digit, pool
from .synthetic.handwriting import FORMS
from .train import DISTILLATION
from .weights import SHIPPED, Weights, load_weights

KNOWN_FAILURE = 0.01  # fraction that fails from which the card names a failure
CARD = Path(__file__).parent.parent / "MODEL_CARD.md"
TEXT = """# Model card

`{file}`: what it is, how it was made, how good it is and where it fails. Written by
`python -m digit_recognizer_dl_model.model_card` from the figures in that file; a test holds the two together.

## What it is

A convolutional network in NumPy that reads one handwritten digit from 28x28 pixels, prepared as MNIST prepares them.
Its {values:,} trained values lie in these layers:

{layers}

It is for single digits that people write or draw; not for numbers of several digits, not for letters, and not where a
wrong digit does harm before anybody notices.

## What it learned from

| data | images an epoch | origin | licence |
| --- | --- | --- | --- |
| MNIST's training images but for {validation:,} | {mnist:,} | LeCun, Cortes and Burges | commonly CC BY-SA 3.0 |
| {recorded:,} digits that {writers} people wrote with a pen | {drawn:,} | [Alpaydin, Alimoglu][pens] | CC BY 4.0 |
| made-up handwriting in {forms} forms | {handwriting:,} | `handwriting.py` | MIT |
| made-up pictures of no digit, all answers alike | {negatives:,} | `negatives.py` | MIT |

[pens]: https://archive.ics.uci.edu/dataset/81

MNIST's writers hardly slashed their zeros, flagged their ones or barred their sevens, and the pens never slashed a
zero; the made-up handwriting does. The recipe, with what it needs fetched before it:

```
python manage.py fetch_mnist
python manage.py fetch_pen_digits
python -m digit_recognizer_dl_model.train --seed {seed}
```

It trains {teachers} teachers first, each without a third of the people who wrote with a pen. Then the shipped network
learns from everybody, {taught} of what it is to answer being the mean of its teachers' answers and the rest the label.
The figures below come from these commands:

```
for seed in {repeated}; do
    python -m digit_recognizer_dl_model.train --seed $seed --out seed$seed.npz \\
        --teachers digit_recognizer_dl_model/training/teacher*.npz
done
python -m benchmarks.quality.measure --save --strokes data/pen_digits.json.gz \\
    --teachers digit_recognizer_dl_model/training/teacher*.npz --repeats seed*.npz
python -m digit_recognizer_dl_model.model_card
```

{epochs} epochs in batches of {batch}, {teacher_epochs} for a teacher; AdamW, its rate rising to {rate} and falling to
zero, weight decay {decay}; label smoothing {smoothing}, none for a teacher; dropout; averaged weights. Every image is
turned, scaled, slanted, shifted, bent, thinned or thickened and some blurred at random, anew each time. Architecture,
epochs, averaging and all limits were chosen on the {validation:,} held-out images and on held-out writers. The test
images were looked at once for each finished candidate, and nothing was chosen by them.

## How good it is

On MNIST's {test:,} test images **{accuracy}** are right (95 % interval {interval}). The expected calibration
error is {error}; {uncertain} are marked "not sure", and of the rest {certain} are right.

{repeats}

{wrong} are wrong:

| | {columns} |
| --- |{rule}
{confusion}

Rows: what it is; columns: what it is read as.

{runs}

### Forms that people write

Fresh samples of the made-up forms; the hand is the one that wrote for training, which flatters.

| form | right |
| --- | --- |
{form_rows}

### Changed pictures

MNIST's test images, changed as people's pictures are, and prepared like these.

| change | right |
| --- | --- |
{robustness}
{photographs}
### What it refuses

A picture is marked "not sure" where two digits are about as likely, or where much probability is left beyond the two
likeliest. Of pictures of no digit, in kinds that nothing was trained on or fitted to, {pooled} are refused; their AUROC
against MNIST's test images, of which {uncertain} are, is {auroc}:

| kind | refused | AUROC |
| --- | --- | --- |
{refused}

## Known failures

{failures}
"""


def describe_model(weights: Weights) -> str:
    """The model card in Markdown; raises KeyError where the weights' figures are not those of a whole evaluation."""
    figures, settings = weights.figures, weights.figures["training"]
    test, composition, refusal = figures["test"], figures["composition"], figures["refusal"]
    confusion, pens = test["confusion"], pool([run["pens"] for run in figures["teachers"]])
    forms, kinds, robustness = figures["forms"], refusal["kinds"], figures["robustness"]
    weakest = [form for form in sorted(forms, key=forms.get) if fails(forms[form])]
    passing = [kind for kind in sorted(kinds, key=lambda kind: kinds[kind]["refused"]) if fails(kinds[kind]["refused"])]
    failures = [
        *(f"- {_percent(1 - forms[form], 1)} of made-up digits of the form *{form}* are misread." for form in weakest),
        *(f"- {_percent(1 - kinds[kind]['refused'], 0)} of {kind} are taken for a digit." for kind in passing),
        *_failures_of_writers(pens),
        "- Several digits in one picture are at best refused: they are never read one by one.",
    ]
    return TEXT.format(
        file=SHIPPED.name,
        layers="\n".join(f"- {layer}" for layer in weights.layers),
        values=weights.trained_values,
        validation=settings["validation"],
        **composition,
        forms=len(FORMS),
        seed=settings["seed"],
        epochs=settings["epochs"],
        batch=settings["batch"],
        rate=settings["peak_learning_rate"],
        decay=settings["weight_decay"],
        smoothing=settings["label_smoothing"],
        test=test["images"],
        accuracy=_percent(test["accuracy"]),
        interval=" to ".join(_percent(bound) for bound in test["interval_95"]),
        error=_percent(test["expected_calibration_error"]),
        uncertain=_percent(test["uncertain"]),
        certain=_percent(test["accuracy_where_certain"]),
        wrong=test["images"] - sum(confusion[digit][digit] for digit in range(10)),
        columns=" | ".join(map(str, range(10))),
        rule=" --- |" * 10,
        confusion="\n".join(
            f"| **{digit}** | " + " | ".join(str(count) if count else "" for count in row) + " |"
            for digit, row in enumerate(confusion)
        ),
        repeats=_repeats(figures),
        repeated=" ".join(str(run["training"]["seed"]) for run in figures["repeats"]),
        runs=_teachers(figures["teachers"], pens),
        teachers=len(figures["teachers"]),
        taught=_percent(DISTILLATION, 0),
        teacher_epochs=figures["teachers"][0]["training"]["epochs"],
        form_rows=_rows(forms, 1),
        robustness=_rows(robustness, 2),
        photographs=_photographs(figures.get("photographs")),
        pooled=_percent(refusal["pooled"]["refused"], 0),
        auroc=f"{refusal['pooled']['auroc']:.3f}",
        refused="\n".join(
            f"| {kind} | {_percent(row['refused'], 0)} | {row['auroc']:.3f} |"
            for kind, row in sorted(kinds.items(), key=lambda item: item[1]["refused"])
        ),
        failures="\n".join(failures),
    )


def fails(fraction: float) -> bool:
    """Whether a fraction of right answers or refusals is a known failure."""
    return 1 - fraction >= KNOWN_FAILURE


def _repeats(figures: dict) -> str:
    """How much of the accuracy is chance."""
    accuracies = [figures["test"]["accuracy"], *(run["test"]["accuracy"] for run in figures["repeats"])]
    seeds = " and ".join(str(run["training"]["seed"]) for run in figures["repeats"])
    repeated, mean = " and ".join(map(_percent, accuracies[1:])), _percent(statistics.mean(accuracies))
    text = (
        f"Trained again from seeds {seeds}, with the same teachers, it reads {repeated}: the mean of all"
        f" {len(accuracies)} is {mean}, their standard deviation {100 * statistics.stdev(accuracies):.2f} points."
    )
    return textwrap.fill(text, 120)


def _teachers(runs: list[dict], pens: dict) -> str:
    """How much the figures owe to chance, and how writers are read whom a network has never seen."""
    accuracies = [run["test"]["accuracy"] for run in runs]
    interval = " to ".join(_percent(bound) for bound in pens["interval_95"])
    mean, deviation = _percent(statistics.mean(accuracies)), 100 * statistics.stdev(accuracies)
    text = (
        f"Its {len(runs)} teachers, each of another seed, read {mean} of MNIST's test images in the mean (standard"
        f" deviation {deviation:.2f} points). Each reads the pens of the third of the people whom it has never seen; of"
        f" these {pens['images']:,} digits **{_percent(pens['accuracy'])}** are right (95 % interval {interval}):"
    )
    lines = [
        textwrap.fill(text, 120),
        "",
        "| third | seed | MNIST test right | unseen pens right | calibration error there | not sure there |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for run in runs:
        settings, unseen = run["training"], run["pens"]
        shares = (
            run["test"]["accuracy"],
            unseen["accuracy"],
            unseen["expected_calibration_error"],
            unseen["uncertain"],
        )
        lines.append(f"| {settings['fold']} | {settings['seed']} | " + " | ".join(map(_percent, shares)) + " |")
    lines += ["", "| unseen pens | " + " | ".join(map(str, range(10))) + " |", "| --- |" + " --- |" * 10]
    lines.append("| right | " + " | ".join(_percent(share, 1) for share in by_digit(pens["confusion"])) + " |")
    return "\n".join(lines)


def _failures_of_writers(pens: dict) -> list[str]:
    """The writers and pens that the network reads worst."""
    shares = pens["by_writer"].values()
    worst, best = _percent(min(shares), 1), _percent(max(shares), 1)
    lines = [f"- Of {len(shares)} unseen writers the worst is read right in {worst} of the digits, the best in {best}."]
    *_, (thickest, right) = pens["by_thickness"].items()
    if right is not None and fails(right):
        least, misread = thickest.split()[0], _percent(1 - right, 1)
        lines.append(
            "- In photos and uploads, a small drawing with a thick pen runs together: over"
            f" {least} of the 28 pixels, {misread} are misread."
        )
    return lines


def _photographs(accuracies: dict[str, float] | None) -> str:
    """The section on photographs, which weights measured before there were any do without."""
    if not accuracies:
        return ""
    return f"""
### Photographs

Made-up photographs of digits on paper, half of them MNIST's test images and half made-up handwriting.

| photograph | right |
| --- | --- |
{_rows(accuracies, 1)}
"""


def _rows(fractions: dict[str, float], decimals: int) -> str:
    """A row for each fraction, the lowest first; those that are all right share the last row."""
    ordered = sorted(fractions.items(), key=lambda item: item[1])
    rows = [f"| {name} | {_percent(fraction, decimals)} |" for name, fraction in ordered if fraction < 1]
    if flawless := sum(fraction == 1 for fraction in fractions.values()):
        rows.append(f"| the other {flawless} | {_percent(1, decimals)} |")
    return "\n".join(rows)


def _percent(share: float, decimals: int = 2) -> str:
    return f"{100 * share:.{decimals}f} %"


def main() -> None:
    CARD.write_text(describe_model(load_weights()), encoding="utf-8")
    print(f"wrote {CARD}")


if __name__ == "__main__":
    main()
