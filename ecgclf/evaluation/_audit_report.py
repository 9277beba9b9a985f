"""What an audit of a split found, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ecgclf.evaluation._printing import DASH, PrintedReport


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
