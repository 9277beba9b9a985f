"""What all scikit-learn transformers of signals share: checking beats, and their shape."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._set_output import _auto_wrap_is_configured, _get_output_config
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ecgclf._validation import count_dimensions


class BeatTransformer(TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of the transformers: from beats to whatever is made of each of them.

    `fit` and `transform` take 2-D and 3-D beats; a subclass sees 3-D ones alone, whose values
    are finite and of float32 or float64. Unless it learns something in `_learn`, it is
    stateless: `transform` can be called without `fit`.

    Attributes
    ----------
    n_features_in_ : int
        Columns of a 2-D `X`; for a 3-D one, leads times samples.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Only if `X` had string column names.
    n_leads_, n_samples_ : int
        Shape of one beat.

    Examples
    --------
    >>> class Negation(BeatTransformer):
    ...     def _change(self, signals):
    ...         return -signals
    >>> Negation().fit_transform([[1.0, 2.0]])
    array([[-1., -2.]])
    >>> Negation().transform(np.ones((3, 2, 187))).shape
    (3, 2, 187)
    """

    _parameter_constraints: ClassVar[dict] = {}

    #: Whether `transform` needs nothing that `fit` has learned.
    _stateless: ClassVar[bool] = True

    #: Whether `_change` gives signals, which for 2-D beats are 2-D again.
    _gives_signals: ClassVar[bool] = True

    #: How many samples a beat must have.
    _min_samples: ClassVar[int] = 1

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> BeatTransformer:
        """Check the beats and the parameters; learn what there is to learn.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` is empty, holds NaN or infinite values or has another number of dimensions,
            or a parameter does not fit it.
        """
        self._learn(check_signals(self, X, reset=True))
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Transform each beat.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
            Of one beat's shape as in `fit`, if that was called.

        Returns
        -------
        ndarray
            One row a beat, float32 or float64 as `X`. A signal transformed into a signal has
            the dimensions of `X`.

        Raises
        ------
        ValueError
            As in `fit`; also if the beats have another shape than there.
        """
        if self._stateless:
            self._validate_params()
        else:
            check_is_fitted(self)
        signals = check_signals(self, X, reset=False)
        changed = self._change(signals).astype(signals.dtype, copy=False)
        if self._gives_signals and count_dimensions(X) == 2:
            changed = changed[:, 0]
        self._check_container(changed)
        return changed

    def _learn(self, signals: NDArray) -> None:
        """Learn from beats of shape (n_beats, n_leads, n_samples), and check that they fit."""
        self._change(signals[:1])

    @abstractmethod
    def _change(self, signals: NDArray) -> NDArray:
        """Transform beats of shape (n_beats, n_leads, n_samples), which stay as they are."""

    def _check_container(self, changed: NDArray) -> None:
        """Check that a frame can hold the result, if there is to be one."""
        container = _get_output_config("transform", self)["dense"]
        if changed.ndim == 2 or container == "default" or not _auto_wrap_is_configured(self):
            return
        raise ValueError(
            f"{type(self).__name__} gives an array of shape {changed.shape}, which no "
            f"{container} frame can hold: pass beats of shape (n_beats, n_samples), or call "
            "set_output(transform='default')."
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.requires_fit = not self._stateless
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def check_signals(transformer: BeatTransformer, X: ArrayLike, *, reset: bool) -> NDArray:
    """Check beats and give them an axis of leads.

    Parameters
    ----------
    transformer : BeatTransformer
        With `reset`, gets the attributes ``n_features_in_``, ``n_leads_`` and ``n_samples_``.
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
    reset : bool
        True in `fit`; False where the shape must be that of `fit`, if there was one.

    Returns
    -------
    ndarray of shape (n_beats, n_leads, n_samples), float32 or float64

    Raises
    ------
    ValueError
        If `X` is empty, holds NaN or infinite values, or has the wrong shape.
    """
    dtypes = (np.float64, np.float32)
    # After a fit the shape of its beats counts, which the messages then name.
    is_new = reset or not hasattr(transformer, "n_samples_")
    least = transformer._min_samples if is_new else 1
    in_3d = count_dimensions(X) == 3
    if in_3d:
        signals = check_array(
            X, allow_nd=True, dtype=dtypes, estimator=transformer, input_name="X"
        )
        if signals.shape[1] < 1 or signals.shape[2] < least:
            raise ValueError(
                f"X of shape {signals.shape} has {signals.shape[1]} leads of {signals.shape[2]} "
                f"samples; at least 1 lead of {least} samples is required."
            )
        _check_shape(transformer, signals.shape[1:], reset)
        # The 2-D form sets the number of columns, and forgets their names.
        rows = signals.reshape(len(signals), -1)
        validate_data(transformer, rows, reset=reset, skip_check_array=True)
    else:
        rows = validate_data(transformer, X, reset=reset, dtype=dtypes, ensure_min_features=least)
        signals = rows[:, np.newaxis]
        _check_shape(transformer, signals.shape[1:], reset)
    return signals


def _check_shape(transformer: BeatTransformer, shape: tuple[int, int], reset: bool) -> None:
    """Set the shape of a beat, or check it against that of `fit`."""
    if reset:
        transformer.n_leads_, transformer.n_samples_ = shape
        return
    fitted = getattr(transformer, "n_leads_", None), getattr(transformer, "n_samples_", None)
    if fitted[0] is not None and shape != fitted:
        raise ValueError(
            f"X has beats of {shape[0]} leads and {shape[1]} samples, but "
            f"{type(transformer).__name__} was fitted on {fitted[0]} leads of {fitted[1]} "
            "samples: cut the beats in the same way, or fit again."
        )
