"""Base classes of the transformers of beats."""

from __future__ import annotations

from abc import ABC, ABCMeta, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._set_output import _auto_wrap_is_configured, _get_output_config
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_array,
    check_is_fitted,
    validate_data,
)

from ecgclf._parameters import Parameterized
from ecgclf._sklearn import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from ecgclf._validation import check_axes, check_plain, count_dimensions


class NamedFeatures(ABC):
    """Mixin of the transformers that name their output columns in `_output_names`."""

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Get the names of the output columns.

        Parameters
        ----------
        input_features : array-like of str or None
            Names of the columns of `X`. They are checked but not used.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "n_features_in_")
        _check_feature_names_in(self, input_features, generate_names=False)
        return np.array(self._output_names(), dtype=object)

    @abstractmethod
    def _output_names(self) -> Sequence[str]:
        """List the names of the output columns."""


class BeatTransformer(Parameterized, TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of the transformers of beats.

    `fit` and `transform` take 2-D and 3-D beats. A subclass implements `_change` for 3-D beats
    only, as in :doc:`/signals`; their values are finite and float32 or float64. `transform` works
    without `fit`, unless a subclass sets `_stateless` to False and implements `_learn`.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of a 2-D `X`; of a 3-D `X`, leads times samples.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only if `X` had string column names.
    n_leads_ : int
        Number of leads of a beat.
    n_samples_ : int
        Number of samples of a lead of a beat.
    """

    #: Whether `transform` works without `fit`.
    _stateless: ClassVar[bool] = True

    #: Whether `_change` returns signals, which become 2-D again if the beats were 2-D.
    _gives_signals: ClassVar[bool] = True

    #: Whether NaN is a result, such as the width of a wave that a beat does not have.
    _gives_nan: ClassVar[bool] = False

    #: Smallest number of samples of a beat.
    _min_samples: ClassVar[int] = 1

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Check the parameters and the beats, and fit the transformer.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            Beats.
        y : ignored
            Exists for compatibility with scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` is empty, contains NaN or infinite values or has another number of
            dimensions, or if a parameter does not fit it.
        """
        self._learn(self._check_signals(X, reset=True))
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Transform each beat.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            Beats of the same shape as in `fit`.

        Returns
        -------
        ndarray
            One row per beat, float32 or float64 like `X`. Transformed signals have as many
            dimensions as `X`.

        Raises
        ------
        ValueError
            As in `fit`; also if the beats have another shape than in `fit`.
        """
        if self._stateless:
            self._validate_params()
        else:
            check_is_fitted(self)
        signals = self._check_signals(X, reset=False)
        changed = self._finite(signals)
        if self._gives_signals and count_dimensions(X) == 2:
            changed = changed[:, 0]
        self._check_container(changed)
        return changed

    def _learn(self, signals: NDArray) -> None:
        """Fit to beats of shape (n_beats, n_leads, n_samples)."""
        self._finite(signals[:1])  # raises if the parameters do not fit the beats

    def _finite(self, signals: NDArray) -> NDArray:
        """Transform beats, and check that the result is finite."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            changed = self._change(signals).astype(signals.dtype, copy=False)
        wrong = np.isinf(changed) if self._gives_nan else ~np.isfinite(changed)
        if not wrong.any():
            return changed
        first = int(np.argwhere(wrong)[0, 0])
        raise ValueError(
            f"{type(self).__name__} gives no finite result for the beat at position {first}, of "
            f"{signals.shape[2]} sample(s) up to {np.abs(signals[first]).max():.3g} in X with "
            f"n_features = {signals[0].size}. Scale the beats to mV, or cut longer ones."
        )

    @abstractmethod
    def _change(self, signals: NDArray) -> NDArray:
        """Transform beats of shape (n_beats, n_leads, n_samples), but not in place."""

    def _check_signals(self, X: ArrayLike, *, reset: bool) -> NDArray:
        """Check 2-D or 3-D beats and return them in 3-D, as float32 or float64.

        With `reset`, as in `fit`, stores the shape of a beat; otherwise the shape must be that of
        `fit`, if there was one.
        """
        dtypes = (np.float64, np.float32)
        check_plain(X)
        # After `fit`, `_check_shape` compares with the fitted shape, in a clearer message.
        is_new = reset or not hasattr(self, "n_samples_")
        least = self._min_samples if is_new else 1
        if count_dimensions(X) == 3:
            signals = check_array(X, allow_nd=True, dtype=dtypes, estimator=self, input_name="X")
            if is_new:
                check_axes(signals.shape)
            if signals.shape[1] < 1 or signals.shape[2] < least:
                raise ValueError(
                    f"X of shape {signals.shape} has {signals.shape[1]} leads of "
                    f"{signals.shape[2]} samples; at least 1 lead of {least} samples is required."
                )
            self._check_shape(signals.shape[1:], reset)
            # Sets n_features_in_ and deletes the feature names of an earlier fit.
            rows = signals.reshape(len(signals), -1)
            validate_data(self, rows, reset=reset, skip_check_array=True)
        else:
            rows = validate_data(self, X, reset=reset, dtype=dtypes, ensure_min_features=least)
            signals = rows[:, np.newaxis]
            self._check_shape(signals.shape[1:], reset)
        return signals

    def _check_shape(self, shape: tuple[int, int], reset: bool) -> None:
        """Set the shape of a beat, or compare it with that of `fit`."""
        if reset:
            self.n_leads_, self.n_samples_ = shape
        elif hasattr(self, "n_leads_") and shape != (self.n_leads_, self.n_samples_):
            raise ValueError(
                f"X has beats of {shape[0]} leads and {shape[1]} samples, but "
                f"{type(self).__name__} was fitted on {self.n_leads_} leads of "
                f"{self.n_samples_} samples. Cut the beats in the same way, or fit again."
            )

    def _check_container(self, changed: NDArray) -> None:
        """Check that a frame can hold the result if `set_output` asks for one."""
        container = _get_output_config("transform", self)["dense"]
        if changed.ndim == 2 or container == "default" or not _auto_wrap_is_configured(self):
            return
        raise ValueError(
            f"{type(self).__name__} returns an array of shape {changed.shape}, which a "
            f"{container} frame cannot hold. Pass beats of shape (n_beats, n_samples), or call "
            "set_output(transform='default')."
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.requires_fit = not self._stateless
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


# Editors with jedi need `Parameterized` among the bases before any mixin, and scikit-learn needs
# its mixins before `BaseEstimator`.
class SignalTransformer(BeatTransformer, OneToOneFeatureMixin, BaseEstimator):
    """Base class of the transformers that change the values of the signals, not their shape."""


class BeatFeatures(BeatTransformer, NamedFeatures):
    """Base class of the transformers that compute the same features of each lead.

    With several leads each name begins with its lead, as in ``lead_0_kurtosis``.
    """

    _gives_signals = False
    _gives_nan = True

    def _output_names(self) -> list[str]:
        leads = [""] if self.n_leads_ == 1 else [f"lead_{i}_" for i in range(self.n_leads_)]
        return [lead + name for lead in leads for name in self._names()]

    def _change(self, signals: NDArray) -> NDArray:
        values = self._measure(signals)
        return values.reshape(len(values), -1).astype(signals.dtype, copy=False)

    @abstractmethod
    def _measure(self, signals: NDArray) -> NDArray:
        """Compute features of (n_beats, n_leads, n_samples), as (n_beats, n_leads, n_names)."""

    @abstractmethod
    def _names(self) -> Sequence[str]:
        """List the names of the features of one lead."""
