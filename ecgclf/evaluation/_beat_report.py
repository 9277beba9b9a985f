"""Report on predicted beat labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels

from ecgclf._validation import check_groups
from ecgclf.evaluation._checks import (
    check_distinct,
    check_known,
    check_predictions,
    check_scores,
    in_class_order,
)
from ecgclf.evaluation._reports import DASH, JSONReport, Part, confusion_parts
from ecgclf.evaluation._score_metrics import compute_areas

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


@dataclass(frozen=True, eq=False, repr=False)
class BeatReport(JSONReport):
    """Report returned by `beat_report`.

    Figures are between 0 and 1, and NaN where undefined: the sensitivity of a class without
    true beats, the positive predictivity of a class that was never predicted, the F1 of a class
    with neither, the AUROC and AUPRC of a class without true beats, other beats or scores.

    Attributes
    ----------
    labels : tuple of length n_classes
        The classes, in the order of the rows of `per_class` and `confusion_matrix`.
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Number of beats by true (row) and predicted class (column).
    per_class : DataFrame of n_classes rows
        Indexed by label, with the columns ``sensitivity``, ``positive_predictivity``, ``f1`` and
        ``support`` (number of true beats); with scores also ``auroc`` and ``auprc`` (average
        precision); with groups also ``patients`` (number with true beats of the class).
    accuracy, balanced_accuracy : float
        Fraction of beats predicted correctly, and mean sensitivity of the classes.
    macro_f1, weighted_f1 : float
        Mean F1 of the classes that occur among the true or the predicted beats, and the same
        weighted by the number of true beats.
    macro_auroc, macro_auprc : float or None
        Means over the classes where the figure is defined; None without scores.
    mean_patient_accuracy : float or None
        Mean accuracy of the patients, with equal weights; None without groups.
    per_patient : DataFrame or None
        Indexed by group, with the columns ``support`` (number of beats), ``accuracy`` and
        ``sensitivity_<label>`` for each class, NaN for patients without true beats of it. None
        without groups.
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

    _written = ("n_beats", "labels", "overall", "per_class", "confusion_matrix", "per_patient")
    _undefined = "undefined: the class has no true beats, or none were predicted as it"

    @property
    def n_beats(self) -> int:
        """Number of beats."""
        return int(self.confusion_matrix.sum())

    @property
    def overall(self) -> dict[str, float]:
        """Figures over all beats, by name; without those that are None."""
        return super()._figures()

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one table.

        Returns
        -------
        DataFrame of n_classes + 3 rows
            The rows of `per_class`, followed by ``"accuracy"``, ``"macro average"`` (mean over
            classes) and ``"weighted average"`` (weighted by support), NaN where undefined.
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

    def _figures(self) -> dict[str, Any]:
        return {"n_beats": self.n_beats, **self.overall}

    def _parts(self) -> list[Part]:
        counts = f"{self.n_beats:,} beats, {len(self.labels)} classes"
        if self.per_patient is not None:
            counts += f", {len(self.per_patient)} patients"
        shown = [name for name in _HEADS if name in self.per_class]
        overall = pd.Series(self.overall)
        parts: list[Part] = [
            counts,
            self.per_class[shown].rename(columns=_HEADS).rename_axis(index=None),
            overall.set_axis([_title(name) for name in overall.index]),
            *confusion_parts(self.confusion_matrix, self.labels),
        ]
        if self.per_class.isna().to_numpy().any():
            parts.append(f"{DASH} {self._undefined}")
        return parts


def _title(name: str) -> str:
    """Convert ``macro_auroc`` to ``macro AUROC``."""
    return " ".join(_HEADS.get(word, word) for word in name.split("_"))


def beat_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_score: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    *,
    labels: Sequence[Any] | None = None,
    classes: ArrayLike | None = None,
) -> BeatReport:
    """Compare predicted with true beat labels.

    Each class is compared with all others, without the exceptions of `ec57_report`. Sensitivity
    and positive predictivity are the recall and precision of :mod:`sklearn.metrics`.

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
        The classes to report, in this order: all that occur, and maybe others. By default those
        of `y_true`, `y_pred` and `classes`, in the order N S V F Q or sorted. Does not affect
        the columns of `y_score`.
    classes : array-like of shape (n_scores,), optional
        Label of each column of `y_score`: ``estimator.classes_``. By default the sorted labels
        of `y_true` and `y_pred`.

    Returns
    -------
    BeatReport
        The figures, printed as tables.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length, have missing values or are not labels;
        `labels` or `classes` lacks a label; `y_score` does not have one finite column per
        class; or its columns contradict `y_pred` in most beats and `classes` is not given.

    Examples
    --------
    >>> from ecgclf.evaluation import beat_report
    >>> report = beat_report(list("NNNVS"), list("NNVVN"))
    >>> report
    BeatReport(n_beats=5, accuracy=0.6000, balanced_accuracy=0.5556, macro_f1=0.4444,
    weighted_f1=0.5333)
    >>> report.per_class["positive_predictivity"].round(2).to_dict()
    {'N': 0.67, 'S': nan, 'V': 0.5}
    """
    y_true, y_pred = check_predictions(y_true, y_pred)
    seen = unique_labels(y_true, y_pred)
    columns = seen if classes is None else check_distinct(classes, "classes")
    order = _order(labels, in_class_order(unique_labels(seen, columns)))

    predictivity, sensitivity, f1, support = precision_recall_fscore_support(
        y_true, y_pred, labels=order, zero_division=np.nan
    )
    per_class = pd.DataFrame(
        {"sensitivity": sensitivity, "positive_predictivity": predictivity, "f1": f1},
        index=pd.Index(order, name="label"),
    ).assign(support=support.astype(int))
    occurs = per_class["f1"].notna()
    figures: dict[str, Any] = {
        "accuracy": float(accuracy_score(y_true, y_pred)),
        # mean() skips NaN, the sensitivity of classes without true beats.
        "balanced_accuracy": float(per_class["sensitivity"].mean()),
        "macro_f1": float(per_class["f1"].mean()),
        "weighted_f1": float(np.average(f1[occurs], weights=support[occurs])),
    }
    if y_score is not None:
        score = _check_score(y_score, y_pred, columns, named=classes is not None)
        of_label = {
            label: compute_areas(y_true == label, column)
            for label, column in zip(columns.tolist(), score.T)
        }
        per_class[["auroc", "auprc"]] = [of_label.get(name, (np.nan, np.nan)) for name in order]
        figures["macro_auroc"] = float(per_class["auroc"].mean())
        figures["macro_auprc"] = float(per_class["auprc"].mean())
    if groups is not None:
        groups = check_groups(groups, len(y_true))
        beats = pd.DataFrame({"group": groups, "label": y_true, "correct": y_true == y_pred})
        of_group = beats.groupby("group")["correct"].agg(support="size", accuracy="mean")
        by_label = beats.pivot_table("correct", index="group", columns="label")
        by_label = by_label.reindex(columns=order)
        per_class["patients"] = by_label.notna().sum().to_numpy()
        figures["per_patient"] = of_group.join(by_label.add_prefix("sensitivity_"))
        figures["mean_patient_accuracy"] = float(of_group["accuracy"].mean())
    counts = pd.crosstab(y_true, y_pred).reindex(index=order, columns=order, fill_value=0)
    return BeatReport(
        labels=tuple(order),
        confusion_matrix=counts.to_numpy(),
        per_class=per_class,
        **figures,
    )


def _order(labels: Sequence[Any] | None, occurring: list[Any]) -> list[Any]:
    """Return the classes to report, in the order to report them."""
    if labels is None:
        return occurring
    wanted = check_distinct(labels, "labels").tolist()
    if unknown := [label for label in occurring if label not in wanted]:
        raise ValueError(
            f"labels {wanted} lacks {unknown}, which y_true, y_pred or classes hold. Add them to "
            "labels or leave their beats out."
        )
    return wanted


def _check_score(
    y_score: ArrayLike, y_pred: np.ndarray, columns: np.ndarray, *, named: bool
) -> np.ndarray:
    """Check scores, and return them with one column per class."""
    score = check_scores(y_score, y_pred, columns)
    # A moved threshold changes the prediction of some beats, but columns in a different order
    # than assumed contradict most of them.
    if not named and np.ndim(y_score) == 2:
        agreement = np.mean(columns[score.argmax(axis=1)] == y_pred)
        if agreement < 0.5:
            raise ValueError(
                f"the columns of y_score are read as {columns.tolist()}, but the highest one is "
                f"the class of y_pred in only {agreement:.0%} of the beats. Pass "
                "classes=estimator.classes_ if their order is different."
            )
    check_known(y_pred, columns, "y_pred")
    return score
