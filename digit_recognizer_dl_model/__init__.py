"""A convolutional network for handwritten digits in pure NumPy: it imports neither Django nor Pillow."""
