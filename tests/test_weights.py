"""The weights file: saved weights are loaded again, and any other file is refused by name."""

import contextlib
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer_dl_model import weights as weights_module
from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.figures import Composition, Figures, Form
from digit_recognizer_dl_model.inference import Classifier
from digit_recognizer_dl_model.network import ARCHITECTURE
from digit_recognizer_dl_model.weights import (
    LINES,
    METADATA,
    SHIPPED,
    UnusableWeights,
    Weights,
    load_npz,
    load_weights,
    save_npz,
    save_weights,
)


@pytest.fixture
def weights():
    """Weights of a small network, every field unlike a default."""
    rng = np.random.default_rng(1)
    return Weights(
        architecture=[
            {"layer": "Flatten"},
            {"layer": "Dense", "inputs": 784, "outputs": 2},
            {"layer": "Dense", "inputs": 2, "outputs": 10},
        ],
        arrays={
            name: rng.normal(size=shape).astype(np.float32)
            for name, shape in {
                "1.weight": (784, 2),
                "1.bias": (2,),
                "2.weight": (2, 10),
                "2.bias": (10,),
            }.items()
        },
        temperature=1.25,
        uncertain_below=0.5,
        no_digit_above=0.25,
        figures=Figures(forms=(Form("seven", Count(3, 4), 7),), composition=Composition(1, 2, 3, 4, 5, 6)),
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.npz"


def test_the_checksum_tells_networks_apart_and_not_figures(weights):
    assert replace(weights, figures=Figures()).checksum == weights.checksum
    arrays = weights.arrays | {"2.bias": weights.arrays["2.bias"] + np.float32(1e-6)}
    changed = [
        replace(weights, arrays=arrays),
        replace(weights, temperature=1.5),
        replace(weights, uncertain_below=0.4),
    ]
    assert len({weights.checksum, *(other.checksum for other in changed)}) == 4


def assert_same(loaded, weights):
    assert loaded.architecture == weights.architecture
    for field in ("temperature", "uncertain_below", "no_digit_above"):
        assert getattr(loaded, field) == getattr(weights, field)
    assert loaded.figures == weights.figures
    assert loaded.arrays.keys() == weights.arrays.keys()
    for name, array in weights.arrays.items():
        assert loaded.arrays[name].dtype == np.float32
        np.testing.assert_array_equal(loaded.arrays[name], array)


def test_saved_weights_are_loaded_again(path, weights):
    save_weights(path, weights)
    assert_same(load_weights(path), weights)
    assert [file.name for file in path.parent.iterdir()] == ["weights.npz"]


def test_saving_again_replaces_the_file(path, weights):
    path.write_text("old")
    save_weights(path, weights)
    assert_same(load_weights(path), weights)


def test_rounded_weights_take_half_the_room_and_change_by_less_than_a_thousandth(path, weights):
    save_weights(path, weights)
    exact = path.stat().st_size
    rounded = weights.rounded()
    for name, array in weights.arrays.items():
        np.testing.assert_allclose(rounded.arrays[name], array, rtol=1e-3)
    save_weights(path, rounded)
    assert exact - path.stat().st_size > 0.49 * sum(array.nbytes for array in weights.arrays.values() if array.ndim > 1)
    assert_same(load_weights(path), rounded)


class Trap:
    """Unpickling one leaves a file behind."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def metadata_array(**fields):
    return np.frombuffer(json.dumps(fields).encode(), np.uint8)


def a_zip_of_texts(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(METADATA, "{}")
        archive.writestr("0.kernel", "not an array")


NOT_WEIGHTS = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.touch(),
    "text": lambda path: path.write_text("label,pixel0,pixel1\n" * 100),
    "one array": lambda path: (np.save(path.with_suffix(".npy"), np.ones(9)), path.with_suffix(".npy").rename(path)),
    "one pickled object": lambda path: path.write_bytes(b"\x80\x04K\x01."),
    "a foreign .npz": lambda path: np.savez(path, images=np.ones((2, 28, 28)), labels=np.arange(2)),
    "a foreign .zip": a_zip_of_texts,
    "metadata that is not JSON": lambda path: np.savez(path, **{METADATA: np.frombuffer(b"{half", np.uint8)}),
    "metadata that is not text": lambda path: np.savez(path, **{METADATA: np.array([255, 254], np.uint8)}),
    "metadata that is a list": lambda path: np.savez(path, **{METADATA: np.frombuffer(b"[1]", np.uint8)}),
    "metadata without a format": lambda path: np.savez(path, **{METADATA: metadata_array(temperature=1)}),
}


@pytest.mark.parametrize("make", NOT_WEIGHTS.values(), ids=NOT_WEIGHTS.keys())
def test_any_other_file_is_refused_by_name(path, make):
    make(path)
    with pytest.raises(UnusableWeights, match=re.escape(str(path))):
        load_weights(path)


def test_a_pickle_is_never_unpickled(path, weights):
    mark = path.with_name("mark")
    arrays = {METADATA: metadata_array(format=2), "0.kernel": np.array([Trap(mark)], dtype=object)}
    np.savez(path, **arrays)
    with pytest.raises(UnusableWeights, match=re.escape(str(path))):
        load_weights(path)
    assert not mark.exists()
    with np.load(path, allow_pickle=True) as file:
        assert file["0.kernel"].shape == (1,)
    assert mark.exists(), "the trap does not work"


@pytest.mark.parametrize("fraction", [0.001, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused_by_name(path, weights, fraction):
    save_weights(path, weights)
    content = path.read_bytes()
    path.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(UnusableWeights, match=re.escape(str(path))):
        load_weights(path)


@pytest.mark.parametrize("fraction", [0.4, 0.5, 0.6])
def test_a_flipped_byte_in_the_arrays_is_refused_by_name(path, weights, fraction):
    save_weights(path, weights)
    content = bytearray(path.read_bytes())
    content[int(fraction * len(content))] ^= 0x01
    path.write_bytes(content)
    with pytest.raises(UnusableWeights, match=re.escape(str(path))):
        load_weights(path)


def test_no_flipped_byte_of_the_archive_is_overlooked(path, weights):
    save_weights(path, weights)
    content = path.read_bytes()
    data = content.find(weights.arrays["1.weight"].tobytes())  # left out: the test above has it
    for place in [*range(data), *range(data + weights.arrays["1.weight"].nbytes, len(content))]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        with contextlib.suppress(UnusableWeights):
            loaded = load_weights(path)
            Classifier(loaded)  # an archive that lost an array is a good one, until the network asks for it
            assert_same(loaded, weights)


@pytest.mark.parametrize("version", [0, 1, 3, 5, "4", None])
def test_another_format_is_refused_by_name_and_number(path, weights, monkeypatch, version):
    with monkeypatch.context() as patch:
        patch.setattr(weights_module, "FORMAT", version)
        save_weights(path, weights)
    with pytest.raises(UnusableWeights, match=re.escape(f"{path}: weights of format {version}, ")):
        load_weights(path)


@pytest.mark.parametrize("field", ["architecture", "temperature", "uncertain_below", "no_digit_above", "figures"])
@pytest.mark.parametrize("fault", ["missing", "null"])
def test_incomplete_metadata_is_refused_by_name(path, weights, field, fault):
    save_weights(path, weights)
    arrays = load_npz(path)
    metadata = json.loads(arrays[METADATA].tobytes())
    if fault == "missing":
        del metadata[field]
    else:
        metadata[field] = None
    save_npz(path, {**arrays, METADATA: metadata_array(**metadata)})
    with pytest.raises(UnusableWeights, match=re.escape(f"{path}: its metadata can't be used")):
        load_weights(path)


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_a_temperature_that_nothing_can_be_divided_by_is_refused(path, weights, temperature):
    save_weights(path, replace(weights, temperature=temperature))
    with pytest.raises(UnusableWeights, match="a temperature of"):
        load_weights(path)


@pytest.mark.parametrize("field", ["uncertain_below", "no_digit_above"])
@pytest.mark.parametrize("limit", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_limit_that_is_no_probability_is_refused(path, weights, field, limit):
    save_weights(path, replace(weights, **{field: limit}))
    with pytest.raises(UnusableWeights, match=f"{field} is {limit}, no probability"):
        load_weights(path)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_save_leaves_the_old_file(path, weights, monkeypatch, interruption):
    save_weights(path, weights)
    old = path.read_bytes()

    def half_a_save(file, **arrays):
        file.write(b"PK\x03\x04 and then the power failed")
        raise interruption

    monkeypatch.setattr(np, "savez", half_a_save)
    with pytest.raises((KeyboardInterrupt, OSError)):
        save_weights(path, weights)
    assert path.read_bytes() == old
    assert [file.name for file in path.parent.iterdir()] == ["weights.npz"]


def test_the_shipped_files_are_small():
    assert SHIPPED.stat().st_size <= 2_000_000
    assert SHIPPED.stat().st_size + LINES.stat().st_size <= 4_000_000


OPTIONAL = ("pens", "repeats", "numbers")  # figures


def test_the_shipped_file_holds_the_architecture_of_this_version():
    weights = load_weights()
    assert weights.architecture == ARCHITECTURE
    assert Classifier(weights).weights is weights
    assert 0.1 < weights.temperature < 10
    assert 0.1 < weights.uncertain_below < 1
    assert 0.001 < weights.no_digit_above < 0.5
    assert all(getattr(weights.figures, part) for part in vars(Figures()) if part not in OPTIONAL)


def test_running_statistics_are_not_counted_as_parameters(weights):
    assert weights.parameters == 784 * 2 + 2 + 2 * 10 + 10
    running = weights.arrays | {"0.mean": np.zeros(5, np.float32), "0.scale": np.ones(5, np.float32)}
    assert replace(weights, arrays=running).parameters == weights.parameters + 5
