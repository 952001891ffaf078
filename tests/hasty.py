"""deploy/gunicorn.conf.py with a quarter of its limits on time, so that tests wait less for their end.

What fits into another limit as shipped does so here. gunicorn has whole seconds, so its own limits are rounded up.
"""

import runpy
from pathlib import Path

from deploy import connections

SHORTER = 4

shipped = runpy.run_path(str(Path(__file__).parents[1] / "deploy" / "gunicorn.conf.py"))
globals().update(shipped)
keepalive = -(-shipped["keepalive"] // SHORTER)
graceful_timeout = -(-shipped["graceful_timeout"] // SHORTER)
for name in ("DRAIN_SECONDS", "SEND_SECONDS", "LINGER_SECONDS"):
    setattr(connections, name, getattr(connections, name) / SHORTER)


def on_starting(server):
    from django.conf import settings  # the application is loaded by now

    for name in ("BODY_SECONDS", "DISCARD_SECONDS"):
        setattr(settings, name, getattr(settings, name) // SHORTER)
    shipped["on_starting"](server)
