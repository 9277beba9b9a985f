"""Beats of rare classes repeated, each copy changed in its own way if asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from ecgclf._validation import check_no_tabular, samples_per_lead
from ecgclf.sampling._beats import TakesBeats

if TYPE_CHECKING:
    from ecgclf.augmentation import Augmentation


class BeatOverSampler(TakesBeats, RandomOverSampler):
    """Repeat beats of the rare classes, drawn at random.

    `imblearn.over_sampling.RandomOverSampler` for beats of one lead and of several, whose
    copies can be changed so that a network does not see the same beat again and again. The
    beats themselves are never changed; they come first in the result, in their order.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many beats each class is to have, as in imbalanced-learn; "auto" makes all classes
        as large as the largest.
    augment : callable, optional
        How the copies are changed: what an estimator takes as ``augment``, such as
        `ecgclf.augmentation.GaussianNoise`. Called with a float32 Tensor of shape (batch,
        n_leads, n_samples) and a `torch.Generator`; returns a Tensor of that shape.
    n_leads : int, optional
        Number of leads that stand one after another in a row of a 2-D `X`; 1 if not given.
        Only `augment` needs to know.
    n_tabular : int, default=0
        Number of columns at the end of a 2-D `X` that are per-beat features, not signal.
        `augment` leaves them alone.
    random_state : int, RandomState or None, default=None
        Rules which beats are drawn and how they are changed. None is numpy's global
        generator, as in imbalanced-learn; torch's is never used.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_new_beats,)
        Position in `X` of the beat that each one is, or is a copy of.
    sampling_strategy_ : dict
        From class to the number of copies to make.
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
    BeatSMOTE : New beats between two beats.

    Notes
    -----
    The same `random_state` draws the same beats as imbalanced-learn does, with and without
    `augment`. Copies that are changed pass through float32, and come back in the type of `X`.

    Split first and resample the training beats alone: in an `imblearn.pipeline.Pipeline`, or
    by hand. Copies on both sides of a split make any score worthless.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.sampling import BeatOverSampler
    >>> from ecgclf.augmentation import AmplitudeScaling
    >>> beats = np.ones((5, 1, 84), dtype=np.float32)
    >>> labels = np.array(["N", "N", "N", "N", "V"])
    >>> sampler = BeatOverSampler(
    ...     augment=AmplitudeScaling(factor=(2.0, 2.0), p=1.0), random_state=0
    ... )
    >>> X, y = sampler.fit_resample(beats, labels)
    >>> X[:, 0, 0], y
    (array([1., 1., 1., 1., 1., 2., 2., 2.], dtype=float32),
     array(['N', 'N', 'N', 'N', 'V', 'V', 'V', 'V'], dtype='<U1'))
    >>> patients = np.array([1, 1, 2, 2, 2])
    >>> sampler.carry(patients).tolist()
    [1, 1, 2, 2, 2, 2, 2, 2]
    """

    _parameter_constraints: ClassVar[dict] = {
        **{
            name: constraint
            for name, constraint in RandomOverSampler._parameter_constraints.items()
            if name != "shrinkage"
        },
        "augment": [callable, None],
        "n_leads": [Interval(Integral, 1, None, closed="left"), None],
        "n_tabular": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        sampling_strategy: float | str | Mapping | Callable = "auto",
        augment: Augmentation | None = None,
        n_leads: int | None = None,
        n_tabular: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.augment = augment
        self.n_leads = n_leads
        self.n_tabular = n_tabular

    def _fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n_leads = self._count_leads(X)
        beats, labels = super()._fit_resample(X, y)
        if self.augment is not None and len(beats) > len(X):
            from ecgclf.augmentation import augment_arrays  # loads torch

            # After the draws, so that these are the same without augment.
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            width = X.shape[1] - self.n_tabular
            copies = beats[len(X) :, :width]
            signals = copies.reshape(len(copies), n_leads, width // n_leads)
            changed = augment_arrays(signals, self.augment, seed)
            copies[:] = changed.reshape(copies.shape)
        return beats, labels

    def _count_leads(self, X: np.ndarray) -> int:
        """Find out how rows are made up, and whether they can be changed."""
        if self.n_leads_in_ is not None:
            n_samples = X.shape[1] // self.n_leads_in_
            check_no_tabular((len(X), self.n_leads_in_, n_samples), self.n_tabular)
            if self.n_leads not in (None, self.n_leads_in_):
                raise ValueError(f"X has {self.n_leads_in_} leads, but n_leads={self.n_leads}.")
        n_leads = self.n_leads_in_ or self.n_leads or 1
        samples_per_lead(X.shape[1], n_leads, self.n_tabular)  # checks that they fit
        if self.augment is not None and X.dtype.kind != "f":
            raise ValueError(
                f"X has the type {X.dtype}, in which changes by augment would be rounded: give "
                "X.astype(np.float32)."
            )
        return n_leads
