"""Metrics computed from confusion matrices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import unique_labels

from ecgclf._validation import check_same_length
from ecgclf.evaluation._checks import check_beats, in_class_order

#: Stands for no beat: a detection without a beat, or a beat that was not detected.
NO_BEAT = "O"


def matrices_by_group(
    y_true: np.ndarray, y_pred: np.ndarray, groups: np.ndarray, labels: Sequence[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the patients, and the confusion matrix of each.

    Parameters
    ----------
    y_true, y_pred, groups : ndarray of shape (n_beats,)
        True label, predicted label and patient of each beat.
    labels : sequence of length n_classes
        The classes; every label of the beats is among them.

    Returns
    -------
    patients : ndarray of shape (n_patients,)
    matrices : ndarray of shape (n_patients, n_classes, n_classes)
        Row i holds the beats that are truly of class i.
    """
    patients, patient = np.unique(groups, return_inverse=True)
    k = len(labels)
    code = {label: i for i, label in enumerate(labels)}
    true, pred = (np.array([code[label] for label in y.tolist()]) for y in (y_true, y_pred))
    cell = (patient * k + true) * k + pred
    matrices = np.bincount(cell, minlength=len(patients) * k * k)
    return patients, matrices.reshape(len(patients), k, k)


class BinaryCounts(NamedTuple):
    """How often one class was found, missed, wrongly said and rightly not said.

    Each field is an array of shape (...,), one entry for each confusion matrix.
    """

    true_positives: np.ndarray
    false_negatives: np.ndarray
    false_positives: np.ndarray
    true_negatives: np.ndarray

    @property
    def sensitivity(self) -> np.ndarray:
        """TP / (TP + FN), NaN without true beats."""
        return ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def positive_predictivity(self) -> np.ndarray:
        """TP / (TP + FP), NaN without predicted beats."""
        return ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def false_positive_rate(self) -> np.ndarray:
        """FP / (FP + TN), NaN without beats of other classes."""
        return ratio(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def f1(self) -> np.ndarray:
        """2 TP / (2 TP + FP + FN), NaN without true and predicted beats."""
        twice = 2 * self.true_positives
        return ratio(twice, twice + self.false_positives + self.false_negatives)


def count_class(
    matrices: np.ndarray,
    labels: Sequence[Any],
    label: Any,
    not_counted: Collection[Any] = (),
) -> BinaryCounts:
    """Count one class against the rest.

    Parameters
    ----------
    matrices : ndarray of shape (..., n_classes, n_classes)
        Confusion matrices, see `matrices_by_group`.
    labels : sequence of length n_classes
        The classes.
    label : object
        The class to count.
    not_counted : collection
        True classes whose beats, when called `label`, are no false positives. They are
        no true negatives then either.

    Returns
    -------
    BinaryCounts
    """
    classes = np.array([str(name) for name in labels])
    at = list(labels).index(label)
    others = np.arange(len(classes)) != at
    charged = others & ~np.isin(classes, [str(name) for name in not_counted])
    # A beat that was not detected was not told from the class either.
    told = others & (classes != NO_BEAT)
    return BinaryCounts(
        matrices[..., at, at],
        matrices[..., at, others].sum(axis=-1),
        matrices[..., charged, at].sum(axis=-1),
        matrices[..., others, :][..., told].sum(axis=(-2, -1)),
    )


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide counts; NaN where there is nothing to divide by."""
    whole = np.asarray(whole, dtype=float)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


class CountMetric(ABC):
    """A figure of merit computed from confusion matrices, many of them at once.

    It is a metric like those of scikit-learn, ``metric(y_true, y_pred)``, NaN where
    undefined. Because the matrix of some patients is the sum of their matrices,
    `patient_intervals` and `compare_models` resample patients without going through
    their beats again.

    To add a figure, derive from this class and write `of_counts`.
    """

    @abstractmethod
    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the figure of each confusion matrix.

        Parameters
        ----------
        matrices : ndarray of shape (..., n_classes, n_classes)
            Number of beats by true (row) and predicted class (column).
        labels : sequence of length n_classes
            The classes.

        Returns
        -------
        ndarray of shape (...,)
        """

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        true, pred = check_beats(y_true, "y_true"), check_beats(y_pred, "y_pred")
        check_same_length(true, "y_pred", pred)
        labels = in_class_order(unique_labels(true, pred))
        _, matrices = matrices_by_group(true, pred, np.zeros(len(true)), labels)
        return float(self.of_counts(matrices[0], labels))


@dataclass(frozen=True)
class Accuracy(CountMetric):
    """Share of beats predicted correctly.

    Examples
    --------
    >>> from ecgclf.evaluation import Accuracy
    >>> Accuracy()(["N", "N", "V", "V"], ["N", "N", "V", "N"])
    0.75
    """

    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the figure; see `CountMetric.of_counts`."""
        right = np.trace(matrices, axis1=-2, axis2=-1)
        return ratio(right, matrices.sum(axis=(-2, -1)))

    def __str__(self) -> str:
        return "accuracy"


@dataclass(frozen=True)
class MacroF1(CountMetric):
    """Mean F1 of the classes that occur among the true or the predicted beats.

    Examples
    --------
    >>> from ecgclf.evaluation import MacroF1
    >>> round(MacroF1()(["N", "N", "V", "V"], ["N", "N", "V", "N"]), 4)
    0.7333
    """

    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the figure; see `CountMetric.of_counts`."""
        f1 = np.stack([count_class(matrices, labels, label).f1 for label in labels])
        return ratio(np.nansum(f1, axis=0), np.sum(~np.isnan(f1), axis=0))

    def __str__(self) -> str:
        return "macro F1"


@dataclass(frozen=True)
class _ClassMetric(CountMetric):
    label: Any

    def _count(self, matrices: np.ndarray, labels: Sequence[Any]) -> BinaryCounts:
        if self.label not in list(labels):
            raise ValueError(
                f"{self!r}: no beat is of class {self.label!r}, and none was predicted so; "
                f"the classes are {list(labels)}."
            )
        return count_class(matrices, labels, self.label, getattr(self, "not_counted", ()))


@dataclass(frozen=True)
class Sensitivity(_ClassMetric):
    """Share of the true beats of a class that were found.

    Parameters
    ----------
    label : object
        The class.

    Examples
    --------
    >>> from ecgclf.evaluation import Sensitivity
    >>> Sensitivity("V")(["N", "N", "V", "V"], ["N", "N", "V", "N"])
    0.5
    """

    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the figure; see `CountMetric.of_counts`."""
        return self._count(matrices, labels).sensitivity

    def __str__(self) -> str:
        return f"{self.label} sensitivity"


@dataclass(frozen=True)
class PositivePredictivity(_ClassMetric):
    """Share of the beats called of a class that are of it.

    Parameters
    ----------
    label : object
        The class.
    not_counted : collection of labels
        True classes whose beats are left out of the count when called `label`: after
        EC57 ``"FQ"`` for V and ``"Q"`` for S, see `ec57_report`.

    Examples
    --------
    >>> from ecgclf.evaluation import PositivePredictivity
    >>> y_true, y_pred = ["N", "V", "V", "F"], ["N", "V", "V", "V"]
    >>> round(PositivePredictivity("V")(y_true, y_pred), 4)
    0.6667
    >>> PositivePredictivity("V", not_counted="FQ")(y_true, y_pred)
    1.0
    """

    not_counted: Collection[Any] = ()

    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the figure; see `CountMetric.of_counts`."""
        return self._count(matrices, labels).positive_predictivity

    def __str__(self) -> str:
        return f"{self.label} positive predictivity"


@dataclass(frozen=True)
class F1(_ClassMetric):
    """Harmonic mean of sensitivity and positive predictivity of a class.

    Parameters
    ----------
    label : object
        The class.
    not_counted : collection of labels
        As in `PositivePredictivity`.

    Examples
    --------
    >>> from ecgclf.evaluation import F1
    >>> round(F1("V")(["N", "N", "V", "V"], ["N", "N", "V", "N"]), 4)
    0.6667
    """

    not_counted: Collection[Any] = ()

    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the figure; see `CountMetric.of_counts`."""
        return self._count(matrices, labels).f1

    def __str__(self) -> str:
        return f"{self.label} F1"


def usual_metrics(labels: Sequence[Any]) -> list[CountMetric]:
    """Return accuracy, macro-F1, and sensitivity and positive predictivity by class."""
    of_classes = [kind(label) for label in labels for kind in (Sensitivity, PositivePredictivity)]
    return [Accuracy(), MacroF1(), *of_classes]
