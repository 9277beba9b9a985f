"""Report on predicted beat labels."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from os import PathLike
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.utils.multiclass import unique_labels

from ecgclf._files import replacing
from ecgclf._validation import check_groups, check_same_length
from ecgclf.evaluation._checks import (
    check_beats,
    check_distinct,
    check_known,
    check_order,
    check_score,
)

#: Printed for an undefined figure.
DASH = "\N{EN DASH}"

_STYLE: dict[str, Any] = {"float_format": "{:.4f}".format, "na_rep": DASH}

#: Column heads of the printed table.
_HEADS = {
    "sensitivity": "sensitivity",
    "positive_predictivity": "pos. pred.",
    "f1": "F1",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "support": "beats",
    "patients": "patients",
}

_UNDEFINED = "undefined: the class has no true beats, or none were predicted as it"


#: Part of a report: a sentence, a table or a list of figures.
Part: TypeAlias = str | pd.DataFrame | pd.Series


class PrintedReport(ABC):
    """Base class of reports, which consist of sentences, tables and lists of figures."""

    @abstractmethod
    def _parts(self) -> list[Part]:
        """Return the parts in order."""

    def __str__(self) -> str:
        return "\n\n".join(
            part if isinstance(part, str) else part.to_string(**_STYLE) for part in self._parts()
        )

    def _repr_html_(self) -> str:
        parts = []
        for part in self._parts():
            if isinstance(part, str):
                parts.append(f"<p>{part}</p>")
            elif isinstance(part, pd.Series):
                parts.append(part.to_frame().to_html(header=False, **_STYLE))
            else:
                parts.append(part.to_html(**_STYLE))
        return "\n".join(parts)


class JSONReport(PrintedReport):
    """Base class of reports that can be written as JSON."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python types, with None for undefined figures."""

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """Return the report as JSON, and write it to a file if `path` is given.

        Parameters
        ----------
        path : str or path-like, optional
            File to write, in UTF-8. Its folder must exist; an existing file is replaced.

        Returns
        -------
        str
            JSON of `to_dict`. Undefined figures are ``null``, because JSON has no NaN.
        """
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        if path is not None:
            with replacing(path) as part:
                part.write_text(text + "\n", encoding="utf-8")
        return text


@dataclass(frozen=True, eq=False, repr=False)
class BeatReport(JSONReport):
    """Report returned by `beat_report`.

    Figures are between 0 and 1, and NaN where undefined: the sensitivity of a class without
    true beats, the positive predictivity of a class that was never predicted, the F1 of a class
    with neither, the AUROC and AUPRC of a class without true beats, without other beats or
    without scores.

    Attributes
    ----------
    labels : tuple of length n_classes
        The classes, in the order of the rows of `per_class` and `confusion_matrix`.
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Number of beats by true (row) and predicted class (column).
    per_class : DataFrame of n_classes rows
        Indexed by label, with the columns ``sensitivity`` (recall), ``positive_predictivity``
        (precision), ``f1`` and ``support`` (number of true beats); with scores also ``auroc``
        and ``auprc`` (one class against the rest); with groups also ``patients`` (number with
        true beats of the class).
    accuracy : float
        Fraction of beats predicted correctly.
    balanced_accuracy : float
        Mean sensitivity of the classes with true beats.
    macro_f1 : float
        Mean F1 of the classes that occur among the true or the predicted beats.
    weighted_f1 : float
        Mean F1, weighted by the number of true beats of each class.
    macro_auroc, macro_auprc : float or None
        Means over the classes where the figure is defined; None without scores.
    mean_patient_accuracy : float or None
        Mean accuracy of the patients, with equal weights; None without groups.
    per_patient : DataFrame or None
        Indexed by group, with the columns ``support`` (number of beats), ``accuracy`` and, for
        each class, ``sensitivity_<label>``, which is NaN for patients without true beats of the
        class. None without groups.
    """

    labels: tuple[Any, ...]
    confusion_matrix: np.ndarray
    per_class: pd.DataFrame
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    weighted_f1: float
    macro_auroc: float | None = None
    macro_auprc: float | None = None
    mean_patient_accuracy: float | None = None
    per_patient: pd.DataFrame | None = None

    @property
    def n_beats(self) -> int:
        """Number of beats."""
        return int(self.confusion_matrix.sum())

    @property
    def overall(self) -> dict[str, float]:
        """Figures over all beats, by name; without those that are None."""
        figures = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in figures.items() if isinstance(value, float)}

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one table.

        Returns
        -------
        DataFrame of n_classes + 3 rows
            The rows of `per_class`, followed by ``"accuracy"`` (over all beats, where
            sensitivity, positive predictivity and F1 all equal the accuracy),
            ``"macro average"`` (mean over classes; its sensitivity is the balanced accuracy)
            and ``"weighted average"`` (weighted by support). Averages are NaN where undefined:
            the positive predictivity, if a class that occurs was never predicted; AUROC and
            AUPRC except for the macro average.
        """
        table = self.per_class
        occurs, has_beats = table["f1"].notna(), table["support"] > 0
        predictivity = table["positive_predictivity"]
        weight = table["support"] / self.n_beats
        averages = pd.DataFrame(
            {
                "sensitivity": [self.accuracy, self.balanced_accuracy, self.accuracy],
                "positive_predictivity": [
                    self.accuracy,
                    predictivity[occurs].mean(skipna=False),
                    (predictivity * weight)[has_beats].sum(skipna=False),
                ],
                "f1": [self.accuracy, self.macro_f1, self.weighted_f1],
                "support": self.n_beats,
            },
            index=pd.Index(["accuracy", "macro average", "weighted average"]),
        )
        if self.macro_auroc is not None:
            averages["auroc"] = [math.nan, self.macro_auroc, math.nan]
            averages["auprc"] = [math.nan, self.macro_auprc, math.nan]
        if self.per_patient is not None:
            averages["patients"] = len(self.per_patient)
        return pd.concat([table, averages])[list(table.columns)]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python types, with None for undefined figures.

        Returns
        -------
        dict
            With the keys ``n_beats``, ``labels``, ``overall`` (figure by name), ``per_class``
            (list of dicts with the key ``label``), ``confusion_matrix`` (list of rows),
            ``per_patient`` (list of dicts with the key ``group``, or None) and ``none_means``
            (an explanation).
        """
        return {
            "n_beats": self.n_beats,
            "labels": list(self.labels),
            "overall": {name: plain_value(value) for name, value in self.overall.items()},
            "per_class": frame_rows(self.per_class, "label"),
            "confusion_matrix": self.confusion_matrix.tolist(),
            "per_patient": (
                None if self.per_patient is None else frame_rows(self.per_patient, "group")
            ),
            "none_means": _UNDEFINED,
        }

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}={value:.4f}" for name, value in self.overall.items())
        return f"BeatReport(n_beats={self.n_beats}, {figures})"

    def _parts(self) -> list[Part]:
        counts = f"{self.n_beats:,} beats, {len(self.labels)} classes"
        if self.per_patient is not None:
            counts += f", {len(self.per_patient)} patients"
        shown = [name for name in _HEADS if name in self.per_class]
        parts: list[Part] = [
            counts,
            self.per_class[shown].rename(columns=_HEADS).rename_axis(index=None),
            pd.Series({_title(name): value for name, value in self.overall.items()}),
            "Confusion matrix (rows: true class, columns: predicted class)",
            pd.DataFrame(self.confusion_matrix, index=self.labels, columns=self.labels),
        ]
        if self.per_class.isna().to_numpy().any():
            parts.append(f"{DASH} {_UNDEFINED}")
        return parts


def _title(name: str) -> str:
    """Convert ``macro_auroc`` to ``macro AUROC``."""
    words = [
        _HEADS[word] if word in ("f1", "auroc", "auprc") else word for word in name.split("_")
    ]
    return " ".join(words)


def plain_value(value: Any) -> Any:
    """Convert a numpy scalar to a Python one, and NaN to None."""
    value = getattr(value, "item", lambda: value)()
    return None if isinstance(value, float) and math.isnan(value) else value


def frame_rows(frame: pd.DataFrame, key: str) -> list[dict[str, Any]]:
    """Convert a frame to one dict per row, with its index under `key`."""
    return [
        {str(name): plain_value(value) for name, value in row.items()}
        for row in frame.rename_axis(index=key).reset_index().to_dict("records")
    ]


def beat_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_score: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    *,
    labels: Sequence[Any] | None = None,
    classes: ArrayLike | None = None,
) -> BeatReport:
    r"""Compare predicted with true beat labels.

    ANSI/AAMI EC57 [1]_ requires the sensitivity and positive predictivity of each class. With
    :math:`TP` beats of a class predicted as this class, :math:`FN` predicted as another one and
    :math:`FP` beats of other classes predicted as this class,

    .. math:: Se = \frac{TP}{TP + FN}, \quad +P = \frac{TP}{TP + FP}, \quad
              F_1 = \frac{2\,TP}{2\,TP + FP + FN}.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels: strings, integers or booleans.
    y_pred : array-like of shape (n_beats,)
        Predicted labels, of the same type.
    y_score : array-like of shape (n_beats, n_scores) or (n_beats,), optional
        Probabilities, or other scores that increase with the evidence for a class, such as
        those of ``decision_function``. Column i belongs to ``classes[i]``. With two classes, a
        1-D array is the score of ``classes[1]``.
    groups : array-like of shape (n_beats,), optional
        Patient of each beat.
    labels : sequence, optional
        The classes to report, in the order to report them. Must contain every label that
        occurs, and may contain others. By default the labels that occur in `y_true`, `y_pred`
        or `classes`: in the order N S V F Q if all are AAMI classes, sorted otherwise. It does
        not affect the columns of `y_score`.
    classes : array-like of shape (n_scores,), optional
        Label of each column of `y_score`: ``estimator.classes_``. By default the sorted labels
        of `y_true` and `y_pred`, which equal ``estimator.classes_`` unless the estimator was
        trained with other classes.

    Returns
    -------
    BeatReport
        The figures; see its documentation for each figure and when it is undefined.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length, have missing values or are not labels; if
        `labels` or `classes` lacks a label; if `y_score` does not have one column per class or
        is not finite; or if `classes` is not given and the columns of `y_score` contradict
        `y_pred` in most beats, so that their order must be different.

    Notes
    -----
    Macro-F1 is the mean over the classes that occur among true or predicted beats, as in
    :func:`sklearn.metrics.f1_score`. A class that is never predicted counts as 0.

    AUROC is the area under the receiver operating characteristic and AUPRC the average
    precision (the sum over recall steps, without interpolation), each for one class against all
    others. Both are undefined for a class without a column in `y_score`.

    References
    ----------
    .. [1] ANSI/AAMI EC57:2012, "Testing and reporting performance results of cardiac
       rhythm and ST segment measurement algorithms".

    Examples
    --------
    >>> from ecgclf.evaluation import beat_report
    >>> report = beat_report(["N", "N", "N", "V", "S"], ["N", "N", "V", "V", "N"])
    >>> report
    BeatReport(n_beats=5, accuracy=0.6000, balanced_accuracy=0.5556, macro_f1=0.4444,
    weighted_f1=0.5333)
    >>> report.per_class["sensitivity"].round(2).to_dict()
    {'N': 0.67, 'S': 0.0, 'V': 1.0}
    >>> report.per_class["positive_predictivity"].round(2).to_dict()
    {'N': 0.67, 'S': nan, 'V': 0.5}
    """
    y_true, y_pred = check_beats(y_true, "y_true"), check_beats(y_pred, "y_pred")
    check_same_length(y_true, "y_pred", y_pred)
    seen = unique_labels(y_true, y_pred)
    columns = seen if classes is None else check_distinct(classes, "classes")
    order = check_order(labels, seen, columns)

    per_class = _per_class(y_true, y_pred, order)
    occurs, support = per_class["f1"].notna(), per_class["support"]
    figures: dict[str, Any] = {
        "accuracy": float(accuracy_score(y_true, y_pred)),
        # mean() skips NaN, the sensitivity of classes without true beats.
        "balanced_accuracy": float(per_class["sensitivity"].mean()),
        "macro_f1": float(per_class["f1"].mean()),
        "weighted_f1": float(np.average(per_class["f1"][occurs], weights=support[occurs])),
    }
    if y_score is not None:
        score = check_score(y_score, y_pred, columns, named=classes is not None)
        check_known(
            y_pred,
            columns,
            "y_pred",
            " Pass the classes_ of the estimator that made both y_pred and y_score.",
        )
        areas = _areas(y_true, score, columns, order)
        per_class[["auroc", "auprc"]] = areas.to_numpy()
        figures["macro_auroc"] = float(areas["auroc"].mean())
        figures["macro_auprc"] = float(areas["auprc"].mean())
    if groups is not None:
        groups = check_groups(groups, len(y_true))
        per_patient = _per_patient(y_true, y_pred, groups, order)
        sensitivity = per_patient.drop(columns=["support", "accuracy"])
        per_class["patients"] = sensitivity.notna().sum().to_numpy()
        figures["per_patient"] = per_patient
        figures["mean_patient_accuracy"] = float(per_patient["accuracy"].mean())
    counts = pd.crosstab(y_true, y_pred).reindex(index=order, columns=order, fill_value=0)
    return BeatReport(
        labels=tuple(order),
        confusion_matrix=counts.to_numpy(),
        per_class=per_class,
        **figures,
    )


def _per_class(y_true: np.ndarray, y_pred: np.ndarray, order: list[Any]) -> pd.DataFrame:
    """Compute the figures that depend on predictions only, NaN where undefined."""
    predictivity, sensitivity, f1, support = precision_recall_fscore_support(
        y_true, y_pred, labels=order, zero_division=np.nan
    )
    return pd.DataFrame(
        {
            "sensitivity": sensitivity,
            "positive_predictivity": predictivity,
            "f1": f1,
            "support": support.astype(int),
        },
        index=pd.Index(order, name="label"),
    )


def _areas(
    y_true: np.ndarray, score: np.ndarray, columns: np.ndarray, order: list[Any]
) -> pd.DataFrame:
    """Compute AUROC and AUPRC of each class against the rest, NaN where undefined."""
    areas = dict.fromkeys(order, (np.nan, np.nan))
    for label, column in zip(columns.tolist(), score.T):
        is_label = y_true == label
        if is_label.any() and not is_label.all():
            areas[label] = (
                roc_auc_score(is_label, column),
                average_precision_score(is_label, column),
            )
    return pd.DataFrame(list(areas.values()), index=order, columns=["auroc", "auprc"])


def _per_patient(
    y_true: np.ndarray, y_pred: np.ndarray, groups: np.ndarray, order: list[Any]
) -> pd.DataFrame:
    """Compute the accuracy and the sensitivities of each patient."""
    beats = pd.DataFrame({"group": groups, "label": y_true, "correct": y_true == y_pred})
    found = beats.groupby("group")["correct"].agg(support="size", accuracy="mean")
    sensitivity = beats.pivot_table("correct", index="group", columns="label")
    return found.join(sensitivity.reindex(columns=order).add_prefix("sensitivity_"))
