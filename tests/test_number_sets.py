"""The numbers that are read to measure with, and the command that measures."""

import numpy as np
import pytest
from PIL import Image

from benchmarks import numbers
from benchmarks.quality import number_sets
from benchmarks.quality.number_sets import APART, OVERLAPPING, PAPERS, TOUCHING
from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.recordings import Recording

from .pictures import number_picture


@pytest.fixture
def dataset(tiles, labels):
    return Dataset(tiles, labels)


def test_lines_are_as_wide_as_their_gaps_make_them(dataset):
    def widths(gap):
        line = number_sets.line_of(list(dataset.pixels[:5]), round(20 * gap))
        return np.flatnonzero((line > 0.1).any(axis=0))

    apart, touching, overlapping = (np.ptp(widths(gap)) for gap in (APART, TOUCHING, OVERLAPPING))
    assert apart - touching == 16
    assert touching - overlapping == 12


@pytest.mark.parametrize("paper", PAPERS)
def test_every_paper_shows_the_number_in_the_labels(dataset, paper):
    samples = list(number_sets.side_by_side(dataset, APART, 3, np.random.default_rng(1), paper))
    for sample in samples:
        assert sample.number.isdigit()
        assert len(sample.number) == number_sets.DIGITS
        assert sample.picture.dtype == np.uint8
        assert np.ptp(sample.picture) > 100
    assert len({sample.picture.tobytes() for sample in samples}) == 3


def test_drawn_numbers_are_by_one_writer_and_stay_on_the_pad():
    one = [np.array([[0.0, 0], [0, 100]])]
    recordings = [Recording(writer, writer, one) for writer in range(3)]
    for sample in number_sets.drawn(recordings, 20, np.random.default_rng(2)):
        assert len(set(sample.number)) == 1
        assert 2 <= len(sample.number) <= 6
        points = np.concatenate([stroke.points for stroke in sample.picture])
        assert (points >= 0).all()
        assert (points <= [2, 1.05]).all()


def test_what_is_no_number_has_none():
    assert {sample.number for sample in number_sets.no_numbers(8, np.random.default_rng(3))} == {""}


def test_a_folder_of_pictures_is_a_set(tmp_path):
    number_picture("1984").save(tmp_path / "a.png")
    (tmp_path / "numbers.csv").write_text("file,number\na.png,1984\n")
    [sample] = number_sets.cheques(tmp_path)
    assert sample.number == "1984"
    assert numbers.is_right(numbers.read(sample), sample)


@pytest.mark.slow
def test_the_command_prints_a_line_for_each_set(monkeypatch, capsys):
    monkeypatch.setattr(numbers, "TIMED", 5)
    monkeypatch.setattr(numbers, "SINGLES", 5)
    monkeypatch.setattr("sys.argv", ["numbers", "--samples", "4", "--alone"])
    numbers.main()
    told = capsys.readouterr().out
    for name in ("apart", "touching", "squared", "no number", "one digit", "calibration error", "five digits"):
        assert name in told
    assert "%" in told


def test_other_systems_see_the_drawing_as_a_picture(dataset):
    one = [np.array([[0.0, 0], [0, 100]])]
    [sample] = number_sets.drawn([Recording(1, 1, one)], 1, np.random.default_rng(4))
    picture = numbers.picture_of(sample)
    assert picture.shape == (280, 560)
    assert Image.fromarray(picture).getextrema() == (0, 255)
