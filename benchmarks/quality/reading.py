"""Pictures are prepared as the site prepares them, refusals are noted, and the answers to the rest are counted."""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from digit_recognizer_dl_model.counts import Count
from digit_recognizer_dl_model.frame import SIDE
from digit_recognizer_dl_model.inference import Classifier
from digits import pictures
from digits.recognizer import likeliest
from digits.refusals import Refusal

Picture = bytes | Image.Image  # encoded or decoded


def prepare_all(sent: Iterable[Picture], network: Classifier | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Prepare n pictures: pixels (n, 28, 28) uint8, all 0 where a picture is refused, and whether it is, (n,) bool.

    network: what chooses where a picture can be prepared in two ways; the shipped one, unless given.
    """
    prepared = [prepare_or_refuse(picture, network) for picture in sent]
    refused = np.array([isinstance(each, Refusal) for each in prepared], bool)
    pixels = np.zeros((len(prepared), SIDE, SIDE), np.uint8)
    for row in np.flatnonzero(~refused):
        pixels[row] = prepared[row]
    return pixels, refused


def prepare_or_refuse(picture: Picture, network: Classifier | None = None) -> np.ndarray | Refusal:
    """The pixels (28, 28) uint8 of a picture, or why it is refused."""
    try:
        if isinstance(picture, bytes):
            return likeliest(pictures.candidates(picture), network)
        return pictures.prepare_image(picture)
    except Refusal as refusal:
        return refusal


def count_right(classifier: Classifier, labelled: Iterable[tuple[Picture, int]]) -> Count:
    """Count the pictures that are read as their label says; a picture that is refused is not read right."""
    labels: list[int] = []

    def unlabelled() -> Iterable[Picture]:
        for picture, label in labelled:
            labels.append(label)
            yield picture

    pixels, refused = prepare_all(unlabelled(), classifier)
    right = (classifier.probabilities(pixels).argmax(axis=1) == labels) & ~refused
    return Count(int(right.sum()), len(labels))
