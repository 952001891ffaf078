"""The environment of a measurement, which must be set before NumPy or Django is imported."""

import os
import sys


def use_one_blas_thread() -> None:
    """Let NumPy's BLAS use one thread and choose its instructions by the processor, not by OPENBLAS_CORETYPE.

    ONNX Runtime and PyTorch choose their instructions by the processor, too. Once NumPy is imported, as in the tests,
    nothing changes: BLAS has read the variables, and the processes that this one starts are to do as it does.
    """
    if "numpy" in sys.modules:
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if pinned := os.environ.pop("OPENBLAS_CORETYPE", None):
        print(f"OPENBLAS_CORETYPE={pinned} is ignored: the instructions are chosen by the processor.")


def configure_site(static_root: str) -> None:
    """Configure the site as in production, but reachable over HTTP and under the name that test clients use."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DJANGO_DEBUG": "0",
        "DJANGO_HTTPS": "0",
        "DJANGO_SECRET_KEY": "for-this-measurement-only-" + "0123456789" * 3,
        "DJANGO_ALLOWED_HOSTS": "testserver",
        "DJANGO_STATIC_ROOT": static_root,
    }
