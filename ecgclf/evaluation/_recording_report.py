"""Report on the scores of recordings with one or several labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf._docstrings import parameters_from
from ecgclf.evaluation._checks import RandomState
from ecgclf.evaluation._count_metrics import mean_of_defined
from ecgclf.evaluation._reports import DASH, JSONReport, Part, shortened, with_interval
from ecgclf.evaluation._resampling import Patients, patient_intervals
from ecgclf.evaluation._score_metrics import check_scored

#: Longest printed name of a label, so that the table has at most 80 columns.
_LONGEST = 14


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
        Means over the labels where they are defined, by column of `per_class`.
    n_recordings : int
        Number of recordings.
    n_patients, confidence_level : int or None, float or None
        Number of patients, and confidence level of the intervals; None without groups.
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

    _written = ("n_recordings", "n_patients", "confidence_level", "labels", "macro", "per_class")
    _undefined = "undefined: all recordings have the label, or none"

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as one table.

        Returns
        -------
        DataFrame of n_labels + 1 rows
            The rows of `per_class`, followed by ``"macro average"``.
        """
        last = {"recordings": self.n_recordings, "patients": self.n_patients, **self.macro}
        row = {name: last[str(name)] for name in self.per_class}
        return pd.concat([self.per_class, pd.DataFrame(row, index=["macro average"])])

    def _figures(self) -> dict[str, Any]:
        means = {f"macro_{name}": self.macro[name] for name in ("auroc", "auprc")}
        return {"n_recordings": self.n_recordings, **means}

    def _parts(self) -> list[Part]:
        counts = f"{self.n_recordings:,} recordings"
        if self.n_patients is not None:
            counts += f" of {self.n_patients:,} patients"
        if self.other is None:
            counts += f", {len(self.labels)} labels"
        else:
            counts += f", {self.labels[0]!r} against {self.other!r}"
        table = self.to_frame() if len(self.labels) > 1 else self.per_class
        shown = table.filter(items=["recordings", "patients", "auroc", "auprc"])
        if self.confidence_level is not None:
            for name in ("auroc", "auprc"):
                limits = table[[name, f"{name}_low", f"{name}_high"]].to_numpy()
                shown[name] = [with_interval(*row) for row in limits]
        shown = shown.rename(columns={"auroc": "AUROC", "auprc": "AUPRC"})
        parts: list[Part] = [
            counts,
            shown.set_axis([shortened(label, _LONGEST) for label in table.index]),
        ]
        if self.confidence_level is not None:
            parts.append(f"In brackets: {self.confidence_level:.0%} intervals over patients")
        if self.per_class["auroc"].isna().any():
            parts.append(f"{DASH} {self._undefined}")
        return parts


@parameters_from(patient_intervals)
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

    Of two classes the second one is reported, of more each one against all others. The intervals
    are those of `patient_intervals`, which warns of few patients.

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

    Returns
    -------
    RecordingReport
        The figures, printed as a table.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or have missing values, `y_score` does not
        have one finite column per class or label, `classes` lacks a class, or there are fewer
        than two patients.

    Warns
    -----
    UserWarning
        If there are fewer than 8 patients.

    Examples
    --------
    >>> from ecgclf.evaluation import recording_report
    >>> y_true = [[1, 0], [0, 1], [1, 1], [0, 0]]
    >>> y_score = [[0.9, 0.1], [0.2, 0.3], [0.8, 0.6], [0.1, 0.4]]
    >>> print(recording_report(y_true, y_score, classes=["MI", "HYP"]))
    4 recordings, 2 labels
    <BLANKLINE>
                   recordings  AUROC  AUPRC
    MI                      2 1.0000 1.0000
    HYP                     2 0.7500 0.8333
    macro average           4 0.8750 0.9167
    """
    scored = check_scored(y_true, y_score, classes)
    areas = scored.areas()

    def figures(weights: np.ndarray) -> np.ndarray:
        """Return AUROC and AUPRC of each label, then of their mean."""
        of_labels = np.stack([area(weights) for area in areas])
        return np.concatenate([of_labels, mean_of_defined(of_labels)[np.newaxis]])

    counts = {"recordings": scored.is_true.sum(axis=0)}
    found: dict[str, Any] = {}
    if groups is None:
        limits = {"": figures(np.ones((1, len(scored.score))))[..., 0]}
    else:
        patients = Patients(scored.is_true, groups)
        resample = patients.intervals(confidence_level, n_resamples, random_state)
        table = resample(patients.weighted(figures))
        limits = {
            suffix: table[column].to_numpy().reshape(-1, 2)
            for column, suffix in (("estimate", ""), ("low", "_low"), ("high", "_high"))
        }
        with_label = [np.unique(patients.groups[is_true]) for is_true in scored.is_true.T]
        counts["patients"] = np.array([len(names) for names in with_label])
        found = {"n_patients": len(patients.names), "confidence_level": confidence_level}
    columns = {
        f"{name}{suffix}": values[:, i]
        for i, name in enumerate(("auroc", "auprc"))
        for suffix, values in limits.items()
    }
    return RecordingReport(
        labels=tuple(scored.names),
        per_class=pd.DataFrame(
            {**{name: values[:-1] for name, values in columns.items()}, **counts},
            index=pd.Index(scored.names, name="label"),
        ),
        macro={name: float(values[-1]) for name, values in columns.items()},
        n_recordings=len(scored.score),
        other=scored.other,
        **found,
    )
