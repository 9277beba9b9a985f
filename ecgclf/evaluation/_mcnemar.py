"""McNemar's test of two models."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike
from scipy.stats import binomtest

from ecgclf._validation import check_same_length
from ecgclf.evaluation._checks import check_beats


class McNemarResult(NamedTuple):
    """Result returned by `mcnemar_test`."""

    only_a: int
    only_b: int
    pvalue: float


def mcnemar_test(y_true: ArrayLike, y_pred_a: ArrayLike, y_pred_b: ArrayLike) -> McNemarResult:
    """Test whether two models have equal accuracy, beat by beat.

    The exact test of McNemar [1]_: of the beats that only one model predicts correctly, each
    model should have half. It **assumes independent beats**, which is wrong: a model that fails
    on one patient fails on hundreds of beats at once, and the test then declares a chance
    difference between a few patients significant. It is included because papers report it. Use
    `compare_models` to learn which model is better on new patients.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels.
    y_pred_a, y_pred_b : array-like of shape (n_beats,)
        Labels predicted by the two models.

    Returns
    -------
    only_a, only_b : int
        Number of beats that only the first, or only the second model predicts correctly.
    pvalue : float
        Probability of a split at least as uneven if both models have equal accuracy. It is 1 if
        the models are correct on the same beats.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or are not labels.

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
    correct = []
    for name, y_pred in (("y_pred_a", y_pred_a), ("y_pred_b", y_pred_b)):
        pred = check_beats(y_pred, name)
        check_same_length(true, name, pred)
        correct.append(pred == true)
    only_a, only_b = int((correct[0] & ~correct[1]).sum()), int((correct[1] & ~correct[0]).sum())
    differ = only_a + only_b
    pvalue = float(binomtest(only_a, differ).pvalue) if differ else 1.0
    return McNemarResult(only_a, only_b, pvalue)
