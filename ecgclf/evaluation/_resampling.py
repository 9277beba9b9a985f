"""Confidence intervals by resampling patients."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import bootstrap
from sklearn.utils.multiclass import unique_labels

from ecgclf._docstrings import parameters_from
from ecgclf._validation import check_groups, check_same_length, to_array
from ecgclf.evaluation._checks import RandomState, check_beats, draw_seed, in_class_order
from ecgclf.evaluation._count_metrics import CountMetric, matrices_by_group, usual_metrics
from ecgclf.evaluation._score_metrics import ScoreMetric, check_scored

Metric = Callable[[Any, Any], float]

#: One metric, several, several by name, or the usual ones.
Metrics: TypeAlias = Metric | Sequence[Metric] | Mapping[str, Metric] | None

#: Function from positions of patients, (..., n_drawn), to figures, (...,) or (n_figures, ...).
Statistic = Callable[[np.ndarray], np.ndarray]

#: Weights of beats that are in memory at a time.
_N_WEIGHTS = 2_000_000

#: Intervals from fewer patients are much too narrow.
_FEW_PATIENTS = 8


class Patients:
    """Beats grouped by patient, for resampling."""

    def __init__(self, y_true: ArrayLike, groups: ArrayLike) -> None:
        self.y_true = to_array(y_true, "y_true")
        self.groups = check_groups(groups, len(self.y_true))
        self.names, self._patient = np.unique(self.groups, return_inverse=True)
        self._rows = pd.Series(self._patient).groupby(self._patient).indices

    def metrics(self, metrics: Metrics, *y_preds: ArrayLike) -> dict[str, Metric]:
        """Return metrics by name; for None the usual ones of the labels."""
        if metrics is None:
            checked = [check_beats(y, "y_pred") for y in y_preds]
            labels = unique_labels(check_beats(self.y_true, "y_true"), *checked)
            metrics = usual_metrics(in_class_order(labels))
        if isinstance(metrics, Mapping):
            return dict(metrics)
        chosen: list[Metric] = [metrics] if callable(metrics) else list(metrics)
        names: list[str] = [getattr(metric, "__name__", str(metric)) for metric in chosen]
        if len(set(names)) < len(names) or not names:
            raise ValueError(
                f"metrics must be functions with distinct names; got {names}. Pass a dict to "
                "name them."
            )
        return dict(zip(names, chosen))

    def statistic(self, metric: Metric, y_pred: ArrayLike, *others: ArrayLike) -> Statistic:
        """Return a metric, for the classes of all labels, as a function of patients drawn."""
        if isinstance(metric, ScoreMetric):
            return self.weighted(metric.of_weights(check_scored(self.y_true, y_pred)))
        pred = to_array(y_pred, "y_pred")
        check_same_length(self.groups, "y_pred", pred, "groups")
        if isinstance(metric, CountMetric):
            return self._count_statistic(metric, pred, *others)

        def of_beats(drawn: np.ndarray) -> np.ndarray:
            figures = []
            for draw in drawn.reshape(-1, drawn.shape[-1]):
                rows = np.concatenate([self._rows[patient] for patient in draw])
                figures.append(metric(self.y_true[rows], pred[rows]))
            return np.reshape(figures, drawn.shape[:-1])

        return of_beats

    def weighted(self, of_weights: Statistic) -> Statistic:
        """Return a function of the weights of the beats as a function of the patients drawn."""
        step = max(1, _N_WEIGHTS // len(self._patient))

        def of_draws(drawn: np.ndarray) -> np.ndarray:
            times = self._count(drawn)
            parts = [
                of_weights(times[i : i + step, self._patient]) for i in range(0, len(times), step)
            ]
            figures = np.concatenate(parts, axis=-1)
            return figures.reshape(figures.shape[:-1] + drawn.shape[:-1])

        return of_draws

    def intervals(
        self,
        confidence_level: float,
        n_resamples: int,
        random_state: RandomState,
        method: str = "percentile",
    ) -> Callable[[Statistic], pd.DataFrame]:
        """Return a function that resamples statistics, all with the same draws of patients."""
        n = len(self.names)
        if n < 2:
            raise ValueError(
                f"groups holds {n} patient; intervals over patients need at least two."
            )
        if n < _FEW_PATIENTS:
            warnings.warn(
                f"groups holds only {n} patients; intervals from so few are too narrow.",
                UserWarning,
                stacklevel=3,
            )
        everyone, seed = np.arange(n), draw_seed(random_state)

        def resample(statistic: Statistic) -> pd.DataFrame:
            with warnings.catch_warnings():
                # The column "defined" reports undefined values.
                warnings.simplefilter("ignore")
                result = bootstrap(
                    (everyone,),
                    lambda drawn, axis: statistic(drawn),
                    n_resamples=n_resamples,
                    batch=250,
                    vectorized=True,
                    confidence_level=confidence_level,
                    method=method,
                    random_state=np.random.default_rng(seed),
                )
                defined = np.isfinite(result.bootstrap_distribution)
                drawn = np.where(defined, result.bootstrap_distribution, np.nan)
                low, high = result.confidence_interval
                if method == "percentile":
                    tail = (1 - confidence_level) / 2
                    low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=-1)
            # Of the hypothesis that the figure is 0.
            beyond = np.minimum((drawn <= 0).sum(axis=-1), (drawn >= 0).sum(axis=-1))
            p_value = np.minimum(1, 2 * (beyond + 1) / (defined.sum(axis=-1) + 1))
            columns = {
                "estimate": statistic(everyone),
                "low": low,
                "high": high,
                "defined": defined.mean(axis=-1),
                "p_value": p_value,
            }
            return pd.DataFrame({name: np.ravel(values) for name, values in columns.items()})

        return resample

    def _count(self, drawn: np.ndarray) -> np.ndarray:
        """Count how often each draw has each patient, as (n_draws, n_patients)."""
        draws, n = drawn.reshape(-1, drawn.shape[-1]), len(self.names)
        at = draws + n * np.arange(len(draws))[:, np.newaxis]
        return np.bincount(at.ravel(), minlength=n * len(draws)).reshape(-1, n)

    def _count_statistic(
        self, metric: CountMetric, y_pred: ArrayLike, *others: ArrayLike
    ) -> Statistic:
        true, pred = check_beats(self.y_true, "y_true"), check_beats(y_pred, "y_pred")
        labels = in_class_order(unique_labels(true, pred, *map(np.asarray, others)))
        _, matrices = matrices_by_group(true, pred, self.groups, labels)

        n, k = len(self.names), len(labels)
        cells = matrices.reshape(n, k * k).astype(float)  # the product is faster for floats

        def of_counts(drawn: np.ndarray) -> np.ndarray:
            sums = self._count(drawn) @ cells
            return metric.of_counts(sums.reshape(*drawn.shape[:-1], k, k), labels)

        return of_counts


def patient_intervals(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    groups: ArrayLike,
    metrics: Metrics = None,
    *,
    confidence_level: float = 0.95,
    n_resamples: int = 1999,
    method: Literal["percentile", "BCa"] = "percentile",
    random_state: RandomState = None,
) -> pd.DataFrame:
    """Compute metrics with confidence intervals over patients.

    Uses the cluster bootstrap [1]_: patients are drawn with replacement, each with all of their
    beats, and the metric is computed for each draw. The interval shows how the metric varies
    with other patients of the same population. It is too narrow for few patients
    (:ref:`intervals`), and for a class that only few patients have, as S and F in DS2.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True labels.
    y_pred : array-like of shape (n_beats,) or (n_beats, ...)
        Predicted labels, or another second argument of `metrics`, such as scores.
    groups : array-like of shape (n_beats,)
        Patient of each beat.
    metrics : callable, sequence or dict of callables, optional
        Functions ``metric(y_true, y_pred)`` that return a number, NaN where undefined, such as
        those of :mod:`sklearn.metrics`; a dict names them. Metrics of this package, such as
        ``Sensitivity("V")`` and `AUROC`, are hundreds of times faster than functions of the
        beats. By default accuracy, macro-F1, and the sensitivity and positive predictivity of
        each class.
    confidence_level : float, default=0.95
        Nominal probability that an interval contains the true value.
    n_resamples : int, default=1999
        Number of draws.
    method : {"percentile", "BCa"}, default="percentile"
        Quantiles of the resampled metric, or corrected for bias and skewness [2]_.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the draws.

    Returns
    -------
    DataFrame of n_metrics rows
        With the columns ``estimate`` (the metric on all beats), ``low`` and ``high`` (the
        interval) and ``defined`` (fraction of resamples in which the metric is defined). The
        percentile interval uses these; BCa gives NaN unless `defined` is 1.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or have missing values, or there are fewer
        than two patients.

    Warns
    -----
    UserWarning
        If there are fewer than 8 patients.

    References
    ----------
    .. [1] A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application",
       Cambridge University Press, 1997, section 3.8.
    .. [2] B. Efron, "Better bootstrap confidence intervals", J. Am. Stat. Assoc. 82(397),
       1987.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import Sensitivity, patient_intervals
    >>> rng = np.random.default_rng(0)
    >>> groups = np.repeat(np.arange(20), 50)
    >>> y_true = rng.choice(["N", "V"], size=1000)
    >>> y_pred = np.where(rng.random(1000) < 0.2, "N", y_true)
    >>> patient_intervals(y_true, y_pred, groups, Sensitivity("V"), random_state=0).round(2)
                   estimate   low  high  defined
    V sensitivity      0.77  0.73  0.81      1.0
    """
    patients = Patients(y_true, groups)
    resample = patients.intervals(confidence_level, n_resamples, random_state, method)
    rows = {
        name: resample(patients.statistic(metric, y_pred))
        for name, metric in patients.metrics(metrics, y_pred).items()
    }
    return pd.concat(rows).droplevel(1).drop(columns="p_value")


@parameters_from(patient_intervals)
def figures_without(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    groups: ArrayLike,
    leave_out: Collection[Any],
    metrics: Metrics = None,
) -> pd.DataFrame:
    """Compute metrics with and without some records.

    For example, three quarters of the S beats of DS2 are in record 232, so that metrics of S
    depend mostly on one person.

    Parameters
    ----------
    groups : array-like of shape (n_beats,)
        Record or patient of each beat.
    leave_out : collection
        The records to leave out, such as ``["232"]``.

    Returns
    -------
    DataFrame of n_metrics rows
        With the columns ``all`` (records), ``without`` (the records) and ``alone`` (only the
        records); NaN where the metric is undefined.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or have missing values; or if `leave_out`
        names unknown records, none, or all.

    Examples
    --------
    >>> from ecgclf.evaluation import Sensitivity, figures_without
    >>> y_true, y_pred, record = list("NSSNSSSSSN"), list("NNSNSSSSSN"), list("aaaabbbbbb")
    >>> figures_without(y_true, y_pred, record, ["b"], Sensitivity("S")).round(2)
                    all  without  alone
    S sensitivity  0.86      0.5    1.0
    """
    patients = Patients(y_true, groups)
    if isinstance(leave_out, str):
        raise ValueError(f"leave_out is {leave_out!r}; expected a list such as [{leave_out!r}].")
    present = patients.names.tolist()
    if unknown := [name for name in leave_out if name not in present]:
        raise ValueError(f"leave_out names {unknown}, which groups lacks: {present[:5]}, ...")
    alone = np.isin(patients.names, list(leave_out))
    if alone.all() or not alone.any():
        raise ValueError(
            f"leave_out names {alone.sum()} of {len(present)} records; expected some, not all."
        )
    sides = {"all": np.ones_like(alone), "without": ~alone, "alone": alone}
    rows = {}
    for name, metric in patients.metrics(metrics, y_pred).items():
        statistic = patients.statistic(metric, y_pred)
        rows[name] = [float(statistic(np.flatnonzero(side))) for side in sides.values()]
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(sides))
