"""Runs that are finished once: a benchmark that was killed goes on where it stood."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator

import ecgclf
from ecgclf.estimators import BeatEstimator

#: Where the runs lie. Not under version control; what is published are the tables.
MEMORY = joblib.Memory(Path(__file__).parent / ".runs", verbose=0)

#: What of the package decides how a model comes out.
_DECIDES = ("datasets", "estimators", "modules", "sampling", "training", "transforms")


@cache
def code_version() -> str:
    """Name the state of the code that trains: a hash of its files."""
    package = Path(ecgclf.__file__).parent
    digest = hashlib.sha256()
    for folder in _DECIDES:
        for file in sorted((package / folder).glob("*.py")):
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def run(
    estimator: BaseEstimator,
    X: np.ndarray,
    y: np.ndarray,
    X_test: np.ndarray,
    **fit_params: Any,
) -> dict:
    """Train an estimator and predict with it, or find what an earlier such run has given.

    Parameters
    ----------
    estimator : estimator
        Not fitted, with the random state that it is to have.
    X, y, X_test : ndarray
    **fit_params : object
        For ``fit``, such as ``groups``.

    Returns
    -------
    dict
        ``classes``, ``probabilities`` (ndarray or None) and ``predicted`` of `X_test`,
        ``parameters``, ``epochs``, and ``seconds`` of the training.
    """
    return _run(estimator, X, y, X_test, fit_params, code_version())


def fitted(
    estimator: BaseEstimator, X: np.ndarray, y: np.ndarray, **fit_params: Any
) -> BaseEstimator:
    """Fit an estimator that others begin with, or find it if it was fitted before."""
    model, _ = _fitted(estimator, X, y, fit_params, code_version())
    return model


def scored(estimator: BaseEstimator, X: np.ndarray, X_test: np.ndarray) -> dict:
    """Fit an outlier detector and score beats, or find what an earlier such run has given.

    Returns
    -------
    dict
        ``scores`` of `X_test`, which fall with abnormality, ``parameters``, and ``seconds`` of
        the training.
    """
    return _scored(estimator, X, X_test, code_version())


@MEMORY.cache
def _scored(estimator: BaseEstimator, X: np.ndarray, X_test: np.ndarray, version: str) -> dict:
    start = time.perf_counter()
    estimator.fit(X)
    seconds = time.perf_counter() - start
    return {
        "scores": estimator.score_samples(X_test),
        "parameters": count_parameters(list(fitted_networks(estimator))),
        "seconds": seconds,
    }


@MEMORY.cache
def _fitted(
    estimator: BaseEstimator, X: np.ndarray, y: np.ndarray, fit_params: dict, version: str
) -> tuple[BaseEstimator, float]:
    start = time.perf_counter()
    estimator.fit(X, y, **fit_params)
    return estimator, time.perf_counter() - start


@MEMORY.cache
def _run(
    estimator: BaseEstimator,
    X: np.ndarray,
    y: np.ndarray,
    X_test: np.ndarray,
    fit_params: dict,
    version: str,
) -> dict:
    estimator, seconds = _fitted(estimator, X, y, fit_params, version)
    networks = list(fitted_networks(estimator))
    return {
        "classes": estimator.classes_,
        "predicted": estimator.predict(X_test),
        "probabilities": (
            estimator.predict_proba(X_test).astype(np.float32)
            if hasattr(estimator, "predict_proba")
            else None
        ),
        "parameters": count_parameters(networks),
        "epochs": max((network.n_iter_ for network in networks), default=None),
        "seconds": seconds,
    }


def networks_in(estimator: BaseEstimator) -> Iterator[BeatEstimator]:
    """Yield the networks inside an estimator: a pipeline or an ensemble has several."""
    if isinstance(estimator, BeatEstimator):
        yield estimator
        return
    for value in estimator.get_params(deep=True).values():
        if isinstance(value, BeatEstimator):
            yield value


def fitted_networks(estimator: BaseEstimator) -> Iterator[BeatEstimator]:
    """Yield the fitted networks inside a fitted estimator."""
    members = getattr(estimator, "estimators_", None)
    if not members or not isinstance(members[0], BaseEstimator):
        members = [estimator]
    for member in members:
        yield from networks_in(member)


def count_parameters(networks: list[BeatEstimator]) -> int | None:
    """Count the weights that fitted networks have learned; None without a network."""
    if not networks:
        return None
    return sum(p.numel() for network in networks for p in network.net_.module_.parameters())


def prepare(
    estimator: BaseEstimator, *, seed: int, n_jobs: int | None = None, epochs: int | None = None
) -> BaseEstimator:
    """Set the seed and the threads of every network inside an estimator.

    Parameters
    ----------
    estimator : estimator
        Changed in place.
    seed : int
    n_jobs : int, optional
    epochs : int, optional
        Train for so many at most.

    Returns
    -------
    estimator
        The same.
    """
    for network in networks_in(estimator):
        network.set_params(random_state=seed, n_jobs=n_jobs, verbose=0)
        if epochs is not None:
            network.set_params(max_epochs=min(epochs, network.max_epochs))
    return estimator
