"""The check of scikit-learn that is skipped unless the array API of scipy is enabled."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import sklearn
from sklearn.utils.fixes import parse_version

PROGRAM = """
import torch
from sklearn.utils.estimator_checks import estimator_checks_generator
from ecgclf import ECGCNNClassifier

torch.set_num_threads(1)
n_run = 0
for estimator, check in estimator_checks_generator(ECGCNNClassifier(verbose=0)):
    if "array_api" in check.func.__name__:
        check(estimator)
        n_run += 1
print("checks run:", n_run)
"""


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="scikit-learn has this check since version 1.9",
)
def test_array_api_check():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split("checks run:")[1]) >= 1
