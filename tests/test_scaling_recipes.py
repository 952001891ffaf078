"""The recipes of docs/scaling.md for other engines run, and give the answers of the site."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from digits.gallery import gallery
from digits.recognizer import recognize_batch

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
RECIPES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "scaling.md").read_text(), re.DOTALL)
TOLD = ("digit", "confidence", "uncertain")


@pytest.mark.parametrize(("package", "programs"), [("ray", ()), ("pyspark", ("java",)), ("dask", ())])
def test_the_recipe_runs_and_gives_the_answers_of_the_site(tmp_path, package, programs):
    if absent := [name for name in (package, "pandas") if not find_spec(name)]:
        pytest.skip(f"{' and '.join(absent)} is not installed")
    if absent := [name for name in programs if not shutil.which(name)]:
        pytest.skip(f"{' and '.join(absent)} not found")
    pixels = np.stack([gallery().pixels(index) for index in range(20)])
    pq.write_table(
        pa.table({"row": range(20), "pixels": pa.array(pixels.reshape(-1, 784).tolist(), pa.list_(pa.uint8()))}),
        tmp_path / "images.parquet",
    )
    [recipe] = [recipe for recipe in RECIPES if re.search(rf"^(import|from) {package}\b", recipe, re.MULTILINE)]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "OPENBLAS_NUM_THREADS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", recipe],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    [folder] = tmp_path.glob("answers-of-*")
    rows = sorted(pq.read_table(folder).to_pylist(), key=lambda row: row["row"])
    expected = [
        (prediction.digit, prediction.confidence, prediction.uncertain) for prediction in recognize_batch(pixels)
    ]
    assert [tuple(row[name] for name in TOLD) for row in rows] == expected
