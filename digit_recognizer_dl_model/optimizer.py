"""The optimizer AdamW, and the schedule of the learning rate."""

import math

import numpy as np


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101).

    Only matrices and kernels decay, because scales, shifts and biases hardly overfit. The bias corrections of both
    moments are part of the learning rate, as at the end of section 2 of Kingma & Ba 2015, arXiv:1412.6980; epsilon is
    therefore added to the root of the uncorrected second moment.
    """

    FIRST, SECOND = 0.9, 0.999  # the fractions that a step keeps of the running means of gradients and of their squares
    EPSILON = 1e-8  # avoids a division by 0

    def __init__(self, parameters: dict[str, np.ndarray], weight_decay: float) -> None:
        self.parameters = parameters
        self.weight_decay = weight_decay
        self.steps = 0
        self.first = {name: np.zeros_like(value) for name, value in parameters.items()}
        self.second = {name: np.zeros_like(value) for name, value in parameters.items()}

    def step(self, gradients: dict[str, np.ndarray], learning_rate: float) -> None:
        """Update the parameters in place; the gradients have the names and shapes of the parameters."""
        self.steps += 1
        rate = learning_rate * math.sqrt(1 - self.SECOND**self.steps) / (1 - self.FIRST**self.steps)
        for name, value in self.parameters.items():
            gradient, first, second = gradients[name], self.first[name], self.second[name]
            first += (1 - self.FIRST) * (gradient - first)
            second += (1 - self.SECOND) * (gradient * gradient - second)
            if value.ndim > 1:
                value *= 1 - learning_rate * self.weight_decay
            value -= rate * first / (np.sqrt(second) + self.EPSILON)


def one_cycle(progress: float, peak: float, warm_up: float) -> float:
    """The learning rate at `progress`, 0-1: it rises from peak / 25 to `peak` until `warm_up`, then falls to 0.

    Source: Smith & Topin 2018, arXiv:1708.07120, with half cosines in place of the straight lines.
    """
    if progress < warm_up:
        start = peak / 25
        return start + (peak - start) * (1 - math.cos(math.pi * progress / warm_up)) / 2
    return peak * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up))) / 2
