"""Matching of beats and report after ANSI/AAMI EC57."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf._docstrings import parameters_from
from ecgclf._validation import check_groups, check_same_length, to_array
from ecgclf.datasets import AAMI_CLASSES, MITBIH_PACED
from ecgclf.evaluation._checks import (
    RandomState,
    check_beats,
    check_predictions,
    in_class_order,
)
from ecgclf.evaluation._count_metrics import (
    F1,
    NO_BEAT,
    CountMetric,
    PositivePredictivity,
    Sensitivity,
    binary_figures,
    count_class,
    matrices_by_group,
)
from ecgclf.evaluation._reports import DASH, Part, PrintedReport, confusion_parts
from ecgclf.evaluation._resampling import Patients, patient_intervals

#: True classes whose beats are not false positives when predicted as S or V.
EC57_NOT_COUNTED: Mapping[str, tuple[str, ...]] = MappingProxyType({"S": ("Q",), "V": ("F", "Q")})

#: Metrics that count as `ec57_report` does.
EC57_METRICS: tuple[CountMetric, ...] = tuple(
    metric
    for label, not_counted in EC57_NOT_COUNTED.items()
    for metric in (
        Sensitivity(label),
        PositivePredictivity(label, not_counted),
        F1(label, not_counted),
    )
)

_LABELS = (*AAMI_CLASSES, NO_BEAT)

#: Printed names of the figures, as in the standard.
_HEADS = {
    "sensitivity": "Se",
    "positive_predictivity": "+P",
    "false_positive_rate": "FPR",
    "f1": "F1",
}

_NAMES = {"S": "SVEB", "V": "VEB", "QRS": "QRS"}


@dataclass(frozen=True, eq=False, repr=False)
class EC57Report(PrintedReport):
    """Report returned by `ec57_report`.

    Figures are between 0 and 1, and NaN if their denominator is 0.

    Attributes
    ----------
    labels : tuple of str
        The classes, in the order of `confusion_matrix`: N, S, V, F, Q, and O (no beat) if it
        occurs.
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Number of beats by true (row) and predicted class (column).
    gross : DataFrame
        Figures over all beats. Rows ``"S"`` (SVEB), ``"V"`` (VEB) and, if there are missed or
        false detections, ``"QRS"`` (detection). Columns ``true_positives``,
        ``false_negatives``, ``false_positives``, ``true_negatives``, ``sensitivity``,
        ``positive_predictivity``, ``false_positive_rate`` and ``f1``.
    per_record : DataFrame
        One row per record. Columns are pairs of a row and a column of `gross`, such as
        ``per_record["V"]["sensitivity"]``.
    n_excluded, excluded_records : int, tuple
        Number of beats that were left out, and their records.
    intervals : DataFrame or None
        With groups, the gross figures of S and V with their intervals over patients. Rows are
        pairs of a row and a column of `gross`, columns as in `patient_intervals`.
    n_patients, confidence_level : int or None, float or None
        Number of patients, and confidence level of the intervals; None without groups.
    """

    labels: tuple[str, ...]
    confusion_matrix: np.ndarray
    gross: pd.DataFrame
    per_record: pd.DataFrame
    n_excluded: int
    excluded_records: tuple[object, ...]
    intervals: pd.DataFrame | None = None
    n_patients: int | None = None
    confidence_level: float | None = None

    @property
    def average(self) -> pd.DataFrame:
        """Means of the four figures over the records where they are defined."""
        means = {name: self.per_record[name].mean() for name in self.gross.index}
        return pd.DataFrame(means).T[list(_HEADS)]

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one table.

        Returns
        -------
        DataFrame of n_records + 2 rows
            The rows of `per_record`, then ``"gross"`` and ``"average"``. The counts of the last
            row are NaN.
        """
        average = self.average.reindex(columns=self.gross.columns)
        rows = [table.to_numpy(dtype=float).ravel() for table in (self.gross, average)]
        columns = self.per_record.columns
        return pd.concat(
            [self.per_record, pd.DataFrame(rows, index=["gross", "average"], columns=columns)]
        )

    def _figures(self) -> dict[str, Any]:
        gross = self.gross.to_dict("index")
        return {
            "n_records": len(self.per_record),
            **{
                f"{name}_{_HEADS[figure]}": gross[name][figure]
                for name in ("S", "V")
                for figure in ("sensitivity", "positive_predictivity")
            },
        }

    def _parts(self) -> list[Part]:
        figures = self.to_frame().loc[:, (slice(None), list(_HEADS))]
        # Detection has no true negatives.
        shown = figures.drop(columns=[("QRS", "false_positive_rate")], errors="ignore")
        table = shown.set_axis(_titles(shown.columns), axis="columns")
        beats = self.confusion_matrix.sum()
        head = f"{beats:,} beats of {len(self.per_record)} records"
        if self.n_excluded:
            records = ", ".join(map(str, self.excluded_records))
            head += f"; left out: {self.n_excluded:,} beats of {records}"
        parts: list[Part] = [
            head,
            table,
            *confusion_parts(self.confusion_matrix, self.labels),
        ]
        if self.intervals is not None:
            parts.append(
                f"Gross figures with {self.confidence_level:.0%} intervals over "
                f"{self.n_patients} patients"
            )
            intervals = self.intervals.drop(columns="defined")
            parts.append(intervals.set_axis(_titles(intervals.index)))
        if table.isna().to_numpy().any():
            parts.append(f"{DASH} undefined: the denominator is 0; not part of the average")
        return parts


def _titles(pairs: pd.Index) -> list[str]:
    return [f"{_NAMES[label]} {_HEADS[figure]}" for label, figure in pairs]


@parameters_from(patient_intervals)
def ec57_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    record: ArrayLike,
    *,
    exclude: ArrayLike | Collection[str] = MITBIH_PACED,
    not_counted: Mapping[str, Collection[str]] = EC57_NOT_COUNTED,
    groups: ArrayLike | None = None,
    confidence_level: float = 0.95,
    n_resamples: int = 1999,
    random_state: RandomState = None,
) -> EC57Report:
    r"""Report on supraventricular and ventricular ectopic beats after ANSI/AAMI EC57 [1]_.

    Supraventricular ectopic beats (SVEB) are the beats of class S, ventricular ectopic beats
    (VEB) those of class V. With :math:`Xy` the number of beats of class X predicted as y, the
    counts are

    .. math::

       TP_V &= Vv, & FN_V &= Vn + Vs + Vf + Vq, & FP_V &= Nv + Sv, \\
       TP_S &= Ss, & FN_S &= Sn + Sv + Sf + Sq, & FP_S &= Ns + Vs + Fs,

    and the true negatives are all beats of other classes that were not predicted as the class.
    Fusion beats predicted as V, and beats of class Q predicted as V or S, are thus not counted
    as false positives. The reference program ``bxb`` [2]_ and de Chazal et al. [3]_ count in the
    same way. The figures are

    .. math:: Se = \frac{TP}{TP + FN}, \quad +P = \frac{TP}{TP + FP}, \quad
              FPR = \frac{FP}{FP + TN}, \quad F_1 = \frac{2\,TP}{2\,TP + FP + FN},

    of which :math:`F_1` is not part of the standard. **Gross** figures are computed over all
    beats, **average** figures are the means over the records where the figure is defined.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True AAMI classes ``"N"``, ``"S"``, ``"V"``, ``"F"`` or ``"Q"``; ``"O"`` for a false
        detection, see `match_beats`.
    y_pred : array-like of shape (n_beats,)
        Predicted classes; ``"O"`` for a missed beat.
    record : array-like of shape (n_beats,)
        Record of each beat (``beats.record``).
    exclude : collection of record names or array-like of bool of shape (n_beats,)
        Records or beats to leave out. By default the paced records of the MIT-BIH Arrhythmia
        Database, as the standard requires.
    not_counted : mapping of label to collection of labels
        For ``"S"`` and ``"V"``, the true classes whose beats are not false positives when
        predicted as this class; by default as above. See Notes.
    groups : array-like of shape (n_beats,), optional
        Patient of each beat (``beats.groups``), for intervals of the gross figures over
        patients as in `patient_intervals`.

    Returns
    -------
    EC57Report
        The figures, printed as a table like that of the standard.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length, have missing values or hold other labels; or
        if no beat is left.

    Notes
    -----
    ``sumstats``, which summarizes the tables of ``bxb``, does not count F beats predicted as S,
    which ``bxb`` itself and [3]_ count as false positives. ``not_counted={"S": "FQ", "V": "FQ"}``
    gives the gross figures of ``sumstats``, ``not_counted={"S": "", "V": ""}`` compares each
    class with all others. Records are evaluated with their first five minutes, unless `exclude`
    leaves them out: ``beats.sample < 300 * beats.fs_record``.

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
    >>> y_true, y_pred = list("NNNNVVFNNNSSV"), list("NNNVVVVNNSSNV")
    >>> report = ec57_report(y_true, y_pred, ["100"] * 7 + ["101"] * 6)
    >>> report.gross["positive_predictivity"].to_dict()  # F predicted as V is not counted
    {'S': 0.5, 'V': 0.75}
    """
    true, pred = check_predictions(y_true, y_pred)
    for name, labels in (("y_true", true), ("y_pred", pred)):
        if unknown := sorted({*map(str, labels.tolist())} - {*_LABELS}):
            raise ValueError(
                f"{name} holds {unknown[:5]}; expected the AAMI classes {list(AAMI_CLASSES)}, "
                f"or '{NO_BEAT}' for no beat."
            )
    records = check_groups(record, len(true), name="record", of="record")
    if no_beats := int(((true == NO_BEAT) & (pred == NO_BEAT)).sum()):
        raise ValueError(f"{no_beats} rows have '{NO_BEAT}', no beat, in both y_true and y_pred.")
    out = _excluded(exclude, records)
    if out.all():
        raise ValueError(
            f"exclude leaves out all {len(out)} beats, of records {np.unique(records)[:5]}."
        )
    if set(not_counted) != {"S", "V"}:
        raise ValueError(f"not_counted has the keys {sorted(not_counted)}; expected 'S' and 'V'.")

    true, pred, kept = true[~out], pred[~out], records[~out]
    classes = _LABELS if NO_BEAT in {*true.tolist(), *pred.tolist()} else AAMI_CLASSES
    names, matrices = matrices_by_group(true, pred, kept, classes)
    total = matrices.sum(axis=0)
    count = partial(_count_all, labels=classes, not_counted=not_counted)
    found: dict[str, Any] = {}
    if groups is not None:
        patients = Patients(true, check_groups(groups, len(out))[~out])
        resample = patients.intervals(confidence_level, n_resamples, random_state)
        _, of_patients = matrices_by_group(true, pred, patients.groups, classes)
        rows = [(name, figure) for name in "SV" for figure in _HEADS]

        def gross(drawn: np.ndarray) -> np.ndarray:
            figures = count(of_patients[drawn].sum(axis=-3))
            return np.stack([figures[name][figure] for name, figure in rows])

        table = resample(gross).drop(columns="p_value")
        found = {
            "intervals": table.set_axis(pd.MultiIndex.from_tuples(rows)),
            "n_patients": len(of_patients),
            "confidence_level": confidence_level,
        }
    return EC57Report(
        labels=tuple(classes),
        confusion_matrix=total,
        gross=pd.concat(_tables(count(total[np.newaxis]))).droplevel(1),
        per_record=pd.concat(_tables(count(matrices)), axis="columns").set_axis(
            pd.Index(names.tolist(), name="record")
        ),
        n_excluded=int(out.sum()),
        excluded_records=tuple(in_class_order(set(records[out].tolist()))),
        **found,
    )


def _count_all(
    matrices: np.ndarray, labels: Sequence[str], not_counted: Mapping[str, Collection[str]]
) -> dict[str, dict[str, np.ndarray]]:
    """Evaluate SVEB and VEB, and also detections if there are missed or false ones."""
    counts = {name: count_class(matrices, labels, name, not_counted[name]) for name in "SV"}
    if NO_BEAT in labels:
        missed, false = matrices[..., :-1, -1].sum(axis=-1), matrices[..., -1, :-1].sum(axis=-1)
        found = matrices[..., :-1, :-1].sum(axis=(-2, -1))
        counts["QRS"] = binary_figures(found, missed, false, np.zeros_like(found))
    return counts


def _tables(counts: dict[str, dict[str, np.ndarray]]) -> dict[str, pd.DataFrame]:
    return {name: pd.DataFrame(figures) for name, figures in counts.items()}


def _excluded(exclude: ArrayLike | Collection[str], record: np.ndarray) -> np.ndarray:
    """Return a mask of the beats to leave out."""
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


def match_beats(
    sample_true: ArrayLike,
    y_true: ArrayLike,
    sample_pred: ArrayLike,
    y_pred: ArrayLike,
    *,
    fs: float,
    window_ms: float = 150.0,
) -> pd.DataFrame:
    """Pair the detected beats of one record with the annotated ones.

    A detection and an annotation are paired if they are within the window of each other and
    neither is closer to the next beat of the other list. This is the rule of the beat-by-beat
    comparison of ANSI/AAMI EC57, as implemented by the reference program ``bxb`` [1]_.

    Parameters
    ----------
    sample_true, sample_pred : array-like of shape (n_annotated,) and (n_detected,)
        Positions of the annotated and the detected beats in samples, increasing.
    y_true, y_pred : array-like of shape (n_annotated,) and (n_detected,)
        Their labels.
    fs : float
        Sampling rate of the positions in Hz.
    window_ms : float, default=150
        Maximum distance of a pair in ms.

    Returns
    -------
    DataFrame of n_pairs rows
        In order of time, with the columns ``y_true`` and ``y_pred`` (labels, ``"O"`` without a
        partner), ``true`` and ``pred`` (indices into the arguments, -1 without a partner). The
        labels are input for `ec57_report`.

    Raises
    ------
    ValueError
        If positions do not increase, are negative or differ in number from the labels; or if
        `fs` or `window_ms` is not positive.

    Notes
    -----
    ``bxb`` leaves out the first five minutes of a record, episodes of ventricular flutter, and
    signal loss. To compare with its results, remove these from both lists first.

    References
    ----------
    .. [1] G. B. Moody, "Evaluating ECG analyzers", in: WFDB Applications Guide,
       PhysioNet.

    Examples
    --------
    >>> from ecgclf.evaluation import match_beats
    >>> pairs = match_beats([100, 400, 700], list("NVN"), [103, 250, 702], list("NNV"), fs=360)
    >>> pairs[["y_true", "y_pred"]].agg("".join, axis=1).tolist()
    ['NN', 'ON', 'VO', 'NV']
    """
    if not fs > 0 or not window_ms > 0:
        raise ValueError(f"fs is {fs} and window_ms is {window_ms}; both must be positive.")
    true, true_labels = _check_positions(sample_true, y_true, "sample_true", "y_true")
    pred, pred_labels = _check_positions(sample_pred, y_pred, "sample_pred", "y_pred")
    pairs = _pairs(true, pred, window_ms * fs / 1000)
    i, j = np.array(pairs, dtype=int).reshape(-1, 2).T
    return pd.DataFrame(
        {
            "y_true": [true_labels[at] if at >= 0 else NO_BEAT for at in i],
            "y_pred": [pred_labels[at] if at >= 0 else NO_BEAT for at in j],
            "true": i,
            "pred": j,
        }
    )


def _pairs(true: np.ndarray, pred: np.ndarray, window: float) -> list[tuple[int, int]]:
    """Traverse both lists, and decide for the earlier beat of the two."""
    # A last beat at infinity has no neighbours.
    t, p = [*true.tolist(), np.inf], [*pred.tolist(), np.inf]
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(true) or j < len(pred):
        if i == len(true) or (j < len(pred) and p[j] < t[i]):
            near = t[i] - p[j]
            taken = near <= window and near < abs(t[i] - p[j + 1])
            pairs.append((i, j) if taken else (-1, j))
            i, j = i + taken, j + 1
        else:
            near = p[j] - t[i]
            taken = near <= window and near < abs(p[j] - t[i + 1])
            pairs.append((i, j) if taken else (i, -1))
            i, j = i + 1, j + taken
    return pairs


def _check_positions(
    sample: ArrayLike, labels: ArrayLike, name: str, of_labels: str
) -> tuple[np.ndarray, list[str]]:
    """Check positions and labels; both may be empty."""
    positions = to_array(sample, name)
    if positions.ndim != 1:
        raise ValueError(f"{name} must be 1-D; got shape {positions.shape}.")
    if not len(positions) and not len(np.asarray(labels)):
        return positions.astype(float), []
    if positions.dtype.kind not in "iuf" or not np.isfinite(positions).all():
        raise ValueError(f"{name} must hold positions in samples; got {positions[:3]}.")
    if positions[0] < 0 or (np.diff(positions) <= 0).any():
        raise ValueError(
            f"{name} must hold increasing positions from 0. Sort them with their labels."
        )
    checked = check_beats(labels, of_labels)
    check_same_length(checked, name, positions, of_labels)
    return positions, checked.tolist()
