"""New beats between two beats of a class, and of a patient if patients are given."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from ecgclf._validation import check_groups
from ecgclf.sampling._beats import TakesBeats


class BeatSMOTE(TakesBeats, SMOTE):
    r"""Make new beats of the rare classes between two beats, within patients if need be.

    `imblearn.over_sampling.SMOTE` for beats of one lead and of several, that does what it can
    with very small classes, tells what each new beat was made from, and mixes no patients
    where it is told who they are.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many beats each class is to have, as in imbalanced-learn; "auto" makes all classes
        as large as the largest.
    random_state : int, RandomState or None, default=None
        None is numpy's global generator, as in imbalanced-learn.
    k_neighbors : int or neighbours estimator, default=5
        Among how many of the nearest beats of the same class the second beat is drawn. An
        estimator counts the beat itself too, as in imbalanced-learn: its ``n_neighbors`` is
        larger by one.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_new_beats,)
        Position in `X` of the beat that each one is, or was made from: the first of the two.
    sampling_strategy_ : dict
        From class to the number of beats to make.
    nn_k_ : estimator
        Finds the neighbours.
    n_leads_in_ : int or None
        Number of leads of a 3-D `X`.
    n_beats_in_ : int
        Number of beats in `X`.
    n_features_in_ : int
        Number of values of a beat.
    feature_names_in_ : ndarray of shape (n_columns,)
        Of a frame whose columns have names.

    Warns
    -----
    UserWarning
        If a class has fewer than ``k_neighbors + 1`` beats, or a patient has fewer of it.

    See Also
    --------
    BeatOverSampler : Repeat beats of rare classes.

    Notes
    -----
    A new beat is :math:`x_i + u (x_j - x_i)`, where :math:`x_i` is any beat of the class,
    :math:`x_j` one of its k nearest neighbours in the class and u is uniform in [0, 1)
    (Chawla et al., "SMOTE: synthetic minority over-sampling technique", J. Artif. Intell.
    Res. 16, 2002, section 4.2).

    *Small classes.* A class of n beats, n ≤ k, is interpolated with k = n - 1; a single beat
    has no neighbour and is repeated. A warning names the class, its beats and k. SMOTE itself
    refuses such classes.

    *Patients.* A new beat has two parents. With `groups` both are of one patient, so that it
    is a beat of that patient: `carry` brings the groups along, and a later split or early
    stopping by patient is honest. Neighbours are then sought among the patient's own beats of
    the class, with k lowered to their number less one where there are fewer, and a patient's
    single beat is repeated. The number of new beats of a patient is drawn in proportion to
    those it has. Without `groups` the second parent may be anybody, and `sample_indices_`
    names only the first: resample after the split, never before.

    *Other arrays.* What `carry` brings along is that of the first parent: its weight, its
    patient, its rhythm features. Features that are to be interpolated belong into the columns
    of `X`; they then count in the distances too, so scale them.

    Without `groups` and with more than k beats in each class the result is that of
    `imblearn.over_sampling.SMOTE` to the last bit. Whole numbers remain so, and are cut.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.sampling import BeatSMOTE
    >>> beats = np.array([[0.0], [0.0], [0.0], [0.0], [1.0], [2.0], [8.0], [9.0]])
    >>> labels = np.array(["N", "N", "N", "N", "V", "V", "V", "V"])
    >>> patients = np.array([1, 1, 2, 2, 1, 1, 2, 2])
    >>> sampler = BeatSMOTE(sampling_strategy={"V": 8}, random_state=0, k_neighbors=1)
    >>> X, y = sampler.fit_resample(beats, labels, groups=patients)
    >>> X[8:].round(1).ravel().tolist()  # none between 2 and 8
    [1.4, 1.5, 8.4, 8.6]
    >>> sampler.carry(patients)[8:].tolist()
    [1, 1, 2, 2]
    """

    def fit_resample(  # type: ignore[override]  # it has the parameters of the sampler
        self, X: Any, y: ArrayLike, groups: ArrayLike | None = None
    ) -> tuple[Any, Any]:
        """Add new beats to the beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
            The beats; of one type in and out: an array, a frame or lists.
        y : array-like of shape (n_beats,)
            Their labels.
        groups : array-like of shape (n_beats,), optional
            Patient of each beat. New beats are then made of beats of one patient.

        Returns
        -------
        X : of shape (n_new_beats, n_columns) or (n_new_beats, n_leads, n_samples)
            The beats as they were, then the new ones, class after class.
        y : of shape (n_new_beats,)

        Raises
        ------
        ValueError
            If `X` is empty, holds NaN or infinite values or is neither 2-D nor 3-D, `y` or
            `groups` has another length or missing values, there is only one class, or a
            parameter is out of its range.
        """
        return super().fit_resample(X, y, groups=groups)

    def _fit_resample(
        self, X: np.ndarray, y: np.ndarray, groups: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        self._validate_estimator()
        if self.nn_k_.n_neighbors < 2:
            raise ValueError(
                f"k_neighbors={self.k_neighbors!r} finds the beat itself only: expected an "
                "estimator whose n_neighbors is 2 or more."
            )
        patients = None
        if groups is not None:
            patients = pd.factorize(check_groups(groups, len(X)))[0]
        positions, beats = [np.arange(len(X))], [X]
        for label, n_new in self.sampling_strategy_.items():
            # As in imbalanced-learn, an integer seed is that of each class.
            rng = check_random_state(self.random_state)
            members = np.flatnonzero(y == label)
            pools = [members] if patients is None else _split(members, patients[members])
            self._warn_if_few(label, pools, n_new, by_patient=patients is not None)
            for pool, share in zip(pools, _share_out(n_new, pools, rng), strict=True):
                if share:
                    first, between = self._interpolate(X[pool], share, rng)
                    positions.append(pool[first])
                    beats.append(between)
        self.sample_indices_ = np.concatenate(positions)
        return np.concatenate(beats), y[self.sample_indices_]

    def _interpolate(
        self, X: np.ndarray, n_new: int, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        """Make beats between some beats and their neighbours; return the places of the first."""
        k = min(self.nn_k_.n_neighbors, len(X)) - 1
        if k == 0:
            first = rng.randint(len(X), size=n_new)
            return first, X[first]
        # The nearest one is the beat itself.
        found = self.nn_k_.fit(X).kneighbors(X, n_neighbors=k + 1, return_distance=False)
        drawn = rng.randint(len(X) * k, size=n_new)
        step = rng.uniform(size=(n_new, 1))
        first, neighbor = drawn // k, found[drawn // k, 1 + drawn % k]
        return first, (X[first] + step * (X[neighbor] - X[first])).astype(X.dtype)

    def _warn_if_few(
        self, label: Any, pools: list[np.ndarray], n_new: int, *, by_patient: bool
    ) -> None:
        """Say where there are too few beats for the neighbours that were asked for."""
        k = self.nn_k_.n_neighbors - 1
        few = [len(pool) for pool in pools if len(pool) <= k]
        if not few or not n_new:
            return
        if by_patient:
            said = (
                f"{len(few)} of its {len(pools)} patients have at most k_neighbors={k} beats of "
                f"it: there k is the patient's number of beats less one, at least {min(few) - 1}"
            )
        else:
            said = f"too few for k_neighbors={k}: k is lowered to {few[0] - 1}"
        single = "; a single beat, with k = 0, is repeated" if 1 in few else ""
        warnings.warn(
            f"class {label} has {sum(map(len, pools))} beat(s), {said}{single}.", stacklevel=2
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.sampler_tags.sample_indices = True
        return tags


def _split(members: np.ndarray, patients: np.ndarray) -> list[np.ndarray]:
    """Divide the beats of a class among their patients."""
    return [members[patients == patient] for patient in np.unique(patients)]


def _share_out(
    n_new: int, pools: list[np.ndarray], rng: np.random.RandomState
) -> np.ndarray | list[int]:
    """Divide the beats to make as if each began at any beat of the class."""
    if len(pools) == 1:
        return [n_new]
    sizes = np.array([len(pool) for pool in pools])
    return rng.multinomial(n_new, sizes / sizes.sum())
