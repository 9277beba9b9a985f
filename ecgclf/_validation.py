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


def count_dimensions(X: Any, name: str = "X") -> int:
    """Count the dimensions of an array, a frame, nested lists or anything array-like."""
    return (X if hasattr(X, "ndim") else to_array(X, name)).ndim


def check_axes(
    shape: tuple[int, ...],
    *,
    name: str = "X",
    how: str = "X.transpose(0, 2, 1)",
    warn: bool = True,
) -> None:
    """Check that the leads and the samples of 3-D beats are not exchanged.

    Several leads of one sample, as in the layout (n_beats, n_samples, 1) of Keras, are an error.
    More leads than samples give a warning, unless `warn` is False, because spectrograms may have
    more frequencies than frames. Messages use `name`, the argument, and `how`, code that
    exchanges its axes.
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


def to_array(values: Any, name: str = "X") -> np.ndarray:
    """Convert an argument to an array of numbers, text or plain objects, in native byte order.

    Text of numpy's StringDType becomes fixed-width text. Ragged lists, masked values, dates,
    complex numbers, fields, sequences as values, and lists of text and something else are errors.
    """
    check_plain(values, name)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} is no array: it is inhomogeneous or its entries have several lengths. Give "
            f"one entry of the same shape per beat ({error})."
        ) from error
    if array.dtype.kind == "T":
        array = array.astype(object)
        array = array if pd.isna(array).any() else array.astype(np.str_)
    check_plain(array, name)
    if array.dtype.kind == "O":
        nested = [v for v in array.ravel() if isinstance(v, (list, tuple, dict, set, np.ndarray))]
        if nested:
            raise ValueError(
                f"{name} has values of type {type(nested[0]).__name__}; expected one number or "
                "text in each place."
            )
    if array.dtype.kind in "US" and isinstance(values, (list, tuple)) and array.ndim == 1:
        others = {type(v).__name__ for v in values if not isinstance(v, (str, bytes))}
        if others:
            raise ValueError(
                f"{name} contains both text and {', '.join(sorted(others))}. Give all values as "
                "one type, such as str."
            )
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_plain(X: Any, name: str = "X") -> None:
    """Raise a ValueError if an array has masked values, dates, complex numbers or fields."""
    if np.ma.is_masked(X):
        raise ValueError(
            f"{name} is a masked array with {np.ma.count_masked(X)} masked values. Fill them in "
            "or leave out their beats."
        )
    kind = getattr(getattr(X, "dtype", None), "kind", "")
    if kind in set("cmMV"):
        reason = "Complex data not supported" if kind == "c" else "expected real numbers or text"
        raise ValueError(f"{name} has the type {X.dtype}: {reason}. Convert it.")


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
    """Check that `groups` has one value per beat and none is missing; return an array."""
    array = to_array(groups, name)
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

    Both are names or positions; with ``sample=None`` the rows are in order of time. Returns the
    record and the position of each beat, and the positions of the other columns of `X`.
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
