"""The Django app: everything that speaks HTTP."""

__version__ = "0.1.0"
