"""How well digits are read from pictures of many kinds, prepared as the site prepares them."""

import os

# The preparation refuses pictures that are larger than the site's limits, which are Django settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
