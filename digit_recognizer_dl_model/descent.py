"""Gradient descent: the steps by which a network of any kind learns, and checkpoints between them."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .figures import Figures
from .network import Network
from .optimizer import AdamW, one_cycle
from .weights import Weights, load_npz, save_npz

SHARDS = 2  # parts of a batch that are computed at the same time; fixed, so that results do not depend on the cores


class DescentSettings(Protocol):
    """What a dataclass of settings must have."""

    seed: int
    peak_learning_rate: float
    warm_up: float  # fraction of the steps in which the learning rate rises
    weight_decay: float
    averaging: float  # fraction of the average that each step keeps


class Descent:
    """A run at one of its steps: the live network, the average of its weights and the optimizer.

    All randomness comes from the seed and the number of the step, so a resumed run repeats an unbroken one exactly.
    """

    def __init__(self, settings: DescentSettings, architecture: list[dict], steps: int) -> None:
        self.settings, self.steps = settings, steps
        self.network = Network(architecture, np.random.default_rng(settings.seed))
        self.replicas = [self.network, *(self.network.replicate() for _ in range(SHARDS - 1))]
        self.optimizer = AdamW(self.network.parameters, settings.weight_decay)
        self.average = {name: array.copy() for name, array in self.network.state.items()}
        self.step = 0

    def batch(self) -> Sequence[Any]:
        """What this step learns from, one part for each shard."""
        raise NotImplementedError

    def differentiate(self, shard: int, network: Network, part: Any) -> tuple[float, dict[str, np.ndarray]]:
        """One forward and backward pass of a replica on a part of the batch.

        Returns the mean loss in nats and the gradients by the parameters, under their names and in their shapes.
        """
        raise NotImplementedError

    def advance(self, pool: ThreadPoolExecutor) -> float:
        """Take one step and return its loss in nats."""
        settings = self.settings
        parts = list(pool.map(self.differentiate, range(SHARDS), self.replicas, self.batch()))
        losses, gradients_of_parts = zip(*parts, strict=True)
        gradients = {
            name: sum(gradients[name] for gradients in gradients_of_parts) / SHARDS for name in self.network.parameters
        }
        progress = self.step / self.steps
        self.optimizer.step(gradients, one_cycle(progress, settings.peak_learning_rate, settings.warm_up))
        self.step += 1
        # At first the average spans only the last tenth of the steps, so that it forgets the random first weights.
        keep = min(settings.averaging, self.step / (self.step + 10))
        for name, array in self.network.state.items():
            self.average[name] += (1 - keep) * (array - self.average[name])
        return float(np.mean(losses))

    def weights(self) -> Weights:
        """The average of the weights up to this step; temperature and limits are not fitted yet and change nothing."""
        return Weights(
            architecture=self.network.architecture,
            arrays={name: array.astype(np.float32) for name, array in self.average.items()},
            temperature=1.0,
            uncertain_below=0.0,
            no_digit_above=1.0,
            figures=Figures(),
        )

    def save_checkpoint(self, path: Path) -> None:
        """Write all that a resumed run needs besides its data; an interruption leaves the old file unchanged."""
        about = {"step": self.step, "run": self.identity()}
        arrays = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            **{f"state/{name}": array for name, array in self.network.state.items()},
            **{f"average/{name}": array for name, array in self.average.items()},
            **{f"first/{name}": array for name, array in self.optimizer.first.items()},
            **{f"second/{name}": array for name, array in self.optimizer.second.items()},
        }
        save_npz(path, arrays)

    def restore_checkpoint(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises ValueError for a checkpoint of other settings and for another file, OSError where it cannot be read.
        """
        arrays = load_npz(path)
        if "about" not in arrays:
            raise ValueError(f"{path} is not a checkpoint")
        about = json.loads(arrays["about"].tobytes())
        if about["run"] != self.identity():
            raise ValueError(f"{path} belongs to a run with other settings; remove it, or train without --resume")
        self.step = self.optimizer.steps = about["step"]
        live = {"state": self.network.state, "average": self.average}
        live |= {"first": self.optimizer.first, "second": self.optimizer.second}
        for group, target in live.items():
            for name, array in target.items():
                array[...] = arrays[f"{group}/{name}"]

    def identity(self) -> dict:
        """All that must be the same in a run and in its checkpoint, as JSON returns it."""
        return json.loads(json.dumps({"settings": asdict(self.settings), "architecture": self.network.architecture}))
