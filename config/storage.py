"""Static files in production: hashed, compressed and cached for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Also gives the imports between this site's ES modules their hashed names, so that no browser mixes two versions.

    Django can do so for all scripts, but django-htmx ships extensions whose imports only a bundler can resolve.
    """

    _, IMPORTS = CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns
    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("digits/*.js", IMPORTS))
