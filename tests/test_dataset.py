"""MNIST as CSV and as IDX: both are read, and errors name the file and the line that are wrong."""

import gzip
import re

import numpy as np
import pytest

from digit_recognizer_dl_model.dataset import Dataset, MalformedDataset, read_csv, read_idx, write_csv

PIXEL_NAMES = ",".join(f"pixel{i}" for i in range(784))
HEADER = f"label,{PIXEL_NAMES}"


@pytest.fixture
def digits():
    """Three images that differ if rows, columns or labels are mixed up."""
    pixels = np.random.default_rng(2).integers(0, 256, size=(3, 28, 28), dtype=np.uint8)
    pixels[0, 0, 0], pixels[2, 27, 27] = 255, 0
    return Dataset(pixels, np.array([7, 0, 9], dtype=np.uint8))


def lines_of(digits, labelled=True):
    """The lines of a CSV file, without its header, made independently of write_csv."""
    rows = [",".join(map(str, image.ravel())) for image in digits.pixels]
    return [f"{label},{row}" for label, row in zip(digits.labels, rows, strict=True)] if labelled else rows


def assert_same(dataset, expected):
    assert dataset.pixels.dtype == np.uint8
    np.testing.assert_array_equal(dataset.pixels, expected.pixels)
    if expected.labels is None:
        assert dataset.labels is None
    else:
        assert dataset.labels.dtype == np.uint8
        np.testing.assert_array_equal(dataset.labels, expected.labels)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("ending", [0, 1, 3], ids=["no line end", "line end", "blank lines at the end"])
@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "unlabelled"])
@pytest.mark.parametrize("headed", [True, False], ids=["header", "no header"])
def test_every_form_is_read(tmp_path, digits, headed, labelled, ending, mark, line_end):
    lines = lines_of(digits, labelled)
    if headed:
        lines.insert(0, HEADER if labelled else PIXEL_NAMES)
    path = tmp_path / "mnist.csv"
    path.write_bytes((mark + line_end.join(lines) + line_end * ending).encode())
    assert_same(read_csv(path), digits if labelled else digits._replace(labels=None))


def test_a_gzipped_file_is_read_by_its_content_not_its_name(tmp_path, digits):
    packed = gzip.compress("\n".join([HEADER, *lines_of(digits)]).encode())
    for name in ("mnist.csv.gz", "mnist.csv"):
        (tmp_path / name).write_bytes(packed)
        assert_same(read_csv(tmp_path / name), digits)


@pytest.mark.parametrize(
    "header",
    [
        ",".join(["label", *(f"{row}x{column}" for row in range(1, 29) for column in range(1, 29))]),
        ",".join(f'"{name}"' for name in HEADER.split(",")),
        HEADER.upper().replace(",", ", "),
    ],
    ids=["1x1", "quoted", "upper case with spaces"],
)
def test_other_column_names_are_a_header_too(tmp_path, digits, header):
    path = tmp_path / "mnist.csv"
    path.write_text("\n".join([header, *lines_of(digits)]))
    assert_same(read_csv(path), digits)


def test_spaces_after_the_commas_do_no_harm(tmp_path, digits):
    path = tmp_path / "mnist.csv"
    path.write_text("\n".join(lines_of(digits)).replace(",", ", "))
    assert_same(read_csv(path), digits)


def test_one_image_is_a_dataset(tmp_path, digits):
    path = tmp_path / "mnist.csv"
    path.write_text(lines_of(digits)[0])
    assert read_csv(path).pixels.shape == (1, 28, 28)


def test_a_missing_file_is_not_a_malformed_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "mnist.csv")


def a_line(label="5", pixel4="0", pixels=784):
    return ",".join([label, *["0"] * 4, pixel4, *["0"] * (pixels - 5)])


GOOD = a_line()
UNLABELLED = ",".join(["0"] * 784)


MALFORMED = [
    # Columns
    ("1,2,3\n", "line 1: 3 columns, expected 784 pixels, with or without a label before them"),
    (f"label,pixel0\n{GOOD}\n", "line 1: 2 columns, expected 784 pixels"),
    (f"{a_line(pixels=785)}\n", "line 1: 786 columns, expected 784 pixels"),
    (f"{HEADER}\n{GOOD}\n{a_line(pixels=783)}\n", "line 3: 784 columns, expected 785"),
    (f"{GOOD}\n{GOOD}\n{a_line(pixels=785)}\n", "line 3: 786 columns, expected 785"),
    (f"{GOOD}\n{GOOD}\n{GOOD},\n", "line 3: 786 columns, expected 785"),
    (f"{HEADER}\n{UNLABELLED}\n{UNLABELLED}\n", "line 2: 784 columns, expected 785"),
    (f"{PIXEL_NAMES}\n{GOOD}\n", "line 2: 785 columns, expected 784"),
    # Values
    *[
        (f"{HEADER}\n{GOOD}\n{a_line(pixel4=value)}\n{GOOD}\n", f"line 3: pixel4 is {value!r}, expected an integer")
        for value in ("256", "-1", "1.5", "1.0", "ink", "", "nan", "0x10", "99999", "٣", "#", '"0"')
    ],
    (f"{UNLABELLED}\n{UNLABELLED[:-1]}256\n", "line 2: pixel783 is '256', expected an integer from 0 to 255"),
    (f"{GOOD}\n{a_line(pixel4='5' * 5000)}\n", f"line 2: pixel4 is {'5' * 20!r}, expected"),
    (f"{a_line(pixel4=' 7')}\n{a_line(pixel4='x')}\n", "line 2: pixel4 is 'x'"),
    # Labels
    *[
        (f"{HEADER}\n{GOOD}\n{a_line(label=label)}\n", f"line 3: the label is {label!r}, expected an integer")
        for label in ("10", "-1", "1.0", "seven", "")
    ],
    (f"{a_line(label='10')}\n{GOOD}\n", "line 1: the label is '10', expected an integer from 0 to 9"),
    (f"{a_line(label='x')}\n{GOOD}\n", "line 1: the label is 'x', expected an integer from 0 to 9"),
    # Lines
    ("", "line 1: no images, the file is empty"),
    ("\n\n", "line 1: no images, the file is empty"),
    (HEADER, "line 2: no images, the file is empty"),
    (f"{HEADER}\n\n", "line 2: no images, the file is empty"),
    (f"\n{GOOD}\n", "line 1: 1 columns"),
    (f"{HEADER}\n{GOOD}\n\n{GOOD}\n", "line 3: 1 columns, expected 785"),
    (f"{HEADER}\r\n{GOOD}\r\n\r\n{GOOD}\r\n", "line 3: 1 columns, expected 785"),
    (f"{HEADER}\n{GOOD}\n{HEADER}\n{GOOD}\n", "line 3: the label is 'label', expected an integer"),
    # Not CSV
    ("\0" * 100, "line 1: 1 columns"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "line 1: not text, so not a CSV file"),
    (f"{HEADER}\n{GOOD}\n".encode() + b"\xff\n", "line 3: not text, so not a CSV file"),
    (b"\xef\xbb\xbf\n\n\xff\n", "line 3: not text, so not a CSV file"),
    (GOOD.encode("utf-16"), "line 1: not text, so not a CSV file"),
    (gzip.compress(GOOD.encode())[:-9], "line 1: a damaged gzip file"),
    (gzip.compress(GOOD.encode())[:12] + b"\xff" * 40, "line 1: a damaged gzip file"),
    (gzip.compress(GOOD.encode())[:-8] + bytes(8), "line 1: a damaged gzip file"),
    (gzip.compress(GOOD.encode()) + b"and more", "line 1: a damaged gzip file"),
    (b"\x1f\x8b", "line 1: a damaged gzip file"),
    (gzip.compress(f"{GOOD}\n{a_line('x')}".encode()), "line 2: the label is 'x'"),
]


@pytest.mark.parametrize(("content", "fault"), MALFORMED, ids=[fault for _, fault in MALFORMED])
def test_a_malformed_file_is_refused_by_name_and_line(tmp_path, content, fault):
    path = tmp_path / "mnist.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(MalformedDataset, match=re.escape(f"{path}, {fault}")):
        read_csv(path)


def test_a_written_file_is_read_back(tmp_path, digits):
    write_csv(tmp_path / "mnist.csv", digits)
    assert_same(read_csv(tmp_path / "mnist.csv"), digits)


def test_the_written_file_has_a_header_and_unix_line_ends(tmp_path, digits):
    write_csv(tmp_path / "mnist.csv", digits)
    assert (tmp_path / "mnist.csv").read_bytes() == "\n".join([HEADER, *lines_of(digits), ""]).encode()


def idx(magic, sizes, values):
    return np.array([magic, *sizes], dtype=">u4").tobytes() + bytes(values)


def test_idx_is_read(digits):
    images = idx(2051, (3, 28, 28), digits.pixels.tobytes())
    labels = idx(2049, (3,), digits.labels)
    assert_same(read_idx(images, labels), digits)


IMAGES, LABELS = idx(2051, (2, 28, 28), bytes(2 * 784)), idx(2049, (2,), [3, 4])


@pytest.mark.parametrize(
    ("images", "labels", "fault"),
    [
        (b"", LABELS, "images"),
        (IMAGES[:10], LABELS, "images"),
        (IMAGES[:-1], LABELS, "images"),
        (IMAGES + b"\0", LABELS, "images"),
        (LABELS, IMAGES, "images"),
        (idx(2051, (2, 28, 27), bytes(2 * 28 * 27)), LABELS, "images"),
        (idx(2052, (2, 28, 28), bytes(2 * 784)), LABELS, "images"),
        (idx(2051, (2**32 - 1, 28, 28), bytes(2 * 784)), LABELS, "images"),
        (gzip.compress(IMAGES, mtime=0), LABELS, "images"),
        (IMAGES, b"", "labels for 2 images"),
        (IMAGES, LABELS[:6], "labels for 2 images"),
        (IMAGES, LABELS[:-1], "labels for 2 images"),
        (IMAGES, LABELS + b"\0", "labels for 2 images"),
        (IMAGES, IMAGES, "labels for 2 images"),
        (IMAGES, idx(2049, (3,), [3, 4, 5]), "labels for 2 images"),
        (IMAGES, idx(2050, (2,), [3, 4]), "labels for 2 images"),
    ],
)
def test_idx_whose_sizes_and_contents_disagree_is_refused(images, labels, fault):
    with pytest.raises(MalformedDataset, match=f"not an IDX file of .*{fault}"):
        read_idx(images, labels)
