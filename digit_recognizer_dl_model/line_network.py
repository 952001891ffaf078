"""The architecture of the network that reads lines."""

from .strip import SYMBOLS

# 333,724 parameters. `w` is the width of a strip in pixels.
ARCHITECTURE = [
    # input                                                      42 x  w      x  1
    {"layer": "Conv2D", "inputs": 1, "outputs": 16, "size": 3},  # 40 x (w - 2) x 16
    {"layer": "BatchNorm", "channels": 16},
    {"layer": "MaxPool2D"},  # 20 x (w - 2) / 2 x 16
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 16, "outputs": 32, "size": 3},  # 18 high
    {"layer": "BatchNorm", "channels": 32},
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 32, "outputs": 48, "size": 3},  # 16 high
    {"layer": "BatchNorm", "channels": 48},
    {"layer": "MaxPool2D"},  # 8 x (w - 10) / 4 x 48
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 48, "outputs": 64, "size": 3},  # 6 high
    {"layer": "BatchNorm", "channels": 64},
    {"layer": "ReLU"},
    {"layer": "Conv2D", "inputs": 64, "outputs": 96, "size": 3},  # 4 x (w - 26) / 4 x 96
    {"layer": "BatchNorm", "channels": 96},
    {"layer": "ReLU"},
    {"layer": "Columns", "reach": 3},  # 1 x (w - 34) / 4 x 1152
    {"layer": "Dense", "inputs": 1152, "outputs": 128},
    {"layer": "BatchNorm", "channels": 128},
    {"layer": "ReLU"},
    {"layer": "Columns", "reach": 5},  # 1 x (w - 50) / 4 x 640
    {"layer": "Dense", "inputs": 640, "outputs": 128},
    {"layer": "BatchNorm", "channels": 128},
    {"layer": "ReLU"},
    {"layer": "Dropout", "rate": 0.2},
    {"layer": "Dense", "inputs": 128, "outputs": SYMBOLS},  # 1 x (w - 50) / 4 x 12
]
