"""Which pictures are read, and the names of others; the first bytes of a file tell, not its name or declared type."""

import re

from ..refusals import NotAPicture

NAMES = ("PNG", "JPEG", "WebP", "BMP", "GIF")
READ = f"{', '.join(NAMES[:-1])} or {NAMES[-1]}"
TYPES = ",".join(f"image/{name.lower()}" for name in NAMES)
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif")

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# By the names that Pillow knows them by. "BM" alone begins many a text: the size of a header has to follow.
MAGIC = {
    "PNG": re.compile(re.escape(PNG_MAGIC)),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "WEBP": re.compile(rb"RIFF....WEBPVP8[ LX]", re.DOTALL),
    "BMP": re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
}
# The first that fits: the raw files of cameras are TIFF files in part, and AVIF may call itself `mif1` as HEIC does.
FOREIGN = {
    "an AVIF picture": rb".{4}ftyp(avi[fs]|.{4}.{0,64}?avif)",
    "a HEIC picture": rb".{4}ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)",
    "a camera's raw picture": rb".{4}ftypcrx |II\*\0.{4}CR|II[RU][OS\0]|MMOR|FUJIFILMCCD-RAW|FOVb|\0MRM",
    "a TIFF picture": rb"II[*+]\0|MM\0[*+]",
    "a JPEG XL picture": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "a JPEG 2000 picture": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "a PDF document": rb"\s{0,20}%PDF-",
    "a PostScript document": rb"%!PS|\xc5\xd0\xd3\xc6",
    "a PSD picture": rb"8BPS\0",
    "an icon": rb"\0\0[\1\2]\0[^\0]\0",
    "an SVG picture": rb"(\xef\xbb\xbf)?\s{0,20}(<\?xml.{0,1000}|<!--.{0,1000}|<!DOCTYPE svg.{0,1000})?<svg[\s>]",
}
KNOWN = {name: re.compile(pattern, re.DOTALL) for name, pattern in FOREIGN.items()}


def format_of(data: bytes) -> str:
    """The format of a picture file by the name that Pillow knows it by; raises NotAPicture, which names any other."""
    for name, magic in MAGIC.items():
        if magic.match(data):
            return name
    for name, beginning in KNOWN.items():
        if beginning.match(data):
            raise NotAPicture(f"This is {name}; save it as JPEG or PNG.")
    raise NotAPicture(f"This file is not a {READ} picture.")
