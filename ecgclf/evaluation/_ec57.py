"""Figures of ANSI/AAMI EC57."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf._validation import check_groups, check_same_length
from ecgclf.datasets import AAMI_CLASSES, MITBIH_PACED
from ecgclf.evaluation._beat_report import DASH, PrintedReport
from ecgclf.evaluation._checks import check_beats, in_class_order
from ecgclf.evaluation._count_metrics import NO_BEAT, BinaryCounts, count_class, matrices_by_group

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


#: True classes that are no false positives when called S or V.
EC57_NOT_COUNTED: Mapping[str, tuple[str, ...]] = MappingProxyType({"S": ("Q",), "V": ("F", "Q")})

_LABELS = (*AAMI_CLASSES, NO_BEAT)


def ec57_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    record: ArrayLike,
    *,
    exclude: ArrayLike | Collection[str] = MITBIH_PACED,
    not_counted: Mapping[str, Collection[str]] = EC57_NOT_COUNTED,
) -> EC57Report:
    r"""Report on supraventricular and ventricular ectopic beats as ANSI/AAMI EC57 does.

    Supraventricular ectopic beats (SVEB) are those of class S, ventricular ones (VEB)
    those of class V. With :math:`Xy` the number of beats of class X called y, the
    counts are

    .. math::

       TP_V &= Vv, & FN_V &= Vn + Vs + Vf + Vq, & FP_V &= Nv + Sv, \\
       TP_S &= Ss, & FN_S &= Sn + Sv + Sf + Sq, & FP_S &= Ns + Vs + Fs,

    and the true negatives all beats of other classes that were not called so. A fusion
    beat called V is thus neither right nor wrong, and no more is a beat of class Q
    called V or S. So count the reference program ``bxb`` [2]_ and de Chazal et al. [3]_.
    The figures are

    .. math:: Se = \frac{TP}{TP + FN}, \quad +P = \frac{TP}{TP + FP}, \quad
              FPR = \frac{FP}{FP + TN}, \quad F_1 = \frac{2\,TP}{2\,TP + FP + FN},

    of which the standard knows all but :math:`F_1`. **Gross** figures are those of all
    beats together, so that each beat counts the same; **average** figures the means over
    the records where the figure is defined, so that each record counts the same.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True AAMI classes ``"N"``, ``"S"``, ``"V"``, ``"F"`` or ``"Q"``; ``"O"`` where a
        beat was detected and there is none, see `match_beats`.
    y_pred : array-like of shape (n_beats,)
        Predicted classes; ``"O"`` for a beat that was not detected.
    record : array-like of shape (n_beats,)
        The record of each beat (``beats.record``).
    exclude : collection of record names or array-like of bool of shape (n_beats,)
        Records, or beats, to leave out; the report says how many beats went. By default
        the paced records of the MIT-BIH Arrhythmia Database, which the standard leaves
        out.
    not_counted : mapping of label to collection of labels
        For ``"S"`` and ``"V"``, the true classes whose beats are no false positives when
        called so; by default as above. See Notes.

    Returns
    -------
    EC57Report
        Prints a table in the manner of the standard's.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length, miss values or hold labels other than
        those named; if a mask has another length; if nothing is left to report on.

    See Also
    --------
    beat_report : Every class against the rest, without exceptions.

    Notes
    -----
    The sources agree but in one point. ``sumstats``, which sums up the tables of ``bxb``,
    holds F and Q in one column and so passes over F beats called S, which ``bxb`` itself
    and [3]_ count as false positives. ``not_counted={"S": "FQ", "V": "FQ"}`` gives the
    gross figures of ``sumstats``. Authors who put each class against the rest use
    ``not_counted={"S": "", "V": ""}``.

    The standard scores a record from its sixth minute on. [3]_ and most papers on DS1 and
    DS2 score all of it, which is done here too; leave the first five minutes out by
    ``exclude=beats.sample < 300 * beats.fs_record`` (and add the paced records).

    References
    ----------
    .. [1] ANSI/AAMI EC57:2012, "Testing and reporting performance results of cardiac
       rhythm and ST segment measurement algorithms".
    .. [2] G. B. Moody, ``bxb`` and ``sumstats``, in: WFDB Applications Guide, PhysioNet.
    .. [3] P. de Chazal, M. O'Dwyer and R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE Trans.
       Biomed. Eng. 51(7), 2004.

    Examples
    --------
    >>> from ecgclf.evaluation import ec57_report
    >>> y_true = list("NNNNVVF") + list("NNNSSV")
    >>> y_pred = list("NNNVVVV") + list("NNSSNV")
    >>> report = ec57_report(y_true, y_pred, ["100"] * 7 + ["101"] * 6)
    >>> report.gross["positive_predictivity"].to_dict()  # the F beat called V is not counted
    {'S': 0.5, 'V': 0.75}
    >>> report.average["positive_predictivity"].round(2).to_dict()
    {'S': 0.5, 'V': 0.83}
    """
    true, pred = _check_classes(y_true, "y_true"), _check_classes(y_pred, "y_pred")
    check_same_length(true, "y_pred", pred)
    records = check_groups(record, len(true), name="record", of="record")
    if nowhere := int(((true == NO_BEAT) & (pred == NO_BEAT)).sum()):
        raise ValueError(f"{nowhere} rows have '{NO_BEAT}', no beat, in both y_true and y_pred.")
    out = _excluded(exclude, records)
    if out.all():
        raise ValueError(
            f"exclude leaves out all {len(out)} beats, of records {np.unique(records)[:5]}."
        )
    if unknown := set(not_counted) ^ {"S", "V"}:
        raise ValueError(f"not_counted must have the keys 'S' and 'V'; see {sorted(unknown)}.")

    true, pred, kept = true[~out], pred[~out], records[~out]
    labels = _LABELS if NO_BEAT in {*true.tolist(), *pred.tolist()} else AAMI_CLASSES
    names, matrices = matrices_by_group(true, pred, kept, labels)
    by_record = pd.concat(
        {
            name: _figures(counts).set_axis(names.tolist(), axis="index")
            for name, counts in _count_all(matrices, labels, not_counted).items()
        },
        axis="columns",
    )
    in_all = matrices.sum(axis=0)
    gross = [
        _figures(counts).set_axis([name], axis="index")
        for name, counts in _count_all(in_all[np.newaxis], labels, not_counted).items()
    ]
    return EC57Report(
        labels=tuple(labels),
        confusion_matrix=in_all,
        gross=pd.concat(gross),
        per_record=by_record.rename_axis(index="record"),
        n_excluded=int(out.sum()),
        excluded_records=tuple(in_class_order(set(records[out].tolist()))),
    )


def _count_all(
    matrices: np.ndarray, labels: Sequence[str], not_counted: Mapping[str, Collection[str]]
) -> dict[str, BinaryCounts]:
    """Count SVEB and VEB, and the detections themselves if any failed."""
    counts = {name: count_class(matrices, labels, name, not_counted[name]) for name in "SV"}
    if NO_BEAT in labels:
        missed, false = matrices[..., :-1, -1].sum(axis=-1), matrices[..., -1, :-1].sum(axis=-1)
        found = matrices[..., :-1, :-1].sum(axis=(-2, -1))
        counts["QRS"] = BinaryCounts(found, missed, false, np.zeros_like(found))
    return counts


def _figures(counts: BinaryCounts) -> pd.DataFrame:
    rate = counts.false_positive_rate
    # Where no beat is, nothing says how often a detector rightly said nothing.
    defined = counts.true_negatives > 0
    return pd.DataFrame(
        {
            **counts._asdict(),
            "sensitivity": counts.sensitivity,
            "positive_predictivity": counts.positive_predictivity,
            "false_positive_rate": np.where(defined, rate, np.nan),
            "f1": counts.f1,
        }
    )


def _check_classes(labels: ArrayLike, name: str) -> np.ndarray:
    array = check_beats(labels, name)
    if unknown := sorted({*map(str, array.tolist())} - {*_LABELS}):
        raise ValueError(
            f"{name} holds {unknown[:5]}; expected the AAMI classes {list(AAMI_CLASSES)}, "
            f"or '{NO_BEAT}' for no beat."
        )
    return array


def _excluded(exclude: ArrayLike | Collection[str], record: np.ndarray) -> np.ndarray:
    """Return which beats to leave out."""
    if isinstance(exclude, str):
        raise ValueError(f"exclude is {exclude!r}; expected a list of record names.")
    given = np.asarray(list(exclude) if isinstance(exclude, Collection) else exclude)
    if given.dtype == bool:
        if given.shape != record.shape:
            raise ValueError(
                f"exclude is a mask of shape {given.shape}; expected ({len(record)},)."
            )
        return given
    return np.isin(record.astype(str), given.astype(str))
