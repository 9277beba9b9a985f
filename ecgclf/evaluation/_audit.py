"""Audit of a split for leaks."""

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
from ecgclf.evaluation._beat_report import DASH, PrintedReport
from ecgclf.evaluation._checks import in_class_order


@dataclass(frozen=True, eq=False, repr=False)
class SplitAudit(PrintedReport):
    """Leaks of a split, as `audit_split` returns them.

    What could not be looked at is None.

    Attributes
    ----------
    n_train, n_test : int
        Number of beats on each side.
    shared_subjects : tuple or None
        The subjects on both sides.
    of_shared_subjects : int or None
        Number of test beats that are of them.
    identical : int
        Number of test beats that stand in training to the last bit.
    near_identical : int
        Number of those compared that nearly do; those that do are among them.
    n_compared : int
        Number of test beats searched for near-identical ones.
    adjacent : int or None
        Number of test beats with a training beat of the same record close by.
    within : float
        How close, in seconds.
    tolerance : float
        How near, as a share of a beat's standard deviation.

    See Also
    --------
    audit_split : Makes the audit.
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
        """Whether anything leaks of what could be looked at."""
        return bool(self.to_frame()["test beats"].fillna(0).sum())

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a table.

        Returns
        -------
        DataFrame of 4 rows
            With the columns ``test beats`` (how many leak), ``of`` (how many were looked
            at), ``share`` and ``note``; NaN where nothing could be looked at.
        """
        if self.shared_subjects is None:
            of_subjects = "not looked at: groups is not given"
        else:
            of_subjects = _some(self.shared_subjects)
        of_time = f"within {self.within:g} s in the same record"
        if self.adjacent is None:
            of_time = "not looked at: record, sample or fs is not given"
        rows = {
            "of a subject in training": (self.of_shared_subjects, self.n_test, of_subjects),
            "identical to a training beat": (self.identical, self.n_test, "to the last bit"),
            "near-identical to one": (
                self.near_identical,
                self.n_compared,
                f"difference at most {self.tolerance:.0%} of the beat's standard deviation",
            ),
            "next to a training beat": (self.adjacent, self.n_test, of_time),
        }
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["test beats", "of", "note"])
        table["test beats"] = table["test beats"].astype("Int64")
        table.insert(2, "share", (table["test beats"] / table["of"]).astype(float))
        return table

    def summary(self) -> str:
        """Say in one line what leaks.

        Returns
        -------
        str
        """
        found = self.to_frame().query("`test beats` > 0")
        if found.empty:
            return "nothing that was looked at leaks"
        return "; ".join(
            f"{row['share']:.1%} of the test beats are {name} ({row['note']})"
            for name, row in found.iterrows()
        )

    def __repr__(self) -> str:
        return f"SplitAudit(n_train={self.n_train}, n_test={self.n_test}, {self.summary()})"

    def _parts(self) -> list[str | pd.DataFrame]:
        table = self.to_frame()
        table["share"] = [DASH if pd.isna(share) else f"{share:.1%}" for share in table["share"]]
        return [
            f"{self.n_train:,} training and {self.n_test:,} test beats: {self.summary()}",
            table.astype({"test beats": object}).fillna(DASH),
        ]


def _some(subjects: tuple[Any, ...]) -> str:
    if not subjects:
        return "no subject"
    more = f" and {len(subjects) - 5} more" if len(subjects) > 5 else ""
    plural = "s" if len(subjects) > 1 else ""
    return f"subject{plural} {', '.join(map(str, subjects[:5]))}{more}"


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
    random_state: int | np.random.Generator | None = 0,
) -> SplitAudit:
    """Tell whether a split leaks, and warn if it does.

    Three leaks are looked for: **subjects** on both sides; test beats with a **twin** in
    training, identical or nearly so; test beats cut a few seconds from a **neighbour** in
    training. Any of them makes test figures better than those on new patients.

    Parameters
    ----------
    X : Beats or array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        All beats, of both sides. From the container of a loader the fields `groups`,
        `record`, `sample` and `fs` (its ``fs_record``) are taken unless given.
    train, test : array-like of int or bool
        Positions of the beats of each side, as splitters yield them, or masks.
    groups : array-like of shape (n_beats,), optional
        The patient of each beat.
    record : array-like of shape (n_beats,), optional
        The record of each beat.
    sample : array-like of shape (n_beats,), optional
        Position of each beat in its record, in samples.
    fs : float, optional
        Sampling rate of `sample` in Hz.
    within : float, default=10.0
        Beats of a record that are at most so many seconds apart are neighbours.
    tolerance : float, default=0.1
        Beats are near-identical if the root mean square of their difference is at most
        this share of the standard deviation of the test beat. Between the patients of
        DS1 and DS2 no two beats are that near.
    max_compared : int, default=2000
        How many test beats are searched for near-identical ones, drawn at random if there
        are more. All are searched for identical ones.
    random_state : int or Generator, default=0
        Seed of the draw.

    Returns
    -------
    SplitAudit
        Prints a table. What could not be looked at for want of `groups`, or of `record`,
        `sample` and `fs`, is named in it.

    Raises
    ------
    ValueError
        If the fields differ in length, `X` is not finite, a position is out of range, a
        side is empty, or both sides hold the same beat (row) of `X`.

    Warns
    -----
    UserWarning
        If anything leaks.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.evaluation import audit_split
    >>> beats = make_beats(n_beats=400, n_patients=8, noise=0.2, random_state=0)
    >>> by_patient = beats.groups < 6
    >>> audit_split(beats, by_patient, ~by_patient).leaks
    False
    >>> import warnings
    >>> by_beat = np.arange(400) % 2 == 0
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     audit = audit_split(beats, by_beat, ~by_beat)
    >>> len(audit.shared_subjects), audit.of_shared_subjects
    (8, 200)
    """
    if isinstance(X, Mapping):
        groups = X.get("groups") if groups is None else groups
        record = X.get("record") if record is None else record
        sample = X.get("sample") if sample is None else sample
        fs = X.get("fs_record") if fs is None else fs
        X = X["data"]
    data = check_array(X, allow_nd=True, dtype=[np.float64, np.float32], input_name="X")
    data = data.reshape(len(data), -1)
    sides = _rows(train, len(data), "train"), _rows(test, len(data), "test")
    if both := np.isin(*sides).sum():
        raise ValueError(f"train and test share {both} rows of X; a split must not.")
    drawn = sides[1]
    if len(drawn) > max_compared:
        drawn = np.random.default_rng(random_state).choice(drawn, max_compared, replace=False)

    shared = None if groups is None else _shared(check_groups(groups, len(data)), *sides)
    adjacent = None
    if record is not None and sample is not None and fs is not None:
        names = check_groups(record, len(data), name="record", of="record")
        positions = check_groups(sample, len(data), name="sample", of="position")
        adjacent = _adjacent(names, positions, *sides, within * fs)
    audit = SplitAudit(
        n_train=len(sides[0]),
        n_test=len(sides[1]),
        shared_subjects=None if shared is None else tuple(in_class_order(shared[0])),
        of_shared_subjects=None if shared is None else shared[1],
        identical=_identical(data, *sides),
        near_identical=_near(data, sides[0], drawn, tolerance),
        n_compared=len(drawn),
        adjacent=adjacent,
        within=within,
        tolerance=tolerance,
    )
    if audit.leaks:
        warnings.warn(f"the split leaks: {audit.summary()}.", UserWarning, stacklevel=2)
    return audit


def _rows(side: ArrayLike, n_beats: int, name: str) -> np.ndarray:
    """Return one side of the split as positions."""
    rows = np.asarray(side)
    if rows.dtype == bool and rows.shape == (n_beats,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
        raise ValueError(
            f"{name} must be positions of beats, or a mask of shape ({n_beats},), and not empty; "
            f"got shape {rows.shape} and dtype {rows.dtype}."
        )
    if rows.min() < 0 or rows.max() >= n_beats:
        raise ValueError(f"{name} must be positions from 0 to {n_beats - 1}; got {rows.max()}.")
    return rows


def _shared(groups: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[set[Any], int]:
    """Return the subjects on both sides, and how many test beats are of them."""
    both = np.intersect1d(groups[train], groups[test])
    return set(both.tolist()), int(np.isin(groups[test], both).sum())


def _identical(data: np.ndarray, train: np.ndarray, test: np.ndarray) -> int:
    """Count the test beats that stand in training to the last bit."""
    # Adding zero makes -0.0 equal to 0.0 in bytes too.
    keys = pd.Series([row.tobytes() for row in np.ascontiguousarray(data) + 0.0])
    return int(keys.iloc[test].isin(set(keys.iloc[train])).sum())


def _near(data: np.ndarray, train: np.ndarray, test: np.ndarray, tolerance: float) -> int:
    """Count the test beats whose nearest training beat is within the tolerance."""
    neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(data[train])
    distance = neighbours.kneighbors(data[test])[0][:, 0]
    size = np.linalg.norm(data[test] - data[test].mean(axis=1, keepdims=True), axis=1)
    return int((distance <= tolerance * size).sum())


def _adjacent(
    record: np.ndarray, sample: np.ndarray, train: np.ndarray, test: np.ndarray, span: float
) -> int:
    """Count the test beats with a training beat of the same record close by."""
    count = 0
    by_record = pd.Series(sample[train]).groupby(record[train]).agg(np.sort).to_dict()
    for name, positions in pd.Series(sample[test]).groupby(record[test]):
        known = by_record.get(name)
        if known is None:
            continue
        at = positions.to_numpy()
        first = np.searchsorted(known, at - span, side="left")
        last = np.searchsorted(known, at + span, side="right")
        count += int((last > first).sum())
    return count
