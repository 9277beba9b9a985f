"""From true and predicted beats to the figures of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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

from ecgclf.evaluation._checks import (
    check_beats,
    check_distinct,
    check_groups,
    check_known,
    check_order,
    check_same_length,
    check_score,
)
from ecgclf.evaluation._report import BeatReport


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

    Sensitivity and positive predictivity are the figures that ANSI/AAMI EC57 [1]_ asks
    for, class by class: with :math:`TP` beats of a class found, :math:`FN` missed and
    :math:`FP` beats of other classes taken for it,

    .. math:: Se = \frac{TP}{TP + FN}, \quad +P = \frac{TP}{TP + FP}, \quad
              F_1 = \frac{2\,TP}{2\,TP + FP + FN}.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels: strings, integers or booleans.
    y_pred : array-like of shape (n_beats,)
        Predicted labels, of the same type.
    y_score : array-like of shape (n_beats, n_scores) or (n_beats,), optional
        Probabilities, or any scores that rise with the evidence for a class, such as
        those of ``decision_function``. Column i belongs to ``classes[i]``. With two
        classes, a 1-D array is the score of ``classes[1]``.
    groups : array-like of shape (n_beats,), optional
        The patient of each beat.
    labels : sequence, optional
        The classes to report, in the order wanted. Has to hold every label that occurs;
        classes that do not occur may stand in it. By default the labels that occur in
        `y_true`, `y_pred` or `classes`: in the order N S V F Q if all are AAMI classes,
        sorted otherwise. It says nothing on the columns of `y_score`.
    classes : array-like of shape (n_scores,), optional
        The label of each column of `y_score`: ``estimator.classes_``. By default the
        labels that occur in `y_true` or `y_pred`, sorted, which is what
        ``estimator.classes_`` holds unless the training beats had other classes.

    Returns
    -------
    BeatReport
        Prints well; see there for each figure and when it is undefined (NaN).

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length, miss values or are not labels; if a
        label is missing in `labels` or `classes`; if `y_score` has not one column per
        class or is not finite; or if `classes` was left out and the columns of `y_score`
        contradict `y_pred` in most beats, so that their order must be another.

    Notes
    -----
    Macro-F1 is the mean over the classes that occur among true or predicted beats, as in
    :func:`sklearn.metrics.f1_score`: a class that is never found counts as 0.

    AUROC is the area under the receiver operating characteristic and AUPRC the average
    precision (the sum over recall steps, without interpolation), each for one class
    against all others. A class of `y_true` without a column in `y_score` has neither.

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
        # NaN marks a class without true beats, and mean() passes over it.
        "balanced_accuracy": float(per_class["sensitivity"].mean()),
        "macro_f1": float(per_class["f1"].mean()),
        "weighted_f1": float(np.average(per_class["f1"][occurs], weights=support[occurs])),
    }
    if y_score is not None:
        score = check_score(y_score, y_pred, columns, named=classes is not None)
        check_known(y_pred, columns)
        areas = _areas(y_true, score, columns, order)
        per_class[["auroc", "auprc"]] = areas.to_numpy()
        figures["macro_auroc"] = float(areas["auroc"].mean())
        figures["macro_auprc"] = float(areas["auprc"].mean())
    if groups is not None:
        groups = check_groups(groups)
        check_same_length(y_true, "groups", groups)
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
    """Return the figures that need predictions only, NaN where undefined."""
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
    """Return AUROC and AUPRC of each class against the rest, NaN where undefined."""
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
    """Return the accuracy of each patient and the sensitivity to each class."""
    beats = pd.DataFrame({"group": groups, "label": y_true, "correct": y_true == y_pred})
    found = beats.groupby("group")["correct"].agg(support="size", accuracy="mean")
    sensitivity = beats.pivot_table("correct", index="group", columns="label")
    return found.join(sensitivity.reindex(columns=order).add_prefix("sensitivity_"))
