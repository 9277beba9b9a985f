"""Any sampler of imbalanced-learn for beats of several leads."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from imblearn.utils._tags import get_tags
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    OneToOneFeatureMixin,
    _fit_context,
    clone,
)
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets

from ecgclf.sampling._beats import TakesBeats, check_complete, flat_beats, tags_for_beats


class BeatSampler(TakesBeats, MetaEstimatorMixin, OneToOneFeatureMixin, BaseEstimator):
    """Let any sampler of imbalanced-learn take beats of several leads.

    The sampler sees each beat as one row, with its leads one after another, and the result
    has leads again. 2-D beats are passed on as they are.

    Parameters
    ----------
    sampler : sampler
        Of imbalanced-learn, such as ``SMOTEENN()``. It is cloned and left as it is.

    Attributes
    ----------
    sampler_ : sampler
        The clone that resampled.
    sampling_strategy_ : dict or str
        That of the sampler.
    sample_indices_ : ndarray of shape (n_new_beats,)
        That of the sampler, if it has any: most that pick beats have, those that make new
        ones have not.
    n_leads_in_ : int or None
        Number of leads of a 3-D `X`.
    n_beats_in_ : int
        Number of beats in `X`.
    n_features_in_ : int
        Number of values of a beat.
    feature_names_in_ : ndarray of shape (n_columns,)
        Of a frame whose columns have names.

    See Also
    --------
    BeatOverSampler, BeatUnderSampler, BeatSMOTE : Take such beats without an adapter.

    Notes
    -----
    Neighbours are measured over all leads together, by the Euclidean distance unless the
    sampler says otherwise. Unlike some of its samplers alone, beats with missing values are
    refused.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.sampling import BeatSampler
    >>> from imblearn.under_sampling import EditedNearestNeighbours
    >>> beats = make_beats(n_leads=2, random_state=0)
    >>> sampler = BeatSampler(EditedNearestNeighbours())
    >>> X, y = sampler.fit_resample(beats.data, beats.target)
    >>> X.shape[1:], len(X) < 1000
    ((2, 84), True)
    >>> patients = sampler.carry(beats.groups)
    """

    _parameter_constraints: ClassVar[dict] = {"sampler": [HasMethods(["fit", "fit_resample"])]}

    def __init__(self, sampler: Any) -> None:
        self.sampler = sampler

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike, **params: Any) -> BeatSampler:
        """Fit a clone of the sampler; nothing is resampled.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
        y : array-like of shape (n_beats,)
        **params : object
            Of the sampler.

        Returns
        -------
        self
        """
        check_complete(y)
        rows, self.n_leads_in_ = flat_beats(X)
        self._check(rows, y)
        self.sampler_ = clone(self.sampler).fit(rows, y, **params)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def _resample_rows(self, X: Any, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        self._check(X, y)
        self.sampler_ = clone(self.sampler)
        rows, labels = self.sampler_.fit_resample(X, y, **params)
        if self.n_leads_in_ is not None and rows.shape[1] != self.n_features_in_:
            raise ValueError(
                f"{self.sampler_!r} returned beats of {rows.shape[1]} values, expected "
                f"{self.n_features_in_}: a sampler that changes the length of beats cannot be "
                "used with several leads."
            )
        return rows, labels

    def _check(self, X: Any, y: ArrayLike) -> None:
        check_classification_targets(y)
        self._check_X_y(X, y)

    @property
    def sampling_strategy_(self) -> Any:
        """How the sampler understood its `sampling_strategy`."""
        return self.sampler_.sampling_strategy_

    @property
    def sample_indices_(self) -> np.ndarray:
        """Position in `X` of each beat of the result, if the sampler knows it."""
        return self.sampler_.sample_indices_

    def __sklearn_tags__(self) -> Any:
        return tags_for_beats(get_tags(self.sampler))
