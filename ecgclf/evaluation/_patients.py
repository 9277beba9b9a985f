"""Figures of merit as functions of the patients who take part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import unique_labels

from ecgclf.evaluation._checks import check_beats, check_groups, check_same_length
from ecgclf.evaluation._class_order import in_class_order
from ecgclf.evaluation._count_metrics import CountMetric, usual_metrics
from ecgclf.evaluation._counts import matrices_by_group

Metric = Callable[[Any, Any], float]

#: What may be asked for: one function, several, several by name, or the usual ones.
Metrics: TypeAlias = Metric | Sequence[Metric] | Mapping[str, Metric] | None

#: From positions of patients, (..., n_taken), to a figure, (...,).
Statistic = Callable[[np.ndarray], np.ndarray]


class Patients:
    """Beats by patient, as the resampling needs them."""

    def __init__(self, y_true: ArrayLike, groups: ArrayLike) -> None:
        self.y_true = np.asarray(y_true)
        self.groups = check_groups(groups)
        check_same_length(self.groups, "y_true", self.y_true, "groups")
        self.names, patient = np.unique(self.groups, return_inverse=True)
        order = np.argsort(patient, kind="stable")
        self._rows = np.split(order, np.cumsum(np.bincount(patient))[:-1])

    def metrics(self, metrics: Metrics, *y_preds: ArrayLike) -> dict[str, Metric]:
        """Return metrics by name; if None were given the usual ones of the labels."""
        if metrics is None:
            checked = [check_beats(y, "y_pred") for y in y_preds]
            labels = unique_labels(check_beats(self.y_true, "y_true"), *checked)
            metrics = usual_metrics(in_class_order(labels))
        if isinstance(metrics, Mapping):
            return dict(metrics)
        chosen: list[Metric] = [metrics] if callable(metrics) else list(metrics)
        named: dict[str, Metric] = {_name(metric): metric for metric in chosen}
        if len(named) < len(chosen) or not named:
            raise ValueError(
                f"metrics must be functions of distinct names; got {list(map(_name, chosen))}. "
                "Name them by a dict."
            )
        return named

    def statistic(self, metric: Metric, y_pred: ArrayLike, *others: ArrayLike) -> Statistic:
        """Return a metric as a function of the patients drawn.

        The classes are those of the true labels, of `y_pred` and of `others`.
        """
        pred = np.asarray(y_pred)
        check_same_length(self.groups, "y_pred", pred, "groups")
        if isinstance(metric, CountMetric):
            return self._counting(metric, pred, *others)

        def of_beats(drawn: np.ndarray) -> np.ndarray:
            rows = [
                np.concatenate([self._rows[patient] for patient in draw])
                for draw in drawn.reshape(-1, drawn.shape[-1])
            ]
            figures = [metric(self.y_true[row], pred[row]) for row in rows]
            return np.reshape(figures, drawn.shape[:-1])

        return of_beats

    def _counting(self, metric: CountMetric, y_pred: ArrayLike, *others: ArrayLike) -> Statistic:
        true, pred = check_beats(self.y_true, "y_true"), check_beats(y_pred, "y_pred")
        labels = in_class_order(unique_labels(true, pred, *map(np.asarray, others)))
        _, matrices = matrices_by_group(true, pred, self.groups, labels)

        n, k = len(self.names), len(labels)
        cells = matrices.reshape(n, k * k).astype(float)  # the product of floats is the fast one

        def of_counts(drawn: np.ndarray) -> np.ndarray:
            draws = drawn.reshape(-1, drawn.shape[-1])
            at = draws + n * np.arange(len(draws))[:, np.newaxis]
            times = np.bincount(at.ravel(), minlength=n * len(draws)).reshape(-1, n)
            return metric.of_counts((times @ cells).reshape(*drawn.shape[:-1], k, k), labels)

        return of_counts


def _name(metric: Metric) -> str:
    return (
        str(metric)
        if isinstance(metric, CountMetric)
        else getattr(metric, "__name__", str(metric))
    )
