"""The app, and what `manage.py` checks before it serves; any other server is asked at `/api/health/ready`."""

from django.apps import AppConfig
from django.core import checks


class DigitsConfig(AppConfig):
    name = "digits"

    def ready(self) -> None:
        checks.register(check_gallery, "gallery")
        checks.register(check_weights, "weights")


# The checks import what they need: Django imports this module before its settings are ready.


def check_gallery(app_configs, **kwargs) -> list[checks.Error]:
    """The images can be read: better said at the start than at the first request."""
    from digit_recognizer_dl_model.dataset import MalformedDataset

    from .gallery import gallery

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
    from digit_recognizer_dl_model.weights import UnusableWeights

    from .recognizer import classifier

    try:
        classifier()
    except UnusableWeights as error:
        hint = "`git checkout -- digit_recognizer_dl_model` brings the shipped ones back; "
        hint += "`python -m digit_recognizer_dl_model.train` makes them anew."
        return [checks.Error(f"The network's weights can't be used: {error}", hint=hint, id="digits.E003")]
    return []
