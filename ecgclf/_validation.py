"""Checks of input that several packages share."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

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
