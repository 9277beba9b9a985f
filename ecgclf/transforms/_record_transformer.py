"""What the transformers share that need to know from which record a beat is, and when."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._indexing import _safe_indexing
from sklearn.utils.validation import check_array, check_is_fitted, validate_data


class RecordTransformer(TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of the transformers that look at each beat among the others of its record.

    Two columns of `X` say of which record a beat is and where it lies; what else there is are
    the beats. Each record is transformed by itself, so that no record has a part in what is
    said of another. Within a record the beats are taken in order of time; rows may come in
    any order, and come out in the same.

    Attributes
    ----------
    n_features_in_ : int
        Columns of `X`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Only if `X` had string column names.

    Examples
    --------
    >>> class Place(RecordTransformer):
    ...     _takes_rows = False
    ...     _parameter_constraints = {}
    ...     record, sample = 0, 1
    ...     def _of_record(self, samples, rows):
    ...         return np.arange(len(samples))[:, np.newaxis]
    ...     def _names(self):
    ...         return ["place"]
    >>> Place().fit_transform([[100, 720], [101, 300], [100, 360]])
    array([[1],
           [0],
           [0]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "record": [str, Integral],
        "sample": [str, Integral],
    }

    #: Whether columns beside these two are of use.
    _takes_rows = True

    record: str | int
    sample: str | int | None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: Any = None) -> RecordTransformer:
        """Check the beats and the parameters; learn what there is to learn.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_beats, n_columns)
        y : ignored
            Unless a transformer inside uses it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` is empty, lacks a column, or has NaN, infinite or missing values.
        """
        _, _, rows = self._split(X, reset=True)
        self._learn(rows, y)
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Transform each beat, among the others of its record.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_beats, n_columns)

        Returns
        -------
        ndarray of shape (n_beats, n_features)

        Raises
        ------
        ValueError
            As in `fit`; also if `X` has other columns than there.
        """
        check_is_fitted(self)
        self._validate_params()
        records, samples, rows = self._split(X, reset=False)
        rows = self._prepare(rows)
        # By record, and by time within each.
        codes, _ = pd.factorize(records)
        order = np.lexsort((samples, codes))
        starts = np.flatnonzero(np.diff(codes[order])) + 1
        of_records = np.split(order, starts)
        parts = [self._of_record(samples[places], rows[places]) for places in of_records]
        result = np.concatenate(parts)
        back = np.empty_like(result)
        back[order] = result
        return back

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Name the columns that `transform` gives.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "n_features_in_")
        return np.asarray(self._names(), dtype=object)

    def _learn(self, rows: NDArray, y: Any) -> None:
        """Learn from the columns that are no key, of shape (n_beats, n_columns)."""

    def _prepare(self, rows: NDArray) -> NDArray:
        """Transform rows before they are dealt out to their records."""
        return rows

    @abstractmethod
    def _of_record(self, samples: NDArray[np.float64], rows: NDArray) -> NDArray:
        """Transform the beats of one record, in order of time."""

    @abstractmethod
    def _names(self) -> Sequence[str]:
        """Name the columns of the result."""

    def _split(self, X: Any, *, reset: bool) -> tuple[NDArray, NDArray[np.float64], NDArray]:
        """Split into records, positions and the columns beside them."""
        if not hasattr(X, "iloc"):
            # As it is: records may be text, positions numbers.
            X = check_array(X, dtype=None, estimator=self, input_name="X")
        elif not len(X):
            raise ValueError(f"X of shape {X.shape} holds no beat; at least 1 is required.")
        validate_data(self, X, reset=reset, skip_check_array=True)
        keys = [self._place(X, name) for name in ("record", "sample")]
        others = [i for i in range(X.shape[1]) if i not in keys]
        if self._takes_rows and not others:
            raise ValueError(
                f"X has {X.shape[1]} feature(s), which name the record and the position; beside "
                f"them {type(self).__name__} needs columns of beats"
            )

        def columns(places: list[int]) -> NDArray:
            return check_array(
                _safe_indexing(X, places, axis=1),
                dtype=(np.float64, np.float32),
                estimator=self,
                input_name="X",
            )

        records = np.asarray(_safe_indexing(X, keys[0], axis=1))
        missing = np.flatnonzero(pd.isna(records))
        if len(missing):
            raise ValueError(
                f"the record of {len(missing):,} beats is missing or NaN, the first in row "
                f"{missing[0]}: each beat needs one"
            )
        if keys[1] is None:
            samples = np.arange(len(records), dtype=np.float64)
        else:
            samples = columns([keys[1]])[:, 0].astype(np.float64)
        rows = columns(others) if self._takes_rows else np.empty((len(records), 0))
        return records, samples, rows

    def _place(self, X: Any, name: str) -> int | None:
        """Find the column that a parameter names, by name or position."""
        key = getattr(self, name)
        if key is None:
            return None
        if isinstance(key, str):
            columns = list(getattr(X, "columns", []))
            if key not in columns:
                had = f"columns {columns[:5]} ..." if columns else "no column names"
                raise ValueError(
                    f"X has no column {key!r}, but {had}: give a DataFrame with that column, "
                    f"or name another with {name}=, by name or position"
                )
            return columns.index(key)
        n_columns = X.shape[1]
        if not -n_columns <= key < n_columns:
            raise ValueError(
                f"{name}={key} names no column of X, which has {n_columns} feature(s): give the "
                "record and the position of each beat in columns of their own"
            )
        return key % n_columns

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags
