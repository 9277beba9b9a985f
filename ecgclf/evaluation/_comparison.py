"""Paired comparison of models on the same patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from ecgclf._docstrings import parameters_from
from ecgclf.evaluation._checks import RandomState, check_predictions
from ecgclf.evaluation._reports import Part, PrintedReport, shortened, with_interval
from ecgclf.evaluation._resampling import Metrics, Patients, Statistic, patient_intervals

#: Predictions of a model, or of several runs of it.
Predictions: TypeAlias = ArrayLike | Sequence[np.ndarray]

#: Longest printed name of a model, so that the tables have at most 80 columns.
_LONGEST = 19


@dataclass(frozen=True, eq=False, repr=False)
class ModelComparison(PrintedReport):
    """Comparison returned by `compare_models`.

    Attributes
    ----------
    estimates : DataFrame
        Indexed by metric and model, with the columns of `patient_intervals`.
    differences : DataFrame
        Indexed by metric, ``model`` and ``minus``, for all pairs, with the columns
        ``difference`` (of the first model minus the second), ``low`` and ``high`` (its
        interval), ``defined``, ``p_value`` and ``p_holm`` (corrected for the number of pairs).
    n_patients, confidence_level : int, float
        Number of patients, and confidence level of the intervals.
    """

    estimates: pd.DataFrame
    differences: pd.DataFrame
    n_patients: int
    confidence_level: float

    def _figures(self) -> dict[str, Any]:
        models = self.estimates.index.unique("model").tolist()
        return {"models": models, "n_patients": self.n_patients}

    def _parts(self) -> list[Part]:
        level = f"{self.confidence_level:.0%}"
        parts: list[Part] = [
            f"{self.n_patients} patients; in brackets: {level} intervals over patients"
        ]
        for metric, models in self.estimates.groupby("metric", sort=False):
            pairs = self.differences.loc[[metric]].droplevel("metric")
            names = [(name,) for name in models.index.get_level_values("model")] + [*pairs.index]
            figures = np.vstack([models.iloc[:, :3], pairs.iloc[:, :3]])
            table = pd.DataFrame(
                {
                    "": [with_interval(*row) for row in figures],
                    "p (Holm)": [""] * len(models) + [f"{p:.3f}" for p in pairs["p_holm"]],
                },
                index=[" - ".join(shortened(name, _LONGEST) for name in row) for row in names],
            )
            parts.append(table.rename_axis(columns=str(metric)))
        return parts


@parameters_from(patient_intervals)
def compare_models(
    y_true: ArrayLike,
    y_preds: Mapping[str, Predictions],
    groups: ArrayLike,
    metrics: Metrics = None,
    *,
    confidence_level: float = 0.95,
    n_resamples: int = 1999,
    random_state: RandomState = None,
) -> ModelComparison:
    r"""Compare models on the same patients, with confidence intervals of their differences.

    Patients are drawn as in `patient_intervals`, the same for all models: patients who are
    difficult for one model tend to be difficult for the others.

    Parameters
    ----------
    y_preds : dict of str to array-like of shape (n_beats,) or (n_beats, ...)
        Predictions of each model, by name. A list of arrays holds several runs of a model, such
        as one for each seed; its metric is the mean over the runs.
    n_resamples : int, default=1999
        Number of draws; the smallest p-value is ``2 / (n_resamples + 1)``.

    Returns
    -------
    ModelComparison
        The metrics of all models and the differences of all pairs, printed as tables.

    Raises
    ------
    ValueError
        As in `patient_intervals`, or if there are fewer than two models.

    Warns
    -----
    UserWarning
        If there are fewer than 8 patients.

    Notes
    -----
    The p-value of a difference is :math:`2 \min(P(d \le 0), P(d \ge 0))` over the resampled
    differences :math:`d`. ``p_holm`` corrects it for the number of pairs with the method of Holm
    [1]_, for each metric by itself. The intervals are not corrected. Without several runs, they
    do not include the variation between seeds of the training.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat.
       6(2), 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import Accuracy, compare_models
    >>> rng = np.random.default_rng(0)
    >>> groups = np.repeat(np.arange(20), 50)
    >>> y_true = rng.choice(["N", "V"], size=1000)
    >>> y_preds = {
    ...     name: np.where(rng.random(1000) < error, "N", y_true)
    ...     for name, error in [("A", 0.1), ("B", 0.2)]
    ... }
    >>> print(compare_models(y_true, y_preds, groups, Accuracy(), random_state=0))
    20 patients; in brackets: 95% intervals over patients
    <BLANKLINE>
    accuracy                       p (Holm)
    A         0.940 [0.924, 0.955]
    B         0.884 [0.867, 0.900]
    A - B     0.056 [0.034, 0.079]    0.001
    """
    if len(y_preds) < 2:
        raise ValueError(f"y_preds holds {len(y_preds)} model; expected at least two, by name.")
    patients = Patients(y_true, groups)
    resample = patients.intervals(confidence_level, n_resamples, random_state)
    runs = [_runs(y_pred, len(patients.y_true)) for y_pred in y_preds.values()]
    every = list(chain.from_iterable(runs))
    n, pairs = len(runs), list(combinations(y_preds, 2))
    estimates: dict[str, pd.DataFrame] = {}
    differences: dict[str, pd.DataFrame] = {}
    for name, metric in patients.metrics(metrics, *every).items():
        of_models = [[patients.statistic(metric, run, *every) for run in model] for model in runs]
        table = resample(_with_differences(of_models))
        estimates[name] = table[:n].drop(columns="p_value").set_axis(list(y_preds))
        differences[name] = (
            table[n:]
            .rename(columns={"estimate": "difference"})
            .assign(p_holm=holm(table["p_value"].to_numpy()[n:]))
            .set_axis(pd.MultiIndex.from_tuples(pairs))
        )
    return ModelComparison(
        pd.concat(estimates, names=["metric", "model"]),
        pd.concat(differences, names=["metric", "model", "minus"]),
        n_patients=len(patients.names),
        confidence_level=confidence_level,
    )


def _runs(y_pred: Predictions, n_beats: int) -> list[ArrayLike]:
    """Return the runs of a model."""
    if isinstance(y_pred, list | tuple):
        runs = [run for run in y_pred if isinstance(run, np.ndarray) and len(run) == n_beats]
        if runs and len(runs) == len(y_pred):
            return list(runs)
    return [y_pred]


def _with_differences(of_models: Sequence[Sequence[Statistic]]) -> Statistic:
    """Return the means over the runs of all models, then the differences of all pairs."""

    def of_draws(drawn: np.ndarray) -> np.ndarray:
        means = [np.mean([run(drawn) for run in runs], axis=0) for runs in of_models]
        return np.stack([*means, *(one - other for one, other in combinations(means, 2))])

    return of_draws


def holm(p_values: np.ndarray) -> np.ndarray:
    """Correct p-values for their number with the method of Holm."""
    order = np.argsort(p_values)
    corrected = np.empty_like(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected[order] = np.minimum(1, np.maximum.accumulate(steps))
    return corrected


class McNemarResult(NamedTuple):
    """Result returned by `mcnemar_test`."""

    only_a: int
    only_b: int
    pvalue: float


@parameters_from(patient_intervals)
def mcnemar_test(y_true: ArrayLike, y_pred_a: ArrayLike, y_pred_b: ArrayLike) -> McNemarResult:
    """Test whether two models have equal accuracy, beat by beat.

    The exact test of McNemar [1]_: of the beats that only one model predicts correctly, each
    model should have half. It **assumes independent beats**, which is wrong: a model that fails
    on one patient fails on hundreds of beats at once. It is included because papers report it.
    Use `compare_models` to learn which model is better on new patients.

    Parameters
    ----------
    y_pred_a, y_pred_b : array-like of shape (n_beats,)
        Labels predicted by the two models.

    Returns
    -------
    only_a, only_b : int
        Number of beats that only the first, or only the second model predicts correctly.
    pvalue : float
        Probability of a split at least as uneven if both models have equal accuracy.

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
    true, pred_a = check_predictions(y_true, y_pred_a, "y_pred_a")
    _, pred_b = check_predictions(y_true, y_pred_b, "y_pred_b")
    only_a = int(((pred_a == true) & (pred_b != true)).sum())
    only_b = int(((pred_b == true) & (pred_a != true)).sum())
    differ = only_a + only_b
    pvalue = float(binomtest(only_a, differ).pvalue) if differ else 1.0
    return McNemarResult(only_a, only_b, pvalue)
