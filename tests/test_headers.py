"""What decoding a picture will cost is told by its header, and what costs too much is refused before."""

import struct
import time

import numpy as np
import pytest
from PIL import Image

from digits import pictures
from digits.pictures import decode, headers
from digits.refusals import UnusablePicture

from .bodies import BAD, JPEG, PNG, jpeg_of
from .pictures import TURNED, drawing, encoded, exif_with, with_chunk


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_opened(monkeypatch):
    def opened(file, formats):
        raise AssertionError("opened")

    monkeypatch.setattr("PIL.Image.open", opened)
    for data in BAD_SIZES:
        with pytest.raises(UnusablePicture, match="megapixels are the most"):
            pictures.prepare(data)


BAD_SIZES = [BAD[f"{kind} megapixels"][0] for kind in ("JPEG of 51", "PNG of 17", "WebP of 17", "BMP of 17")]


def test_a_jpeg_may_have_as_many_pixels_as_a_camera_of_50_megapixels():
    decode.check_size(headers.read_header(jpeg_of(8192, 6144), "JPEG"), "JPEG")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("PNG of 174,000 empty chunks", "too many chunks"),
        ("PNG of a thousand profiles", "seconds to decode"),
        ("JPEG of a thousand scans", "too many scans"),
        ("JPEG of 100,000 segments", "too many segments"),
        ("GIF of a million blocks", "too many blocks"),
        ("BMP of 9 megapixels in runs of one", "seconds to decode"),
    ],
)
def test_what_would_cost_too_much_is_refused_at_once_with_the_reason(kind, words):
    data = BAD[kind][0]
    took = []
    for _ in range(3):  # in one of them, garbage may be collected
        start = time.thread_time()
        with pytest.raises(UnusablePicture, match=words):
            pictures.prepare(data)
        took.append(time.thread_time() - start)
    assert min(took) < 0.1


@pytest.mark.parametrize(
    ("picture", "form", "options"),
    [
        (Image.effect_noise((1000, 1000), 100), "PNG", {}),
        (Image.effect_noise((1000, 1000), 100).convert("RGBA"), "PNG", {}),
        (Image.effect_noise((1000, 1000), 100).convert("RGB"), "JPEG", {"quality": 92}),
        (Image.effect_noise((1000, 1000), 100).convert("RGB"), "JPEG", {"quality": 92, "progressive": True}),
        (Image.effect_noise((1000, 1000), 100).convert("RGB"), "WEBP", {"quality": 90}),
        (Image.effect_noise((1000, 1000), 100).convert("RGB"), "WEBP", {"lossless": True, "quality": 0}),
        (Image.effect_noise((1000, 1000), 100), "GIF", {}),
        (Image.new("RGB", (1000, 1000)), "PNG", {}),
        (Image.new("RGB", (1000, 1000)), "WEBP", {}),
    ],
    ids=lambda value: str(value) if not isinstance(value, Image.Image) else value.mode,
)
def test_the_estimate_of_what_decoding_costs_is_of_the_right_size(picture, form, options):
    """Within a factor that leaves room for other machines and for what takes less than the worst of its kind."""
    data = encoded(picture, form, **options)

    def seconds() -> float:
        start = time.thread_time()
        decode.decode(data)
        return time.thread_time() - start

    measured = min(seconds() for _ in range(5))
    assert measured / 4 < headers.read_header(data, form).seconds < 20 * measured


def test_exif_data_of_many_entries_is_counted_among_what_a_picture_costs():
    entries = [struct.pack("<HHII", 0x9000 + number, 7, 4, 8) for number in range(5400)]
    plain, costly = headers.read_header(PNG, "PNG"), with_chunk(PNG, b"eXIf", exif_with(*entries))
    assert (pictures.prepare(costly) == pictures.prepare(PNG)).all()
    assert headers.read_header(costly, "PNG").seconds > plain.seconds + 0.02
    with pytest.raises(UnusablePicture, match="too many bytes of EXIF data"):
        pictures.prepare(with_chunk(PNG, b"eXIf", exif_with(*entries) + bytes(65_536)))


@pytest.mark.parametrize("filling", [b"\xff", b"\0", b"\xff\0", b"ab", b"\xff" * 1000 + b"\0"])
def test_what_fills_the_room_between_the_segments_of_a_jpeg_takes_no_time(filling):
    data = JPEG[:20] + filling * (5_000_000 // len(filling)) + JPEG[20:]
    start = time.thread_time()
    assert (pictures.prepare(data) == pictures.prepare(JPEG)).all()
    assert time.thread_time() - start < 0.5


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return np.abs(one.astype(int) - other).mean()


def test_what_else_a_file_holds_is_not_counted_among_the_scans_of_a_jpeg():
    """Such as the film behind a motion photo, or the picture that its EXIF data shows."""
    thumbnail = b"Exif\0\0" + exif_with(TURNED) + JPEG
    film = b"\xff\xda" * 1000
    data = encoded(drawing(), "JPEG", exif=thumbnail) + film
    assert headers.read_header(data, "JPEG").seconds < 0.01
    upright, turned = (pictures.prepare(encoded(each, "JPEG")) for each in (drawing(), drawing().rotate(-90)))
    prepared = pictures.prepare(data)
    assert difference(prepared, turned) < difference(prepared, upright) / 2
