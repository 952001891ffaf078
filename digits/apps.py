"""The app, and what it checks before it serves."""

from django.apps import AppConfig
from django.core import checks


class DigitsConfig(AppConfig):
    name = "digits"

    def ready(self) -> None:
        checks.register(check_files)


def check_files(app_configs, **kwargs) -> list[checks.Error]:
    """The images and the weights can be read: better said at the start than at the first request."""
    # Not at the top: Django imports this module before its settings are ready.
    from digit_recognizer_dl_model.dataset import MalformedDataset
    from digit_recognizer_dl_model.weights import UnusableWeights

    from .gallery import gallery
    from .recognizer import classifier

    errors = []
    try:
        gallery()
    except FileNotFoundError as error:
        hint = "`python manage.py fetch_mnist` gets MNIST; the setting MNIST_CSV names another file."
        errors.append(checks.Error(f"The gallery's images are missing: {error.filename}", hint=hint, id="digits.E001"))
    except (OSError, MalformedDataset) as error:
        errors.append(checks.Error(f"The gallery's images can't be read: {error}", id="digits.E002"))
    try:
        classifier()
    except UnusableWeights as error:
        hint = "`git checkout -- digit_recognizer_dl_model` brings the shipped ones back; "
        hint += "`python -m digit_recognizer_dl_model.train` makes them anew."
        errors.append(checks.Error(f"The network's weights can't be used: {error}", hint=hint, id="digits.E003"))
    return errors
