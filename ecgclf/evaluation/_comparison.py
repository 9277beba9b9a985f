"""Two models on the same beats."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from ecgclf._validation import check_same_length
from ecgclf.evaluation._checks import check_beats
from ecgclf.evaluation._resampling import (
    Metrics,
    Patients,
    Statistic,
    check_enough,
    interval_of,
    seed_of,
)


def compare_models(
    y_true: ArrayLike,
    y_pred_a: ArrayLike,
    y_pred_b: ArrayLike,
    groups: ArrayLike,
    metrics: Metrics = None,
    *,
    confidence_level: float = 0.95,
    n_resamples: int = 1999,
    method: Literal["percentile", "BCa"] = "percentile",
    random_state: int | np.random.Generator | None = None,
) -> pd.DataFrame:
    """Compare two models on the same patients, with intervals of the difference.

    Patients who are hard for one model tend to be hard for the other, so the interval of
    the difference is narrower than those of the two figures tell. Patients are drawn as
    in `patient_intervals`, each time the same ones for both models.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels.
    y_pred_a, y_pred_b : array-like of shape (n_beats,) or (n_beats, ...)
        Predictions of the two models.
    groups : array-like of shape (n_beats,)
        The patient of each beat.
    metrics, confidence_level, n_resamples, method, random_state
        As in `patient_intervals`.

    Returns
    -------
    DataFrame of n_metrics rows
        With the columns ``a`` and ``b`` (the figures), ``difference`` (b minus a),
        ``low`` and ``high`` (its interval) and ``defined`` (share of resamples in which
        it exists). An interval that holds 0 leaves open which model is better.

    Raises
    ------
    ValueError
        As `patient_intervals`.

    Warns
    -----
    UserWarning
        If there are fewer than 8 patients.

    Notes
    -----
    The interval is about these two fitted models. It says nothing of how much another
    seed would change either of them; train several for that.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import Accuracy, compare_models
    >>> rng = np.random.default_rng(0)
    >>> groups = np.repeat(np.arange(20), 50)
    >>> y_true = rng.choice(["N", "V"], size=1000)
    >>> a = np.where(rng.random(1000) < 0.2, "N", y_true)
    >>> b = np.where(rng.random(1000) < 0.1, "N", y_true)
    >>> compare_models(y_true, a, b, groups, Accuracy(), random_state=0).round(2)
                 a     b  difference   low  high  defined
    accuracy  0.88  0.94        0.06  0.04  0.08      1.0
    """
    patients = Patients(y_true, groups)
    check_enough(patients)
    seed = seed_of(random_state)
    n = len(patients.names)
    rows = {}
    for name, metric in patients.metrics(metrics, y_pred_a, y_pred_b).items():
        of_a = patients.statistic(metric, y_pred_a, y_pred_b)
        of_b = patients.statistic(metric, y_pred_b, y_pred_a)
        everyone = np.arange(n)
        rows[name] = (
            float(of_a(everyone)),
            float(of_b(everyone)),
            *interval_of(_difference(of_a, of_b), n, confidence_level, n_resamples, method, seed),
        )
    columns = ["a", "b", "difference", "low", "high", "defined"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _difference(of_a: Statistic, of_b: Statistic) -> Statistic:
    return lambda drawn: of_b(drawn) - of_a(drawn)


class McNemarResult(NamedTuple):
    """Result of `mcnemar_test`.

    Attributes
    ----------
    only_a, only_b : int
        Beats that only the first, or only the second model got right.
    pvalue : float
        Probability of a split at least as uneven if both were right equally often.
    """

    only_a: int
    only_b: int
    pvalue: float


def mcnemar_test(y_true: ArrayLike, y_pred_a: ArrayLike, y_pred_b: ArrayLike) -> McNemarResult:
    """Test whether two models are right equally often, beat by beat.

    The exact test of McNemar [1]_: of the beats that one model gets right and the other
    wrong, half should go to each. It takes **beats for independent**, which they are not:
    a model that fails on one patient fails on hundreds of beats at once, and the test
    then calls a chance difference between a few patients certain. It is here because
    papers report it. To learn which model will be better on new patients use
    `compare_models`.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels.
    y_pred_a, y_pred_b : array-like of shape (n_beats,)
        Labels predicted by the two models.

    Returns
    -------
    McNemarResult
        Named tuple ``(only_a, only_b, pvalue)``. The p-value is 1 if the models never
        differ in being right.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or are no labels.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between correlated
       proportions or percentages", Psychometrika 12(2), 1947.

    Examples
    --------
    >>> from ecgclf.evaluation import mcnemar_test
    >>> mcnemar_test(["N"] * 8, ["N"] * 8, ["N"] * 2 + ["V"] * 6)
    McNemarResult(only_a=6, only_b=0, pvalue=0.03125)
    """
    true = check_beats(y_true, "y_true")
    right = []
    for name, y_pred in (("y_pred_a", y_pred_a), ("y_pred_b", y_pred_b)):
        pred = check_beats(y_pred, name)
        check_same_length(true, name, pred)
        right.append(pred == true)
    only_a, only_b = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    differ = only_a + only_b
    pvalue = float(binomtest(only_a, differ).pvalue) if differ else 1.0
    return McNemarResult(only_a, only_b, pvalue)
