"""What all samplers share: beats of several leads in and out, and arrays that follow them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from imblearn.utils import check_target_type
from numpy.typing import ArrayLike
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, check_is_fitted, validate_data

from ecgclf._validation import check_not_masked, count_dimensions


class TakesBeats:
    """Let a sampler of imbalanced-learn take beats of several leads, and complete ones only.

    To be named before the sampler among the bases of a class.
    """

    def fit(self, X: Any, y: ArrayLike, **params: Any) -> Any:
        """Check the beats and count how many are to be made; nothing is resampled.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
        y : array-like of shape (n_beats,)
        **params : object
            Of the sampler, as in `fit_resample`.

        Returns
        -------
        self
        """
        check_complete(y)
        X, self.n_leads_in_ = flat_beats(X)
        return super().fit(X, y, **params)  # type: ignore[misc]

    def fit_resample(self, X: Any, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        """Resample the beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
            The beats; of one type in and out: an array, a frame or lists.
        y : array-like of shape (n_beats,)
            Their labels.
        **params : object
            Of the sampler, where it takes any.

        Returns
        -------
        X : of shape (n_new_beats, n_columns) or (n_new_beats, n_leads, n_samples)
        y : of shape (n_new_beats,)

        Raises
        ------
        ValueError
            If `X` is empty, holds NaN or infinite values or is neither 2-D nor 3-D, `y` has
            another length or only one class, or a parameter is out of its range.
        """
        check_complete(y)
        rows, self.n_leads_in_ = flat_beats(X)
        rows, y = self._resample_rows(rows, y, **params)
        if self.n_leads_in_ is None:
            return rows, y
        beats = rows.reshape(len(rows), self.n_leads_in_, rows.shape[1] // self.n_leads_in_)
        return (beats.tolist() if isinstance(X, list) else beats), y

    def _resample_rows(self, X: Any, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        """Resample beats whose leads stand one after another."""
        return super().fit_resample(X, y, **params)  # type: ignore[misc]

    def carry(self, *arrays: Any) -> Any:
        """Let other arrays follow the beats: patients, weights, features, positions.

        Parameters
        ----------
        *arrays : array-like of shape (n_beats, ...)
            With an entry for each beat that was given to `fit_resample`.

        Returns
        -------
        array-like of shape (n_new_beats, ...), or list of such
            Of each beat of the result the entry of the beat it was made from. An array for
            one array, and a list for several.

        Raises
        ------
        NotFittedError
            If there is no ``sample_indices_``: before `fit_resample`, and of samplers that do
            not tell what a beat was made from.
        ValueError
            If an array has another length than the beats had.
        """
        check_is_fitted(
            self,
            "sample_indices_",
            msg="%(name)s has no sample_indices_: call fit_resample first. Samplers that do not "
            "tell what a beat was made from, such as SMOTEENN, have none even then.",
        )
        for place, array in enumerate(arrays):
            if _num_samples(array) != self.n_beats_in_:
                raise ValueError(
                    f"array {place} has {_num_samples(array)} entries, expected "
                    f"{self.n_beats_in_}: one for each beat that was given to fit_resample."
                )
        rows = self.sample_indices_  # type: ignore[attr-defined]  # set by the sampler
        carried = [_safe_indexing(array, rows) for array in arrays]
        return carried[0] if len(carried) == 1 else carried

    def _check_X_y(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, bool]:  # noqa: N802
        """Check beats and labels; a hook of imbalanced-learn."""
        y, binarized = check_target_type(y, indicate_one_vs_all=True)
        if hasattr(X, "sparse"):  # a frame of sparse columns, which the result will be too
            X = X.sparse.to_dense()
        X, y = validate_data(self, X=X, y=y, reset=True)
        self.n_beats_in_: int = len(X)
        return X, y, binarized

    def __sklearn_tags__(self) -> Any:
        return tags_for_beats(super().__sklearn_tags__())  # type: ignore[misc]


def tags_for_beats(tags: Any) -> Any:
    """Let the tags of a sampler say what `TakesBeats` takes and refuses."""
    tags.input_tags.three_d_array = True
    tags.input_tags.sparse = False
    tags.input_tags.string = False
    tags.input_tags.allow_nan = False
    return tags


def check_complete(y: Any) -> None:
    """Check that no label is missing.

    Raises
    ------
    ValueError
        If one is NaN or None.
    """
    missing = 0 if y is None else np.count_nonzero(pd.isna(np.asarray(y)))
    if missing:
        raise ValueError(
            f"y misses the labels (NaN or None) of {missing} beats: label them or leave them out."
        )


def flat_beats(X: Any) -> tuple[Any, int | None]:
    """Lay the leads of each beat one after another.

    Parameters
    ----------
    X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)

    Returns
    -------
    X : array-like of shape (n_beats, n_columns)
        What was 2-D is left as it is, to be checked by others.
    n_leads : int or None
        None of what was 2-D.

    Raises
    ------
    ValueError
        If `X` has another number of dimensions or masked values.
    """
    n_dimensions = count_dimensions(X)
    if n_dimensions not in (2, 3):
        raise ValueError(
            f"X has {n_dimensions} dimension(s), expected the shape (n_beats, n_columns) or "
            "(n_beats, n_leads, n_samples). Reshape your data: X[np.newaxis] is one beat."
        )
    check_not_masked(X)
    if n_dimensions == 2:
        return X, None
    beats = np.asarray(X)
    n_beats, n_leads, n_samples = beats.shape
    return beats.reshape(n_beats, n_leads * n_samples), n_leads
