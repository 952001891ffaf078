"""Whether the site can answer: what `manage.py` checks before it serves, and what `/api/health/ready` asks."""

import logging
from collections.abc import Iterator

from django.conf import settings
from django.core import checks

from digit_recognizer_dl_model.dataset import MalformedDataset
from digit_recognizer_dl_model.weights import SHIPPED, UnusableWeights

from . import canaries, static_files
from .errors import UNUSABLE
from .gallery import gallery
from .recognizer import classifier, line_reader, weights_sha256
from .refusals import Unavailable
from .traffic.draining import is_draining
from .traffic.logs import Seldom

COMPLAINT_SECONDS = 60  # between lines that say why this process is not ready, which probes ask every few seconds

logger = logging.getLogger("digits")
may_complain = Seldom(COMPLAINT_SECONDS)


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
        line_reader()
    except UnusableWeights as error:
        hint = "`git checkout -- digit_recognizer_dl_model` brings the shipped ones back; "
        hint += "`python -m digit_recognizer_dl_model.train` and `train_lines` make them anew."
        return [checks.Error(f"The network's weights can't be used: {error}", hint=hint, id="digits.E003")]
    return []


def check_pin(app_configs, **kwargs) -> list[checks.Error]:
    """The weights are the ones that the setting WEIGHTS_SHA256 names, if it names any."""
    if not settings.WEIGHTS_SHA256 or not SHIPPED.is_file() or is_pinned():
        return []
    message = f"The SHA-256 of the weights is {weights_sha256()}, but DIGITS_WEIGHTS_SHA256 is another one."
    return [checks.Error(message, id="digits.E004")]


def check_static_files(app_configs, **kwargs) -> list[checks.Error]:
    """Pages can be shown; asked by `check --deploy` alone, because most commands need no page."""
    if static_files.are_collected():
        return []
    return [checks.Error(static_files.UNCOLLECTED, hint=static_files.HINT, id="digits.E005")]


def is_pinned() -> bool:
    return settings.WEIGHTS_SHA256 in (None, weights_sha256())


def check_ready() -> None:
    """Raise Unavailable unless this process should be asked for pages and predictions."""
    if is_draining():
        raise Unavailable("This server is about to stop.")
    try:
        gallery().tile(0)
        line_reader()
        reasons = list(reasons_against())
    except Exception as error:  # files are missing or damaged in any way
        if may_complain():
            logger.exception("not ready; said once a minute, while it lasts")
        raise Unavailable(UNUSABLE) from error
    if reasons:
        if may_complain():
            logger.error("not ready: %s (said once a minute, while it lasts)", " ".join(reasons))
        raise Unavailable(" ".join(reasons))


def reasons_against() -> Iterator[str]:
    """Why this process should not be asked, in sentences for whoever operates it."""
    if not is_pinned():
        yield "The weights are not those that DIGITS_WEIGHTS_SHA256 names."
    if misread := canaries.misread():
        yield f"The network misreads digits that it must read: {', '.join(map(str, misread))}."
    if missing := classifier().weights.figures.missing:
        yield f"The figures of the weights are incomplete: {', '.join(missing)}."
    if not static_files.are_collected():
        yield f"{static_files.UNCOLLECTED} {static_files.HINT}"
