"""Checks of input that several packages share."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils._indexing import _safe_indexing
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array

#: Constraints of parameters, for `_parameter_constraints`.
POSITIVE = Interval(Real, 0, np.inf, closed="neither")
NOT_NEGATIVE = Interval(Real, 0, np.inf, closed="left")
POSITIVE_INTEGER = Interval(Integral, 1, None, closed="left")
NOT_NEGATIVE_INTEGER = Interval(Integral, 0, None, closed="left")


def is_number(value: object) -> bool:
    """Return whether a value is a finite real number; booleans are not."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(float(value))


def count_dimensions(X: Any) -> int:
    """Count the dimensions of an array, a frame, nested lists or anything array-like."""
    return (X if hasattr(X, "ndim") else np.asarray(X)).ndim


def check_axes(
    shape: tuple[int, ...],
    *,
    name: str = "X",
    how: str = "X.transpose(0, 2, 1)",
    warn: bool = True,
) -> None:
    """Check that the leads and the samples of 3-D beats are not exchanged.

    Parameters
    ----------
    shape : tuple of int
        Shape of the beats, (n_beats, n_leads, n_samples).
    name : str, default="X"
        Name of the argument, for messages.
    how : str, default="X.transpose(0, 2, 1)"
        Code that exchanges the axes, for messages.
    warn : bool, default=True
        Warn if there are more leads than samples. Spectrograms may have more frequencies than
        frames, so False where they are valid too.

    Raises
    ------
    ValueError
        If there are several leads of one sample, as in the layout (n_beats, n_samples, 1) of
        Keras.
    """
    n_leads, n_samples = shape[1:]
    if n_leads <= n_samples or not n_samples:
        return
    advice = f"If the leads are on its last axis, as in Keras, pass {how}."
    if n_samples == 1:
        raise ValueError(
            f"{name} of shape {shape} has {n_leads} leads of 1 sample, expected the shape "
            f"(n_beats, n_leads, n_samples). {advice}"
        )
    if warn:
        warnings.warn(
            f"{name} of shape {shape} has {n_leads} leads of only {n_samples} samples. {advice}",
            UserWarning,
            stacklevel=4,
        )


def check_not_masked(X: Any) -> None:
    """Raise a ValueError if `X` is a masked array with masked values."""
    if np.ma.is_masked(X):
        raise ValueError(
            f"X is a masked array with {np.ma.count_masked(X)} masked values. Fill them in or "
            "leave out their beats."
        )


def check_same_length(first: Any, name: str, second: Any, than: str = "y_true") -> None:
    """Raise a ValueError if `second`, called `name`, is longer or shorter than `first`."""
    if len(first) != len(second):
        raise ValueError(
            f"{name} has {len(second)} entries, but {than} has {len(first)}; both need one entry "
            "per beat."
        )


def check_groups(
    groups: ArrayLike, n_beats: int, *, name: str = "groups", of: str = "patient"
) -> np.ndarray:
    """Check that `groups` has one value per beat and none is missing; return an array.

    Error messages use `name`, the argument, and `of`, such as "patient" or "record".
    """
    array = np.asarray(groups)
    if array.shape != (n_beats,):
        raise ValueError(
            f"{name} has the shape {array.shape}, expected ({n_beats},): give one {of} per beat."
        )
    if missing := int(pd.isna(array).sum()):
        raise ValueError(
            f"{name} contains missing values: the {of} of {missing} of {n_beats} beats is NaN or "
            f"None. Give the {of} of every beat."
        )
    return array


def new_random_state(
    random_state: int | np.random.RandomState | None,
) -> np.random.RandomState:
    """Return the generator for a `random_state`; None gives a new one, not numpy's global one."""
    return np.random.RandomState() if random_state is None else check_random_state(random_state)


def samples_per_lead(n_columns: int, n_leads: int, n_tabular: int) -> int:
    """Compute the number of samples of each lead in the rows of a 2-D `X`.

    A row has `n_leads` leads of equal length, followed by `n_tabular` per-beat features.
    """
    width = n_columns - n_tabular
    if width < n_leads or width % n_leads:
        raise ValueError(
            f"X has {n_columns} columns, of which n_tabular={n_tabular} are per-beat features; "
            f"the other {width} cannot be divided among n_leads={n_leads} leads of equal length. "
            "Change n_leads or n_tabular."
        )
    return width // n_leads


def check_no_tabular(shape: tuple[int, ...], n_tabular: int) -> None:
    """Raise a ValueError if 3-D beats are to have per-beat features."""
    if n_tabular:
        raise ValueError(
            f"X of shape {shape} has no room for the n_tabular={n_tabular} features of each "
            "beat. Flatten the leads, np.column_stack([X.reshape(len(X), -1), features]), and "
            "set n_leads."
        )


def record_columns(estimator: Any, X: Any) -> tuple[NDArray, NDArray[np.float64], list[int]]:
    """Read the columns of `X` that the parameters `record` and `sample` of an estimator name.

    Parameters
    ----------
    estimator : estimator
        Its `record` and `sample` are names of columns or their positions. `sample` may be None:
        the rows are in order of time.
    X : DataFrame or array of shape (n_beats, n_columns)
        The beats.

    Returns
    -------
    records : ndarray of shape (n_beats,)
        Record of each beat, of any type.
    samples : ndarray of shape (n_beats,)
        Position of each beat in its record.
    others : list of int
        Positions of the other columns of `X`.

    Raises
    ------
    ValueError
        If `X` lacks a column, a record is missing, or a position is not a finite number.
    """
    names = ("record", "sample")
    places = [column_position(X, name, getattr(estimator, name)) for name in names]
    records = np.asarray(_safe_indexing(X, places[0], axis=1))
    missing = np.flatnonzero(pd.isna(records))
    if len(missing):
        raise ValueError(
            f"the record of {len(missing):,} beats is missing or NaN, the first in row "
            f"{missing[0]}. Give the record of every beat."
        )
    if places[1] is None:
        samples = np.arange(len(records), dtype=np.float64)
    else:
        column = np.asarray(_safe_indexing(X, places[1], axis=1))[:, np.newaxis]
        checked = check_array(column, dtype=np.float64, estimator=estimator, input_name="X")
        samples = checked[:, 0]
    return records, samples, [i for i in range(X.shape[1]) if i not in places]


def column_position(X: Any, name: str, key: str | int | None) -> int | None:
    """Find the position of the column that the parameter `name` has the value `key` for."""
    if key is None:
        return None
    if isinstance(key, str):
        columns = list(getattr(X, "columns", []))
        if key not in columns:
            had = f"columns {columns[:5]} ..." if columns else "no column names"
            raise ValueError(
                f"X has no column {key!r}, but {had}. Pass a DataFrame with that column, or "
                f"set {name} to the name or the position of another."
            )
        return columns.index(key)
    n_columns = X.shape[1]
    if not -n_columns <= key < n_columns:
        raise ValueError(
            f"{name}={key} is not a column of X, which has {n_columns} feature(s). Add a "
            "column with the record of each beat and one with its position."
        )
    return key % n_columns
