"""Synthetic training data: handwriting, negatives, drawings of recorded digits, and augmentation."""
