"""The app, and what `manage.py` checks before it serves; any other server is asked at `/api/health/ready`."""

from django.apps import AppConfig
from django.core import checks

from . import stages


class DigitsConfig(AppConfig):
    name = "digits"

    def ready(self) -> None:
        from .health import (
            check_gallery,
            check_pin,
            check_static_files,
            check_weights,
        )  # Django imports this module before its settings are ready
        from .pictures.decode import set_up_pillow
        from .traffic.prometheus import observe_stage

        set_up_pillow()
        stages.listeners.append(observe_stage)
        checks.register(check_gallery, "gallery")
        checks.register(check_weights, "weights")
        checks.register(check_pin, "weights")
        checks.register(check_static_files, "static", deploy=True)
