"""How gunicorn serves the site: `gunicorn --config deploy/gunicorn.conf.py`, from the root of the checkout."""

import os

wsgi_app = "config.wsgi"
bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 8
preload_app = True
graceful_timeout = 25  # seconds after SIGTERM
worker_tmp_dir = "/dev/shm"  # noqa: S108 - signs of life; the rest of the file system may be read-only
