"""Cross-validation splitters for heartbeat data."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.utils.validation import _num_samples

from ecgclf._validation import check_groups
from ecgclf.datasets import DS1, DS2, MITBIH_RECORDS, mitbih_subject
from ecgclf.evaluation._checks import list_some


@dataclass(eq=False, repr=False)
class InterPatientSplit(GroupsConsumerMixin, BaseCrossValidator):
    """Single split into training and test records.

    The default is the inter-patient protocol of de Chazal et al. [1]_ on the MIT-BIH Arrhythmia
    Database. `groups` is the **record** of each beat (``beats.record``). Beats of MIT-BIH
    records in neither set, such as the paced records 102, 104, 107 and 217, are left out.

    Parameters
    ----------
    train, test : collection of str or int, default=DS1, DS2
        Names of the training and the test records.
    shared_subjects : {"warn", "keep", "drop"}, default="warn"
        Of a subject who is also in training, keep the test records, as published, with or
        without a warning, or drop them. In DS2 this is record 202, of the person of 201 in DS1.

    Notes
    -----
    `groups` may also be subject numbers (``beats.groups``). Records 201 and 202 then both count
    as 201, so that the test set lacks record 202.

    :func:`~sklearn.model_selection.cross_val_predict` does not work with this splitter, because
    the training beats are in no test set.

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
    >>> splitter = InterPatientSplit(shared_subjects="drop")
    >>> train, test = next(splitter.split(record, groups=record))
    >>> record[train].tolist(), record[test].tolist()
    (['101', '201'], ['100'])
    """

    train: Collection[str | int] = DS1
    test: Collection[str | int] = DS2
    _: KW_ONLY
    shared_subjects: Literal["warn", "keep", "drop"] = "warn"

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
            Record of each beat, as string or integer.

        Yields
        ------
        train, test : ndarray of int
            Positions of the beats in `X`.

        Raises
        ------
        ValueError
            If `groups` is missing, differs from `X` in length, holds unknown names, or leaves
            the training or the test set empty; or if `train` and `test` share a record.
        """
        train, test = self._records()
        if groups is None:
            raise ValueError(
                "groups is None; InterPatientSplit needs the record of each beat. Pass "
                "groups=beats.record."
            )
        record = check_groups(groups, _num_samples(X), of="record").astype(str)
        present = set(record.tolist())
        if unknown := sorted(present - {*train, *test, *MITBIH_RECORDS}):
            raise ValueError(
                f"groups holds {list_some(unknown)}, expected record names such as '101'. Pass "
                "groups=beats.record, and list the records of other databases in train or test."
            )
        test = self._without_shared_subjects(train & present, test & present)
        learned, tested = (np.flatnonzero(np.isin(record, [*side])) for side in (train, test))
        for side, rows in (("train", learned), ("test", tested)):
            if not len(rows):
                raise ValueError(
                    f"no beat is left for the {side} set: groups holds "
                    f"{list_some(sorted(present))}, and {side} lists "
                    f"{list_some(getattr(self, side))}."
                )
        yield learned, tested

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return 1, the number of splits; the parameters are not used."""
        return 1

    def _records(self) -> tuple[set[str], set[str]]:
        if self.shared_subjects not in ("warn", "keep", "drop"):
            raise ValueError(
                f"shared_subjects is {self.shared_subjects!r}; expected 'warn', 'keep' or 'drop'."
            )
        for side, records in (("train", self.train), ("test", self.test)):
            if isinstance(records, str | int):
                raise ValueError(
                    f"{side} is {records!r}; expected a list of record names, such as "
                    f"{[str(records)]}."
                )
        train, test = set(map(str, self.train)), set(map(str, self.test))
        if both := train & test:
            raise ValueError(f"records {list_some(sorted(both))} are in both train and test.")
        return train, test

    def _without_shared_subjects(self, train: set[str], test: set[str]) -> set[str]:
        """Apply `shared_subjects` to the test records."""
        trained_on = {_subject(record) for record in train}
        shared = {record for record in test if _subject(record) in trained_on}
        if shared and self.shared_subjects == "drop":
            return test - shared
        if shared and self.shared_subjects == "warn":
            warnings.warn(
                f"the subject of test record {list_some(sorted(shared))} is also in the training "
                "set. Pass shared_subjects='drop' to leave the record out, or "
                "shared_subjects='keep' to test on it, as published, without this warning.",
                UserWarning,
                stacklevel=3,
            )
        return test


def _subject(record: str) -> str | int:
    return mitbih_subject(record) if record in MITBIH_RECORDS else record


@dataclass(eq=False, repr=False)
class PatientAdaptiveSplit(GroupsConsumerMixin, BaseCrossValidator):
    """Splitter that adds the first minutes of each test record to the training set.

    ANSI/AAMI EC57, the standard of `ec57_report`, allows an algorithm to learn during the first
    five minutes of a record. Most patient-specific classifiers since de Chazal and Reilly [1]_
    train on their annotated beats. This class moves them from the test to the training set of
    another splitter. Do not compare the results with results on new patients.

    Parameters
    ----------
    sample : array-like of shape (n_beats,)
        Position in its record of each beat of the `X` that is split (``beats.sample``).
    fs : float
        Sampling rate of `sample` in Hz: ``beats.fs_record``, not ``beats.fs``.
    cv : splitter, optional
        Splitter into training and test records, which receives the `groups`. By default
        ``InterPatientSplit(shared_subjects="keep")``, for which groups are records.
    duration : float, default=300.0
        Seconds of each test record to train on.

    Notes
    -----
    Training and test beats of a record are adjacent at the end of the first minutes, which
    `audit_split` reports.

    References
    ----------
    .. [1] P. de Chazal and R. B. Reilly, "A patient-adapting heartbeat classifier using
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

    sample: ArrayLike
    fs: float
    _: KW_ONLY
    cv: Any = None
    duration: float = 300.0

    def split(
        self, X: Any, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield pairs of training and test positions.

        Parameters
        ----------
        X, y, groups : array-like of n_beats entries
            Passed to `cv`. By default `groups` is the record of each beat.

        Yields
        ------
        train, test : ndarray of int
            Positions of the beats in `X`.

        Raises
        ------
        ValueError
            If a parameter is invalid or differs from `X` in length, or no test beat is left.
        """
        early = self._early(_num_samples(X))
        for train, test in self._cv().split(X, y, groups):
            if early[test].all():
                raise ValueError(
                    f"all {len(test)} test beats are in the first {self.duration:g} s of their "
                    "records. Pass sample and fs of the record, beats.sample and "
                    f"beats.fs_record; got fs={self.fs:g} Hz."
                )
            yield np.sort(np.r_[train, test[early[test]]]), test[~early[test]]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits of `cv`, which receives the parameters."""
        return self._cv().get_n_splits(X, y, groups)

    def _cv(self) -> Any:
        return InterPatientSplit(shared_subjects="keep") if self.cv is None else self.cv

    def _early(self, n_beats: int) -> np.ndarray:
        """Return a mask of the beats in the first minutes."""
        if not self.fs > 0 or not self.duration > 0:
            raise ValueError(
                f"fs is {self.fs} and duration is {self.duration}; both must be positive."
            )
        sample = check_groups(self.sample, n_beats, name="sample", of="position")
        if sample.dtype.kind not in "iuf" or not (np.isfinite(sample) & (sample >= 0)).all():
            raise ValueError("sample must hold finite positions in samples, at least 0.")
        return sample < self.duration * self.fs
