"""Cached trainings: an interrupted benchmark continues with the runs that are missing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from tqdm.auto import tqdm

import ecgclf
from benchmarks.common.data import RUNS
from ecgclf.estimators import BeatEstimator
from ecgclf.search import on_dask

#: Cache of finished runs.
MEMORY = joblib.Memory(RUNS, verbose=0)

#: Packages whose code changes the result of a training.
_PACKAGES = (
    *("augmentation", "datasets", "estimators", "modules", "sampling", "training", "transforms"),
)


@cache
def code_version() -> str:
    """Hash the code that affects trainings."""
    package = Path(ecgclf.__file__).parent
    digest = hashlib.sha256()
    for folder in _PACKAGES:
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
    """Train an estimator and predict, or return the cached result.

    Parameters
    ----------
    estimator : estimator
        Unfitted, with its random state set.
    X, y : ndarray
        Training data.
    X_test : ndarray
        Data to predict.
    **fit_params : object
        Passed to ``fit``, such as ``groups``.

    Returns
    -------
    dict
        ``classes``, ``probabilities`` (ndarray or None) and ``predicted`` of `X_test`, the
        number of ``parameters``, the ``epochs``, and the ``seconds`` of training.
    """
    return _run(estimator, X, y, X_test, fit_params, code_version())


def fitted(
    estimator: BaseEstimator, X: np.ndarray, y: np.ndarray, **fit_params: Any
) -> BaseEstimator:
    """Fit an estimator, or return the cached one."""
    model, _ = _fitted(estimator, X, y, fit_params, code_version())
    return model


def scored(estimator: BaseEstimator, X: np.ndarray, X_test: np.ndarray) -> dict:
    """Fit an outlier detector and score beats, or return the cached result.

    Returns
    -------
    dict
        ``scores`` of `X_test`, lower for abnormal beats, the number of ``parameters``, and the
        ``seconds`` of training.
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
            np.asarray(estimator.predict_proba(X_test), dtype=np.float32)
            if hasattr(estimator, "predict_proba")
            else None
        ),
        "parameters": count_parameters(networks),
        "epochs": max((network.n_iter_ for network in networks), default=None),
        "seconds": seconds,
    }


def run_each(
    work: Callable[..., Any], jobs: Iterable[tuple], scheduler: str | None, unit: str
) -> Iterator[Any]:
    """Yield the result of each job in order, with a progress bar.

    Parameters
    ----------
    work : callable
        Called once per job.
    jobs : iterable of tuple
        Arguments of each call.
    scheduler : str or None
        Address of a Dask scheduler. Start its workers in the root of the same checkout, so that
        they can import ``benchmarks``. None runs the jobs in this process, one by one.
    unit : str
        Name of a job in the progress bar.
    """
    jobs = list(jobs)
    if scheduler is None:
        yield from tqdm((work(*job) for job in jobs), total=len(jobs), unit=unit, disable=None)
        return
    with on_dask(scheduler):
        parallel = joblib.Parallel(n_jobs=-1, return_as="generator")
        results = parallel(joblib.delayed(work)(*job) for job in jobs)
        yield from tqdm(results, total=len(jobs), unit=unit, disable=None)


def networks_in(estimator: BaseEstimator) -> Iterator[BeatEstimator]:
    """Yield the networks inside an estimator, such as a pipeline or an ensemble."""
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
    """Count the trained weights of fitted networks. Return None without a network."""
    if not networks:
        return None
    return sum(p.numel() for network in networks for p in network.net_.module_.parameters())


def prepare(
    estimator: BaseEstimator, *, seed: int, n_jobs: int | None = None, epochs: int | None = None
) -> BaseEstimator:
    """Set every random state of an estimator, and threads and epochs of its networks.

    Parameters
    ----------
    estimator : estimator
        Changed in place.
    seed : int
        Value of each ``random_state``.
    n_jobs : int, optional
        Number of threads of each network.
    epochs : int, optional
        Upper limit of ``max_epochs``.

    Returns
    -------
    estimator
        The same object.
    """
    for network in networks_in(estimator):
        network.set_params(n_jobs=n_jobs, verbose=0)
        if epochs is not None:
            network.set_params(max_epochs=min(epochs, network.max_epochs))
    names = [name for name in estimator.get_params() if name.endswith("random_state")]
    return estimator.set_params(**dict.fromkeys(names, seed))
