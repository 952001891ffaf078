"""How long an epoch of training takes beside PyTorch, which trains the same network, each on two threads.

Run as `python -m benchmarks.training`; the last line is one JSON object. Each step augments a batch, goes forward and
backward, and updates the weights by AdamW and their average. Both augment by this package's function, a half of the
batch a thread; PyTorch runs eagerly, and the faster of its two memory formats counts. They take turns every few steps,
so that other work of the machine slows all of them, and medians are compared. Keep the machine quiet nevertheless: the
threads of PyTorch wait for each other in every operation and ours once a step, so that a busy core slows PyTorch more.
"""

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .environment import use_one_blas_thread

use_one_blas_thread()  # each half of a batch has its own thread

import numpy as np

from digit_recognizer_dl_model.dataset import Dataset
from digit_recognizer_dl_model.frame import SIDE
from digit_recognizer_dl_model.layers import BatchNorm
from digit_recognizer_dl_model.loss import cross_entropy, targets_of
from digit_recognizer_dl_model.network import ARCHITECTURE, Network
from digit_recognizer_dl_model.train import SHARDS, Settings, Training
from digit_recognizer_dl_model.weights import EPSILON

try:
    import torch
    from torch import nn
except ImportError as error:
    sys.exit(
        f"benchmarks.training compares with PyTorch ({error}): python -m pip install -r requirements-benchmarks.txt"
    )

SETTINGS = Settings()
RECORDED = 7_494  # recordings
# Images in an epoch of the shipped weights.
IMAGES = 60_000 - SETTINGS.validation + SETTINGS.handwriting + SETTINGS.drawings * RECORDED + SETTINGS.negatives
ROUNDS, STEPS = 15, 4  # turns of each, steps a turn
# As a fraction of the gradient's length: rounding makes a few numbers change their sign at a ReLU.
LARGEST_DIFFERENCE = 1e-2


class TorchTraining:
    """PyTorch's counterpart of `Training`: the same network, loss, augmentation, optimizer and average of weights."""

    def __init__(self, training: Training, memory_format: torch.memory_format) -> None:
        self.dataset, self.memory_format = training.dataset, memory_format
        self.model = torch_model(training.network).to(memory_format=memory_format)
        decays: dict[bool, list[nn.Parameter]] = {True: [], False: []}
        for parameter in self.model.parameters():
            decays[parameter.ndim > 1].append(parameter)
        groups = [
            {"params": decays[True], "weight_decay": SETTINGS.weight_decay},
            {"params": decays[False], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, SETTINGS.peak_learning_rate / 25, fused=True)
        self.state = [tensor for tensor in self.model.state_dict().values() if tensor.is_floating_point()]
        self.average = [tensor.clone() for tensor in self.state]
        self.step = 0

    def advance(self, pool: ThreadPoolExecutor) -> None:
        chosen = np.random.default_rng([SETTINGS.seed, self.step]).integers(0, IMAGES, SETTINGS.batch)
        images = np.concatenate(list(pool.map(self._augment, range(SHARDS), np.split(chosen, SHARDS))))
        x = torch.from_numpy(images)[:, None].to(memory_format=self.memory_format)
        targets = torch.from_numpy(targets_of(self.dataset.labels[chosen], SETTINGS.label_smoothing).astype(np.float32))
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(self.model(x), targets).backward()
        self.optimizer.step()
        self.step += 1
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.state, 1 - SETTINGS.averaging)

    def _augment(self, shard: int, chosen: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng([SETTINGS.seed, self.step, shard])
        return SETTINGS.augmentation(self.dataset.pixels[chosen], rng)


def torch_model(network: Network) -> nn.Sequential:
    """The network in PyTorch, with copies of its weights; images (n, 1, 28, 28) -> logits (n, 11)."""
    modules: list[nn.Module] = []
    side, channels = SIDE, 0  # 0 channels: the images are flat
    for entry, layer in zip(network.architecture, network.layers, strict=True):
        arrays = {name: torch.from_numpy(array.copy()) for name, array in layer.parameters.items()}
        match entry["layer"]:
            case "Conv2D":
                module = nn.Conv2d(entry["inputs"], entry["outputs"], entry["size"], bias=False)
                arrays = {"weight": arrays["kernel"].permute(3, 2, 0, 1)}
                side, channels = side - entry["size"] + 1, entry["outputs"]
            case "BatchNorm":
                kind = nn.BatchNorm2d if channels else nn.BatchNorm1d
                # PyTorch's momentum is the fraction of the new value.
                module = kind(entry["channels"], float(EPSILON), 1 - float(BatchNorm.MOMENTUM))
                arrays = {"weight": arrays["scale"], "bias": arrays["shift"]}
            case "MaxPool2D":
                module, side = nn.MaxPool2d(2), side // 2
            case "ReLU":
                module = nn.ReLU()
            case "Flatten":
                module = nn.Flatten()
            case "Dropout":
                module = nn.Dropout(entry["rate"])
            case "Dense":
                module = nn.Linear(entry["inputs"], entry["outputs"])
                weight = arrays["weight"]
                if channels:  # the first: PyTorch flattens channels first, the network flattens them last
                    weight = weight.reshape(side, side, channels, -1).permute(2, 0, 1, 3).reshape(weight.shape)
                    channels = 0
                arrays["weight"] = weight.T
        with torch.no_grad():
            for name, array in arrays.items():
                getattr(module, name).copy_(array)
        modules.append(module)
    return nn.Sequential(*modules)


def check_gradients(dataset: Dataset) -> None:
    """Check that both compute the same gradient from the same weights; without dropout, which is random in each."""
    network = Network([entry for entry in ARCHITECTURE if entry["layer"] != "Dropout"], np.random.default_rng(1))
    model = torch_model(network)
    images, labels = dataset.pixels[:64] / np.float32(255), dataset.labels[:64]
    targets = targets_of(labels, SETTINGS.label_smoothing).astype(np.float32)
    network.backward(cross_entropy(network.forward(images[..., None], training=True), targets)[1])
    nn.functional.cross_entropy(model(torch.from_numpy(images)[:, None]), torch.from_numpy(targets)).backward()
    # `torch_model` brings gradients into PyTorch's layout in the same way as weights.
    carrier = Network(network.architecture, np.random.default_rng(1))
    for name, array in carrier.parameters.items():
        array[...] = network.gradients[name]
    ours = torch.cat([parameter.detach().ravel() for parameter in torch_model(carrier).parameters()])
    theirs = torch.cat([parameter.grad.ravel() for parameter in model.parameters()])
    difference = float((ours - theirs).norm() / theirs.norm())
    assert difference < LARGEST_DIFFERENCE, f"gradients differ by {difference:.1e} of their length"


def seconds_a_step(advances: dict[str, Callable[[ThreadPoolExecutor], object]]) -> dict[str, float]:
    """The median seconds of each over its turns, after one turn that warms up."""
    times: dict[str, list[float]] = {name: [] for name in advances}
    with ThreadPoolExecutor(SHARDS) as pool:
        for _ in range(1 + ROUNDS):
            for name, advance in advances.items():
                start = time.perf_counter()
                for _ in range(STEPS):
                    advance(pool)
                times[name].append((time.perf_counter() - start) / STEPS)
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def main() -> None:
    torch.set_num_threads(SHARDS)
    rng = np.random.default_rng(0)
    shape = (IMAGES, SIDE, SIDE)
    ink = rng.integers(0, 256, shape, np.uint8)
    ink[rng.random(shape, np.float32) > 0.2] = 0  # as much ink as digits
    dataset = Dataset(ink, rng.integers(0, 10, IMAGES, np.uint8))
    check_gradients(dataset)

    training = Training(SETTINGS, dataset)
    theirs = {
        "contiguous": TorchTraining(training, torch.contiguous_format),
        "channels_last": TorchTraining(training, torch.channels_last),
    }
    taken = seconds_a_step({"NumPy": training.advance} | {name: other.advance for name, other in theirs.items()})
    fastest = min(theirs, key=taken.__getitem__)
    print(f"{SHARDS} threads, batches of {SETTINGS.batch}, {training.steps_an_epoch} steps an epoch")
    print("                         ms a step   s an epoch   ratio")
    for name, seconds in taken.items():
        label = name if name == "NumPy" else f"PyTorch, {name}"
        epoch = seconds * training.steps_an_epoch
        print(f"{label:24} {seconds * 1e3:9.1f} {epoch:12.1f} {seconds / taken[fastest]:7.2f}")
    figures = {
        "numpy_s": round(taken["NumPy"] * training.steps_an_epoch, 1),
        "pytorch_s": round(taken[fastest] * training.steps_an_epoch, 1),
        "ratio": round(taken["NumPy"] / taken[fastest], 2),
        "memory_format": fastest,
        "threads": SHARDS,
    }
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__}
    print(json.dumps(figures | versions))


if __name__ == "__main__":
    main()
