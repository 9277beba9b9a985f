"""The one check of scikit-learn that is skipped unless scipy is told to take other arrays."""

from __future__ import annotations

import os
import subprocess
import sys

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


def test_the_array_api_check_passes():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split("checks run:")[1]) >= 1
