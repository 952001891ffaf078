"""Whether `collectstatic` has been run for this version, without which no page can be shown outside DEBUG."""

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage

UNCOLLECTED = "The static files of this version are not collected."
HINT = "`python manage.py collectstatic --no-input` collects them; the site must be started again then."


def are_collected() -> bool:
    """Whether the manifest that the process has read has a hashed name for each of the site's own files."""
    if settings.DEBUG:
        return True
    collected = staticfiles_storage.hashed_files
    folders = [Path(folder) for folder in settings.STATICFILES_DIRS]
    own = {path.relative_to(folder).as_posix() for folder in folders for path in folder.rglob("*") if path.is_file()}
    return bool(collected) and own <= collected.keys()
