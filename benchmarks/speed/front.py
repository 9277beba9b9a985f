"""Accuracy of families of classifiers within a limited CPU time.

Finished runs are cached, and all runs use one thread. The point of a family at a time limit is
its run with the most effort within the limit, not the run with the best accuracy on the test
rows.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.common.data import find_records, load_kaggle, part_of
from benchmarks.common.runs import MEMORY, code_version
from benchmarks.models.plain_torch import PlainDeepCNN, logits, train_on_slices
from ecgclf import ECGCNNClassifier, ECGResNetClassifier
from ecgclf.plots import class_styles

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "speed-front.png"


class PlainLoop(BaseEstimator):
    """Estimator that trains network 2 in a plain torch loop."""

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
    """Make a pipeline of MiniRocket, from aeon, and a ridge classifier."""
    from aeon.transformations.collection.convolution_based import MiniRocket

    rocket = MiniRocket(n_kernels=n_kernels, random_state=seed, n_jobs=1)
    return make_pipeline(rocket, StandardScaler(with_mean=False, copy=False), RidgeClassifier())


def families(seed: int) -> dict[str, tuple[Callable[[int], BaseEstimator], tuple[int, ...]]]:
    """Return for each family a function from effort to estimator, and increasing efforts."""
    ours = {"random_state": seed, "verbose": 0}
    epochs = (1, 2, 4, 8, 16, 32, 64)
    found = {
        "ECGCNNClassifier": (lambda n: ECGCNNClassifier(max_epochs=n, **ours), epochs),
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
    """Train and predict, and measure the CPU time of both."""
    X, y, X_test, y_test = data
    start = time.process_time()
    predicted = make(effort).fit(X, y).predict(X_test)
    return {
        "minutes": (time.process_time() - start) / 60,
        "accuracy": accuracy_score(y_test, predicted),
        "macro_f1": f1_score(y_test, predicted, average="macro"),
    }


def front(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the runs of each family with increasing effort, as far as ``--minutes`` allow."""
    records = find_records(options.data)
    train, test = (
        part_of(load_kaggle(records, subset), options.fraction, options.seed)
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
            # The next run of a family takes about twice as long.
            if took["minutes"] > options.minutes / 2:
                break


def draw_front(rows: list[dict[str, Any]], file: Path = PICTURE) -> None:
    """Plot the accuracy of every run against its CPU time.

    Parameters
    ----------
    rows : list of dict
        Runs with ``what``, ``minutes`` and ``accuracy``.
    file : Path
        Image file to write.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    ax = figure.subplots()
    table = pd.DataFrame(rows)
    styles = class_styles(table["what"].unique())
    for what, runs in table.groupby("what", sort=False):
        runs = runs.sort_values("minutes")
        ax.plot(runs["minutes"], runs["accuracy"], label=what, **styles[what])
    ax.set(
        xscale="log",
        xlabel="time of one CPU for training and prediction (min)",
        ylabel="accuracy on the Kaggle test rows",
        ylim=(max(0.93, table["accuracy"].min() - 0.002), None),
    )
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    figure.savefig(file, dpi=110)
