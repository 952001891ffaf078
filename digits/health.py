"""Whether the site can answer: what `manage.py` checks before it serves, and what `/api/health/ready` asks."""

import logging

from django.core import checks

from digit_recognizer_dl_model.dataset import MalformedDataset
from digit_recognizer_dl_model.weights import UnusableWeights

from .errors import UNUSABLE
from .gallery import gallery
from .recognizer import classifier, knows_a_one
from .refusals import Unavailable
from .traffic.draining import is_draining

logger = logging.getLogger("digits")


def check_gallery(app_configs, **kwargs) -> list[checks.Error]:
    """The images can be read: better said at the start than at the first request."""
    try:
        gallery()
    except FileNotFoundError as error:
        hint = "`python manage.py fetch_mnist` gets MNIST; the setting MNIST_CSV names another file."
        return [checks.Error(f"The gallery's images are missing: {error.filename}", hint=hint, id="digits.E001")]
    except (OSError, MalformedDataset) as error:
        return [checks.Error(f"The gallery's images can't be read: {error}", id="digits.E002")]
    return []


def check_weights(app_configs, **kwargs) -> list[checks.Error]:
    """The weights can be used, too."""
    try:
        classifier()
    except UnusableWeights as error:
        hint = "`git checkout -- digit_recognizer_dl_model` brings the shipped ones back; "
        hint += "`python -m digit_recognizer_dl_model.train` makes them anew."
        return [checks.Error(f"The network's weights can't be used: {error}", hint=hint, id="digits.E003")]
    return []


def check_ready() -> None:
    """Raise Unavailable unless a picture would be answered: the network reads one now, and a tile can be shown."""
    if is_draining():
        raise Unavailable("This server is about to stop.")
    try:
        gallery().tile(0)
        ready = knows_a_one()
    except Exception as error:  # files are missing or damaged in any way
        logger.exception("not ready")
        raise Unavailable(UNUSABLE) from error
    if not ready:
        raise Unavailable("The network does not recognise what it should.")
