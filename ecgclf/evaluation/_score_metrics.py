"""Metrics computed from scores: areas under the ROC and the precision-recall curve."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.utils.multiclass import type_of_target

from ecgclf._docstrings import InheritedParameterDocs
from ecgclf._validation import to_array
from ecgclf.evaluation._checks import (
    check_beats,
    check_classes,
    check_distinct,
    check_finite,
    check_scores,
)
from ecgclf.evaluation._count_metrics import mean_of_defined

#: From weights of shape (n_draws, n_samples) to AUROC and AUPRC, (2, n_draws).
Areas = Callable[[np.ndarray], np.ndarray]


class Scored(NamedTuple):
    """Scores beside the classes or labels that they are for."""

    #: Classes or labels with a column; of two classes only the second one.
    names: list[Any]
    #: Whether the class or label is true, (n_samples, n_names).
    is_true: np.ndarray
    #: Scores of shape (n_samples, n_names).
    score: np.ndarray
    #: The first of two classes; None with more classes or several labels at once.
    other: Any = None

    def areas(self) -> list[Areas]:
        """Return AUROC and AUPRC of each column as functions of weights."""
        return [ranked_areas(*pair) for pair in zip(self.is_true.T, self.score.T)]


def check_scored(y_true: ArrayLike, y_score: Any, classes: ArrayLike | None = None) -> Scored:
    """Check classes, or an indicator matrix, and their scores."""
    true = to_array(y_true, "y_true")
    if true.ndim == 2:
        return _check_indicator(true, y_score, classes)
    true = check_beats(true, "y_true")
    columns = check_classes(true, classes)
    names = columns.tolist()
    if len(names) < 2:
        raise ValueError(f"y_true has only the class {names[0]!r}. Pass all classes as classes.")
    score = check_scores(y_score, true, columns)
    is_true = true[:, np.newaxis] == columns
    if len(names) == 2:
        return Scored(names[1:], is_true[:, 1:], score[:, 1:], other=names[0])
    return Scored(names, is_true, score)


def _check_indicator(true: np.ndarray, y_score: Any, classes: ArrayLike | None) -> Scored:
    n_samples, n_labels = true.shape
    if not true.size or not np.isin(true, (0, 1)).all():
        raise ValueError(
            f"y_true of shape {true.shape} must be 1-D, with one class each, or an indicator "
            f"matrix of 0 and 1; got {type_of_target(true) if true.size else 'no'} values."
        )
    score = to_array(y_score, "y_score").astype(float)
    if score.shape == (n_labels, n_samples, 2):  # the list of arrays of scikit-learn's forests
        score = score[:, :, 1].T
    if score.shape != true.shape:
        raise ValueError(
            f"y_score has the shape {score.shape}; expected {true.shape}, that of the indicator "
            "matrix y_true."
        )
    check_finite(score, "y_score")
    names = np.arange(n_labels) if classes is None else check_distinct(classes, "classes")
    if len(names) != n_labels:
        raise ValueError(f"classes has {len(names)} names, but y_true has {n_labels} columns.")
    return Scored(names.tolist(), true.astype(bool), score)


def compute_areas(is_true: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Compute AUROC and AUPRC of one column, NaN unless it has true and other samples."""
    if is_true.all() or not is_true.any():
        return np.nan, np.nan
    return float(roc_auc_score(is_true, score)), float(average_precision_score(is_true, score))


def ranked_areas(is_true: np.ndarray, score: np.ndarray) -> Areas:
    """Return AUROC and AUPRC of one column as functions of weights, for many resamples."""
    # Sorted once for all resamples.
    order = np.argsort(-score, kind="stable")
    # Samples of equal scores share a threshold, which the last of them ends.
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    is_true = is_true[order]

    def of_weights(weights: np.ndarray) -> np.ndarray:
        weights = weights[:, order].astype(float)
        true = np.cumsum(weights * is_true, axis=1)[:, ends]
        false = np.cumsum(weights * ~is_true, axis=1)[:, ends]
        with np.errstate(invalid="ignore", divide="ignore"):
            new = np.diff(true, axis=1, prepend=0)
            # Pairs of a true and a false sample in the right order; equal scores count half.
            pairs = np.diff(false, axis=1, prepend=0) * (true - new / 2)
            auroc = pairs.sum(axis=1) / (true[:, -1] * false[:, -1])
            precision = np.where(new > 0, true / (true + false), 0)
            auprc = (new * precision).sum(axis=1) / true[:, -1]
        return np.stack([auroc, np.where(false[:, -1] > 0, auprc, np.nan)])

    return of_weights


@dataclass(frozen=True)
class ScoreMetric(InheritedParameterDocs, ABC):
    """Base class of metrics that are computed from scores.

    An instance is a metric like those of scikit-learn, ``metric(y_true, y_score)``, that
    returns NaN where it is undefined.

    Parameters
    ----------
    label : object, default=None
        The class, against all others, or the number of the label in an indicator matrix. By
        default the mean over all where the metric is defined; of two classes the second one.
    """

    label: Any = None

    #: Row of the result of `ranked_areas`.
    _row: ClassVar[int]

    def of_weights(self, scored: Scored) -> Callable[[np.ndarray], np.ndarray]:
        """Return the metric as a function of weights, from (n_draws, n_samples) to (n_draws,)."""
        areas = scored.areas()
        if self.label is not None:
            if self.label not in scored.names:
                raise ValueError(f"{self!r}: the scores are for {scored.names}. Choose another.")
            areas = [areas[scored.names.index(self.label)]]

        def metric(weights: np.ndarray) -> np.ndarray:
            return mean_of_defined(np.stack([area(weights)[self._row] for area in areas]))

        return metric

    def __call__(self, y_true: ArrayLike, y_score: ArrayLike) -> float:
        scored = check_scored(y_true, y_score)
        return float(self.of_weights(scored)(np.ones((1, len(scored.score))))[0])

    def __str__(self) -> str:
        name = type(self).__name__
        return name if self.label is None else f"{self.label} {name}"


@dataclass(frozen=True)
class AUROC(ScoreMetric):
    """Area under the receiver operating characteristic.

    The probability that a sample of the class has a higher score than another one; equal scores
    count half.

    Examples
    --------
    >>> from ecgclf.evaluation import AUROC
    >>> AUROC()(["healthy", "infarction", "healthy", "infarction"], [0.1, 0.4, 0.5, 0.9])
    0.75
    """

    _row = 0


@dataclass(frozen=True)
class AUPRC(ScoreMetric):
    """Average precision, the area under the curve of precision over recall.

    As in scikit-learn, without interpolation. Unlike AUROC it depends on the prevalence of the
    class, which it equals for random scores.

    Examples
    --------
    >>> from ecgclf.evaluation import AUPRC
    >>> round(AUPRC()(["N", "V", "N", "V"], [0.1, 0.4, 0.5, 0.9]), 4)
    0.8333
    """

    _row = 1
