"""Calibration metrics."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf._docstrings import parameters_from
from ecgclf._validation import to_array
from ecgclf.evaluation._checks import check_beats, check_classes, check_scores, in_class_order


def reliability_table(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    label: Any = None,
    n_bins: int = 15,
    strategy: Literal["uniform", "quantile"] = "uniform",
) -> pd.DataFrame:
    """Compare predicted probabilities with observed frequencies, in bins.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels.
    y_prob : array-like of shape (n_beats, n_classes) or (n_beats,)
        Probabilities from ``predict_proba``. With two classes, a 1-D array is the probability
        of ``classes[1]``.
    classes : array-like of shape (n_classes,), optional
        Label of each column of `y_prob`: ``estimator.classes_``. By default the sorted labels
        of `y_true`.
    label : label, optional
        Evaluate the probability of this class, against the rest. By default the highest
        probability of each beat, the confidence in the predicted class.
    n_bins : int, default=15
        Number of bins.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width between 0 and 1, or with about equal numbers of beats.

    Returns
    -------
    DataFrame of `n_bins` rows
        With the columns ``low`` and ``high`` (edges of the bin; a probability on an edge belongs
        to the lower bin), ``count`` (number of beats), ``predicted`` (mean probability) and
        ``observed`` (fraction of beats of the predicted class, or of `label`), NaN in an empty
        bin. With "quantile" there are fewer rows if quantiles coincide.

    Raises
    ------
    ValueError
        If the inputs differ in length, `y_prob` does not hold probabilities, a true label or
        `label` has no column, or a parameter is invalid.

    Examples
    --------
    >>> from ecgclf.evaluation import reliability_table
    >>> y_prob = [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]
    >>> table = reliability_table(["N", "N", "V", "V"], y_prob, n_bins=2)
    >>> table["count"].tolist(), table["observed"].tolist()
    ([0, 4], [nan, 0.75])
    """
    if not isinstance(n_bins, (int, np.integer)) or n_bins < 1:
        raise ValueError(f"n_bins must be an integer >= 1; got {n_bins!r}.")
    confidence, is_correct = confidence_of(y_true, y_prob, classes, label)
    if strategy == "uniform":
        edges = np.linspace(0, 1, n_bins + 1)
    elif strategy == "quantile":
        edges = np.unique(np.quantile(confidence, np.linspace(0, 1, n_bins + 1)))
        # Equal probabilities give a single edge, and thus one bin of zero width.
        edges = edges if len(edges) > 1 else np.repeat(edges, 2)
    else:
        raise ValueError(f"strategy is {strategy!r}; expected 'uniform' or 'quantile'.")
    # As in the paper, a bin contains its upper edge.
    bins = np.searchsorted(edges[1:-1], confidence, side="left")
    count = np.bincount(bins, minlength=len(edges) - 1)
    sums = [np.bincount(bins, values, len(count)) for values in (confidence, is_correct)]
    with np.errstate(invalid="ignore"):
        predicted, observed = (total / count for total in sums)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "predicted": predicted,
            "observed": observed,
        }
    )


@parameters_from(reliability_table)
def expected_calibration_error(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    label: Any = None,
    n_bins: int = 15,
    strategy: Literal["uniform", "quantile"] = "uniform",
) -> float:
    r"""Compute the mean difference between predicted probabilities and observed frequencies.

    With :math:`B_m` the beats in bin :math:`m` of :math:`n` beats in all [1]_,

    .. math:: ECE = \sum_m \frac{|B_m|}{n} \left| acc(B_m) - conf(B_m) \right|

    where conf is the mean probability of the predicted class and acc the fraction of beats
    predicted correctly. It depends on the bins: report their number and kind. It does not
    measure accuracy: a classifier that always predicts the class frequencies has an error of 0.

    Returns
    -------
    float
        Between 0 (calibrated) and 1.

    Raises
    ------
    ValueError
        As in `reliability_table`.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
       networks", ICML 2017, arXiv:1706.04599, equation 3.

    Examples
    --------
    >>> from ecgclf.evaluation import expected_calibration_error
    >>> y_prob = [[0.75, 0.25], [0.75, 0.25], [0.75, 0.25], [0.25, 0.75]]
    >>> round(expected_calibration_error(["N", "N", "V", "V"], y_prob, n_bins=10), 3)
    0.0
    """
    return error_of_table(
        reliability_table(
            y_true, y_prob, classes=classes, label=label, n_bins=n_bins, strategy=strategy
        )
    )


def error_of_table(table: pd.DataFrame) -> float:
    """Compute the expected calibration error from a `reliability_table`."""
    used = table[table["count"] > 0]
    gaps = (used["observed"] - used["predicted"]).abs()
    return float(np.average(gaps, weights=used["count"]))


def confidence_of(
    y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike | None, label: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of each beat that is evaluated, and whether its class is true."""
    y_true = check_beats(y_true, "y_true")
    columns = check_classes(y_true, classes)
    probability = check_scores(y_prob, y_true, columns, "y_prob", total=1.0)
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(
            "y_prob must hold probabilities between 0 and 1; got values from "
            f"{probability.min():.3g} to {probability.max():.3g}. Pass the output of "
            "predict_proba, not of decision_function."
        )
    if label is None:
        predicted = columns[probability.argmax(axis=1)]
        return probability.max(axis=1), predicted == y_true
    place = np.flatnonzero(columns == label)
    if not len(place):
        raise ValueError(f"label {label!r} is not among the classes {columns.tolist()}.")
    return probability[:, place[0]], y_true == label


@parameters_from(reliability_table)
def coverage_table(y_true: ArrayLike, y_set: ArrayLike, *, classes: ArrayLike) -> pd.DataFrame:
    """Compute the coverage and size of prediction sets.

    Parameters
    ----------
    y_set : array-like of shape (n_beats, n_classes), bool
        Classes in the prediction set of each beat, from
        `ConformalClassifier.predict_set <ecgclf.estimators.ConformalClassifier.predict_set>`.
    classes : array-like of shape (n_classes,)
        Label of each column: ``estimator.classes_``.

    Returns
    -------
    DataFrame
        One row for each class with beats, and ``"all beats"``. The columns are ``beats``
        (number of beats), ``coverage`` (fraction of sets that contain the true class),
        ``mean_size`` (mean number of classes in a set), ``single`` and ``empty`` (fractions of
        sets with exactly one class and with none).

    Raises
    ------
    ValueError
        If the inputs differ in length, `y_set` does not have a boolean column for each class,
        or a true label has no column.

    Examples
    --------
    >>> from ecgclf.evaluation import coverage_table
    >>> y_set = [[True, False], [True, True], [True, False]]
    >>> coverage_table(["N", "V", "V"], y_set, classes=["N", "V"])
               beats  coverage  mean_size    single  empty
    N              1  1.000000   1.000000  1.000000    0.0
    V              2  0.500000   1.500000  0.500000    0.0
    all beats      3  0.666667   1.333333  0.666667    0.0
    """
    y_true = check_beats(y_true, "y_true")
    columns, sets = check_classes(y_true, classes), to_array(y_set, "y_set")
    if sets.dtype != bool or sets.shape != (len(y_true), len(columns)):
        raise ValueError(
            f"y_set has shape {sets.shape} and dtype {sets.dtype}; expected a row for each of "
            f"the {len(y_true)} beats and a boolean column for each of the classes "
            f"{columns.tolist()}, as returned by predict_set."
        )
    size = sets.sum(axis=1)
    of_beats = pd.DataFrame(
        {
            "coverage": (sets & (y_true[:, np.newaxis] == columns)).any(axis=1),
            "mean_size": size,
            "single": size == 1,
            "empty": size == 0,
        }
    )
    rows = {label: of_beats[y_true == label] for label in in_class_order(np.unique(y_true))}
    rows["all beats"] = of_beats
    return pd.DataFrame(
        {label: {"beats": len(beats), **beats.mean()} for label, beats in rows.items()}
    ).T.astype({"beats": int})
