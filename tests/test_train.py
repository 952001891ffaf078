"""Training on a few images: repeatable, resumable bit by bit, and with a message for all that it cannot do."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from digit_recognizer_dl_model import train
from digit_recognizer_dl_model.dataset import Dataset, read_csv, write_csv
from digit_recognizer_dl_model.figures import Composition
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.loss import NO_DIGIT
from digit_recognizer_dl_model.network import Network
from digit_recognizer_dl_model.recordings import Recording, fold_of_writers, write_recordings
from digit_recognizer_dl_model.synthetic import redrawing
from digit_recognizer_dl_model.synthetic.augmentation import Augmentation
from digit_recognizer_dl_model.train import Settings, Training, hold_out, train_to_the_end
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
# Two digits of each of six writers.
RECORDINGS = [
    Recording(label, writer, [np.array([[0.0, 0], [10.0 * writer, 5], [label, 90]])])
    for writer in range(6)
    for label in (writer, 9)
]


@dataclass(frozen=True)
class SmallSettings(Settings):
    """Two epochs of eight steps on 160 of 200 images."""

    epochs: int = 2
    batch: int = 20
    validation: int = 40
    handwriting: int = 20
    negatives: int = 26


@pytest.fixture(scope="module")
def digits():
    dataset = read_csv(TEST_CSV)
    return Dataset(dataset.pixels[:200], dataset.labels[:200])


@pytest.fixture
def start(digits, tmp_path):
    """Start a run; returns the training and a function that trains it to the end."""

    def start(**changes):
        settings = replace(SmallSettings(), **changes)
        training_set, validation = hold_out(digits, settings.validation, settings.seed)
        training = Training(settings, training_set, ARCHITECTURE)
        return training, partial(train_to_the_end, training, validation, tmp_path / "checkpoint.npz")

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
    """The command as a function of its options, small, on small files in data/; gives Ctrl-C back its meaning."""
    (tmp_path / "data").mkdir()
    write_csv(tmp_path / "data" / "mnist_train.csv", digits)
    write_recordings(tmp_path / "data" / "pen_digits.json.gz", RECORDINGS)
    monkeypatch.setattr(train, "DATA", tmp_path / "data")
    monkeypatch.setattr(train, "Settings", SmallSettings)
    monkeypatch.setattr(train, "TEACHER_EPOCHS", 1)
    monkeypatch.setattr(train, "Training", partial(Training, architecture=ARCHITECTURE))

    def command(*options, out="weights.npz"):
        files = ["--out", str(tmp_path / out), "--folder", str(tmp_path / "training")]
        monkeypatch.setattr("sys.argv", ["train", *files, *options])
        train.main()

    handler = signal.getsignal(signal.SIGINT)
    yield command
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
def interrupt(monkeypatch):
    """Choose the seed of the run, and its step, in the middle of which Ctrl-C is pressed; None for no step."""
    advance = Training.advance

    def interrupt(seed, step):
        def interrupted(self, pool):
            if (self.settings.seed, self.step) == (seed, step):
                signal.raise_signal(signal.SIGINT)
            return advance(self, pool)

        monkeypatch.setattr(Training, "advance", interrupted)

    return interrupt


def test_the_command_writes_weights_with_their_figures(command, tmp_path):
    command("--epochs", "1", "--seed", "5")
    weights = load_weights(tmp_path / "weights.npz")
    assert weights.architecture == ARCHITECTURE
    assert weights.figures.validation.images == 40
    assert weights.figures.training.seed == 5
    assert weights.figures.training.epochs == 1
    composition = {"mnist": 160, "recorded": 12, "writers": 6, "drawn": 24, "handwriting": 20, "negatives": 26}
    assert weights.figures.composition.to_json() == composition
    assert weights.figures.test is None
    assert not (tmp_path / "training" / "checkpoint.npz").exists()


def test_each_teacher_learns_without_one_fold_of_the_writers(command, tmp_path, monkeypatch):
    drawn = []
    draw = redrawing.draw_recordings
    monkeypatch.setattr(redrawing, "draw_recordings", lambda asked, rng: drawn.append(asked) or draw(asked, rng))
    command("--epochs", "1", "--seed", "5")
    for fold in range(3):
        figures = load_weights(tmp_path / "training" / f"teacher{fold}.npz").figures
        assert figures.training.fold == fold
        assert figures.training.seed == 6 + fold
        assert figures.training.label_smoothing == 0
        assert figures.composition.writers == 4
    writers = [{recording.writer for recording in asked} for asked in drawn]
    unseen = [fold_of_writers(RECORDINGS, fold) for fold in (0, 0, 1, 1, 2, 2)]
    assert writers == [set(range(6)) - fold for fold in unseen] + [set(range(6))] * 2


def test_a_network_answers_as_its_teachers_do_rather_than_as_labelled(digits):
    teacher = SimpleNamespace(probabilities=lambda pixels: np.tile(np.eye(10, dtype=np.float32)[4], (len(pixels), 1)))
    training = Training(SmallSettings(), digits, ARCHITECTURE, [teacher, teacher])
    with ThreadPoolExecutor(2) as pool:
        for _ in range(training.steps):
            training.advance(pool)
    assert (Classifier(training.weights()).logits(digits.pixels).argmax(axis=1) == 4).mean() > 0.95


def test_teachers_see_the_images_that_the_network_sees(digits, monkeypatch):
    shown, seen = [], []
    forward = Network.forward
    monkeypatch.setattr(
        Network, "forward", lambda self, x, *rest, **more: seen.append(x) or forward(self, x, *rest, **more)
    )
    teacher = SimpleNamespace(probabilities=lambda pixels: shown.append(pixels) or np.full((len(pixels), 10), 0.1))
    training = Training(SmallSettings(), digits, ARCHITECTURE, [teacher])
    with ThreadPoolExecutor(1) as pool:
        training.advance(pool)
    for x, pixels in zip(seen, shown, strict=True):
        assert pixels.dtype == np.uint8
        np.testing.assert_allclose(pixels, 255 * x[..., 0], atol=0.51)


def test_everything_is_composed_into_one_dataset(digits):
    settings = SmallSettings()
    dataset = train.compose(settings, digits, RECORDINGS)
    assert dataset.pixels.shape == (200 + 20 + 2 * 12 + 26, 28, 28)
    np.testing.assert_array_equal(dataset.pixels[:200], digits.pixels)
    assert dataset.labels[220:232].tolist() == [recording.label for recording in RECORDINGS]
    assert (dataset.labels[-26:] == NO_DIGIT).all()
    assert (dataset.labels[:-26] < 10).all()
    again = train.compose(settings, digits, RECORDINGS)
    np.testing.assert_array_equal(dataset.pixels, again.pixels)


def test_no_more_held_out_digits_are_doubted_than_the_limits_allow(start, digits, tmp_path):
    training, run_to_the_end = start(epochs=6)
    run_to_the_end()
    images = Dataset(np.tile(digits.pixels, (5, 1, 1)), np.tile(digits.labels, 5))
    train.finish(training, images, Composition(0, 0, 0, 0, 0, 0), tmp_path / "weights.npz")
    figures = load_weights(tmp_path / "weights.npz").figures.validation
    # There are 1,000 images, five copies of each, so that a fraction is met to within half a percent.
    assert figures.no_digit_fraction == pytest.approx(train.NO_DIGIT_FRACTION, abs=0.0051)
    assert figures.uncertain_fraction <= train.NO_DIGIT_FRACTION + train.UNSURE_FRACTION + 0.01


def test_a_network_can_learn_from_teachers_of_another_run(command, tmp_path, monkeypatch):
    command()
    teachers = sorted((tmp_path / "training").glob("teacher*.npz"))
    written = [teacher.read_bytes() for teacher in teachers]
    trained = []
    monkeypatch.setattr(train, "learn", lambda run, *rest: trained.append(run) or True)
    command("--seed", "7", "--teachers", *map(str, teachers))
    [run] = trained
    assert run.settings.seed == 7
    assert run.teachers == teachers
    assert len(teachers) == 3
    assert [teacher.read_bytes() for teacher in teachers] == written


def test_a_missing_teacher_is_named(command, tmp_path):
    with pytest.raises(SystemExit, match=r"can't learn from .*nobody\.npz"):
        command("--teachers", str(tmp_path / "nobody.npz"))


def test_a_resumed_command_does_not_train_finished_networks_again(command, tmp_path, monkeypatch):
    folder = tmp_path / "training"

    def finish(training, validation, composition, out):
        if training.teachers:
            (folder / "checkpoint.npz").rename(folder / "kept.npz")
        else:
            train_finish(training, validation, composition, out)

    train_finish = train.finish
    with monkeypatch.context() as patch:
        patch.setattr(train, "finish", finish)
        command()
    (folder / "kept.npz").rename(folder / "checkpoint.npz")
    monkeypatch.setattr(Training, "advance", None)  # so that any further step fails
    command("--resume")
    assert load_weights(tmp_path / "weights.npz").figures.training.epochs == 2


@pytest.mark.parametrize(
    ("seed", "step"),
    [(2, 5), (4, 8), (1, 0), (1, 12)],
    ids=["first teacher", "end of the last teacher", "start of the shipped network", "shipped network"],
)
@pytest.mark.slow
def test_a_run_stopped_by_ctrl_c_can_be_resumed_to_the_same_weights(command, interrupt, tmp_path, capsys, seed, step):
    command(out="unbroken.npz")
    interrupt(seed, step)
    with pytest.raises(SystemExit) as stop:
        command()
    assert stop.value.code == 130
    assert "--resume" in capsys.readouterr().out
    assert (tmp_path / "training" / "checkpoint.npz").exists()
    assert not (tmp_path / "weights.npz").exists()

    interrupt(None, None)
    command("--resume")
    resumed, unbroken = load_weights(tmp_path / "weights.npz"), load_weights(tmp_path / "unbroken.npz")
    assert (resumed.temperature, resumed.figures) == (unbroken.temperature, unbroken.figures)
    for name, array in unbroken.arrays.items():
        np.testing.assert_array_equal(resumed.arrays[name], array)
    assert not (tmp_path / "training" / "checkpoint.npz").exists()


def test_without_resume_everything_begins_anew(command, tmp_path, monkeypatch):
    command()
    steps = []
    advance = Training.advance
    monkeypatch.setattr(Training, "advance", lambda self, pool: steps.append(self.step) or advance(self, pool))
    command()
    assert steps.count(0) == 4


def test_the_command_cannot_resume_without_a_checkpoint(command):
    with pytest.raises(SystemExit, match=re.escape("can't resume")):
        command("--resume")


def test_the_command_does_not_resume_a_run_of_another_seed(command, interrupt):
    interrupt(2, 0)
    with pytest.raises(SystemExit):
        command()
    with pytest.raises(SystemExit, match=re.escape("can't resume") + ".*other settings"):
        command("--resume", "--seed", "2")


@pytest.mark.parametrize(
    ("name", "way"), [("mnist_train.csv", "fetch_mnist"), ("pen_digits.json.gz", "fetch_pen_digits")]
)
def test_the_command_says_how_to_get_a_missing_file(command, tmp_path, name, way):
    (tmp_path / "data" / name).unlink()
    with pytest.raises(SystemExit) as stop:
        command()
    assert str(tmp_path / "data" / name) in stop.value.code
    assert f"manage.py {way}`" in stop.value.code
    assert "\n" not in stop.value.code


def test_the_command_refuses_images_without_labels(command, tmp_path):
    path = tmp_path / "data" / "mnist_train.csv"
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
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "checkpoint.npz").write_bytes(content)
    with pytest.raises(SystemExit, match=re.escape("can't resume: ")):
        command("--resume")


def test_the_command_does_not_resume_from_a_foreign_file(command, tmp_path):
    (tmp_path / "training").mkdir()
    path = tmp_path / "training" / "checkpoint.npz"
    np.savez(path, images=np.ones(3))
    with pytest.raises(SystemExit, match=re.escape(f"can't resume: {path} is not a checkpoint")):
        command("--resume")


def test_the_command_names_a_malformed_file(command, tmp_path):
    path = tmp_path / "data" / "mnist_train.csv"
    path.write_text("1,2,3\n")
    with pytest.raises(SystemExit, match=re.escape(f"{path}, line 1: 3 columns")):
        command()


def test_the_command_names_malformed_recordings(command, tmp_path):
    path = tmp_path / "data" / "pen_digits.json.gz"
    path.write_text("[]")
    with pytest.raises(SystemExit, match=re.escape(f"{path}: not a list of recordings")):
        command()
