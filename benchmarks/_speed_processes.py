"""What a new process costs, what a fit needs of memory, and two processes against one."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import numpy as np
from _pairs import compare, rows_of
from _speed_data import some_beats
from sklearn.model_selection import GridSearchCV

from ecgclf import ECGCNNClassifier

#: What a fit may need beside the beats themselves, in MB.
ALLOWANCE = 600

#: A program that fits a network, or predicts, and prints what it took.
_PROGRAM = """
import json, sys, time
from pathlib import Path
import numpy as np
from ecgclf import ECGCNNClassifier
n_beats, epochs = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(0)
few = rng.normal(size=(1000, 187)).astype(np.float32)
y = np.resize(np.array(list("NSVFQ")), n_beats)
X = np.empty((n_beats, 187), dtype=np.float32)
for start in range(0, n_beats, 1000):
    X[start : start + 1000] = few[: n_beats - start] + rng.normal(scale=0.1)
model = ECGCNNClassifier(max_epochs=epochs, verbose=0, random_state=0)
start = time.process_time()
model.fit(X, y)
fitted = time.process_time()
model.predict_proba(X)
# Not ru_maxrss, which Linux lets a process inherit from the one that started it.
lines = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
print(json.dumps({
    "fit": fitted - start,
    "predict": time.process_time() - fitted,
    "peak": peak / 1024,
    "X": X.nbytes / 2**20,
}))
"""


@cache
def run_program(n_beats: int, epochs: int = 1) -> dict[str, float]:
    """Fit and predict in a process of its own; seconds of the CPU, and MB."""
    command = [sys.executable, "-c", _PROGRAM, str(n_beats), str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def python(statement: str) -> None:
    """Run a statement in a new process."""
    subprocess.run([sys.executable, "-c", statement], check=True)


def imports(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Import the package, and what its estimators need, in new processes."""
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
    """Search a grid in two processes and in one; the wall clock counts."""
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


def memory(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure the largest memory of a process that fits and predicts."""
    for n_beats in options.sizes:
        took = run_program(n_beats)
        allowed = 1.3 * took["X"] + ALLOWANCE
        yield {
            "what": f"peak memory of fit and predict, {n_beats:,} beats ({took['X']:,.0f} MB)",
            "against": f"1.3 times the beats and {ALLOWANCE} MB",
            "cpu": round(took["peak"] / allowed, 3),
            "peak_mb": round(took["peak"]),
            "reach": 1.0,
        }


def size(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure the cost of a beat in sets of several sizes, against that in the smallest."""
    took = {n_beats: run_program(n_beats) for n_beats in options.sizes}
    fewest = min(took)
    for n_beats in options.sizes:
        for what in ("fit", "predict"):
            a_beat, least = (took[n][what] / n for n in (n_beats, fewest))
            yield {
                "what": f"{what}, CPU time a beat, {n_beats:,} beats",
                "against": f"{fewest:,} beats",
                "cpu": round(a_beat / least, 3),
                "seconds": round(took[n_beats][what], 2),
                "reach": 1.1,
            }
