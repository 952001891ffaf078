"""A convolutional network for handwritten digits in pure NumPy: it knows neither Django nor Pillow."""
