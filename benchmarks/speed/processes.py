"""Import time, and a grid search in two processes compared with one."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV

from benchmarks.common.data import some_beats
from benchmarks.common.timing import compare, rows_of
from ecgclf import ECGCNNClassifier


def python(statement: str) -> None:
    """Run a statement in a new process."""
    subprocess.run([sys.executable, "-c", statement], check=True)


def imports(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Import the package, and an estimator with its dependencies, in new processes."""
    summary = compare(
        partial(python, "import ecgclf"),
        {"import sklearn": partial(python, "import sklearn")},
        options.repeats,
    )
    yield from rows_of("import ecgclf", summary, {"import sklearn": 1.5})
    parts = "import torch, skorch, pandas"
    summary = compare(
        partial(python, "from ecgclf import ECGCNNClassifier"),
        {parts: partial(python, parts)},
        options.repeats,
    )
    yield from rows_of("from ecgclf import ECGCNNClassifier", summary, {})


def grid(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Search a grid in two processes and in one. The wall-clock ratio counts."""
    X, y = some_beats(options, options.beats)
    model = ECGCNNClassifier(max_epochs=options.epochs, random_state=0, verbose=0)

    def search(n_jobs: int) -> np.ndarray:
        found = GridSearchCV(model, {"lr": [1e-3, 3e-3, 1e-2, 3e-2]}, n_jobs=n_jobs)
        return found.fit(X, y).cv_results_["mean_test_score"]

    np.testing.assert_array_equal(search(1), search(2))
    against = "n_jobs=1"
    summary = compare(partial(search, 2), {against: partial(search, 1)}, options.repeats)
    what = "GridSearchCV of four learning rates in five folds, n_jobs=2 (wall clock)"
    for row in rows_of(what, summary, {against: 0.59}):
        yield {**row, "counts": "wall"}
