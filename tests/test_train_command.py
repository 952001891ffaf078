"""The command that trains: what it writes, how it is stopped and resumed, and a message for all that it cannot do."""

import re
import signal
from functools import partial

import numpy as np
import pytest

from digit_recognizer_dl_model import train
from digit_recognizer_dl_model.dataset import Dataset, write_csv
from digit_recognizer_dl_model.recordings import fold_of_writers, write_recordings
from digit_recognizer_dl_model.synthetic import redrawing
from digit_recognizer_dl_model.train import Training
from digit_recognizer_dl_model.weights import load_weights

from .training import ARCHITECTURE, RECORDINGS, SmallSettings, few_digits


@pytest.fixture(scope="module")
def digits():
    return few_digits()


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
    composition = {"mnist": 160, "recorded": 12, "writers": 6, "drawn": 24, "handwriting": 20, "negatives": 22}
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
