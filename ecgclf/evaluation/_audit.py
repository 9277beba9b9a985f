"""Audit of a split for leaks between training and test."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array

from ecgclf._validation import check_groups
from ecgclf.evaluation._checks import RandomState, in_class_order, list_some, make_generator
from ecgclf.evaluation._reports import DASH, Part, PrintedReport


@dataclass(frozen=True, eq=False, repr=False)
class SplitAudit(PrintedReport):
    """Report returned by `audit_split`.

    Attributes
    ----------
    n_train, n_test : int
        Number of training and test beats.
    shared_subjects : tuple or None
        Subjects in both training and test; None if `groups` is unknown.
    of_shared_subjects : int or None
        Number of test beats of these subjects.
    identical : int
        Number of test beats that are identical to a training beat.
    near_identical, n_compared : int
        Number of test beats that are identical or nearly identical to a training beat, and
        number of test beats that this was searched for.
    adjacent : int or None
        Number of test beats that are close in time to a training beat of the same record; None
        if `record`, `sample` or `fs` is unknown.
    within, tolerance : float
        As passed to `audit_split`.
    """

    n_train: int
    n_test: int
    shared_subjects: tuple[Any, ...] | None
    of_shared_subjects: int | None
    identical: int
    near_identical: int
    n_compared: int
    adjacent: int | None
    within: float
    tolerance: float

    @property
    def leaks(self) -> bool:
        """Whether any of the checks found a leak."""
        return bool(self.to_frame()["test beats"].fillna(0).sum())

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a table, NaN where a check was not possible.

        Returns
        -------
        DataFrame of 4 rows
            With the columns ``test beats`` (number that leak), ``of`` (number checked),
            ``share`` and ``note``.
        """
        if self.shared_subjects is None:
            of_subjects = "not checked: groups is not given"
        else:
            plural = "s" if len(self.shared_subjects) > 1 else ""
            of_subjects = f"subject{plural} {list_some(self.shared_subjects) or 'none'}"
        of_time = f"within {self.within:g} s in the same record"
        if self.adjacent is None:
            of_time = "not checked: record, sample or fs is not given"
        rows = {
            "of a subject in training": (self.of_shared_subjects, self.n_test, of_subjects),
            "identical to a training beat": (self.identical, self.n_test, "all samples equal"),
            "near-identical to one": (
                self.near_identical,
                self.n_compared,
                f"difference at most {self.tolerance:.0%} of the standard deviation of the beat",
            ),
            "next to a training beat": (self.adjacent, self.n_test, of_time),
        }
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["test beats", "of", "note"])
        table["test beats"] = table["test beats"].astype("Int64")
        table.insert(2, "share", (table["test beats"] / table["of"]).astype(float))
        return table

    def summary(self) -> str:
        """Summarize the leaks in one line."""
        found = self.to_frame().query("`test beats` > 0")
        if found.empty:
            return "no leak found"
        return "; ".join(
            f"{row['share']:.1%} of the test beats are {name} ({row['note']})"
            for name, row in found.iterrows()
        )

    def _figures(self) -> dict[str, Any]:
        return {"n_train": self.n_train, "n_test": self.n_test, "summary": self.summary()}

    def _parts(self) -> list[Part]:
        table = self.to_frame()
        table["share"] = [DASH if pd.isna(share) else f"{share:.1%}" for share in table["share"]]
        return [
            f"{self.n_train:,} training and {self.n_test:,} test beats: {self.summary()}",
            table.astype({"test beats": object}).fillna(DASH),
        ]


def audit_split(
    X: ArrayLike | Mapping[str, Any],
    train: ArrayLike,
    test: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    record: ArrayLike | None = None,
    sample: ArrayLike | None = None,
    fs: float | None = None,
    within: float = 10.0,
    tolerance: float = 0.1,
    max_compared: int = 2000,
    random_state: RandomState = 0,
) -> SplitAudit:
    """Check whether a split leaks, and warn if it does.

    Leaks make test results better than results on new patients: **subjects** in both training
    and test, test beats that are **identical** or nearly identical to a training beat, and test
    beats **adjacent** in time to a training beat of the same record.

    Parameters
    ----------
    X : Beats or array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        Training and test beats. From the container of a loader the fields `groups`, `record`,
        `sample` and `fs` (its ``fs_record``) are taken unless given.
    train, test : array-like of int or bool
        Positions of the training and test beats, as splitters yield them, or masks.
    groups, record, sample : array-like of shape (n_beats,), optional
        Patient, record, and position in the record in samples of each beat.
    fs : float, optional
        Sampling rate of `sample` in Hz.
    within : float, default=10.0
        Maximum distance of adjacent beats in seconds.
    tolerance : float, default=0.1
        Beats are nearly identical if the root mean square of their difference is at most this
        fraction of the standard deviation of the test beat, as no two beats of different
        patients in DS1 and DS2 are.
    max_compared : int, default=2000
        Maximum number of test beats, chosen at random, for which nearly identical training
        beats are searched.
    random_state : int, RandomState, Generator or None, default=0
        Seed of the random choice.

    Returns
    -------
    SplitAudit
        The findings, and the checks that were not possible for lack of `groups`, or of
        `record`, `sample` and `fs`.

    Raises
    ------
    ValueError
        If the fields differ in length, `X` is not finite, a position is out of range,
        training or test is empty, or both contain the same row of `X`.

    Warns
    -----
    UserWarning
        If a leak is found.

    Examples
    --------
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.evaluation import audit_split
    >>> beats = make_beats(n_beats=400, n_patients=8, noise=0.2, random_state=0)
    >>> by_patient = beats.groups < 6
    >>> audit_split(beats, by_patient, ~by_patient)
    SplitAudit(n_train=300, n_test=100, summary='no leak found')
    """
    if isinstance(X, Mapping):
        groups = X.get("groups") if groups is None else groups
        record = X.get("record") if record is None else record
        sample = X.get("sample") if sample is None else sample
        fs = X.get("fs_record") if fs is None else fs
        X = X["data"]
    data = check_array(X, allow_nd=True, dtype=[np.float64, np.float32], input_name="X")
    data = data.reshape(len(data), -1)
    train, test = _positions(train, len(data), "train"), _positions(test, len(data), "test")
    if both := np.isin(train, test).sum():
        raise ValueError(f"train and test share {both} rows of X; expected disjoint sets.")
    compared = test
    if len(test) > max_compared:
        compared = make_generator(random_state).choice(test, max_compared, replace=False)

    shared = of_shared = adjacent = None
    if groups is not None:
        patient = check_groups(groups, len(data))
        shared = tuple(in_class_order(np.intersect1d(patient[train], patient[test])))
        of_shared = int(np.isin(patient[test], shared).sum())
    if record is not None and sample is not None and fs is not None:
        names = check_groups(record, len(data), name="record", of="record")
        positions = check_groups(sample, len(data), name="sample", of="position")
        adjacent = _count_adjacent(names, positions, train, test, within * fs)
    audit = SplitAudit(
        n_train=len(train),
        n_test=len(test),
        shared_subjects=shared,
        of_shared_subjects=of_shared,
        identical=_count_identical(data, train, test),
        near_identical=_count_near(data, train, compared, tolerance),
        n_compared=len(compared),
        adjacent=adjacent,
        within=within,
        tolerance=tolerance,
    )
    if audit.leaks:
        warnings.warn(f"the split leaks: {audit.summary()}.", UserWarning, stacklevel=2)
    return audit


def _positions(side: ArrayLike, n_beats: int, name: str) -> np.ndarray:
    """Convert positions or a mask to positions."""
    rows = np.asarray(side)
    if rows.dtype == bool and rows.shape == (n_beats,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
        raise ValueError(
            f"{name} must be positions of beats or a mask of shape ({n_beats},), and not empty; "
            f"got shape {rows.shape} and dtype {rows.dtype}."
        )
    if rows.min() < 0 or rows.max() >= n_beats:
        raise ValueError(f"{name} must be positions from 0 to {n_beats - 1}; got {rows.max()}.")
    return rows


def _count_identical(data: np.ndarray, train: np.ndarray, test: np.ndarray) -> int:
    # Adding zero makes the bytes of -0.0 and 0.0 equal.
    keys = pd.Series([row.tobytes() for row in np.ascontiguousarray(data) + 0.0])
    return int(keys.iloc[test].isin(set(keys.iloc[train])).sum())


def _count_near(data: np.ndarray, train: np.ndarray, test: np.ndarray, tolerance: float) -> int:
    """Count the test beats with a training beat within the tolerance."""
    neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(data[train])
    distance = neighbours.kneighbors(data[test])[0][:, 0]
    size = np.linalg.norm(data[test] - data[test].mean(axis=1, keepdims=True), axis=1)
    return int((distance <= tolerance * size).sum())


def _count_adjacent(
    record: np.ndarray, sample: np.ndarray, train: np.ndarray, test: np.ndarray, span: float
) -> int:
    """Count the test beats within `span` samples of a training beat of the same record."""
    beats = pd.DataFrame({"sample": sample.astype(float), "record": record})
    pairs = pd.merge_asof(
        beats.iloc[test].sort_values("sample"),
        beats.iloc[train].assign(nearest=beats["sample"]).sort_values("sample"),
        on="sample",
        by="record",
        direction="nearest",
    )
    return int(((pairs["sample"] - pairs["nearest"]).abs() <= span).sum())
