"""Compare each beat with others of its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import HasMethods, Interval

from ecgclf.transforms._record_transformer import RecordTransformer

_N_BEATS = [Interval(Integral, 1, None, closed="left"), None]

#: How the name of a feature tells what was done with it.
_WORDS: dict[Any, str] = {np.divide: "over", np.subtract: "minus"}


class RecordRelative(RecordTransformer):
    """Features over their running mean in the record.

    Amplitudes and widths differ from patient to patient more than from beat to beat. Divided
    by their mean over the last beats of the same record they say what is new in a beat, and
    that holds for other patients too. The mean of the last `n_beats` includes the beat itself
    (and is of as many as there are at the beginning of a record), so it is causal; that of
    the whole record is not.

    Parameters
    ----------
    transformer : transformer, optional
        Makes features of the columns beside `record` and `sample`, for example
        `MorphologyFeatures`. It is cloned. None takes these columns themselves.
    n_beats : int or None, default=32
        Beats of the running mean; None takes the mean over the whole record.
    relation : callable, default=numpy.divide
        Called with features and means, both of shape (n_beats, n_features). Features that can
        be 0 on average ask for `numpy.subtract`.
    record, sample : str or int, default="record", "sample"
        Columns of `X` with the record of each beat and its position: names in a DataFrame,
        positions in an array. With ``sample=None`` the rows are in order of time.

    Attributes
    ----------
    transformer_ : transformer or None
        The fitted transformer.

    Notes
    -----
    Means pass over NaN. A feature over a mean of 0 is NaN.

    Examples
    --------
    >>> from ecgclf.transforms import RecordRelative
    >>> X = [[100, 1, 0.08], [100, 2, 0.08], [100, 3, 0.14], [101, 1, 0.14], [101, 2, 0.14]]
    >>> RecordRelative(record=0, sample=1).fit_transform(X).round(2).ravel()
    array([1. , 1. , 1.4, 1. , 1. ])
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordTransformer._parameter_constraints,
        "sample": [str, Integral, None],
        "transformer": [HasMethods(["fit", "transform"]), None],
        "n_beats": _N_BEATS,
        "relation": [callable],
    }

    def __init__(
        self,
        transformer: BaseEstimator | None = None,
        *,
        n_beats: int | None = 32,
        relation: Callable[[NDArray, NDArray], NDArray] = np.divide,
        record: str | int = "record",
        sample: str | int | None = "sample",
    ) -> None:
        self.transformer = transformer
        self.n_beats = n_beats
        self.relation = relation
        self.record = record
        self.sample = sample

    def _learn(self, rows: NDArray, y: Any) -> None:
        self.transformer_ = None
        if self.transformer is not None:
            self.transformer_ = clone(self.transformer).fit(rows, y)

    def _prepare(self, rows: NDArray) -> NDArray:
        if self.transformer_ is None:
            return rows
        return np.asarray(self.transformer_.transform(rows))  # which may be a frame

    def _of_record(self, samples: NDArray[np.float64], rows: NDArray) -> NDArray:
        values = np.asarray(rows, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            related = self.relation(values, _mean(values, self.n_beats))
        # No estimator takes infinity; forests take NaN.
        return np.where(np.isfinite(related), related, np.nan)

    def _names(self) -> Sequence[str]:
        word = _WORDS.get(self.relation, getattr(self.relation, "__name__", "to"))
        span = "record" if self.n_beats is None else str(self.n_beats)
        return [f"{name}_{word}_mean_{span}" for name in self._names_before()]

    def _names_before(self) -> Sequence[str]:
        if self.transformer_ is not None:
            return list(self.transformer_.get_feature_names_out())
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        keys = [self.record, self.sample]
        places = [key % len(names) for key in keys if isinstance(key, int)]
        return [n for i, n in enumerate(names) if i not in places and n not in keys]


class TemplateCorrelation(RecordTransformer):
    """Correlation of each beat with the median beat of its record.

    Near 1 for a beat of the usual shape, whatever that shape is in this patient and whatever
    its amplitude. Over the whole record the median needs later beats; over the last `n_beats`
    it is causal.

    Parameters
    ----------
    n_beats : int or None, default=None
        The median is over so many beats that end with the beat itself, or as many as there
        are at the beginning of a record; None takes all beats of the record.
    record, sample : str or int, default="record", "sample"
        Columns of `X` with the record of each beat and its position: names in a DataFrame,
        positions in an array. With ``sample=None`` the rows are in order of time. All other
        columns are the samples of the beat, of one lead or of several side by side.

    Notes
    -----
    A beat without any change in it, and one whose median beat has none, has no correlation: it
    is NaN.

    Examples
    --------
    >>> from ecgclf.transforms import TemplateCorrelation
    >>> X = [[100, 1, 0, 1, 0], [100, 2, 0, 2, 0], [100, 3, 0, 1, 0], [100, 4, 1, 0, 1]]
    >>> TemplateCorrelation(record=0, sample=1).fit_transform(X).round(2).ravel()
    array([ 1.,  1.,  1., -1.])
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordTransformer._parameter_constraints,
        "sample": [str, Integral, None],
        "n_beats": _N_BEATS,
    }

    def __init__(
        self,
        n_beats: int | None = None,
        *,
        record: str | int = "record",
        sample: str | int | None = "sample",
    ) -> None:
        self.n_beats = n_beats
        self.record = record
        self.sample = sample

    def _of_record(self, samples: NDArray[np.float64], rows: NDArray) -> NDArray:
        beats = np.asarray(rows, dtype=np.float64)
        return _correlation(beats, _median(beats, self.n_beats))[:, np.newaxis]

    def _names(self) -> Sequence[str]:
        span = "record" if self.n_beats is None else str(self.n_beats)
        return [f"correlation_median_{span}"]


def _mean(values: NDArray[np.float64], n_beats: int | None) -> NDArray[np.float64]:
    if n_beats is None:
        return pd.DataFrame(values).mean().to_numpy()
    return pd.DataFrame(values).rolling(n_beats, min_periods=1).mean().to_numpy()


def _median(beats: NDArray[np.float64], n_beats: int | None) -> NDArray[np.float64]:
    if n_beats is None:
        return np.broadcast_to(np.median(beats, axis=0), beats.shape)
    return pd.DataFrame(beats).rolling(n_beats, min_periods=1).median().to_numpy()


def _correlation(beats: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of each row with that of another array, NaN where there is none."""
    flat = (np.ptp(beats, axis=1) == 0) | (np.ptp(others, axis=1) == 0)
    beats = beats - beats.mean(axis=1, keepdims=True)
    others = others - others.mean(axis=1, keepdims=True)
    size = np.linalg.norm(beats, axis=1) * np.linalg.norm(others, axis=1)
    size[flat] = np.nan
    return np.einsum("ij,ij->i", beats, others) / size
