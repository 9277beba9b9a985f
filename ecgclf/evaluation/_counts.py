"""Beats counted by true class, predicted class and patient."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

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
