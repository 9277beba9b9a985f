"""Metrics computed from confusion matrices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import unique_labels

from ecgclf._docstrings import InheritedParameterDocs
from ecgclf.evaluation._checks import check_predictions, in_class_order

#: Label for no beat: the truth of a false detection, the prediction of a missed beat.
NO_BEAT = "O"


def matrices_by_group(
    y_true: np.ndarray, y_pred: np.ndarray, groups: np.ndarray, labels: Sequence[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the patients, and their confusion matrices of shape (n_patients, n_true, n_pred)."""
    patients, patient = np.unique(groups, return_inverse=True)
    k = len(labels)
    code = {label: i for i, label in enumerate(labels)}
    true, pred = (np.array([code[label] for label in y.tolist()]) for y in (y_true, y_pred))
    cell = (patient * k + true) * k + pred
    matrices = np.bincount(cell, minlength=len(patients) * k * k)
    return patients, matrices.reshape(len(patients), k, k)


def count_class(
    matrices: np.ndarray,
    labels: Sequence[Any],
    label: Any,
    not_counted: Collection[Any] = (),
) -> dict[str, np.ndarray]:
    """Evaluate a class against the rest, in matrices of shape (..., n_classes, n_classes)."""
    classes = np.array([str(name) for name in labels])
    at = list(labels).index(label)
    others = np.arange(len(classes)) != at
    # Beats that are neither false positives nor true negatives when predicted as the class.
    counted = others & ~np.isin(classes, [str(name) for name in not_counted])
    # A beat that was not detected is not a true negative.
    detected = others & (classes != NO_BEAT)
    return binary_figures(
        matrices[..., at, at],
        matrices[..., at, others].sum(axis=-1),
        matrices[..., counted, at].sum(axis=-1),
        matrices[..., others, :][..., detected].sum(axis=(-2, -1)),
    )


def binary_figures(
    tp: np.ndarray, fn: np.ndarray, fp: np.ndarray, tn: np.ndarray
) -> dict[str, np.ndarray]:
    """Return counts of one class against the rest with their figures, NaN where undefined."""
    return {
        "true_positives": tp,
        "false_negatives": fn,
        "false_positives": fp,
        "true_negatives": tn,
        "sensitivity": _ratio(tp, tp + fn),
        "positive_predictivity": _ratio(tp, tp + fp),
        # Detection has no true negatives, and thus no false positive rate.
        "false_positive_rate": _ratio(fp, np.where(tn > 0, fp + tn, 0)),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide counts, with NaN where the denominator is 0."""
    whole = np.asarray(whole, dtype=float)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def mean_of_defined(figures: np.ndarray) -> np.ndarray:
    """Compute the mean over the first axis, of the figures that are not NaN."""
    return _ratio(np.nansum(figures, axis=0), np.sum(~np.isnan(figures), axis=0))


class CountMetric(ABC):
    """Base class of metrics that are computed from confusion matrices.

    An instance is a metric like those of scikit-learn, ``metric(y_true, y_pred)``, that returns
    NaN where it is undefined. Because confusion matrices add up, `patient_intervals` resamples
    the matrices of the patients instead of their beats.
    """

    @abstractmethod
    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the metric of each confusion matrix.

        `matrices` of shape (..., n_classes, n_classes) holds the numbers of beats by true (row)
        and predicted class (column), in the order of `labels`; the result has shape (...,).
        """

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        true, pred = check_predictions(y_true, y_pred)
        labels = in_class_order(unique_labels(true, pred))
        _, matrices = matrices_by_group(true, pred, np.zeros(len(true)), labels)
        return float(self.of_counts(matrices[0], labels))


@dataclass(frozen=True)
class Accuracy(CountMetric):
    """Fraction of beats predicted correctly.

    Examples
    --------
    >>> from ecgclf.evaluation import Accuracy
    >>> Accuracy()(["N", "N", "V", "V"], ["N", "N", "V", "N"])
    0.75
    """

    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the metric; see `CountMetric.of_counts`."""
        correct = np.trace(matrices, axis1=-2, axis2=-1)
        return _ratio(correct, matrices.sum(axis=(-2, -1)))

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
        """Compute the metric; see `CountMetric.of_counts`."""
        f1 = [count_class(matrices, labels, label)["f1"] for label in labels]
        return mean_of_defined(np.stack(f1))

    def __str__(self) -> str:
        return "macro F1"


@dataclass(frozen=True)
class _ClassMetric(InheritedParameterDocs, CountMetric):
    """Base class of the metrics of one class.

    Parameters
    ----------
    label : object
        The class.
    not_counted : collection of labels
        True classes whose beats are not counted as false positives when predicted as `label`,
        such as ``"FQ"`` for V and ``"Q"`` for S in `ec57_report`.
    """

    label: Any

    #: Key of the result of `count_class`.
    _figure: ClassVar[str]

    def of_counts(self, matrices: np.ndarray, labels: Sequence[Any]) -> np.ndarray:
        """Compute the metric; see `CountMetric.of_counts`."""
        if self.label not in list(labels):
            raise ValueError(
                f"{self!r} is undefined: no beat is of class {self.label!r} or predicted as it. "
                f"The classes are {list(labels)}."
            )
        not_counted = getattr(self, "not_counted", ())
        return count_class(matrices, labels, self.label, not_counted)[self._figure]

    def __str__(self) -> str:
        name = f"{self.label} {self._figure}".replace("_", " ").replace("f1", "F1")
        not_counted = ", ".join(map(str, getattr(self, "not_counted", ())))
        return f"{name} without {not_counted}" if not_counted else name


@dataclass(frozen=True)
class Sensitivity(_ClassMetric):
    """Fraction of the true beats of a class that are predicted as this class.

    Examples
    --------
    >>> from ecgclf.evaluation import Sensitivity
    >>> Sensitivity("V")(["N", "N", "V", "V"], ["N", "N", "V", "N"])
    0.5
    """

    _figure = "sensitivity"


@dataclass(frozen=True)
class PositivePredictivity(_ClassMetric):
    """Fraction of the beats predicted as a class that truly are of this class.

    Examples
    --------
    >>> from ecgclf.evaluation import PositivePredictivity
    >>> PositivePredictivity("V", not_counted="FQ")(list("NVVF"), list("NVVV"))
    1.0
    """

    not_counted: Collection[Any] = ()
    _figure = "positive_predictivity"


@dataclass(frozen=True)
class F1(_ClassMetric):
    """Harmonic mean of sensitivity and positive predictivity of a class.

    Examples
    --------
    >>> from ecgclf.evaluation import F1
    >>> round(F1("V")(["N", "N", "V", "V"], ["N", "N", "V", "N"]), 4)
    0.6667
    """

    not_counted: Collection[Any] = ()
    _figure = "f1"


def usual_metrics(labels: Sequence[Any]) -> list[CountMetric]:
    """Return accuracy, macro-F1, and sensitivity and positive predictivity by class."""
    of_classes = [kind(label) for label in labels for kind in (Sensitivity, PositivePredictivity)]
    return [Accuracy(), MacroF1(), *of_classes]
