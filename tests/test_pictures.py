"""Any picture becomes 28x28 pixels as MNIST prepares them, or is refused with the reason."""

import struct
import time

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from digits import pictures
from digits.gallery import gallery
from digits.pictures import background, centring, decode, headers, pngs
from digits.recognizer import recognize
from digits.refusals import Blank, NotAPicture, UnusablePicture

from .bodies import BAD, bmp, jpeg_of
from .pictures import SEVEN, TWO, chunk, drawing, encoded, with_chunk


def ink_box(pixels: np.ndarray) -> tuple[int, int]:
    rows, columns = np.flatnonzero(pixels.max(axis=1)), np.flatnonzero(pixels.max(axis=0))
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


def centre_of_mass(pixels: np.ndarray) -> tuple[float, float]:
    weight = pixels.astype(float)
    rows, columns = np.indices(pixels.shape)
    return (rows * weight).sum() / weight.sum(), (columns * weight).sum() / weight.sum()


def test_tiles_come_back_as_they_were():
    for index in range(0, 10_000, 97):
        tile = gallery().pixels(index)
        prepared = pictures.prepare(pngs.png(tile))
        stretched = np.rint(tile * (255 / tile.max()))  # some tiles have no pixel that is quite black
        assert np.abs(prepared - stretched).max() <= 1, f"tile {index}"


@pytest.mark.parametrize("side", [40, 100, 280, 333, 1000])
def test_the_longest_side_is_20_and_the_centre_of_mass_is_on_pixel_14(side):
    pixels = pictures.prepare(encoded(drawing(side=side, pen=max(2, side // 14))))
    assert max(ink_box(pixels)) == 20
    assert all(13.5 <= middle <= 14.5 for middle in centre_of_mass(pixels))
    assert pixels.max() == 255


@pytest.mark.parametrize("offset", [(0, 0), (300, 10), (10, 300), (310, 310)])
def test_where_the_digit_is_drawn_makes_no_difference(offset):
    sheet = Image.new("L", (600, 600), "white")
    sheet.paste(drawing(side=280), offset)
    reference = Image.new("L", (600, 600), "white")
    reference.paste(drawing(side=280), (160, 160))
    assert (pictures.prepare(encoded(sheet)) == pictures.prepare(encoded(reference))).all()


def test_proportions_are_kept():
    pixels = pictures.prepare(encoded(drawing([[(0.5, 0.2), (0.5, 0.8)]])))
    height, width = ink_box(pixels)
    assert height == 20
    assert width <= 4


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
    "picture",
    [
        Image.new("L", (280, 280), "white"),
        Image.new("L", (280, 280), "black"),
        Image.new("RGB", (28, 28), (12, 200, 90)),
        Image.new("RGBA", (280, 280), (0, 0, 0, 0)),
        Image.new("L", (1, 1), "black"),
        drawing(ink=249),
        Image.fromarray(60_000 + np.asarray(drawing(), np.uint16) * 6),
        drawing([[(0.5, 0.5), (0.52, 0.5)]], pen=8),
    ],
    ids=["white", "black", "one colour", "transparent", "one pixel", "nearly white ink", "faint in 16 bits", "a dot"],
)
def test_a_picture_without_a_digit_is_blank(picture):
    with pytest.raises(Blank):
        pictures.prepare(encoded(picture))


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    return np.abs(pictures.prepare_image(one).astype(int) - pictures.prepare_image(other)).mean()


@pytest.mark.parametrize("paper", [60, 250])
@pytest.mark.parametrize("noise", [0, 0.6])
def test_faint_ink_is_read_where_the_noise_is_fainter(paper, noise):
    grain = noise * np.random.default_rng(1).standard_normal((280, 280))
    faint = np.asarray(drawing(ink=paper - 9, paper=paper)) + grain
    assert mean_difference(Image.fromarray(np.rint(faint).astype(np.uint8)), drawing()) < 10


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((255, 235, 80), (190, 220, 255)), ((255, 60, 60), (60, 150, 60)), ((120, 120, 255), (140, 140, 140))],
    ids=["yellow on light blue", "red on green", "blue on grey"],
)
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_ink_of_another_colour_as_light_as_the_paper_is_read(form, ink, paper):
    prediction = recognize(pictures.prepare(encoded(drawing(mode="RGB", ink=ink, paper=paper), form)))
    assert (prediction.digit, prediction.uncertain) == (2, False)


@pytest.mark.parametrize("noise", [1, 3, 10])
def test_noise_is_no_faint_ink(noise):
    grain = 200 + noise * np.random.default_rng(1).standard_normal((300, 400))
    with pytest.raises(Blank):
        pictures.prepare_image(Image.fromarray(np.rint(grain).clip(0, 255).astype(np.uint8)))


@pytest.mark.parametrize("side", [20, 40, 80])
def test_a_digit_that_is_small_in_a_large_picture_is_read(side):
    sheet = Image.new("L", (1000, 800), "white")
    sheet.paste(drawing(side=2 * side, pen=side // 6), (600, 200))
    assert mean_difference(sheet, drawing(side=2 * side, pen=side // 6)) < 2


@pytest.mark.parametrize("side", [20, 40, 80])
def test_a_dot_in_a_large_picture_is_no_digit(side):
    sheet = Image.new("L", (1000, 1000), "white")
    ImageDraw.Draw(sheet).ellipse((600, 200, 600 + side, 200 + side), fill="black")
    with pytest.raises(Blank, match="only a dot"):
        pictures.prepare_image(sheet)


def test_a_digit_of_few_hard_pixels_has_soft_edges():
    hard = pictures.prepare_image(drawing(side=28, pen=1))
    assert np.unique(hard).size > 60


def test_what_is_beside_a_drawing_is_left_out():
    screen = drawing(paper="white")
    ImageDraw.Draw(screen).rectangle((10, 250, 60, 268), outline=190)  # a button of the program
    assert mean_difference(screen, drawing()) < 1


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


PNG, JPEG = encoded(drawing()), encoded(drawing(), "JPEG")
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


def exif_with(*entries: bytes, count: int | None = None) -> bytes:
    """EXIF data: a little-endian TIFF directory with entries of 12 bytes; `count` is the number it declares."""
    declared = len(entries) if count is None else count
    return b"II*\0" + struct.pack("<IH", 8, declared) + b"".join(entries) + bytes(4)


TURNED = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # the orientation of a camera held upright
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
        pictures.prepare(PNG)


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
    start = time.thread_time()
    with pytest.raises(UnusablePicture, match=words):
        pictures.prepare(data)
    assert time.thread_time() - start < 0.1


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


def test_what_else_a_file_holds_is_not_counted_among_the_scans_of_a_jpeg():
    """Such as the film behind a motion photo, or the picture that its EXIF data shows."""
    thumbnail = b"Exif\0\0" + exif_with(TURNED) + JPEG
    film = b"\xff\xda" * 1000
    data = encoded(drawing(), "JPEG", exif=thumbnail) + film
    assert headers.read_header(data, "JPEG").seconds < 0.01
    assert recognize(pictures.prepare(data)) == recognize(pictures.prepare(encoded(drawing().rotate(-90), "JPEG")))


def test_a_file_whose_header_says_one_size_and_its_pixels_another_is_damaged():
    with pytest.raises(UnusablePicture, match="damaged"):
        pictures.prepare(PNG[:33] + PNG[8:33].replace(b"\1\x18\0\0\1\x18", b"\1\x19\0\0\1\x19") + PNG[33:])


@pytest.mark.parametrize("side", [1601, 3199, 3200, 3300, 4000, 8000])
def test_a_large_jpeg_is_reduced_and_keeps_1600_pixels(side):
    data = encoded(Image.new("L", (side, 40), "white"), "JPEG")
    assert 1600 <= decode.decode(data).shape[1] <= 3200


@pytest.mark.parametrize(
    ("mode", "colours"),
    [
        ("1", (0, 1)),
        ("L", (0, 255)),
        ("P", (0, 255)),
        ("RGB", ((0, 0, 0), (255, 255, 255))),
        ("RGBA", ((0, 0, 0, 255), (0, 0, 0, 0))),
        ("LA", ((0, 255), (0, 0))),
        ("I;16", (0, 65_535)),
    ],
)
def test_a_large_picture_of_any_kind_is_reduced_before_it_is_float(mode, colours):
    ink, paper = colours
    picture = Image.new("L" if mode == "P" else mode, (3500, 3500), paper)
    picture.paste(ink, (1000, 700, 1400, 2800))
    luminance = decode.decode(encoded(picture.convert(mode), compress_level=1))
    assert luminance.shape == (1750, 1750)
    assert (luminance[1000, 600], luminance[1000, 900]) == (0, 255)


def test_a_large_picture_of_16_bits_keeps_its_transparent_value():
    picture = Image.new("I;16", (3500, 3500), 65_535)
    picture.paste(0, (1000, 700, 1400, 2800))
    luminance = decode.decode(with_chunk(encoded(picture, compress_level=1), b"tRNS", b"\0\0"))
    assert luminance.shape == (1750, 1750)
    assert luminance[1000, 600] != luminance[1000, 900]


def test_a_digit_of_a_fiftieth_of_a_photograph_keeps_its_pixels():
    photo = Image.new("RGB", (4000, 3000), "white")
    photo.paste("black", (2000, 1400, 2080, 1480))
    dark = decode.decode(encoded(photo, "JPEG", quality=90)) < 128
    assert dark.any(axis=0).sum() >= 32
    assert dark.any(axis=1).sum() >= 32


def test_a_photograph_of_12_megapixels_is_decoded_soon():
    data = encoded(drawing([SEVEN], side=4000, pen=300, mode="RGB").crop((0, 500, 4000, 3500)), "JPEG")

    def seconds() -> float:
        start = time.thread_time()
        decode.decode(data)
        return time.thread_time() - start

    assert min(seconds() for _ in range(3)) < 0.1


def test_a_thin_pen_is_as_black_as_a_thick_one():
    for pen in (3, 30):
        pixels = pictures.prepare(encoded(drawing([SEVEN], pen=pen)))
        assert pixels.max() == 255


def test_a_prepared_picture_prepared_again_stays_as_it_is():
    once = pictures.prepare(encoded(drawing([TWO])))
    assert (pictures.prepare(pngs.png(once)) == once).all()


ROUND = [(0.5 + 0.2 * np.sin(turn), 0.5 - 0.3 * np.cos(turn)) for turn in np.linspace(0, 2 * np.pi, 40)]
NINE = [*((0.3 + 0.65 * x, 0.08 + 0.58 * y) for x, y in ROUND[10:] + ROUND[:11]), (0.7, 0.8)]


def halved(stroke: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(0.25 + x / 2, 0.25 + y / 2) for x, y in stroke]


@pytest.mark.parametrize("stroke", [ROUND, NINE, TWO, SEVEN], ids="0927")
def test_a_small_drawing_with_a_thick_pen_is_read_as_a_large_one_with_a_thin_pen(stroke):
    small, large = (pictures.prepare(encoded(drawing([s], pen=pen))) for s, pen in ((halved(stroke), 28), (stroke, 24)))
    assert centring.stroke_width(small / 255) == pytest.approx(centring.stroke_width(large / 255), abs=1.6)
    assert recognize(small).digit == recognize(large).digit


def test_a_gap_that_a_thick_pen_nearly_fills_is_opened():
    narrow = [(0.5 + 0.56 * (x - 0.5), y) for x, y in halved(ROUND)]
    pixels = pictures.prepare(encoded(drawing([narrow], pen=28)))
    assert (pixels[11:16, 11:17].min(axis=1) < 20).all()


@pytest.mark.parametrize("angle", [0, 0.4, np.pi / 4, np.pi / 2])
@pytest.mark.parametrize("thickness", [8, 15, 25])
def test_the_width_of_a_stroke_is_told_in_any_direction(thickness, angle):
    y, x = np.indices((200, 200)) - 99.5
    away = np.abs(np.cos(angle) * x + np.sin(angle) * y)
    along = np.abs(np.cos(angle) * y - np.sin(angle) * x)
    ink = np.clip((thickness + 1) / 2 - away, 0, 1) * (along < 95)
    expected = thickness * 190 / (190 + thickness)  # the outline has two ends, too
    assert centring.stroke_width(ink) == pytest.approx(expected, rel=0.06)


def test_strokes_out_of_focus_are_not_taken_for_thick_ones(monkeypatch):
    picture = encoded(drawing(pen=22).filter(ImageFilter.GaussianBlur(20)))
    prepared = pictures.prepare(picture)
    monkeypatch.setattr(centring, "THICK", 20)
    assert (pictures.prepare(picture) == prepared).all()


@pytest.mark.parametrize("pen", [8, 22, 34])
def test_strokes_no_thicker_than_usual_stay_as_they_are(pen, monkeypatch):
    picture = encoded(drawing(pen=pen))
    prepared = pictures.prepare(picture)
    monkeypatch.setattr(centring, "THICK", 20)
    assert (pictures.prepare(picture) == prepared).all()


def test_a_blot_full_of_holes_is_not_thinned_away():
    blot = np.full((280, 280), 255, np.uint8)
    blot[60:220, 60:220] = 0
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        blot[64 + down : 220 : 20, 64 + right : 220 : 20] = 255
    assert pictures.prepare(encoded(Image.fromarray(blot))).sum() > 100 * 255


def test_the_thickest_tile_comes_back_as_it_was():
    tile = max(map(gallery().pixels, range(2000)), key=lambda tile: centring.stroke_width(tile / 255))
    assert centring.stroke_width(tile / 255) > centring.THICK
    assert np.abs(pictures.prepare(pngs.png(tile)) - np.rint(tile * (255 / tile.max()))).max() <= 1


RAMP = np.linspace(-1, 1, 280)


def lit(picture: Image.Image, light: np.ndarray) -> Image.Image:
    """A picture of 280x280 under light of 0-1."""
    return Image.fromarray(np.rint(np.asarray(picture) * light).astype(np.uint8))


def noisy(picture: Image.Image, deviation: float) -> Image.Image:
    noise = deviation * np.random.default_rng(3).standard_normal((picture.height, picture.width))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def peppered(picture: Image.Image, share: float) -> Image.Image:
    chance = np.random.default_rng(4).random((picture.height, picture.width))
    return Image.fromarray(np.where(chance < share, 255 * (chance < share / 2), np.asarray(picture)).astype(np.uint8))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Grey levels a pixel between two prepared pictures, of which one may lie a pixel aside: 12 is a soft edge."""
    first, second = (pictures.prepare(encoded(picture)).astype(int) for picture in (one, other))
    steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(float(np.abs(np.roll(first, step, axis=(0, 1)) - second).mean()) for step in steps)


LIGHTS = {
    "falling": 0.65 + 0.35 * RAMP + 0 * RAMP[:, None],
    "vignette": 1 - 0.375 * (RAMP**2 + RAMP[:, None] ** 2),
    "soft shadow": 0.75 + 0.25 * np.tanh(3 * (RAMP + RAMP[:, None] - 0.3)),
}


SHADOWS = {
    "shadow in a corner": 0.75 + 0.25 * np.tanh(20 * (RAMP + RAMP[:, None] + 1.3)),
    "shadow at a rim": 0.75 + 0.25 * np.tanh(20 * (RAMP + 0.4 * RAMP[:, None] + 1)),
    "hard shadow across": np.where(RAMP + 0.4 * RAMP[:, None] > 0.1, 0.5, 1),
    "hard shadow below": np.where(RAMP + 0 * RAMP[:, None] > 0, 0.6, 1).T,
    "hard round shadow": np.where(RAMP**2 + (RAMP[:, None] + 1) ** 2 < 1, 0.6, 1),
}


@pytest.mark.parametrize("light", [*LIGHTS.values(), *SHADOWS.values()], ids=[*LIGHTS, *SHADOWS])
@pytest.mark.parametrize("colours", [(30, 235), (130, 235), (235, 50)], ids=["ink", "pencil", "chalk"])
def test_uneven_light_makes_hardly_a_difference(light, colours):
    picture = drawing(ink=colours[0], paper=colours[1])
    assert difference(lit(picture, light), picture) < 12


@pytest.mark.parametrize(
    "spoilt",
    [
        noisy(drawing(paper=220, ink=40), 20),
        noisy(drawing(paper=220, ink=160), 8),
        peppered(drawing(), 0.002),
        peppered(drawing(), 0.05),
        noisy(lit(drawing(paper=220, ink=60), LIGHTS["soft shadow"]), 6),
    ],
    ids=["noise", "noise on faint ink", "few specks", "many specks", "noise and shadow"],
)
def test_noise_makes_hardly_a_difference(spoilt):
    assert difference(spoilt, drawing()) < 10


PAPER = Image.new("L", (280, 280), 225)


@pytest.mark.parametrize(
    "paper",
    [noisy(PAPER, 5), noisy(PAPER, 20), *(noisy(lit(PAPER, light), 3) for light in LIGHTS.values())],
    ids=["noise", "strong noise", *LIGHTS],
)
def test_blank_paper_is_blank_under_noise_and_uneven_light(paper):
    with pytest.raises(Blank):
        pictures.prepare(encoded(paper))


@pytest.mark.parametrize("dark", [0.4, 0.7])
@pytest.mark.parametrize("slope", [0.6, 1, 1.5])
@pytest.mark.parametrize("reach", [0.5, 0.9])
def test_blank_paper_with_a_hard_shadow_in_a_corner_is_blank(reach, slope, dark):
    corner = RAMP + slope * RAMP[:, None] > (1 + slope) * (1 - reach)
    with pytest.raises(Blank):
        pictures.prepare(encoded(noisy(lit(PAPER, np.where(corner, dark, 1)), 3)))


@pytest.mark.parametrize("side", [56, 140, 280, 1000])
def test_clean_pictures_are_on_even_paper_and_stay_as_they_are(side):
    touching = [(x - 0.28, y) for x, y in SEVEN]
    for strokes in ([TWO], [SEVEN], [touching]):
        for picture in (drawing(strokes, side, side // 12), drawing(strokes, side, side // 12, "white", "black")):
            luminance = decode.luminance_of(picture)
            assert background.depth_on_uneven_paper(luminance) is None


def test_a_large_uneven_picture_is_prepared_as_a_small_one():
    small = lit(drawing(ink=60, paper=220), LIGHTS["falling"])
    large = small.resize((2000, 2000), Image.Resampling.BICUBIC)
    assert difference(large, small) < 10
