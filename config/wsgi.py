"""The WSGI application, for any WSGI server: `config.wsgi:application`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
settings.SECRET_KEY  # noqa: B018 - raises where it is empty: fail at the start, not at the first form
