"""Random over- and undersampling of beats, and an adapter for samplers of imbalanced-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from imblearn.utils import check_target_type
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    OneToOneFeatureMixin,
    _fit_context,
    clone,
)
from sklearn.utils import _safe_indexing, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples, check_is_fitted, validate_data

from ecgclf._docstrings import InheritedParameterDocs, parameters_from
from ecgclf._parameters import (
    KeywordParameterized,
    NotNegativeInt,
    Parameterized,
    PositiveInt,
    RandomState,
)
from ecgclf._validation import (
    check_axes,
    check_no_tabular,
    check_plain,
    count_dimensions,
    samples_per_lead,
    to_array,
)

if TYPE_CHECKING:
    from ecgclf.augmentation import Augmentation


class BeatSamplerMixin(InheritedParameterDocs):
    """Mixin for samplers of imbalanced-learn: beats of several leads, without missing values.

    It must precede the sampler among the bases of a class.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Number of beats of each class after resampling, as in imbalanced-learn. "auto" makes
        all classes as large as the largest or, in undersampling, as small as the smallest.
    random_state : int, RandomState or None, default=None
        Seed of the random numbers. None draws a new seed; the global generator of numpy is
        never used.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_new_beats,)
        Position in `X` of the beat that each beat of the result is, is a copy of or was made
        from. `BeatSampler` has it only if its sampler records it.
    sampling_strategy_ : dict
        Number of beats of each class to add or, in undersampling, to keep.
    n_leads_in_ : int or None
        Number of leads of a 3-D `X`; None if `X` was 2-D.
    n_beats_in_ : int
        Number of beats in `X`.
    n_features_in_ : int
        Number of values of a beat.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns. Only if `X` had string column names.
    """

    random_state: int | np.random.RandomState | None

    def fit_resample(self, X: Any, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        """Resample the beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
            Beats.
        y : array-like of shape (n_beats,)
            Labels.
        **params : object
            Further arguments of the sampler.

        Returns
        -------
        X : of shape (n_new_beats, n_columns) or (n_new_beats, n_leads, n_samples)
            Resampled beats, in the type of `X`: an array, a frame or lists.
        y : of shape (n_new_beats,)
            Their labels.

        Raises
        ------
        ValueError
            If `X` is empty, contains NaN or infinite values or is neither 2-D nor 3-D, `y` has
            another length or only one class, or a parameter is out of its range.
        """
        check_labels(y)
        rows, self.n_leads_in_ = flatten_beats(X)
        rows, y = self._resample_rows(rows, y, **params)
        if self.n_leads_in_ is None:
            return rows, y
        beats = rows.reshape(len(rows), self.n_leads_in_, rows.shape[1] // self.n_leads_in_)
        return (beats.tolist() if isinstance(X, list) else beats), y

    @parameters_from(fit_resample)
    def fit(self, X: Any, y: ArrayLike, **params: Any) -> Any:
        """Check the beats and compute the numbers of beats to draw, without resampling.

        Returns
        -------
        self
        """
        check_labels(y)
        rows, self.n_leads_in_ = flatten_beats(X)
        return self._fit_rows(rows, y, **params)

    def _fit_rows(self, X: Any, y: ArrayLike, **params: Any) -> Any:
        return super().fit(X, y, **params)  # type: ignore[misc]

    def _resample_rows(self, X: Any, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        given = self.random_state
        if given is None:  # imbalanced-learn would use the global generator of numpy
            self.random_state = np.random.RandomState()
        try:
            return super().fit_resample(X, y, **params)  # type: ignore[misc]
        finally:
            self.random_state = given

    def carry(self, *arrays: Any) -> Any:
        """Resample other arrays like the beats: patients, weights, features, positions.

        Parameters
        ----------
        *arrays : array-like of shape (n_beats, ...)
            Arrays with one entry for each beat passed to `fit_resample`.

        Returns
        -------
        array-like of shape (n_new_beats, ...), or list of such
            For each beat of the result, the entry of the beat it was made from; a list if
            several arrays were passed.

        Raises
        ------
        NotFittedError
            If there is no ``sample_indices_``: before `fit_resample`, and for samplers that do
            not record the origin of their beats.
        ValueError
            If an array has another length than the beats.
        """
        check_is_fitted(
            self,
            "sample_indices_",
            msg="%(name)s has no sample_indices_: call fit_resample first. Samplers that do not "
            "record the origin of their beats, such as SMOTEENN, never have them.",
        )
        for place, array in enumerate(arrays):
            if _num_samples(array) != self.n_beats_in_:
                raise ValueError(
                    f"array {place} has {_num_samples(array)} entries, expected "
                    f"{self.n_beats_in_}: one for each beat passed to fit_resample."
                )
        rows = self.sample_indices_  # type: ignore[attr-defined]  # set by the sampler
        carried = [_safe_indexing(array, rows) for array in arrays]
        return carried[0] if len(carried) == 1 else carried

    def _check_X_y(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, bool]:  # noqa: N802
        """Check beats and labels; called by imbalanced-learn."""
        check_classification_targets(y)
        y, binarized = check_target_type(y, indicate_one_vs_all=True)
        if hasattr(X, "sparse"):  # a frame with sparse columns
            X = X.sparse.to_dense()
        X, y = validate_data(self, X=X, y=y, reset=True)
        self.n_beats_in_: int = len(X)
        return X, y, binarized

    def __sklearn_tags__(self) -> Any:
        tags = tags_for_beats(super().__sklearn_tags__())  # type: ignore[misc]
        tags.sampler_tags.sample_indices = True
        return tags


class BeatOverSampler(KeywordParameterized, BeatSamplerMixin, RandomOverSampler):
    """Random oversampler: repeats beats of the rare classes.

    `imblearn.over_sampling.RandomOverSampler` for beats of one or several leads. With
    `augment` the copies are changed, so a network does not see identical beats. The original
    beats are not changed and come first in the result.

    Parameters
    ----------
    augment : callable, optional
        Augmentation of the copies, such as `ecgclf.augmentation.GaussianNoise`: a function of a
        float32 Tensor of shape (batch, n_leads, n_samples) and a `torch.Generator` that
        returns a Tensor of that shape.
    n_leads : int, optional
        Number of leads in a row of a 2-D `X`, for `augment`. By default 1.
    n_tabular : int, default=0
        Number of per-beat features at the end of a row of a 2-D `X`. `augment` does not change
        them.

    Notes
    -----
    With the same integer `random_state` the sampler draws the same beats as imbalanced-learn,
    with or without `augment`. Changed copies pass through float32.

    Resample only the training beats, for example in an `imblearn.pipeline.Pipeline`: copies on
    both sides of a split invalidate every score.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.augmentation import AmplitudeScaling
    >>> from ecgclf.sampling import BeatOverSampler
    >>> beats = np.ones((5, 1, 84), dtype=np.float32)
    >>> augment = AmplitudeScaling(factor=(2.0, 2.0), p=1.0)
    >>> sampler = BeatOverSampler(augment=augment, random_state=0)
    >>> X, y = sampler.fit_resample(beats, ["N", "N", "N", "N", "V"])
    >>> X[:, 0, 0].tolist(), "".join(y)
    ([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0], 'NNNNVVVV')
    >>> sampler.carry(["patient 1"] * 4 + ["patient 2"])[-1]
    'patient 2'
    """

    sampling_strategy: float | str | Mapping | Callable = "auto"
    augment: Augmentation | None = None
    n_leads: PositiveInt | None = None
    n_tabular: NotNegativeInt = 0
    random_state: RandomState = None

    # The hint of `augment` is for type checkers only, because its module imports torch.
    _parameter_constraints: ClassVar[dict] = {"augment": [callable, None]}

    #: Parameter of `RandomOverSampler`, of which `augment` takes the place.
    shrinkage: ClassVar[None] = None

    def _fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n_leads, n_samples = self._shape_of_beats(X)
        beats, labels = super()._fit_resample(X, y)
        if self.augment is not None and len(beats) > len(X):
            from ecgclf.augmentation import augment_arrays  # imports torch

            # Drawn after the beats, so that `augment` does not change which are drawn.
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            copies = beats[len(X) :, : n_leads * n_samples]
            signals = copies.reshape(len(copies), n_leads, n_samples)
            copies[:] = augment_arrays(signals, self.augment, seed).reshape(copies.shape)
        return beats, labels

    def _shape_of_beats(self, X: np.ndarray) -> tuple[int, int]:
        """Compute the numbers of leads and samples in a row, and check the parameters."""
        if self.n_leads_in_ is not None:
            shape = (len(X), self.n_leads_in_, X.shape[1] // self.n_leads_in_)
            check_no_tabular(shape, self.n_tabular)
            if self.n_leads not in (None, self.n_leads_in_):
                raise ValueError(f"X has {self.n_leads_in_} leads, but n_leads={self.n_leads}.")
        n_leads = self.n_leads_in_ or self.n_leads or 1
        n_samples = samples_per_lead(X.shape[1], n_leads, self.n_tabular)
        if self.augment is not None and X.dtype.kind != "f":
            raise ValueError(
                f"X has the type {X.dtype}, in which augmented values would be rounded. Pass "
                "X.astype(np.float32)."
            )
        return n_leads, n_samples


class BeatUnderSampler(BeatSamplerMixin, RandomUnderSampler):
    """Random undersampler: removes beats of the frequent classes.

    `imblearn.under_sampling.RandomUnderSampler` for beats of one or several leads.

    Parameters
    ----------
    replacement : bool, default=False
        Whether to draw with replacement, so a beat may be kept more than once.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.sampling import BeatUnderSampler
    >>> beats = np.zeros((10, 2, 84), dtype=np.float32)  # 10 beats of 2 leads
    >>> labels = np.array(["N"] * 8 + ["V"] * 2)
    >>> sampler = BeatUnderSampler(random_state=0)
    >>> X, y = sampler.fit_resample(beats, labels)
    >>> X.shape, y
    ((4, 2, 84), array(['N', 'N', 'V', 'V'], dtype='<U1'))
    >>> sampler.carry(np.arange(10)).tolist()  # positions of the beats kept
    [6, 2, 8, 9]
    """


class BeatSampler(
    Parameterized, BeatSamplerMixin, MetaEstimatorMixin, OneToOneFeatureMixin, BaseEstimator
):
    """Adapter that lets any sampler of imbalanced-learn take beats of several leads.

    The sampler sees each beat as a row of one lead after another, and the result is reshaped
    to leads. 2-D beats are passed unchanged.

    Parameters
    ----------
    sampler : sampler
        Sampler of imbalanced-learn, such as ``SMOTEENN()``. It is cloned.

    Attributes
    ----------
    sampler_ : sampler
        The fitted clone. Its `random_state`, if it was None, is a new seed.

    Notes
    -----
    The neighbours of a beat are computed from all of its leads, with the metric of the sampler.
    Missing values are refused, although some samplers accept them.

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

    sampler: Annotated[Any, HasMethods(["fit", "fit_resample"])]

    @_fit_context(prefer_skip_nested_validation=False)
    def _fit_rows(self, X: Any, y: ArrayLike, **params: Any) -> BeatSampler:
        self._check_X_y(X, y)
        self.sampler_ = clone(self.sampler).fit(X, y, **params)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def _resample_rows(self, X: Any, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        self._check_X_y(X, y)
        self.sampler_ = _with_seeds(clone(self.sampler))
        rows, labels = self.sampler_.fit_resample(X, y, **params)
        if self.n_leads_in_ is not None and rows.shape[1] != self.n_features_in_:
            raise ValueError(
                f"{self.sampler_!r} returned beats of {rows.shape[1]} values, expected "
                f"{self.n_features_in_}: a sampler that changes the length of beats cannot be "
                "used with several leads."
            )
        return rows, labels

    @property
    def sampling_strategy_(self) -> Any:
        """Strategy of the fitted sampler: numbers of beats by class."""
        return self.sampler_.sampling_strategy_

    @property
    def sample_indices_(self) -> np.ndarray:
        """Position in `X` of each beat of the result, if the sampler records it."""
        return self.sampler_.sample_indices_

    def __sklearn_tags__(self) -> Any:
        return tags_for_beats(get_tags(self.sampler))


def _with_seeds(sampler: Any) -> Any:
    """Set every `random_state` that is None to a new seed.

    Otherwise imbalanced-learn would use the global generator of numpy.
    """
    rng = np.random.RandomState()
    seeds = {
        name: rng.randint(np.iinfo(np.int32).max)
        for name, value in sorted(sampler.get_params().items())
        if value is None and name.rpartition("__")[2] == "random_state"
    }
    return sampler.set_params(**seeds)


def tags_for_beats(tags: Any) -> Any:
    """Adapt the tags of a sampler to what `BeatSamplerMixin` accepts."""
    tags.input_tags.three_d_array = True
    tags.input_tags.sparse = False
    tags.input_tags.string = False
    tags.input_tags.allow_nan = False
    return tags


def check_labels(y: Any) -> None:
    """Raise a ValueError if a label is missing."""
    missing = 0 if y is None else np.count_nonzero(pd.isna(to_array(y, "y")))
    if missing:
        raise ValueError(
            f"y contains {missing} missing labels (NaN or None). Label or remove these beats."
        )


def flatten_beats(X: Any) -> tuple[Any, int | None]:
    """Concatenate the leads of 3-D beats; return also their number.

    2-D beats are returned unchanged, with None.
    """
    n_dimensions = count_dimensions(X)
    if n_dimensions not in (2, 3):
        raise ValueError(
            f"X has {n_dimensions} dimension(s), expected the shape (n_beats, n_columns) or "
            "(n_beats, n_leads, n_samples). Reshape your data: X[np.newaxis] is one beat."
        )
    check_plain(X)
    if n_dimensions == 2:
        return X, None
    beats = to_array(X)
    check_axes(beats.shape, warn=False)
    n_beats, n_leads, n_samples = beats.shape
    return beats.reshape(n_beats, n_leads * n_samples), n_leads
