"""Cross-validation splitters for heartbeat data."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator

from ecgclf.datasets import DS1, DS2, MITBIH_RECORDS, mitbih_subject


class InterPatientSplit(BaseCrossValidator):
    """One split: train on the beats of some records, test on those of others.

    By default the inter-patient protocol of de Chazal et al. [1]_ on the MIT-BIH
    Arrhythmia Database. `groups` names the **record** of each beat (``beats.record``).
    Beats of MIT-BIH records that are in neither set, such as the paced records 102, 104,
    107 and 217, are left out of both.

    Parameters
    ----------
    train, test : collection of str or int, default=DS1, DS2
        Names of the training and the test records.
    shared_subjects : {"warn", "keep", "drop"}, default="warn"
        What to do with test records whose subject is in training too. In the published
        protocol that is record 202, of the same person as record 201 of DS1.

        - ``"warn"``: test on them, as published, and warn;
        - ``"keep"``: test on them, as published;
        - ``"drop"``: leave them out of the test set, so that no subject is on both sides.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : To choose a model within DS1.
    PatientAdaptiveSplit : To learn from the first minutes of the test records too.
    audit_split : To see what a split leaks.

    Notes
    -----
    `groups` may also be subject numbers (``beats.groups``). Records 201 and 202 both bear
    the subject number 201 there and cannot be told apart: the beats of both are then on
    the side of record 201, by default in training. No subject is ever on both sides, but
    the test set is not the published one, for it lacks record 202.

    The test set is to be looked at once per reported figure. With this splitter in
    :class:`~sklearn.model_selection.GridSearchCV` the search picks what is best on DS2;
    such a best score is no estimate of the error on new patients.

    As the training beats are in no test set,
    :func:`~sklearn.model_selection.cross_val_predict` does not work with this splitter.

    References
    ----------
    .. [1] P. de Chazal, M. O'Dwyer and R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE Trans.
       Biomed. Eng. 51(7), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import InterPatientSplit
    >>> record = np.array(["101", "100", "102", "201", "202"])
    >>> for train, test in InterPatientSplit(shared_subjects="drop").split(
    ...     record, groups=record
    ... ):
    ...     print(record[train], record[test])
    ['101' '201'] ['100']
    """

    # How an sklearn object declares that its split takes groups (metadata routing).
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(
        self,
        train: Collection[str | int] = DS1,
        test: Collection[str | int] = DS2,
        *,
        shared_subjects: Literal["warn", "keep", "drop"] = "warn",
    ) -> None:
        self.train = train
        self.test = test
        self.shared_subjects = shared_subjects

    def split(
        self, X: Any, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the one pair of training and test positions.

        Parameters
        ----------
        X : array-like of shape (n_beats, ...)
            Only its length is used.
        y : object
            Not used.
        groups : array-like of shape (n_beats,)
            Name of the record of each beat, as string or integer; or the subject number,
            see Notes of the class.

        Yields
        ------
        train, test : ndarray of int
            Positions of the beats in `X`.

        Raises
        ------
        ValueError
            If `groups` is missing, has another length than `X`, holds names that are
            neither in `train` or `test` nor of MIT-BIH records, or leaves the training
            or the test set empty; if `train` and `test` share a record.
        """
        train, test = self._records()
        record = _record_names(groups, X.shape[0] if hasattr(X, "shape") else len(X))
        known = {*train, *test, *MITBIH_RECORDS}
        present = set(record.tolist())
        if unknown := sorted(present - known):
            raise ValueError(
                f"groups holds {_some(unknown)}, expected record names such as '101'; "
                "pass groups=beats.record, and name the records of other databases in "
                "train or test."
            )
        test = self._without_shared_subjects(train & present, test & present)
        sides = {"train": np.isin(record, [*train]), "test": np.isin(record, [*test])}
        for side, mask in sides.items():
            if not mask.any():
                raise ValueError(
                    f"no beat is left for the {side} set: groups holds {_some(present)}, "
                    f"and {side} lists {_some(getattr(self, side))}."
                )
        yield np.flatnonzero(sides["train"]), np.flatnonzero(sides["test"])

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return 1, the number of splits.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        return 1

    def _records(self) -> tuple[set[str], set[str]]:
        if self.shared_subjects not in ("warn", "keep", "drop"):
            raise ValueError(
                f"shared_subjects is {self.shared_subjects!r}; expected 'warn', 'keep' or 'drop'."
            )
        for side in ("train", "test"):
            if isinstance(getattr(self, side), (str, int)):
                raise ValueError(
                    f"{side} is {getattr(self, side)!r}; expected a list of record "
                    f"names, such as {[str(getattr(self, side))]}."
                )
        train, test = set(map(str, self.train)), set(map(str, self.test))
        if both := train & test:
            raise ValueError(f"records {_some(both)} are in both train and test.")
        return train, test

    def _without_shared_subjects(self, train: set[str], test: set[str]) -> set[str]:
        """Treat the test records whose subject is in training as asked for."""
        trained_on = {_subject(record) for record in train}
        shared = {record for record in test if _subject(record) in trained_on}
        if shared and self.shared_subjects == "drop":
            return test - shared
        if shared and self.shared_subjects == "warn":
            warnings.warn(
                f"the subject of test record {_some(shared)} is in the training set too; "
                "shared_subjects='drop' leaves the record out of the test set, "
                "shared_subjects='keep' keeps it, as published, without this warning.",
                UserWarning,
                stacklevel=3,
            )
        return test


def _subject(record: str) -> str | int:
    return mitbih_subject(record) if record in MITBIH_RECORDS else record


def _record_names(groups: ArrayLike | None, n_beats: int) -> np.ndarray:
    """Return one record name per beat as an array of strings."""
    if groups is None:
        raise ValueError(
            "groups is None; InterPatientSplit needs the record of each beat, pass "
            "groups=beats.record."
        )
    names = np.asarray(groups)
    if names.ndim != 1 or len(names) != n_beats:
        raise ValueError(
            f"groups has shape {names.shape}; expected ({n_beats},), one record name for "
            "each beat of X."
        )
    if names.dtype.kind not in "iuUSO":
        raise ValueError(
            f"groups has dtype {names.dtype}; expected record names as strings or integers."
        )
    return np.array([str(name) for name in names.tolist()])


def _some(records: Iterable[Any]) -> str:
    """List a few records for a message."""
    names = sorted(map(str, records))
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


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
