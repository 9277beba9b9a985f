"""Report on the scores of recordings with one or several labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf.evaluation._beat_report import DASH, JSONReport, frame_rows, plain_value
from ecgclf.evaluation._checks import RandomState
from ecgclf.evaluation._resampling import (
    Patients,
    bootstrap_interval,
    check_enough_patients,
    draw_seed,
)
from ecgclf.evaluation._score_metrics import check_scored, mean_of_defined

#: Row of the means over labels.
MACRO = "macro average"

#: Longest printed name of a label, so that the table has at most 80 columns.
_LONGEST = 14

_UNDEFINED = "undefined: all recordings have the label, or none"


@dataclass(frozen=True, eq=False, repr=False)
class RecordingReport(JSONReport):
    """Report returned by `recording_report`.

    Attributes
    ----------
    labels : tuple
        The classes or labels, in the order of the rows of `per_class`. Of two classes only the
        second one.
    per_class : DataFrame of n_labels rows
        Indexed by label, with the columns ``auroc`` and ``auprc``, ``recordings`` (number with
        the label) and, with groups, ``patients`` (number with such recordings) and the limits
        of the intervals, ``auroc_low``, ``auroc_high``, ``auprc_low`` and ``auprc_high``. NaN
        where all recordings have the label, or none.
    macro : dict
        Means over the labels for which they are defined, under the names of the columns of
        `per_class`.
    n_recordings : int
        Number of recordings.
    n_patients : int or None
        Number of patients; None without groups.
    confidence_level : float or None
        Confidence level of the intervals; None without groups.
    other : object
        The first of two classes; None with more classes or several labels at once.
    """

    labels: tuple[Any, ...]
    per_class: pd.DataFrame
    macro: dict[str, float]
    n_recordings: int
    n_patients: int | None = None
    confidence_level: float | None = None
    other: Any = None

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one table.

        Returns
        -------
        DataFrame of n_labels + 1 rows
            The rows of `per_class`, followed by ``"macro average"``.
        """
        last = {"recordings": self.n_recordings, "patients": self.n_patients, **self.macro}
        row = {name: last[str(name)] for name in self.per_class}
        return pd.concat([self.per_class, pd.DataFrame(row, index=pd.Index([MACRO]))])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python types, with None for undefined figures.

        Returns
        -------
        dict
            With the keys ``n_recordings``, ``n_patients``, ``confidence_level``, ``labels``,
            ``macro`` (figure by name), ``per_class`` (list of dicts with the key ``label``)
            and ``none_means`` (an explanation).
        """
        return {
            "n_recordings": self.n_recordings,
            "n_patients": self.n_patients,
            "confidence_level": self.confidence_level,
            "labels": list(self.labels),
            "macro": {name: plain_value(value) for name, value in self.macro.items()},
            "per_class": frame_rows(self.per_class, "label"),
            "none_means": _UNDEFINED,
        }

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}={self.macro[name]:.4f}" for name in ("auroc", "auprc"))
        return f"RecordingReport(n_recordings={self.n_recordings}, macro {figures})"

    def _parts(self) -> list[str | pd.DataFrame | pd.Series]:
        counts = f"{self.n_recordings:,} recordings"
        if self.n_patients is not None:
            counts += f" of {self.n_patients:,} patients"
        if self.other is None:
            counts += f", {len(self.labels)} labels"
        else:
            counts += f", {self.labels[0]!r} against {self.other!r}"
        table = self.to_frame() if len(self.labels) > 1 else self.per_class
        names = [str(label) for label in table.index]
        shown = pd.DataFrame(
            {
                **{name: table[name] for name in ("recordings", "patients") if name in table},
                "AUROC": _with_interval(table, "auroc"),
                "AUPRC": _with_interval(table, "auprc"),
            }
        ).set_axis([n if len(n) <= _LONGEST else f"{n[: _LONGEST - 3]}..." for n in names])
        parts: list[str | pd.DataFrame | pd.Series] = [counts, shown]
        if self.confidence_level is not None:
            parts.append(f"In brackets: {self.confidence_level:.0%} intervals over patients")
        if self.per_class["auroc"].isna().any():
            parts.append(f"{DASH} {_UNDEFINED}")
        return parts


def _with_interval(table: pd.DataFrame, name: str) -> list[str]:
    """Write a figure, with its interval if there is one."""
    values = [DASH if np.isnan(value) else f"{value:.3f}" for value in table[name]]
    if f"{name}_low" not in table:
        return values
    limits = zip(table[f"{name}_low"], table[f"{name}_high"])
    return [
        value if value == DASH else f"{value} [{low:.3f}, {high:.3f}]"
        for value, (low, high) in zip(values, limits)
    ]


def recording_report(
    y_true: ArrayLike,
    y_score: ArrayLike | Sequence[ArrayLike],
    groups: ArrayLike | None = None,
    *,
    classes: ArrayLike | None = None,
    confidence_level: float = 0.95,
    n_resamples: int = 1999,
    random_state: RandomState = None,
) -> RecordingReport:
    """Compute AUROC and AUPRC of each class or label, with intervals over patients.

    Parameters
    ----------
    y_true : array-like of shape (n_recordings,) or (n_recordings, n_labels)
        True classes; or an indicator matrix of 0 and 1, if several labels may be true at once,
        such as ``target`` of `ecgclf.datasets.load_ptbxl`.
    y_score : array-like of shape (n_recordings, n_scores) or (n_recordings,)
        Probabilities, or other scores that increase with the evidence, a column for each class
        or label. With two classes, a 1-D array is the score of the second one. The list of
        arrays that scikit-learn's forests return for several labels is also accepted.
    groups : array-like of shape (n_recordings,), optional
        Patient of each recording. Without it there are no intervals.
    classes : array-like of shape (n_scores,), optional
        Class of each column of `y_score`, ``estimator.classes_``, or names of the labels, such
        as ``target_names``. By default the sorted classes of `y_true`, or the numbers of the
        columns.
    confidence_level : float, default=0.95
        Nominal probability that an interval contains the true value.
    n_resamples : int, default=1999
        Number of draws of the bootstrap.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the draws.

    Returns
    -------
    RecordingReport

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or have missing values, `y_score` does not
        have one column per class or label or is not finite, `classes` lacks a class, or there
        are fewer than two patients.

    Warns
    -----
    UserWarning
        If there are fewer than 8 patients.

    See Also
    --------
    beat_report : Sensitivity and other figures of predicted classes.
    compare_models : Interval of the difference of two models, with `AUROC` or `AUPRC`.

    Notes
    -----
    Of two classes the second one is reported. With more classes, each one is compared with all
    others. AUROC counts equal scores half; AUPRC is the average precision. The intervals are
    percentiles of the cluster bootstrap of `patient_intervals`: patients are drawn with
    replacement, each with all their recordings.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import recording_report
    >>> rng = np.random.default_rng(0)
    >>> y_true = rng.integers(2, size=(200, 2))
    >>> y_score = y_true + rng.normal(size=(200, 2))
    >>> patient = np.arange(200) // 2
    >>> report = recording_report(
    ...     y_true, y_score, patient, classes=["MI", "HYP"], random_state=0
    ... )
    >>> print(report)
    200 recordings of 100 patients, 2 labels
    <BLANKLINE>
                   recordings  patients                 AUROC                 AUPRC
    MI                    109        77  0.771 [0.700, 0.834]  0.796 [0.717, 0.866]
    HYP                   112        84  0.805 [0.743, 0.862]  0.820 [0.747, 0.889]
    macro average         200       100  0.788 [0.745, 0.830]  0.808 [0.759, 0.857]
    <BLANKLINE>
    In brackets: 95% intervals over patients
    >>> report.per_class.loc["MI", ["auroc_low", "auroc_high"]].round(2).tolist()
    [0.7, 0.83]
    """
    scored = check_scored(y_true, y_score, classes)
    areas = scored.areas()

    def figures(weights: np.ndarray) -> np.ndarray:
        """Return AUROC and AUPRC of each label, then of their mean."""
        of_labels = np.stack([area(weights) for area in areas])
        return np.concatenate([of_labels, mean_of_defined(of_labels)[np.newaxis]])

    n_labels = len(scored.names)
    columns: dict[str, np.ndarray] = {}
    counts = {"recordings": scored.is_true.sum(axis=0)}
    found: dict[str, Any] = {}
    if groups is None:
        estimate = figures(np.ones((1, len(scored.score))))[..., 0]
        columns |= {"auroc": estimate[:, 0], "auprc": estimate[:, 1]}
    else:
        patients = Patients(scored.is_true, groups)
        check_enough_patients(patients)
        estimate, low, high, *_ = bootstrap_interval(
            patients.weighted(figures),
            len(patients.names),
            confidence_level,
            n_resamples,
            "percentile",
            draw_seed(random_state),
        )
        for i, name in enumerate(("auroc", "auprc")):
            columns |= {
                name: estimate[:, i],
                f"{name}_low": low[:, i],
                f"{name}_high": high[:, i],
            }
        with_label = [np.unique(patients.groups[is_true]) for is_true in scored.is_true.T]
        counts["patients"] = np.array([len(names) for names in with_label])
        found = {"n_patients": len(patients.names), "confidence_level": confidence_level}
    return RecordingReport(
        labels=tuple(scored.names),
        per_class=pd.DataFrame(
            {**{name: values[:n_labels] for name, values in columns.items()}, **counts},
            index=pd.Index(scored.names, name="label"),
        ),
        macro={name: float(values[-1]) for name, values in columns.items()},
        n_recordings=len(scored.score),
        other=scored.other,
        **found,
    )
