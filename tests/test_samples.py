"""What the benchmarks send is read as what it shows, in every form."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import load, samples


def predict(client, request: load.Request) -> dict:
    answer = client.generic(request.method, request.path, request.body, request.headers["Content-Type"])
    assert answer.status_code == 200
    return json.loads(answer.content)


@pytest.mark.parametrize("picture", [samples.picture, pytest.param(samples.photograph, marks=pytest.mark.slow)])
def test_a_picture_in_a_form_is_read_as_its_digit(client, picture):
    assert predict(client, load.form(load.PREDICT, picture()))["prediction"] == samples.label()


def test_several_pictures_in_a_form_are_read_as_so_many(client):
    answer = predict(client, load.form(load.PREDICT, *[samples.picture()] * 10))
    assert [each["prediction"] for each in answer["predictions"]] == [samples.label()] * 10


def test_the_strokes_are_read_as_their_digit(client):
    form = load.form("/draw/predict/", strokes=samples.strokes())
    answer = client.generic("POST", form.path, form.body, form.headers["Content-Type"])
    assert f"<strong>{samples.label()}</strong>" in answer.content.decode()


def test_the_photograph_has_twelve_megapixels():
    width, height = samples.PHOTOGRAPH
    assert width * height == 12_000_000


def test_the_number_is_read_as_its_tiles(client):
    answer = predict(client, load.form("/api/read-number/", samples.number_picture()))
    assert answer["number"] == samples.number()


@pytest.mark.parametrize("name", samples.PICTURES)
def test_the_pictures_that_the_site_serves_are_those_that_are_made_here(name):
    served, made = (Image.open(file) for file in (samples.SERVED / name, io.BytesIO(samples.PICTURES[name]())))
    assert np.array_equal(np.asarray(served), np.asarray(made))
