"""The architecture of the network that reads lines."""

from .strip import SYMBOLS

# 808,124 parameters. `w` is the width of a strip in pixels. Most of the work is done after two poolings, where it costs
# the least.
ARCHITECTURE = [
    # input                                                      46 x  w      x  1
    {"layer": "Conv2D", "inputs": 1, "outputs": 16, "size": 3},  # 44 x (w - 2) x 16
    {"layer": "BatchNorm", "channels": 16},
    {"layer": "MaxPool2D"},  # 22 x (w - 2) / 2 x 16
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 16, "outputs": 32, "size": 3},  # 20 high
    {"layer": "BatchNorm", "channels": 32},
    {"layer": "MaxPool2D"},  # 10 x (w - 6) / 4 x 32
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 32, "outputs": 96, "size": 3},  # 8 high
    {"layer": "BatchNorm", "channels": 96},
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 96, "outputs": 128, "size": 3},  # 6 high
    {"layer": "BatchNorm", "channels": 128},
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 128, "outputs": 160, "size": 3},  # 4 high
    {"layer": "BatchNorm", "channels": 160},
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 160, "outputs": 160, "size": 3},  # 2 x (w - 38) / 4 x 160
    {"layer": "BatchNorm", "channels": 160},
    {"layer": "ReLU"},
    {"layer": "Columns", "reach": 1},  # 1 x (w - 38) / 4 x 320
    {"layer": "Dense", "inputs": 320, "outputs": 192},
    {"layer": "BatchNorm", "channels": 192},
    {"layer": "ReLU"},
    {"layer": "Columns", "reach": 5},  # 1 x (w - 54) / 4 x 960
    {"layer": "Dense", "inputs": 960, "outputs": 192},
    {"layer": "BatchNorm", "channels": 192},
    {"layer": "ReLU"},
    {"layer": "Dropout", "rate": 0.2},
    {"layer": "Dense", "inputs": 192, "outputs": SYMBOLS},  # 1 x (w - 54) / 4 x 12
]
