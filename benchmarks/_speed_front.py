"""What accuracy each way to classify reaches with so many minutes of one CPU.

Every run is kept, so a benchmark that was killed goes on where it stood. A point of the front
is the run of a family with the most effort that took no longer than so many minutes, not the one
that came out best on the test rows; all runs are of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from _data import find_records, part_of
from _plain_torch import PlainDeepCNN, logits, train_on_slices
from _runs import MEMORY, code_version
from _speed_data import kaggle
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier, ECGResNetClassifier

OURS = "ECGCNNClassifier"


class PlainLoop(BaseEstimator):
    """Network 2 in a bare loop, as an estimator for this benchmark."""

    def __init__(self, epochs: int, seed: int) -> None:
        self.epochs = epochs
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> PlainLoop:
        """Train with Adam at 1e-3 in batches of 32, as published."""
        torch.manual_seed(self.seed)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.network_ = PlainDeepCNN()
        tensors = torch.from_numpy(X), torch.from_numpy(codes)
        train_on_slices(self.network_, *tensors, batch_size=32, epochs=self.epochs, lr=1e-3)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict labels."""
        return self.classes_[logits(self.network_, torch.from_numpy(X), 256).argmax(axis=1)]


def mini_rocket(n_kernels: int, seed: int) -> BaseEstimator:
    """MiniRocket and ridge regression, of the package aeon."""
    from aeon.transformations.collection.convolution_based import MiniRocket

    rocket = MiniRocket(n_kernels=n_kernels, random_state=seed, n_jobs=1)
    return make_pipeline(rocket, StandardScaler(with_mean=False, copy=False), RidgeClassifier())


def families(seed: int) -> dict[str, tuple[Callable[[int], BaseEstimator], tuple[int, ...]]]:
    """By name: from an effort to an estimator, and the efforts to try, from small to large."""
    ours = {"random_state": seed, "verbose": 0}
    epochs = (1, 2, 4, 8, 16, 32, 64)
    found = {
        OURS: (lambda n: ECGCNNClassifier(max_epochs=n, **ours), epochs),
        "ECGResNetClassifier": (lambda n: ECGResNetClassifier(max_epochs=n, **ours), epochs),
        "network 2, plain torch": (lambda n: PlainLoop(n, seed), epochs),
        "random forest": (
            lambda n: RandomForestClassifier(n, random_state=seed),
            (10, 30, 100, 200),
        ),
        "HistGradientBoosting": (
            lambda n: HistGradientBoostingClassifier(
                max_iter=n, early_stopping=False, random_state=seed
            ),
            (10, 30, 100, 200, 400, 1000),
        ),
        "k nearest neighbours": (KNeighborsClassifier, (1, 3, 5)),
    }
    if find_spec("aeon") is not None:
        found["MiniRocket (aeon) and ridge"] = (
            lambda n: mini_rocket(n, seed),
            (500, 2000, 5000),
        )
    return found


@MEMORY.cache(ignore=["make", "data"])
def one_run(
    family: str,
    effort: int,
    seed: int,
    fraction: float,
    version: str,
    make: Callable[[int], BaseEstimator],
    data: tuple[np.ndarray, ...],
) -> dict[str, float]:
    """Train and predict; minutes of the CPU for both, since some only work when predicting."""
    X, y, X_test, y_test = data
    start = time.process_time()
    predicted = make(effort).fit(X, y).predict(X_test)
    return {
        "minutes": (time.process_time() - start) / 60,
        "accuracy": accuracy_score(y_test, predicted),
        "macro_f1": f1_score(y_test, predicted, average="macro"),
    }


def front(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the runs of every family, from small to large, that end within ``--minutes``."""
    records = find_records(options.data)
    train, test = (
        part_of(kaggle(records, subset), options.fraction, options.seed)
        for subset in ("train", "test")
    )
    data = train.data, train.target, test.data, test.target
    for name, (make, efforts) in families(options.seed).items():
        for effort in efforts:
            key = (name, effort, options.seed, options.fraction, code_version())
            took = one_run(*key, make, data)
            yield {
                "what": name,
                "effort": effort,
                **{figure: round(value, 4) for figure, value in took.items()},
            }
            # The next run of a family takes about twice as long: what would be late is not begun.
            if took["minutes"] > options.minutes / 2:
                break
