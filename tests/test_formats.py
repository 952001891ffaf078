"""Every kind of file is decoded to the same picture, or refused with the reason."""

import struct
import time

import numpy as np
import pytest
from PIL import Image, ImageOps

from digits import pictures
from digits.pictures import decode
from digits.recognizer import recognize
from digits.refusals import NotAPicture, UnusablePicture

from .bodies import JPEG, PNG, bmp
from .pictures import SEVEN, TURNED, TWO, chunk, drawing, encoded, exif_with, with_chunk


@pytest.mark.parametrize(
    ("form", "picture"),
    [
        ("light on dark", drawing(ink="white", paper="black")),
        ("grey on grey", drawing(ink=90, paper=200)),
        ("colour", drawing(mode="RGB", ink=(20, 20, 160), paper=(250, 245, 230))),
        ("palette", drawing(mode="RGB", ink=(20, 20, 160), paper=(250, 245, 230)).quantize(8)),
        ("black on transparent", drawing(mode="RGBA", ink=(0, 0, 0, 255), paper=(0, 0, 0, 0))),
        ("white on transparent", drawing(mode="RGBA", ink=(255, 255, 255, 255), paper=(255, 255, 255, 0))),
        ("grey with alpha", drawing(mode="LA", ink=(0, 255), paper=(255, 0))),
        ("one bit", drawing(mode="1", ink=0, paper=1)),
        ("16 bits", Image.fromarray(np.asarray(drawing(), np.uint16) * 257)),
        ("faint in 16 bits", Image.fromarray(20_000 + np.asarray(drawing(), np.uint16) * 100)),
    ],
)
def test_every_kind_of_picture_gives_the_same_pixels(form, picture):
    difference = np.abs(pictures.prepare(encoded(picture)).astype(int) - pictures.prepare(encoded(drawing())))
    assert difference.max() <= 2, form


def test_16_bits_with_a_transparent_value_lie_on_paper():
    picture = Image.fromarray(np.asarray(drawing(ink="white", paper="black"), np.uint16) * 257)
    transparent_white = with_chunk(encoded(picture), b"tRNS", b"\xff\xff")
    assert (pictures.prepare(transparent_white) == pictures.prepare(encoded(drawing()))).all()


@pytest.mark.parametrize(
    ("form", "options"),
    [("PNG", {}), ("MPO", {"quality": 80}), ("WEBP", {"lossless": True}), ("GIF", {})],
)
def test_of_several_frames_the_first_is_read(form, options):
    first, second = drawing([TWO], mode="RGB"), drawing([SEVEN], mode="RGB")
    data = encoded(first, form, save_all=True, append_images=[second], **options)
    assert np.abs(pictures.prepare(data).astype(int) - pictures.prepare(encoded(first))).mean() < 4


@pytest.mark.parametrize("form", ["WEBP", "GIF"])
def test_of_many_frames_the_others_are_not_decoded(form):
    frames = [drawing([TWO, SEVEN[: 2 + at % 2]], mode="RGB", pen=10 + at) for at in range(40)]
    data = encoded(drawing([TWO], mode="RGB"), form, save_all=True, append_images=frames)
    cut = data[: len(data) // 2] if form == "GIF" else data
    assert recognize(pictures.prepare(cut)).digit == 2

    def seconds(data: bytes) -> float:
        start = time.thread_time()
        decode.decode(data)
        return time.thread_time() - start

    alone = encoded(drawing([TWO], mode="RGB"), form)
    assert min(seconds(data) for _ in range(5)) < 5 * min(seconds(alone) for _ in range(5))


@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("WEBP", "L", {"lossless": True}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGB", {"quality": 100}),
        ("WEBP", "RGBA", {"lossless": True}),
        ("BMP", "1", {}),
        ("BMP", "L", {}),
        ("BMP", "P", {}),
        ("BMP", "RGB", {}),
        ("BMP", "RGBA", {}),
        ("GIF", "L", {}),
        ("GIF", "P", {}),
        ("GIF", "L", {"interlace": 0}),
    ],
)
def test_every_format_gives_nearly_the_pixels_of_a_png(form, mode, options):
    data = encoded(drawing(mode="RGB").convert(mode), form, **options)
    most = 8 if "quality" in options else 2
    assert np.abs(pictures.prepare(data).astype(int) - pictures.prepare(PNG)).mean() < most


@pytest.mark.parametrize(
    ("form", "options"), [("WEBP", {"lossless": True}), ("WEBP", {"quality": 90}), ("GIF", {}), ("BMP", {})]
)
@pytest.mark.parametrize("ink", [(0, 0, 0, 255), (255, 255, 255, 255)], ids=["black", "white"])
def test_ink_on_transparent_paper_is_read_in_every_format(form, options, ink):
    picture = drawing(mode="RGBA", ink=ink, paper=(*ink[:3], 0))
    assert np.abs(pictures.prepare(encoded(picture, form, **options)).astype(int) - pictures.prepare(PNG)).mean() < 2


def test_a_bmp_whose_spare_byte_is_zero_everywhere_is_not_transparent():
    picture = drawing(mode="RGBA", ink=(0, 0, 0, 0), paper=(255, 255, 255, 0))
    assert (pictures.prepare(encoded(picture, "BMP")) == pictures.prepare(PNG)).all()


def test_a_bmp_in_runs_is_read():
    rows = [
        bytes(value for pixel in row for value in (1, pixel)) + b"\0\0" for row in np.asarray(drawing(side=60, pen=5))
    ]
    data = bmp(60, 60, b"".join(rows[::-1]) + b"\0\1")
    assert (pictures.prepare(data) == pictures.prepare(encoded(drawing(side=60, pen=5)))).all()


def test_a_gif_keeps_its_transparency_where_other_extensions_follow():
    data = encoded(drawing(mode="RGBA", paper=(0, 0, 0, 0)), "GIF", comment=b"a digit")
    control = data[data.index(b"!\xf9") :][:8]
    plain = data.replace(control, control + b"!\xfe\1x\0")
    assert plain != data
    assert (pictures.prepare(plain) == pictures.prepare(data)).all()


def test_of_a_damaged_list_of_frames_the_first_is_read():
    first = drawing(mode="RGB")
    data = encoded(first, "MPO", save_all=True, append_images=[first])
    damaged = data.replace(b"MPF\0II*", b"MPF\0II+")
    assert damaged != data
    assert (pictures.prepare(damaged) == pictures.prepare(data)).all()


def test_a_jpeg_for_printers_is_read():
    data = encoded(drawing(mode="RGB").convert("CMYK"), "JPEG", quality=80)
    assert np.abs(pictures.prepare(data).astype(int) - pictures.prepare(encoded(drawing()))).mean() < 4


def test_a_jpeg_gives_nearly_the_pixels_of_a_png():
    jpeg = pictures.prepare(encoded(drawing(), "JPEG", quality=80)).astype(int)
    assert np.abs(jpeg - pictures.prepare(encoded(drawing()))).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_the_way_its_exif_data_says(orientation):
    upright = drawing(mode="RGB")
    undo = {
        2: [ImageOps.mirror],
        3: [lambda p: p.rotate(180)],
        4: [ImageOps.flip],
        5: [ImageOps.mirror, lambda p: p.rotate(90)],
        6: [lambda p: p.rotate(90)],
        7: [ImageOps.mirror, lambda p: p.rotate(-90)],
        8: [lambda p: p.rotate(-90)],
    }
    stored = upright
    for step in undo.get(orientation, []):
        stored = step(stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for form, options in (("PNG", {}), ("JPEG", {"quality": 100}), ("WEBP", {"lossless": True})):
        prepared = pictures.prepare(encoded(stored, form, exif=exif, **options)).astype(int)
        assert np.abs(prepared - pictures.prepare(encoded(upright))).mean() < 4, form


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture at all",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        encoded(drawing(), "TIFF"),
        b"BMI tables for adults and children",
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(30),
        b"GIF88a" + bytes(30),
    ],
    ids=["nothing", "text", "SVG", "PDF", "TIFF", "text after BM", "sound", "GIF88a"],
)
def test_what_is_in_none_of_the_formats_is_no_picture(data):
    with pytest.raises(NotAPicture):
        pictures.prepare(data)


WEBP, BMP, GIF = (encoded(drawing(mode="RGB"), form) for form in ("WEBP", "BMP", "GIF"))


@pytest.mark.parametrize(
    "data",
    [
        PNG[:8],
        PNG[:40],
        PNG[: len(PNG) // 2],
        PNG[:50] + b"\xff\x00\xff" + PNG[53:],
        JPEG[:10],
        JPEG[: len(JPEG) // 2],
        JPEG[:2] + JPEG[-2:] + JPEG[2:],
        WEBP[:20],
        WEBP[: len(WEBP) // 2],
        BMP[:20],
        BMP[: len(BMP) // 2],
        GIF[:10],
        GIF[:60],
        GIF[:10] + b"\0\0\0;",
    ],
    ids=[
        "PNG's magic",
        "PNG's head",
        "half a PNG",
        "wrong checksum",
        "JPEG's magic",
        "half a JPEG",
        "JPEG that ends at once",
        "WebP's head",
        "half a WebP",
        "BMP's head",
        "half a BMP",
        "GIF's head",
        "a part of a GIF",
        "GIF without a frame",
    ],
)
def test_a_damaged_picture_is_unusable(data):
    with pytest.raises(UnusablePicture, match="damaged or cut off"):
        pictures.prepare(data)


BEHIND_PIXELS = encoded(drawing(side=60))[:-12]  # without the last chunk


END = chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        with_chunk(PNG, b"eXIf", b"no TIFF header"),
        with_chunk(PNG, b"eXIf", b"II+\0" + struct.pack("<I", 8)),
        with_chunk(PNG, b"eXIf", exif_with(TURNED, count=3)),
        with_chunk(PNG, b"tEXt", b"Raw profile type exif\0\nexif\n  10\nnot hexadecimal"),
        BEHIND_PIXELS + chunk(b"iCCP", b"name\0") + END,
        BEHIND_PIXELS + chunk(b"zTXt", b"name\0\1text") + END,
    ],
    ids=["not TIFF", "BigTIFF cut off", "missing entries", "not hexadecimal", "profile cut off", "unknown compression"],
)
def test_damage_beside_the_pixels_makes_a_picture_unusable(data):
    """Each of them is an exception of another type, or a warning, in Pillow."""
    with pytest.raises(UnusablePicture, match="damaged or cut off"):
        pictures.prepare(data)


@pytest.mark.parametrize(
    "entry",
    [
        struct.pack("<HHII", 0x011A, 5, 1, 4),
        struct.pack("<HHII", 0x010E, 12, 1, 0),
        struct.pack("<HHII", 0x8769, 4, 1, 2**31),
    ],
    ids=["a resolution", "a description that is a number", "a directory beyond the end"],
)
def test_damage_that_does_not_concern_the_orientation_is_ignored(entry):
    exif = exif_with(TURNED, entry)
    expected = pictures.prepare(encoded(drawing().rotate(-90)))
    assert (pictures.prepare(with_chunk(PNG, b"eXIf", exif)) == expected).all()


def test_a_png_of_palette_colours_without_a_palette_is_damaged():
    whole = encoded(drawing(side=60).convert("P"))
    start = whole.index(b"PLTE") - 4
    length = int.from_bytes(whole[start : start + 4])
    with pytest.raises(UnusablePicture, match="damaged"):
        pictures.prepare(whole[:start] + whole[start + 12 + length :])


def test_a_fault_of_the_decoder_itself_is_not_taken_for_damage(monkeypatch):
    def fail(picture, in_place):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        pictures.prepare(JPEG)
