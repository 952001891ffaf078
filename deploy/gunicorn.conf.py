"""How gunicorn serves the site: `gunicorn --config deploy/gunicorn.conf.py`, from the root of the checkout.

The command line and GUNICORN_CMD_ARGS override the settings of gunicorn in this file.
"""

import os
from pathlib import Path

from deploy.connections import Log, Worker

wsgi_app = "config.asgi"
bind = "0.0.0.0:8000"
worker_class = Worker
asgi_loop, http_parser = "asyncio", "python"  # the ones tested, even where uvloop or gunicorn_h1c is installed
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
preload_app = True  # the network, the gallery and all code are loaded once and shared by the workers

# What a client may send, and when. config/settings.py limits bodies.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
keepalive = 15  # seconds in which a connection must have sent the head of its next request
worker_connections = 900  # a process may have 1024 files open where nobody has allowed more

# gunicorn believes no forwarded header of anyone. Django does as DJANGO_BEHIND_PROXY and DIGITS_TRUSTED_PROXIES say.
forwarded_allow_ips = ""
secure_scheme_headers = {}

timeout = 30  # seconds without a sign of life after which a worker is killed and replaced
graceful_timeout = 25  # seconds after SIGTERM
# For the signs of life; the rest of the file system may be read-only.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True
asgi_lifespan = "off"

# The site logs its requests itself; what gunicorn says goes to standard error in the same shape.
logger_class = Log
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "digits.traffic.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False}},
}


def on_starting(server):
    """Recognise before anybody listens; tell all workers when the server is to stop."""
    from digits.traffic import draining  # the application is loaded by now
    from digits.warm_up import warm_up

    warm_up()
    stop = server.handle_term

    def handle_term():
        draining.begin_draining()
        stop()

    server.handle_term = handle_term
