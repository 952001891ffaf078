"""The strip in which a line is read, and the symbols that are read from it.

A strip is 46 pixels high. The network gives each four pixels along it one column of its answer. It looks at 27 pixels
to each side of a column's middle, so the ends of a strip are empty.
"""

HEIGHT = 46  # pixels
MARGIN = 24  # pixels that are empty on each side, at least
NARROWEST, STEP = 94, 48  # pixels of the narrowest strip, and between the widths of strips, which tiles divide
WIDEST = NARROWEST + 19 * STEP  # pixels; 32 digits

BLANK = 10  # the symbol of columns that add nothing to the string
OTHER = 11  # the symbol of a character that is not a digit
SYMBOLS = 12

COLUMN = 4  # pixels of the strip for each column of the answer
FIRST = 27  # the pixel of the strip in the middle of the first column


def columns_of(width: int) -> int:
    """The number of columns in the answer to a strip of that width, in pixels."""
    return (width - 2 * FIRST) // COLUMN


def width_of(columns: int) -> int:
    """The width in pixels of a strip whose answer has so many columns."""
    return COLUMN * columns + 2 * FIRST


def strip_width(ink: int) -> int:
    """The width of the narrowest strip for ink that is so many pixels wide."""
    return NARROWEST + STEP * max(-(-(ink + 2 * MARGIN - NARROWEST) // STEP), 0)
