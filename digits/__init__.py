"""The Django app: pages, the API, the preparation of pictures, and the door to the network."""

__version__ = "0.1.0"
