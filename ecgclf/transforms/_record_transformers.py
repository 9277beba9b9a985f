"""Transformers that compare each beat with the other beats of its record."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, Self

import bottleneck as bn
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils._indexing import _safe_indexing
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ecgclf._parameters import Column, Parameterized, PositiveFloat, PositiveInt
from ecgclf._sklearn import BaseEstimator, TransformerMixin, _fit_context
from ecgclf._validation import record_columns
from ecgclf.datasets import RHYTHM_FEATURES, RHYTHM_NAMES, rhythm_features
from ecgclf.transforms._beat_transformer import NamedFeatures

#: Names of relations in the names of features.
_RELATIONS: dict[Any, str] = {np.divide: "over", np.subtract: "minus"}


class RecordTransformer(
    Parameterized, NamedFeatures, TransformerMixin, BaseEstimator, metaclass=ABCMeta
):
    """Base class of the transformers that use the record and the position of each beat.

    Two columns of `X` contain the record and the position; the other columns are the beats.
    Each record is transformed independently, in order of time. The rows of `X` may have any
    order, and the output has the same.

    Parameters
    ----------
    record : str or int, default="record"
        Column of `X` with the record of each beat: a name in a DataFrame, a position in an
        array.
    sample : str, int or None, default="sample"
        Column of `X` with the position of each beat in its record. None if the rows are in
        order of time.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of `X`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only if `X` had string column names.
    """

    _: KW_ONLY
    record: Column = "record"
    sample: Column | None = "sample"

    #: Whether the transformer uses columns other than record and position.
    _takes_rows: ClassVar[bool] = True

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Check the parameters and the beats, and fit the transformer.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_beats, n_columns)
            Beats, with their record and position.
        y : ignored
            Passed to a transformer inside, if there is one.

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
        """Transform each beat.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_beats, n_columns)
            Beats, with their record and position; all beats of each record.

        Returns
        -------
        ndarray of shape (n_beats, n_features)

        Raises
        ------
        ValueError
            As in `fit`, or if `X` has other columns than in `fit`.
        """
        check_is_fitted(self)
        self._validate_params()
        records, samples, rows = self._split(X, reset=False)
        rows = self._prepare(rows)
        codes, _ = pd.factorize(records)
        order = np.lexsort((samples, codes))  # by record, then by time
        starts = np.flatnonzero(np.diff(codes[order])) + 1
        of_records = np.split(order, starts)
        parts = [self._of_record(samples[places], rows[places]) for places in of_records]
        result = np.concatenate(parts)
        back = np.empty_like(result)
        back[order] = result
        return back

    def _learn(self, rows: NDArray, y: Any) -> None:
        """Fit to the columns of the beats, of shape (n_beats, n_columns)."""

    def _prepare(self, rows: NDArray) -> NDArray:
        """Transform the beats before they are grouped by record."""
        return rows

    @abstractmethod
    def _of_record(self, samples: NDArray[np.float64], rows: NDArray) -> NDArray:
        """Transform the beats of one record, in order of time."""

    def _split(self, X: Any, *, reset: bool) -> tuple[NDArray, NDArray[np.float64], NDArray]:
        """Split `X` into records, positions and beats."""
        if not hasattr(X, "iloc"):
            # Records may be strings, so no conversion to numbers.
            X = check_array(X, dtype=None, estimator=self, input_name="X")
        elif not len(X):
            raise ValueError(f"X of shape {X.shape} contains no beat; at least 1 is required.")
        validate_data(self, X, reset=reset, skip_check_array=True)
        records, samples, others = record_columns(self, X)
        if not self._takes_rows:
            return records, samples, np.empty((len(records), 0))
        if not others:
            raise ValueError(
                f"X has {X.shape[1]} feature(s), the record and the position. "
                f"{type(self).__name__} also needs columns with the beats."
            )
        rows = check_array(
            _safe_indexing(X, others, axis=1),
            dtype=(np.float64, np.float32),
            estimator=self,
            input_name="X",
        )
        return records, samples, rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


class RhythmFeatures(RecordTransformer):
    """RR intervals and their ratios, from the record and the position of each beat.

    The features are those of `ecgclf.datasets.rhythm_features`, computed for each record. The
    default is all features that compare intervals with each other: see :doc:`/features`.

    `X` must contain **all** beats of a record, in `fit` and in `transform`, because a missing
    beat joins two intervals into one. Columns other than `record` and `sample` are ignored.
    Duplicated beats, as resampling makes them, count once. The features of a record with a
    single beat are NaN.

    Parameters
    ----------
    features : sequence of str, optional
        Names from ``ecgclf.datasets.RHYTHM_FEATURES``, in the order of the output. By default
        all that `causal` and `absolute` allow.
    causal : bool, default=False
        Whether to use only features that need no later beat, as is required during recording.
    absolute : bool, default=False
        Whether to add intervals in seconds, which need `fs`. They reveal the heart rate and
        thereby the patient: use them only if all patients are in the training set.
    fs : float, optional
        Sampling rate of the positions in Hz. Relative features do not need it.
    sample : str or int, default="sample"
        Column of `X` with the position of each beat in samples.

    Examples
    --------
    >>> from ecgclf.transforms import RhythmFeatures
    >>> X = [[100, 0], [100, 360], [100, 720], [100, 900], [101, 0], [101, 90]]
    >>> early = RhythmFeatures(["rr_prev_over_mean_10"], record=0, sample=1)
    >>> early.fit_transform(X).round(2).ravel()
    array([1. , 1. , 1. , 0.6, 1. , 1. ], dtype=float32)
    """

    features: Annotated[Sequence[str], "array-like"] | None = None
    _: KW_ONLY
    sample: Column = "sample"
    causal: bool = False
    absolute: bool = False
    fs: PositiveFloat | None = None

    _takes_rows: ClassVar[bool] = False

    def _learn(self, rows: NDArray, y: Any) -> None:
        self._output_names()

    def _of_record(self, samples: NDArray[np.float64], rows: NDArray) -> NDArray:
        columns = [RHYTHM_NAMES.index(name) for name in self._output_names()]
        beats, place = np.unique(samples, return_inverse=True)
        return rhythm_features(beats, 1.0 if self.fs is None else self.fs)[place][:, columns]

    def _output_names(self) -> list[str]:
        known = {feature.name: feature for feature in RHYTHM_FEATURES}
        if self.features is None:
            chosen = [f for f in RHYTHM_FEATURES if f.relative or self.absolute]
            chosen = [f for f in chosen if f.causal or not self.causal]
        else:
            names = list(self.features)
            unknown = [name for name in names if name not in known]
            if unknown or not names or len(set(names)) < len(names):
                raise ValueError(
                    f"features={names!r}: expected one or more different names out of "
                    f"{', '.join(known)}" + (f"; unknown: {unknown}." if unknown else ".")
                )
            chosen = [known[name] for name in names]
        late = [feature.name for feature in chosen if self.causal and not feature.causal]
        if late:
            raise ValueError(
                f"causal=True excludes {', '.join(late)}, which need later beats. Remove them "
                "from features, or set causal=False."
            )
        in_seconds = [feature.name for feature in chosen if not feature.relative]
        if in_seconds and self.fs is None:
            raise ValueError(
                f"{', '.join(in_seconds)} are in seconds. Set fs to the sampling rate of the "
                "positions in Hz."
            )
        return [feature.name for feature in chosen]


class RecordRelative(RecordTransformer):
    """Features divided by their running mean in the record.

    Amplitudes and widths differ more between patients than between beats. Divided by their
    mean over the last beats of the record, they show what is new in a beat, which generalises
    to other patients. The mean of the last `n_beats` includes the beat itself (and fewer beats
    at the start of a record), so it is causal; the mean of the whole record is not. Means ignore
    NaN. A feature divided by a mean of 0 is NaN.

    Parameters
    ----------
    transformer : transformer, optional
        Transformer, such as `MorphologyFeatures`, that computes the features from the columns
        other than `record` and `sample`. It is cloned. By default these columns are the
        features.
    n_beats : int or None, default=32
        Number of beats of the running mean. None takes the mean over the whole record.
    relation : callable, default=numpy.divide
        Function of features and means, both of shape (n_beats, n_features). Use
        `numpy.subtract` for features with a mean near 0.

    Attributes
    ----------
    transformer_ : transformer or None
        The fitted transformer.

    Examples
    --------
    >>> from ecgclf.transforms import RecordRelative
    >>> X = [[100, 1, 0.08], [100, 2, 0.08], [100, 3, 0.14], [101, 1, 0.14], [101, 2, 0.14]]
    >>> RecordRelative(record=0, sample=1).fit_transform(X).round(2).ravel()
    array([1. , 1. , 1.4, 1. , 1. ])
    """

    transformer: Annotated[BaseEstimator, HasMethods(["fit", "transform"])] | None = None
    _: KW_ONLY
    n_beats: PositiveInt | None = 32
    relation: Callable[[NDArray, NDArray], NDArray] = np.divide

    def _learn(self, rows: NDArray, y: Any) -> None:
        self.transformer_ = None
        if self.transformer is not None:
            self.transformer_ = clone(self.transformer).fit(rows, y)

    def _prepare(self, rows: NDArray) -> NDArray:
        if self.transformer_ is None:
            return rows
        return np.asarray(self.transformer_.transform(rows))  # may be a frame

    def _of_record(self, samples: NDArray[np.float64], rows: NDArray) -> NDArray:
        values = np.asarray(rows, dtype=np.float64)
        known = np.where(np.isfinite(values), values, np.nan)
        if self.n_beats is None:
            means = np.broadcast_to(bn.nanmean(known, axis=0), values.shape)
        else:
            means = bn.move_mean(known, min(self.n_beats, len(known)), min_count=1, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            related = self.relation(values, means)
        # Estimators refuse infinity; some, such as forests, take NaN.
        return np.where(np.isfinite(related), related, np.nan)

    def _output_names(self) -> Sequence[str]:
        if self.transformer_ is not None:
            names = list(self.transformer_.get_feature_names_out())
        else:
            default = [f"x{i}" for i in range(self.n_features_in_)]
            names = list(getattr(self, "feature_names_in_", default))
            keys = [self.record, self.sample]
            places = [key % len(names) for key in keys if isinstance(key, int)]
            names = [n for i, n in enumerate(names) if i not in places and n not in keys]
        relation = _RELATIONS.get(self.relation, getattr(self.relation, "__name__", "to"))
        span = "record" if self.n_beats is None else str(self.n_beats)
        return [f"{name}_{relation}_mean_{span}" for name in names]


class TemplateCorrelation(RecordTransformer):
    """Correlation of each beat with the median beat of its record.

    It is near 1 for a beat of the usual shape of this patient, whatever its amplitude [1]_. The
    median over the whole record needs later beats; the median over the last `n_beats` is
    causal. All columns of `X` except `record` and `sample` are the samples of the beat, of one
    lead or of several leads side by side. The correlation is NaN if the beat or the median beat
    is constant.

    Parameters
    ----------
    n_beats : int or None, default=None
        Number of beats of the running median, which ends with the beat itself and has fewer
        beats at the start of a record. None takes all beats of the record.

    References
    ----------
    .. [1] Orphanidou C et al. Signal-quality indices for the electrocardiogram and
       photoplethysmogram: derivation and applications to wireless monitoring. IEEE J Biomed
       Health Inform 19(3), 2015.

    Examples
    --------
    >>> from ecgclf.transforms import TemplateCorrelation
    >>> X = [[100, 1, 0, 1, 0], [100, 2, 0, 2, 0], [100, 3, 0, 1, 0], [100, 4, 1, 0, 1]]
    >>> TemplateCorrelation(record=0, sample=1).fit_transform(X).round(2).ravel()
    array([ 1.,  1.,  1., -1.])
    """

    n_beats: PositiveInt | None = None

    def _of_record(self, samples: NDArray[np.float64], rows: NDArray) -> NDArray:
        beats = np.asarray(rows, dtype=np.float64)
        if self.n_beats is None:
            templates = np.broadcast_to(np.median(beats, axis=0), beats.shape)
        else:
            window = min(self.n_beats, len(beats))
            # Columns that are contiguous in memory take half the time.
            templates = bn.move_median(np.ascontiguousarray(beats.T), window, min_count=1).T
        return _correlation(beats, templates)[:, np.newaxis]

    def _output_names(self) -> Sequence[str]:
        span = "record" if self.n_beats is None else str(self.n_beats)
        return [f"correlation_median_{span}"]


def _correlation(beats: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute Pearson's correlation row by row; NaN for constant rows."""
    constant = (np.ptp(beats, axis=1) == 0) | (np.ptp(others, axis=1) == 0)
    beats = beats - beats.mean(axis=1, keepdims=True)
    others = others - others.mean(axis=1, keepdims=True)
    size = np.linalg.norm(beats, axis=1) * np.linalg.norm(others, axis=1)
    size[constant] = np.nan
    return np.einsum("ij,ij->i", beats, others) / size
