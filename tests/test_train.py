"""Training on a few images: repeatable, resumable bit by bit, and honest about what it can't do."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer_dl_model import evaluate, handwriting, nondigits, train
from digit_recognizer_dl_model.augmentation import Augmentation
from digit_recognizer_dl_model.dataset import Dataset, read_csv, write_csv
from digit_recognizer_dl_model.handwriting import FORMS
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.train import Settings, Training, hold_out, run
from digit_recognizer_dl_model.weights import load_weights

TEST_CSV = Path(__file__).parent.parent / "data" / "mnist_test.csv"
ARCHITECTURE = [
    {"layer": "Conv2D", "inputs": 1, "outputs": 2, "size": 5},
    {"layer": "BatchNorm", "channels": 2},
    {"layer": "MaxPool2D"},
    {"layer": "ReLU"},
    {"layer": "Flatten"},
    {"layer": "Dropout", "rate": 0.2},
    {"layer": "Dense", "inputs": 288, "outputs": 10},
]


@dataclass(frozen=True)
class SmallSettings(Settings):
    """Two epochs of eight steps on 160 of 200 images."""

    epochs: int = 2
    batch: int = 20
    validation: int = 40
    handwriting: int = 20


@pytest.fixture(scope="module")
def digits():
    dataset = read_csv(TEST_CSV)
    return Dataset(dataset.pixels[:200], dataset.labels[:200])


@pytest.fixture
def start(digits, tmp_path):
    """Start a run; what it returns takes `run`'s other arguments."""

    def start(**changes):
        settings = replace(SmallSettings(), **changes)
        training_set, validation = hold_out(digits, settings.validation, settings.seed)
        training = Training(settings, training_set, ARCHITECTURE)
        return training, partial(run, training, validation, tmp_path / "checkpoint.npz")

    return start


def everything(training):
    """All arrays that a run has learned or remembers."""
    groups = (training.network.state, training.average, training.optimizer.first, training.optimizer.second)
    return {f"{i}/{name}": array for i, group in enumerate(groups) for name, array in group.items()}


def differing(training, other):
    mine, theirs = everything(training), everything(other)
    assert mine.keys() == theirs.keys()
    return {name for name, array in mine.items() if not np.array_equal(array, theirs[name])}


def test_the_same_seed_gives_the_same_weights_bit_by_bit(start):
    (first, run_first), (second, run_second) = start(), start()
    assert run_first()
    assert run_second()
    assert first.step == second.step == first.steps == 16
    assert not differing(first, second)


def test_another_seed_gives_other_weights(start):
    (first, run_first), (second, run_second) = start(epochs=1), start(epochs=1, seed=2)
    run_first()
    run_second()
    assert differing(first, second) == set(everything(first))


def test_training_makes_the_loss_small(start):
    training, _ = start(epochs=12, peak_learning_rate=0.02, label_smoothing=0, augmentation=Augmentation(0, 0, 0, 0, 0))
    with ThreadPoolExecutor(2) as pool:
        losses = [training.advance(pool) for _ in range(training.steps)]
    assert np.mean(losses[:8]) > 2
    assert np.mean(losses[-8:]) < 0.3
    answers = Classifier(training.weights()).logits(training.dataset.pixels).argmax(axis=1)
    assert (answers == training.dataset.labels).mean() > 0.95


def test_the_average_follows_the_weights_fast_at_first_and_slower_later(start):
    training, _ = start(averaging=0.2)
    expected = {name: array.copy() for name, array in training.network.state.items()}
    with ThreadPoolExecutor(2) as pool:
        for keep in (1 / 11, 2 / 12, 0.2, 0.2):
            training.advance(pool)
            for name, array in training.network.state.items():
                expected[name] = keep * expected[name] + (1 - keep) * array
    weights = training.weights()
    assert weights.arrays.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(weights.arrays[name], array, rtol=1e-5, atol=1e-6)


def test_every_epoch_sees_each_image_once_in_an_order_of_its_own(start, monkeypatch):
    seen = []
    differentiate = Training._differentiate

    def watched(self, shard, network, chosen):
        seen.append((self.step, shard, chosen.tolist()))
        return differentiate(self, shard, network, chosen)

    monkeypatch.setattr(Training, "_differentiate", watched)
    _, run_to_the_end = start()
    run_to_the_end()
    orders = [[i for step, _, chosen in sorted(seen) if step // 8 == epoch for i in chosen] for epoch in range(2)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(160))
    assert orders[0] != orders[1]


def test_every_part_of_every_step_draws_changes_of_its_own(start):
    draws = []

    def augmentation(pixels, rng):
        draws.append(rng.random())
        return pixels / np.float32(255)

    training, _ = start(augmentation=augmentation)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(training.steps):
            training.advance(pool)
    assert len(draws) == 2 * 16
    assert len(set(draws)) == len(draws)


@pytest.mark.parametrize("step", [1, 5, 8, 11, 16], ids=lambda step: f"after step {step} of 16")
def test_a_resumed_run_reaches_the_weights_of_an_unbroken_one_bit_by_bit(start, tmp_path, step):
    unbroken, run_unbroken = start()
    run_unbroken()
    stopped, run_stopped = start()
    assert not run_stopped(lambda: stopped.step == step)
    assert stopped.step == step
    resumed, run_resumed = start()
    resumed.restore_checkpoint(tmp_path / "checkpoint.npz")
    assert resumed.step == step
    assert not differing(resumed, stopped)
    assert run_resumed()
    assert not differing(resumed, unbroken)


def test_every_epoch_leaves_a_checkpoint(start, tmp_path, monkeypatch):
    training, run_to_the_end = start()
    steps = []
    save = training.save_checkpoint
    monkeypatch.setattr(training, "save_checkpoint", lambda path: (steps.append(training.step), save(path)))
    run_to_the_end()
    assert steps == [8, 16]
    assert (tmp_path / "checkpoint.npz").exists()


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"epochs": 3}, {"batch": 10}, {"label_smoothing": 0.0}, {"augmentation": Augmentation(scale=0.1)}],
    ids=lambda change: next(iter(change)),
)
def test_a_checkpoint_of_other_settings_is_refused(start, tmp_path, change):
    _, run_training = start()
    run_training(lambda: True)
    other, _ = start(**change)
    with pytest.raises(ValueError, match="other settings"):
        other.restore_checkpoint(tmp_path / "checkpoint.npz")
    assert other.step == 0


def test_held_out_images_are_disjoint_from_the_others_and_none_is_lost():
    pixels = np.zeros((50, 28, 28), np.uint8)
    pixels[:, 3, 4] = np.arange(50)  # each image can be told from the others
    dataset = Dataset(pixels, (np.arange(50) % 10).astype(np.uint8))
    training, validation = hold_out(dataset, 12, seed=1)
    numbers = [part.pixels[:, 3, 4].tolist() for part in (training, validation)]
    assert [len(part) for part in numbers] == [38, 12]
    assert sorted(numbers[0] + numbers[1]) == list(range(50))
    for part, chosen in zip((training, validation), numbers, strict=True):
        assert part.labels.tolist() == [number % 10 for number in chosen]
    assert hold_out(dataset, 12, seed=1)[1].pixels[:, 3, 4].tolist() == numbers[1]
    assert hold_out(dataset, 12, seed=2)[1].pixels[:, 3, 4].tolist() != numbers[1]


@pytest.fixture
def command(digits, tmp_path, monkeypatch):
    """The command as a function of its options, small, on small CSV files in data/; gives Ctrl-C back its meaning."""
    (tmp_path / "data").mkdir()
    write_csv(tmp_path / "data" / "mnist_train.csv", digits)
    write_csv(tmp_path / "data" / "mnist_test.csv", Dataset(digits.pixels[:30], digits.labels[:30]))
    monkeypatch.setattr(train, "DATA", tmp_path / "data")
    monkeypatch.setattr(train, "Settings", SmallSettings)
    monkeypatch.setattr(evaluate, "SAMPLES_A_FORM", 2)
    monkeypatch.setattr(evaluate, "SAMPLES_A_KIND", 2)
    monkeypatch.setattr(train, "Training", partial(Training, architecture=ARCHITECTURE))
    for name, few in {"NOVELTY_IMAGES": 300, "NONDIGITS": 20, "HELD_OUT_HANDWRITING": 50}.items():
        monkeypatch.setattr(train, name, few)

    def command(*options, out="weights.npz"):
        files = ["--out", str(tmp_path / out), "--checkpoint", str(tmp_path / "checkpoint.npz")]
        monkeypatch.setattr("sys.argv", ["train", *files, *options])
        train.main()

    handler = signal.getsignal(signal.SIGINT)
    yield command
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
def interrupt(monkeypatch):
    """Choose the step in the middle of which Ctrl-C is pressed; None for no step."""
    advance = Training.advance

    def interrupt(step):
        def interrupted(self, pool):
            if self.step == step:
                signal.raise_signal(signal.SIGINT)
            return advance(self, pool)

        monkeypatch.setattr(Training, "advance", interrupted)

    return interrupt


def test_the_command_writes_weights_with_their_figures(command, tmp_path):
    command("--epochs", "1", "--seed", "5")
    weights = load_weights(tmp_path / "weights.npz")
    assert weights.architecture == ARCHITECTURE
    assert weights.figures["validation"]["images"] == 40
    assert weights.figures["test"]["images"] == 30
    assert weights.figures["training"]["seed"] == 5
    assert weights.figures["forms"].keys() == FORMS.keys()
    assert weights.figures["training"]["epochs"] == 1
    test = read_csv(tmp_path / "data" / "mnist_test.csv")
    right = Classifier(weights).probabilities(test.pixels).argmax(axis=1) == test.labels
    assert weights.figures["test"]["accuracy"] == pytest.approx(right.mean(), abs=1.5 / 30)
    assert weights.figures["nondigits"].keys() == nondigits.KINDS.keys()
    assert not (tmp_path / "checkpoint.npz").exists()


def test_half_a_percent_of_the_held_out_digits_is_called_no_digit(start, digits, monkeypatch):
    monkeypatch.setattr(train, "NOVELTY_IMAGES", 150)
    monkeypatch.setattr(train, "NONDIGITS", 20)
    training, _ = start()
    written, drawn = handwriting.sample, []
    monkeypatch.setattr(handwriting, "sample", lambda *asked: drawn.append(written(*asked)) or drawn[-1])
    monkeypatch.setattr(train, "HELD_OUT_HANDWRITING", 1000)
    weights = train.fit_novelty(training.weights(), training.dataset, digits, seed=1)
    [held_out] = drawn
    shares = [
        (Classifier(weights).answer(dataset.pixels).novelty > weights.no_digit_above).mean()
        for dataset in (digits, held_out)
    ]
    assert max(shares) == pytest.approx(0.005, abs=0.0051)
    assert weights.no_digit_above < np.inf
    assert {"novelty.means", "novelty.directions"} <= weights.arrays.keys()


def test_a_finished_checkpoint_is_only_calibrated_measured_and_written(command, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(train, "finish", lambda *_: (tmp_path / "checkpoint.npz").rename(tmp_path / "kept.npz"))
        command()
    (tmp_path / "kept.npz").rename(tmp_path / "checkpoint.npz")
    monkeypatch.setattr(Training, "advance", None)  # so that any further step fails
    command("--resume")
    weights = load_weights(tmp_path / "weights.npz")
    assert 0 < weights.no_digit_above < np.inf


@pytest.mark.parametrize("step", [0, 10, 15], ids=["at the start", "in the middle", "in the last step"])
def test_a_run_stopped_by_ctrl_c_can_be_resumed_to_the_same_weights(command, interrupt, tmp_path, capsys, step):
    command(out="unbroken.npz")
    interrupt(step)
    with pytest.raises(SystemExit) as stop:
        command()
    assert stop.value.code == 130
    assert "--resume" in capsys.readouterr().out
    assert (tmp_path / "checkpoint.npz").exists()
    assert not (tmp_path / "weights.npz").exists()

    interrupt(None)
    command("--resume")
    resumed, unbroken = load_weights(tmp_path / "weights.npz"), load_weights(tmp_path / "unbroken.npz")
    assert {"validation", "test"} <= resumed.figures.keys()
    assert (resumed.temperature, resumed.figures) == (unbroken.temperature, unbroken.figures)
    for name, array in unbroken.arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], array)
    assert not (tmp_path / "checkpoint.npz").exists()


def test_the_command_cannot_resume_without_a_checkpoint(command):
    with pytest.raises(SystemExit, match=re.escape("can't resume")):
        command("--resume")


def test_the_command_does_not_resume_a_run_of_another_seed(command, interrupt):
    interrupt(0)
    with pytest.raises(SystemExit):
        command()
    with pytest.raises(SystemExit, match=re.escape("can't resume") + ".*other settings"):
        command("--resume", "--seed", "2")


@pytest.mark.parametrize("name", ["mnist_train.csv", "mnist_test.csv"])
def test_the_command_says_how_to_get_a_missing_file(command, tmp_path, name):
    (tmp_path / "data" / name).unlink()
    with pytest.raises(SystemExit) as stop:
        command()
    assert str(tmp_path / "data" / name) in stop.value.code
    assert "manage.py fetch_mnist" in stop.value.code
    assert "\n" not in stop.value.code


@pytest.mark.parametrize("name", ["mnist_train.csv", "mnist_test.csv"])
def test_the_command_refuses_images_without_labels(command, tmp_path, name):
    path = tmp_path / "data" / name
    path.write_text("\n".join([",".join(["0"] * 784)] * 200))
    with pytest.raises(SystemExit, match=re.escape(f"{path}: no labels")):
        command()


def test_the_command_refuses_too_few_images_and_writes_no_weights(command, digits, tmp_path):
    write_csv(tmp_path / "data" / "mnist_train.csv", Dataset(digits.pixels[:59], digits.labels[:59]))
    with pytest.raises(SystemExit, match="59 images are too few"):
        command()
    assert not (tmp_path / "weights.npz").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"text"], ids=["empty", "half", "text"])
def test_the_command_does_not_resume_from_a_damaged_checkpoint(command, tmp_path, content):
    (tmp_path / "checkpoint.npz").write_bytes(content)
    with pytest.raises(SystemExit, match=re.escape("can't resume: ")):
        command("--resume")


def test_the_command_does_not_resume_from_a_foreign_file(command, tmp_path):
    np.savez(tmp_path / "checkpoint.npz", images=np.ones(3))
    with pytest.raises(SystemExit, match=re.escape(f"can't resume: {tmp_path / 'checkpoint.npz'} is no checkpoint")):
        command("--resume")


def test_the_command_names_a_malformed_file(command, tmp_path):
    path = tmp_path / "data" / "mnist_train.csv"
    path.write_text("1,2,3\n")
    with pytest.raises(SystemExit, match=re.escape(f"{path}, line 1: 3 columns")):
        command()
