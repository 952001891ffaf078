"""What the first request would wait for, done before the server listens; forked workers inherit it."""

import gc

from django.template.loader import get_template
from django.urls import resolve

from . import pictures, recognizer
from .gallery import gallery
from .health import check_ready
from .numbers import read_uncounted
from .pictures import pngs
from .recognizer import recognize_uncounted
from .refusals import Unavailable
from .stages import untimed


@untimed()
def warm_up() -> None:
    """Load the routes, the templates, the gallery and the network, read a picture, and map the features of the tiles.

    Where the network or the gallery can't be used, `check_ready` logs why, and the rest of the site is served.
    """
    resolve("/")
    for name in ("gallery", "draw", "map", "model", "api", "failure"):
        get_template(f"digits/{name}.html")
    try:
        check_ready()
    except Unavailable:
        return
    picture = pngs.png(gallery().pixels(0))
    recognize_uncounted(pictures.prepare(picture)[None])
    read_uncounted(pictures.sheet_of_picture(picture))
    gallery().distances(recognizer.features(gallery().pixels(0)[None])[0])
    gc.freeze()  # the garbage collector of a forked worker would copy what it shares with the others
