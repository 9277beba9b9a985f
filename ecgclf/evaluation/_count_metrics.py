"""Figures of merit that depend on the confusion matrix alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import unique_labels

from ecgclf.evaluation._checks import check_beats, check_same_length
from ecgclf.evaluation._class_order import in_class_order
from ecgclf.evaluation._counts import BinaryCounts, count_class, matrices_by_group, ratio


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
