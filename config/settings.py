"""All settings, read from the environment; the sections follow a request. docs/operating.md lists the variables."""

import os
import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from digits.addresses import PROBES

BASE_DIR = Path(__file__).resolve().parent.parent


def env_bool(name: str, default: bool) -> bool:
    value = os.environ.get(name, "1" if default else "0").lower()
    if value not in ("0", "1", "false", "true"):
        raise ImproperlyConfigured(f"{name} is {value!r}, expected 1, 0, true or false")
    return value in ("1", "true")


def env_list(name: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


def env_path(name: str, default: Path) -> Path:
    return Path(os.environ.get(name) or default).expanduser()


def env_int(name: str, default: int, least: int) -> int:
    value = os.environ.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,6}", value) or int(value) < least:
        raise ImproperlyConfigured(f"{name} is {value!r}, expected a whole number of at least {least}")
    return int(value)


def env_secret_key(name: str) -> str:
    """A key that meets the rule of Django's check security.W009, which `check --deploy` alone asks, or an empty one."""
    value = os.environ.get(name, "")
    if value and (len(value) < 50 or len(set(value)) < 5 or value.startswith("django-insecure-")):
        make_one = "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        raise ImproperlyConfigured(
            f"{name} is weak: it must have at least 50 characters, 5 of them different, and must not begin with"
            f" django-insecure-. This makes one: {make_one}"
        )
    return value


def env_sha256(name: str) -> str | None:
    value = os.environ.get(name, "").lower()
    if value and not re.fullmatch("[0-9a-f]{64}", value):
        raise ImproperlyConfigured(f"{name} is {value!r}, expected the 64 hexadecimal digits of a SHA-256 checksum")
    return value or None


def env_rate(name: str) -> tuple[int, int] | None:
    """So many in so many seconds, as in `60/minute`; None where it is empty."""
    value = os.environ.get(name, "")
    units = {"second": 1, "minute": 60, "hour": 3600, "day": 24 * 3600}
    match = re.fullmatch(f"([0-9]{{1,6}})/({'|'.join(units)})", value)
    if value and not match:
        raise ImproperlyConfigured(f"{name} is {value!r}, expected a rate such as 60/minute")
    return (int(match[1]), units[match[2]]) if match else None


# What this process is. devserver.py turns DEBUG on; nothing else does.
DEBUG = env_bool("DJANGO_DEBUG", False)
# Empty outside DEBUG: Django refuses an empty key where one is needed, and config/wsgi.py asks for it at the start.
SECRET_KEY = (
    os.environ.get("DJANGO_SECRET_KEY", "for-development-only") if DEBUG else env_secret_key("DJANGO_SECRET_KEY")
)

# Who may ask, and how. In DEBUG, Django allows localhost by itself.
ALLOWED_HOSTS = env_list("DJANGO_ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env_list("DJANGO_CSRF_TRUSTED_ORIGINS")
HTTPS = env_bool("DJANGO_HTTPS", not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = list(PROBES)
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Pledges for every subdomain, and for a list that browsers ship, are hard to take back, so only the owner of the domain
# can give them, and the two checks that ask for them are silenced. So are those for what SECURITY_HEADERS has.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env_bool("DJANGO_HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = HTTPS and env_bool("DJANGO_HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W005", "security.W006", "security.W021", "security.W022"]
SECURE_CONTENT_TYPE_NOSNIFF = False
SECURE_CROSS_ORIGIN_OPENER_POLICY = SECURE_REFERRER_POLICY = None
CSRF_COOKIE_SECURE = HTTPS
if env_bool("DJANGO_BEHIND_PROXY", False):
    # Only behind a proxy that sets this header itself: clients could forge it otherwise.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
SECURITY_HEADERS = {
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Django's middleware could set these, but not on answers that it gives itself, such as to a wrong host.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Whether health and metrics are hidden from those who ask through a proxy.
PRIVATE_PROBES = env_bool("DIGITS_PRIVATE_PROBES", False)
# Pages of these origins may call the API from a browser.
API_ALLOWED_ORIGINS = env_list("DIGITS_ALLOWED_ORIGINS")

# What a request passes through.
INSTALLED_APPS = [
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "digits",
]
MIDDLEWARE = [
    "digits.traffic.middleware.account",
    "digits.traffic.middleware.compression",
    "digits.traffic.middleware.security_headers",
    "django_htmx.middleware.HtmxMiddleware",  # before all that may refuse: failures have a shape for htmx
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "digits.traffic.probes.private_probes",
    "digits.traffic.middleware.cross_origin",
    "digits.traffic.middleware.rate_limit",
    "digits.traffic.middleware.request_size",
    "digits.traffic.probes.HostsMiddleware",  # in place of Django's CommonMiddleware, which it extends
    "django.middleware.csrf.CsrfViewMiddleware",
    "digits.traffic.middleware.OwnNotFound",  # the last, in place of Django's own answer
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
CSRF_FAILURE_VIEW = "digits.errors.csrf_failure"
DATABASES: dict = {}  # there is none: the CSV is the data, and nothing is kept about anyone

# What a client may send.
MAX_PICTURE_BYTES = 25 * 1024 * 1024
MAX_JPEG_PIXELS = 50_000_000  # which are reduced while they are decoded
MAX_PICTURE_PIXELS = 16_000_000  # of the other formats
MAX_PICTURE_SIDE = 10_000
MAX_PICTURE_SECONDS = 1  # of a processor, as estimated before a picture is decoded
MAX_BATCH = 100
MAX_REQUEST_SECONDS = 5  # of a processor, for a whole request, as estimated and as measured
MAX_EXPLAINED = 10  # pictures of a request; an explanation takes a hundred times as long as a prediction
MAX_JSON_BYTES = 36 * 1024 * 1024  # a picture of the largest size in lines of base64
MAX_JSON_VALUES = 250_000  # which a hundred lists of pixels are a third of; each takes much more memory than in JSON
MAX_TENSOR_BYTES = 4 * 1024 * 1024
MAX_REQUEST_BYTES = 50 * 1024 * 1024
MAX_WAITING_BYTES = 256 * 1024 * 1024  # of all bodies in a process, without the first 256 KB of each
BODY_SECONDS = 20  # that a body may take to come, and its sender may pause
BODY_BYTES_PER_SECOND = 16 * 1024  # for each of which a body may take a second more
DISCARD_SECONDS = 5  # how long the rest of a body that is too large is taken and thrown away
MAX_FORM_BYTES = MAX_PICTURE_BYTES + 64 * 1024  # of a page: a picture and the multipart lines around it
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_FORM_BYTES  # never to disk
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# How much at a time. The rate is best effort: each client's requests are counted in the cache.
MAX_PREDICTIONS_IN_FLIGHT = env_int("DIGITS_MAX_PREDICTIONS_IN_FLIGHT", 4, least=1)
RATE_LIMIT = env_rate("DIGITS_RATE_LIMIT")
TRUSTED_PROXIES = env_int("DIGITS_TRUSTED_PROXIES", 0, least=0)
CACHE_URL = os.environ.get("DIGITS_CACHE_URL", "")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},  # seconds that a request may wait for it
    }
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
}

# What the answers are made from.
WEIGHTS_SHA256 = env_sha256("DIGITS_WEIGHTS_SHA256")  # those that this process must have; None for any
MNIST_CSV = env_path("MNIST_CSV", BASE_DIR / "data" / "mnist_test.csv")
MNIST_CACHE = env_path("MNIST_CACHE", BASE_DIR / "data" / ".cache")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# Static files: hashed, compressed and cached for ever outside DEBUG, after `manage.py collectstatic`.
STATIC_URL = "static/"
STATIC_ROOT = env_path("DJANGO_STATIC_ROOT", BASE_DIR / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.storage.StaticFilesStorage",
    },
}

# What is written down, to standard error: a line a request and, with its traceback, what went wrong here. A client's
# mistakes are answered. Only forms that are refused are written down, because a setting may be wrong. runserver, which
# DEBUG goes with, writes lines of its own.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "exceptions": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: bool(record.exc_info)}
    },
    "formatters": {"json": {"()": "digits.traffic.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": None if DEBUG else "json"}},
    "loggers": {
        "digits": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "digits.access": {"handlers": ["stderr"], "level": "WARNING" if DEBUG else "INFO", "propagate": False},
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "ERROR", "filters": ["exceptions"]},
        "django.security": {"level": "CRITICAL"},
    },
}
