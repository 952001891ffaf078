"""Benchmarks choose BLAS's instructions before NumPy is imported, and leave them alone afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SET = "from benchmarks.environment import use_one_blas_thread; use_one_blas_thread()"
PRINT = "import os; print(os.environ.get('OPENBLAS_CORETYPE'))"


@pytest.mark.parametrize(("first", "left"), [("", "None"), ("import numpy; ", "Haswell")])
def test_a_choice_of_instructions_is_dropped_only_before_it_has_had_its_effect(first, left):
    done = subprocess.run(
        [sys.executable, "-c", f"{first}{SET}; {PRINT}"],
        cwd=Path(__file__).parents[1],
        env=os.environ | {"OPENBLAS_CORETYPE": "Haswell"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == left
