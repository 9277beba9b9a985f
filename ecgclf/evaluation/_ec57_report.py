"""The report after EC57: what it holds and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecgclf.evaluation._printing import DASH, PrintedReport

#: Names of the printed figures, in the standard's spelling.
_HEADS = {
    "sensitivity": "Se",
    "positive_predictivity": "+P",
    "false_positive_rate": "FPR",
    "f1": "F1",
}


@dataclass(frozen=True, eq=False, repr=False)
class EC57Report(PrintedReport):
    """Gross, average and per-record figures after EC57, as `ec57_report` returns them.

    All figures lie between 0 and 1 and are NaN where there is nothing to divide by.

    Attributes
    ----------
    labels : tuple of str
        The classes, in the order of `confusion_matrix`: N, S, V, F, Q, and O (no beat) if
        it occurs.
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Number of beats; row i holds the beats that are truly of class i.
    gross : DataFrame
        Rows ``"S"`` (SVEB), ``"V"`` (VEB) and, if beats were missed or invented, ``"QRS"``
        (detection). Columns ``true_positives``, ``false_negatives``,
        ``false_positives``, ``true_negatives``, ``sensitivity``,
        ``positive_predictivity``, ``false_positive_rate`` and ``f1``, on all beats.
    per_record : DataFrame
        One row per record; columns are pairs of a row and a column of `gross`, so that
        ``per_record["V"]["sensitivity"]`` is that of VEB in each record.
    n_excluded : int
        Number of beats that were left out.
    excluded_records : tuple
        Records of which beats were left out.

    See Also
    --------
    ec57_report : Makes the report, and states what is counted.
    """

    labels: tuple[str, ...]
    confusion_matrix: np.ndarray
    gross: pd.DataFrame
    per_record: pd.DataFrame
    n_excluded: int
    excluded_records: tuple[object, ...]

    @property
    def average(self) -> pd.DataFrame:
        """Mean of the records' figures where these are defined.

        The rows are those of `gross`, the columns its four figures. How many records
        entered a mean is ``per_record.notna().sum()``.
        """
        means = {name: self.per_record[name].mean() for name in self.gross.index}
        return pd.DataFrame(means).T[list(_HEADS)]

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one table.

        Returns
        -------
        DataFrame of n_records + 2 rows
            The rows of `per_record`, then ``"gross"`` and ``"average"``. The counts of the
            last are NaN.
        """
        average = self.average.reindex(columns=self.gross.columns)
        return pd.concat(
            [self.per_record, _in_a_row(self.gross, "gross"), _in_a_row(average, "average")]
        )

    def __repr__(self) -> str:
        gross = self.gross.to_dict("index")
        figures = ", ".join(
            f"{name}_{_HEADS[figure]}={gross[name][figure]:.4f}"
            for name in ("S", "V")
            for figure in ("sensitivity", "positive_predictivity")
        )
        return f"EC57Report(n_records={len(self.per_record)}, {figures})"

    def _parts(self) -> list[str | pd.DataFrame]:
        names = {"S": "SVEB", "V": "VEB", "QRS": "QRS"}
        figures = self.to_frame().loc[:, (slice(None), list(_HEADS))]
        # No standard has a rate for what is rightly not detected.
        shown = figures.drop(columns=[("QRS", "false_positive_rate")], errors="ignore")
        table = shown.set_axis(
            [f"{names[pair[0]]} {_HEADS[pair[1]]}" for pair in shown.columns.to_list()],
            axis="columns",
        )
        beats = self.confusion_matrix.sum()
        head = f"{beats:,} beats of {len(self.per_record)} records"
        if self.n_excluded:
            records = ", ".join(map(str, self.excluded_records))
            head += f"; left out: {self.n_excluded:,} beats of {records}"
        parts: list[str | pd.DataFrame] = [
            head,
            table,
            "Confusion matrix (rows: true class, columns: predicted class)",
            pd.DataFrame(self.confusion_matrix, index=self.labels, columns=self.labels),
        ]
        if table.isna().to_numpy().any():
            parts.append(f"{DASH} undefined: nothing to divide by, and not in the average")
        return parts


def _in_a_row(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Lay the rows of a table side by side, as they are in the table of records."""
    columns = pd.MultiIndex.from_product([table.index, table.columns])
    return pd.DataFrame([table.to_numpy(dtype=float).ravel()], index=[name], columns=columns)
