"""Checks of the arrays that are passed to estimators."""

from __future__ import annotations

import hashlib
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from ecgclf._validation import (
    check_axes,
    check_groups,
    check_no_tabular,
    check_plain,
    column_position,
    count_dimensions,
    record_columns,
    samples_per_lead,
    to_array,
)
from ecgclf.training import RowView

#: Number of values of a few beats.
_N_SMALL = 2**14

#: Number of labels that `fingerprint` converts to text at once.
_N_LABELS = 2**16


def check_beats(estimator: BaseEstimator, X: Any, *, reset: bool, n_places: int = 0) -> RowView:
    """Check beats and arrange each one as a row, lead after lead.

    A numeric array in memory, mapped to a file or in chunks is checked in blocks of a few
    megabytes, and not copied. `reset` sets the attributes for the shape, as in `fit`; without it,
    the shape must be that of `fit`. `n_places` columns are the record and the position of a beat.
    """
    if not reset and _is_small_and_valid(estimator, X):
        return RowView(X)
    n_leads = estimator.n_leads
    n_dimensions = count_dimensions(X)
    if n_dimensions > 3:
        raise ValueError(
            f"X has {n_dimensions} dimensions, expected the shape (n_beats, n_columns) or "
            "(n_beats, n_leads, n_samples)."
        )
    check_plain(X)
    in_blocks = n_dimensions > 1 and _is_numeric_array(X)
    if n_dimensions == 3:
        if not in_blocks:
            X = check_array(
                X, allow_nd=True, dtype=np.float32, estimator=estimator, input_name="X"
            )
            in_blocks = True
        if 0 not in X.shape:  # an empty array is an error of scikit-learn below
            _check_3d(estimator, X.shape, reset)
        n_leads = X.shape[1]
    if in_blocks:
        rows = RowView(X)
        blocks = rows.blocks()
        validate_data(estimator, next(blocks), reset=reset, dtype=np.float32)
        for block in blocks:
            check_array(block, dtype=np.float32, estimator=estimator, input_name="X")
    else:
        rows = RowView(validate_data(estimator, X, reset=reset, dtype=np.float32, order="C"))
    if reset:
        estimator.n_leads_ = n_leads or 1
        estimator.n_samples_ = samples_per_lead(
            rows.shape[1] - n_places, estimator.n_leads_, estimator.n_tabular
        )
    return rows


def _is_small_and_valid(estimator: BaseEstimator, X: Any) -> bool:
    """Return whether a few beats need no further checks, which take longer than a network."""
    return (
        type(X) is np.ndarray
        and X.dtype == np.float32
        and X.ndim == 2
        and 0 < X.size <= _N_SMALL
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
        and bool(np.isfinite(X).all())
    )


def check_beats_of_records(
    estimator: BaseEstimator, X: Any, *, reset: bool
) -> tuple[RowView, np.ndarray, np.ndarray]:
    """Check beats with the columns `record` and `sample`, and arrange each one as a row.

    Returns the rows without these columns, the number of each beat's record, which does not
    depend on the order of the rows, and its position.
    """
    is_numeric = _is_numeric_array(X)
    if not (is_numeric or hasattr(X, "iloc")):
        X = check_array(X, dtype=None, estimator=estimator, input_name="X")
    if X.ndim != 2:
        raise ValueError(
            f"X has the shape {X.shape}, but record={estimator.record!r} is a column of 2-D X. "
            "Flatten the leads and set n_leads, or set record=None."
        )
    records, positions, others = record_columns(estimator, X)
    numbers = pd.factorize(records, sort=True)[0]
    if not is_numeric:  # records may be strings
        X = pd.DataFrame(X).copy(deep=False)
        X.isetitem(column_position(X, "record", estimator.record), numbers)
    n_places = X.shape[1] - len(others)
    rows = check_beats(estimator, X, reset=reset, n_places=n_places)
    return rows.select(others).unpacked(), numbers, positions


def _is_numeric_array(X: Any) -> bool:
    """Return whether `X` is an array of numbers of numpy, or in chunks (Zarr, h5py, Dask)."""
    dtype = getattr(X, "dtype", None)
    is_array = type(X) in (np.ndarray, np.memmap) or hasattr(X, "chunks")
    return is_array and isinstance(dtype, np.dtype) and dtype.kind in "buif"


def _check_3d(estimator: BaseEstimator, shape: tuple[int, ...], reset: bool) -> None:
    """Check the numbers of leads and samples of 3-D beats."""
    name = type(estimator).__name__
    _, n_leads, n_samples = shape
    if reset and estimator._takes_signals:
        check_axes(shape)
    check_no_tabular(shape, estimator.n_tabular)
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
    """Check that `y` has one class label for each beat, or is an indicator matrix."""
    if y is None:
        raise ValueError("A classifier requires y to be passed, but the target y is None.")
    check_plain(y, "y")
    if count_dimensions(y, "y") == 2 and type_of_target(y) == "multilabel-indicator":
        y = check_array(y, accept_sparse="csr", dtype=np.int64, input_name="y")
        y = y.toarray() if issparse(y) else y
        if not np.isin(y, (0, 1)).all():
            raise ValueError(
                f"y of shape {y.shape} holds {np.unique(y).tolist()}: an indicator matrix has 0 "
                "and 1, and other labels are a 1d array."
            )
        check_consistent_length(np.empty(n_beats), y)
        return y
    y = _check_sortable("y", column_or_1d(to_array(y, "y"), warn=True))
    if len(y) != n_beats:
        raise ValueError(f"X has {n_beats} beats, but y has {len(y)} labels: give one per beat.")
    check_classification_targets(y)
    return y


def check_classes(classes: ArrayLike) -> np.ndarray:
    """Check the `classes` of `partial_fit`; return them sorted."""
    labels = to_array(classes, "classes")
    if labels.ndim != 1:
        raise ValueError(f"classes has the shape {labels.shape}, expected a sequence of labels.")
    labels = np.unique(_check_sortable("classes", labels))
    if len(labels) < 2:
        raise ValueError(
            f"classes={labels.tolist()} has only {len(labels)} class(es): a classifier needs at "
            "least 2 classes."
        )
    return labels


def _check_sortable(name: str, labels: np.ndarray) -> np.ndarray:
    """Check that no label is missing and that labels can be sorted."""
    missing = np.flatnonzero(pd.isna(labels))
    if len(missing):
        raise ValueError(
            f"Input {name} contains NaN: {len(missing)} labels are missing, the first at "
            f"position {missing[0]}. Remove these beats or label them."
        )
    try:
        np.unique(labels)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels})
        raise TypeError(
            f"{name} contains labels of the types {kinds}, which cannot be sorted together: give "
            "all labels as one type, such as str."
        ) from error
    return labels


def check_weights(sample_weight: ArrayLike | None, X: RowView) -> np.ndarray:
    """Check the weight of each beat; return it as float64, 1 for None."""
    if sample_weight is not None and not isinstance(sample_weight, Real):
        sample_weight = to_array(sample_weight, "sample_weight")
    weight = _check_sample_weight(sample_weight, np.empty((len(X), 0)), dtype=np.float64)
    if weight.min() < 0:
        raise ValueError(
            f"Negative values in sample_weight: {weight.min()} at position {weight.argmin()}. "
            "Weights must be 0 or more."
        )
    if weight.max() == 0:
        raise ValueError("sample_weight is zero for every beat: at least one must be positive.")
    if not np.isfinite(weight.sum()):
        raise ValueError(f"sample_weight adds up to {weight.sum()}: give smaller weights.")
    return weight


def number_groups(groups: ArrayLike | None, n_beats: int) -> np.ndarray | None:
    """Check the patient of each beat and convert patients to numbers, which can be sorted."""
    if groups is None:
        return None
    return pd.factorize(check_groups(groups, n_beats), sort=True)[0]


def fingerprint(X: RowView, y: np.ndarray | None = None) -> dict[str, Any]:
    """Compute the entry of ``training_data_`` for beats and their labels."""
    of_beats = hashlib.sha256()
    for block in X.blocks():
        of_beats.update(np.ascontiguousarray(block).data)
    found: dict[str, Any] = {"n_beats": len(X), "X_sha256": of_beats.hexdigest()}
    if y is not None:
        if y.ndim == 2:
            labels, counts = np.arange(y.shape[1]), y.sum(axis=0)
        else:
            labels, counts = np.unique(y, return_counts=True)
        found["class_counts"] = dict(zip(labels.tolist(), counts.tolist()))
        of_labels = hashlib.sha256()
        for start in range(0, len(y), _N_LABELS):
            part = y[start : start + _N_LABELS].tolist()
            of_labels.update("".join(f"{label}\n" for label in part).encode())
        found["y_sha256"] = of_labels.hexdigest()
    return found
