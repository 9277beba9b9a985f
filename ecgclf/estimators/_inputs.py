"""Check what a user passes in and bring it into the form the networks take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)


def check_beats(estimator: BaseEstimator, X: Any, *, reset: bool) -> np.ndarray:
    """Check beats and lay the leads of each one after another.

    Parameters
    ----------
    estimator : BeatClassifier
        Its `n_leads` and `n_tabular` say how a row is made up. With `reset`, gets the
        attributes ``n_features_in_``, ``n_leads_`` and ``n_samples_``.
    X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
    reset : bool
        True in `fit`; False where the shape must be that of `fit`.

    Returns
    -------
    ndarray of shape (n_beats, n_leads * n_samples + n_tabular), float32

    Raises
    ------
    ValueError
        If `X` is empty, holds NaN or infinite values, or has the wrong shape.
    """
    n_leads = estimator.n_leads
    if (X if hasattr(X, "ndim") else np.asarray(X)).ndim == 3:
        X = check_array(X, allow_nd=True, dtype=np.float32, estimator=estimator, input_name="X")
        _check_3d(estimator, X.shape, reset)
        n_leads = X.shape[1]
        X = X.reshape(len(X), -1)
    X = validate_data(estimator, X, reset=reset, dtype=np.float32, order="C")
    if reset:
        n_leads = n_leads or 1
        width = X.shape[1] - estimator.n_tabular
        if width < n_leads or width % n_leads:
            raise ValueError(
                f"X has {X.shape[1]} columns, of which n_tabular={estimator.n_tabular} are "
                f"per-beat features; the other {width} cannot be divided among "
                f"n_leads={n_leads} leads of equal length. Change n_leads or n_tabular."
            )
        estimator.n_leads_ = n_leads
        estimator.n_samples_ = width // n_leads
    return X


def _check_3d(estimator: BaseEstimator, shape: tuple[int, ...], reset: bool) -> None:
    """Check the lead count and the length of 3-D input."""
    name = type(estimator).__name__
    _, n_leads, n_samples = shape
    if n_samples == 0:
        raise ValueError(f"X of shape {shape} has 0 samples a beat; at least 1 is required.")
    if estimator.n_tabular:
        raise ValueError(
            f"X of shape {shape} has no room for the n_tabular={estimator.n_tabular} features of "
            "each beat: flatten the leads, np.column_stack([X.reshape(len(X), -1), features]), "
            "and set n_leads."
        )
    expected = estimator.n_leads if reset else estimator.n_leads_
    if expected is not None and n_leads != expected:
        raise ValueError(
            f"X of shape {shape} has {n_leads} leads, but {name} is expecting {expected}: pass "
            "(n_beats, n_leads, n_samples), or change n_leads and fit again."
        )
    if not reset and n_samples != estimator.n_samples_:
        raise ValueError(
            f"X of shape {shape} has {n_samples} samples a beat, but {name} was fitted on "
            f"{estimator.n_samples_}: cut the beats with the same window at the same rate."
        )


def check_labels(y: Any, n_beats: int) -> np.ndarray:
    """Check that `y` holds one class label for each beat.

    Returns
    -------
    ndarray of shape (n_beats,)

    Raises
    ------
    ValueError
        If `y` is missing, continuous, of another length, or holds missing values.
    """
    if y is None:
        raise ValueError("A classifier requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=True)
    if len(y) != n_beats:
        raise ValueError(f"X has {n_beats} beats, but y has {len(y)} labels: give one a beat.")
    missing = np.flatnonzero(pd.isna(y))
    if len(missing):
        raise ValueError(
            f"Input y contains NaN: {len(missing)} labels are missing, the first at position "
            f"{missing[0]}. Remove these beats or label them."
        )
    check_classification_targets(y)
    return y


def check_weights(sample_weight: ArrayLike | None, X: np.ndarray) -> np.ndarray:
    """Check weights, one for each beat; None means 1 for all.

    Returns
    -------
    ndarray of shape (n_beats,), float64

    Raises
    ------
    ValueError
        If a weight is negative, infinite or NaN, or none is positive.
    """
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if weight.min() < 0:
        raise ValueError(
            f"Negative values in sample_weight: {weight.min()} at position {weight.argmin()}. "
            "Weights must be 0 or more."
        )
    if weight.max() == 0:
        raise ValueError("sample_weight is zero for every beat: at least one must be positive.")
    return weight


def check_groups(groups: ArrayLike | None, n_beats: int) -> np.ndarray | None:
    """Check the patient of each beat.

    Raises
    ------
    ValueError
        If there is not one for each beat, or some are missing.
    """
    if groups is None:
        return None
    patients = column_or_1d(groups)
    check_consistent_length(patients, np.empty(n_beats))
    if pd.isna(patients).any():
        raise ValueError("groups contains missing values: name the patient of every beat.")
    return patients


def per_layer(name: str, value: Any, n_layers: int, layers: str) -> list:
    """Spread a parameter over layers: one value for all of them, or one for each.

    Raises
    ------
    ValueError
        If a sequence has another length than there are layers.

    Examples
    --------
    >>> per_layer("stride", 2, 3, "filters")
    [2, 2, 2]
    """
    if not isinstance(value, (tuple, list, np.ndarray)):
        return [value] * n_layers
    if len(value) != n_layers:
        raise ValueError(
            f"{name}={value!r} has {len(value)} values for {n_layers} layers: give one value "
            f"for all layers, or one for each of {layers}."
        )
    return list(value)
