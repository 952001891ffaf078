"""The settings that tests run under: production's, over plain HTTP and with static files of their own."""

import os
import tempfile

os.environ["DJANGO_DEBUG"] = "0"
os.environ["DJANGO_HTTPS"] = "0"
os.environ["DJANGO_SECRET_KEY"] = "only-for-tests-" + "0123456789" * 4
os.environ["DJANGO_ALLOWED_HOSTS"] = "testserver,127.0.0.1"
os.environ["DJANGO_STATIC_ROOT"] = tempfile.mkdtemp(prefix="digit-recognizer-static-")

from config.settings import *  # noqa: F403
