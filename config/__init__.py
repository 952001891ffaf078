"""Settings, routes, and where servers come in."""

import os

# NumPy's BLAS reads this once, when NumPy is imported, and this package is imported before anything else is. One image
# is too small to split; without it, every worker would start a thread per core and they would fight over them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
