"""Splits by patient with a little of each test record to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator

from ecgclf.evaluation._splits import InterPatientSplit


class PatientAdaptiveSplit(BaseCrossValidator):
    """Let a split by patient learn from the first minutes of each test record.

    ANSI/AAMI EC57 [1]_ lets an algorithm learn during the first five minutes of a record
    and scores the rest; de Chazal and Reilly [2]_ and most patient-specific classifiers
    since train on the annotated beats of these minutes. Wraps another splitter: the test
    beats before that time join its training set.

    Parameters
    ----------
    sample : array-like of shape (n_beats,)
        Position of each beat of `X` in its record (``beats.sample``).
    fs : float
        Sampling rate of `sample` in Hz: ``beats.fs_record``, which is not ``beats.fs`` if
        the beats were resampled.
    cv : splitter, optional
        Says which records are tested, and gets the `groups`. By default
        ``InterPatientSplit(shared_subjects="keep")``, which wants records as groups.
    duration : float, default=300.0
        How many seconds of each test record are learned from.

    Notes
    -----
    scikit-learn hands a splitter only `X`, `y` and `groups`; the positions are therefore
    given here, for the beats of the very `X` that is split.

    Such figures are about patients with annotated beats to learn from. Name them so, and
    do not set them beside figures of new patients.

    Time runs on across the border, so that neighbours lie on both sides of it, which
    `audit_split` reports.

    References
    ----------
    .. [1] ANSI/AAMI EC57:2012, "Testing and reporting performance results of cardiac
       rhythm and ST segment measurement algorithms".
    .. [2] P. de Chazal and R. B. Reilly, "A patient-adapting heartbeat classifier using
       ECG morphology and heartbeat interval features", IEEE Trans. Biomed. Eng. 53(12),
       2006.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import PatientAdaptiveSplit
    >>> record = np.array(["101", "101", "100", "100", "100"])
    >>> sample = np.array([0, 200_000, 1_000, 107_999, 108_000])  # 300 s are 108,000 samples
    >>> ((train, test),) = PatientAdaptiveSplit(sample, fs=360).split(record, groups=record)
    >>> train, test
    (array([0, 1, 2, 3]), array([4]))
    """

    # How an sklearn object declares that its split takes groups (metadata routing).
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(
        self,
        sample: ArrayLike,
        fs: float,
        *,
        cv: Any = None,
        duration: float = 300.0,
    ) -> None:
        self.sample = sample
        self.fs = fs
        self.cv = cv
        self.duration = duration

    def split(
        self, X: Any, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield pairs of training and test positions.

        Parameters
        ----------
        X : array-like of shape (n_beats, ...)
            Handed to `cv`.
        y : array-like of shape (n_beats,), optional
            Handed to `cv`.
        groups : array-like of shape (n_beats,)
            Handed to `cv`: by default the record of each beat.

        Yields
        ------
        train, test : ndarray of int
            Positions of the beats in `X`.

        Raises
        ------
        ValueError
            If `sample` has another length than `X` or is not finite and from 0, `fs` or
            `duration` is not positive, or no test beat is left; and what `cv` raises.
        """
        early = self._early(X.shape[0] if hasattr(X, "shape") else len(X))
        for train, test in self._cv().split(X, y, groups):
            if early[test].all():
                raise ValueError(
                    f"all {len(test)} test beats lie in the first {self.duration:g} s of their "
                    "records, and none is left to test on; expected sample to be positions in "
                    f"the record at fs={self.fs:g} Hz (beats.sample and beats.fs_record)."
                )
            yield np.sort(np.r_[train, test[early[test]]]), test[~early[test]]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits that `cv` makes.

        Parameters
        ----------
        X, y, groups : object
            Handed to `cv`.

        Returns
        -------
        int
        """
        return self._cv().get_n_splits(X, y, groups)

    def _cv(self) -> Any:
        return InterPatientSplit(shared_subjects="keep") if self.cv is None else self.cv

    def _early(self, n_beats: int) -> np.ndarray:
        """Return which beats lie in the time to learn from."""
        if not self.fs > 0 or not self.duration > 0:
            raise ValueError(
                f"fs is {self.fs} and duration is {self.duration}; both must be positive."
            )
        sample = np.asarray(self.sample)
        if sample.shape != (n_beats,):
            raise ValueError(
                f"sample has shape {sample.shape}; expected ({n_beats},), the position of "
                "each beat of X."
            )
        if sample.dtype.kind not in "iuf" or not (np.isfinite(sample) & (sample >= 0)).all():
            raise ValueError("sample must hold positions in samples, from 0 on.")
        return sample < self.duration * self.fs
