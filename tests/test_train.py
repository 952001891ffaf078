"""Training on a few images: repeatable, resumable bit by bit, and after its teachers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from digit_recognizer_dl_model import train
from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.figures import Composition
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.loss import NO_DIGIT
from digit_recognizer_dl_model.network import Network
from digit_recognizer_dl_model.synthetic.augmentation import Augmentation
from digit_recognizer_dl_model.train import Training, hold_out, train_to_the_end
from digit_recognizer_dl_model.weights import load_weights

from .training import ARCHITECTURE, RECORDINGS, SmallSettings, few_digits


@pytest.fixture(scope="module")
def digits():
    return few_digits()


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
    differentiate = Training.differentiate

    def watched(self, shard, network, chosen):
        seen.append((self.step, shard, chosen.tolist()))
        return differentiate(self, shard, network, chosen)

    monkeypatch.setattr(Training, "differentiate", watched)
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


def test_a_network_answers_as_its_teachers_do_rather_than_as_labelled(digits):
    teacher = SimpleNamespace(outputs=lambda pixels: np.tile(np.eye(11, dtype=np.float32)[4], (len(pixels), 1)))
    training = Training(SmallSettings(), digits, ARCHITECTURE, [teacher, teacher])
    with ThreadPoolExecutor(2) as pool:
        for _ in range(training.steps):
            training.advance(pool)
    assert (Classifier(training.weights()).logits(digits.pixels).argmax(axis=1) == 4).mean() > 0.95


def test_a_run_can_go_on_from_trained_weights(start):
    (trained, run), (fresh, _) = start(), start(seed=9)
    assert run()
    fresh.start_from(trained.weights())
    for name, array in trained.weights().arrays.items():
        assert np.array_equal(fresh.network.state[name], array)
        assert np.array_equal(fresh.weights().arrays[name], array)


def test_weights_of_another_architecture_are_no_start(start):
    (trained, _), (other, _) = start(), start()
    weights = replace(trained.weights(), architecture=[])
    other.start_from(weights)
    assert not differing(trained, other)


def test_each_teacher_is_asked_at_some_of_the_steps(digits):
    asked = []
    teachers = [
        SimpleNamespace(
            outputs=lambda pixels, number=number: asked.append(number) or np.full((len(pixels), 11), 1 / 11)
        )
        for number in range(3)
    ]
    training = Training(SmallSettings(), digits, ARCHITECTURE, teachers)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(training.steps):
            training.advance(pool)
    assert set(asked) == {0, 1, 2}
    assert len(asked) == 2 * training.steps


def test_teachers_see_the_images_that_the_network_sees(digits, monkeypatch):
    shown, seen = [], []
    forward = Network.forward
    monkeypatch.setattr(
        Network, "forward", lambda self, x, *rest, **more: seen.append(x) or forward(self, x, *rest, **more)
    )
    teacher = SimpleNamespace(outputs=lambda pixels: shown.append(pixels) or np.full((len(pixels), 11), 1 / 11))
    training = Training(SmallSettings(damaged=0), digits, ARCHITECTURE, [teacher])
    with ThreadPoolExecutor(1) as pool:
        training.advance(pool)
    for x, pixels in zip(seen, shown, strict=True):
        assert pixels.dtype == np.uint8
        np.testing.assert_allclose(pixels, 255 * x[..., 0], atol=0.51)


def test_everything_is_composed_into_one_dataset(digits):
    settings = SmallSettings()
    dataset = train.compose(settings, digits, RECORDINGS)
    assert dataset.pixels.shape == (200 + 20 + 2 * 12 + 22, 28, 28)
    np.testing.assert_array_equal(dataset.pixels[:200], digits.pixels)
    assert dataset.labels[220:232].tolist() == [recording.label for recording in RECORDINGS]
    assert (dataset.labels[-22:] == NO_DIGIT).all()
    assert (dataset.labels[:-22] < 10).all()
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
