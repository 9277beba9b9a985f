"""SMOTE for beats, within patients if patients are given."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from ecgclf._validation import check_groups
from ecgclf.sampling._samplers import BeatSamplerMixin


class BeatSMOTE(BeatSamplerMixin, SMOTE):
    r"""SMOTE for beats: interpolates new beats of the rare classes between two beats.

    `imblearn.over_sampling.SMOTE` for beats of one or several leads. It also accepts very
    small classes and records which beat each new beat was made from. With `groups`, it
    interpolates only within a patient.

    Parameters
    ----------
    k_neighbors : int or neighbours estimator, default=5
        Number of nearest beats of the class from which the second beat is drawn. An estimator
        also counts the beat itself, as in imbalanced-learn: its ``n_neighbors`` is one larger.

    Attributes
    ----------
    nn_k_ : estimator
        Estimator of the neighbours.

    Warns
    -----
    UserWarning
        If a class, or a patient in a class, has fewer than ``k_neighbors + 1`` beats.

    Notes
    -----
    A new beat is :math:`x_i + u (x_j - x_i)`, where :math:`x_i` is a random beat of the class,
    :math:`x_j` one of its k nearest neighbours in the class and u is uniform in [0, 1)
    (Chawla et al., "SMOTE: synthetic minority over-sampling technique", J. Artif. Intell.
    Res. 16, 2002, section 4.2). `carry` takes the entries of :math:`x_i`, the first parent.

    For a class of n beats, n ≤ k, k is lowered to n - 1; a single beat is repeated. SMOTE of
    imbalanced-learn refuses such classes. Otherwise, without `groups`, the result is identical
    to that of `imblearn.over_sampling.SMOTE`. Integer values are truncated to integers.

    With `groups` both parents of a new beat are of one patient, so a later split by patient is
    valid. Neighbours are the patient's own beats of the class, so k may be lower. Patients get
    new beats in proportion to their beats of the class. Without `groups` the parents may be of
    different patients: resample after the split.

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

    def fit_resample(  # type: ignore[override]
        self, X: Any, y: ArrayLike, groups: ArrayLike | None = None
    ) -> tuple[Any, Any]:
        """Add new beats.

        Parameters
        ----------
        groups : array-like of shape (n_beats,), optional
            Patient of each beat. New beats are then made from beats of one patient.

        Returns
        -------
        X : of shape (n_new_beats, n_columns) or (n_new_beats, n_leads, n_samples)
            The unchanged beats, then the new ones by class.
        y : of shape (n_new_beats,)
            Their labels.

        Raises
        ------
        ValueError
            As in the other samplers, or if `groups` is too short, too long or has missing values.
        """
        return super().fit_resample(X, y, groups=groups)

    def _fit_resample(
        self, X: np.ndarray, y: np.ndarray, groups: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        self._validate_estimator()
        if self.nn_k_.n_neighbors < 2:
            raise ValueError(
                f"k_neighbors={self.k_neighbors!r} finds only the beat itself: expected an "
                "estimator with n_neighbors of 2 or more."
            )
        patients = np.zeros(len(X)) if groups is None else check_groups(groups, len(X))
        codes = pd.factorize(patients)[0]
        positions, beats = [np.arange(len(X))], [X]
        for label, n_new in self.sampling_strategy_.items():
            # As in imbalanced-learn, an integer seeds the generator of each class.
            rng = check_random_state(self.random_state)
            members = np.flatnonzero(y == label)
            pools = [members[codes[members] == code] for code in np.unique(codes[members])]
            self._warn_if_few(label, pools, n_new, by_patient=groups is not None)
            # As if first parents were drawn at random from the class.
            shares = rng.multinomial(n_new, [len(pool) / len(members) for pool in pools])
            for pool, share in zip(pools, shares, strict=True):
                if share:
                    first, between = self._interpolate(X[pool], share, rng)
                    positions.append(pool[first])
                    beats.append(between)
        self.sample_indices_ = np.concatenate(positions)
        return np.concatenate(beats), y[self.sample_indices_]

    def _interpolate(
        self, X: np.ndarray, n_new: int, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        """Interpolate beats; return the positions of their first parents, and the beats."""
        k = min(self.nn_k_.n_neighbors, len(X)) - 1
        if k == 0:
            first = rng.randint(len(X), size=n_new)
            return first, X[first]
        # The nearest neighbour is the beat itself.
        found = self.nn_k_.fit(X).kneighbors(X, n_neighbors=k + 1, return_distance=False)
        drawn = rng.randint(len(X) * k, size=n_new)
        step = rng.uniform(size=(n_new, 1))
        first, neighbor = drawn // k, found[drawn // k, 1 + drawn % k]
        return first, (X[first] + step * (X[neighbor] - X[first])).astype(X.dtype)

    def _warn_if_few(
        self, label: Any, pools: list[np.ndarray], n_new: int, *, by_patient: bool
    ) -> None:
        """Warn of classes or patients with too few beats for `k_neighbors`."""
        k = self.nn_k_.n_neighbors - 1
        few = [len(pool) for pool in pools if len(pool) <= k]
        if not few or not n_new:
            return
        if by_patient:
            effect = (
                f"{len(few)} of its {len(pools)} patients have at most k_neighbors={k} beats of "
                f"it: for them k is the number of beats minus 1, at least {min(few) - 1}"
            )
        else:
            effect = f"too few for k_neighbors={k}: k is lowered to {few[0] - 1}"
        single = "; a single beat, with k = 0, is repeated" if 1 in few else ""
        warnings.warn(
            f"class {label} has {sum(map(len, pools))} beat(s), {effect}{single}.", stacklevel=2
        )
