"""How well scores of abnormality tell abnormal beats, within and between patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgclf._validation import check_groups, check_same_length
from ecgclf.evaluation._beat_report import DASH, PrintedReport, figures_table
from ecgclf.evaluation._checks import check_beats


@dataclass(frozen=True, eq=False, repr=False)
class AnomalyReport(PrintedReport):
    """Areas under the curves, pooled and by patient, as `anomaly_report` returns them.

    Attributes
    ----------
    auroc, auprc : float
        Of all beats together. AUPRC is the average precision; one without skill has the
        `prevalence`.
    prevalence : float
        Share of abnormal beats.
    mean_patient_auroc, mean_patient_auprc : float
        Means over the patients who have normal and abnormal beats; NaN if none has.
    per_patient : DataFrame
        Indexed by group, with the columns ``beats``, ``abnormal`` (how many of them),
        ``auroc`` and ``auprc``: NaN where the patient has beats of one kind only.

    See Also
    --------
    anomaly_report : Makes the report.
    """

    auroc: float
    auprc: float
    prevalence: float
    mean_patient_auroc: float
    mean_patient_auprc: float
    per_patient: pd.DataFrame

    @property
    def one_kind_only(self) -> tuple[Any, ...]:
        """The patients with beats of one kind only, who are in no mean over patients."""
        return tuple(self.per_patient.index[self.per_patient["auroc"].isna()].tolist())

    def __repr__(self) -> str:
        return (
            f"AnomalyReport(auroc={self.auroc:.4f}, auprc={self.auprc:.4f}, "
            f"mean_patient_auroc={self.mean_patient_auroc:.4f}, "
            f"mean_patient_auprc={self.mean_patient_auprc:.4f})"
        )

    def _parts(self) -> list[str | pd.DataFrame]:
        beats, abnormal = self.per_patient["beats"].sum(), self.per_patient["abnormal"].sum()
        figures = {
            "AUROC, all beats": self.auroc,
            "AUPRC, all beats": self.auprc,
            "AUPRC without skill": self.prevalence,
            "AUROC, mean of patients": self.mean_patient_auroc,
            "AUPRC, mean of patients": self.mean_patient_auprc,
        }
        parts: list[str | pd.DataFrame] = [
            f"{beats:,} beats of {len(self.per_patient)} patients, {abnormal:,} abnormal",
            figures_table(figures),
            self.per_patient,
        ]
        if alone := self.one_kind_only:
            parts.append(
                f"{DASH} undefined: {len(alone)} patients have normal or abnormal beats only and "
                "are in no mean of patients"
            )
        return parts


def anomaly_report(
    y_is_abnormal: ArrayLike, scores: ArrayLike, groups: ArrayLike
) -> AnomalyReport:
    """Report how well scores tell abnormal beats from normal ones.

    The pooled areas ask whether one threshold serves all patients; those within a patient
    whether the abnormal beats of that patient score above the normal ones. A detector
    may do the second and fail at the first, because what is usual differs between
    patients, or do the first by knowing the ill from the well and fail at the second.

    Parameters
    ----------
    y_is_abnormal : array-like of bool of shape (n_beats,)
        Whether each beat is abnormal (``y != "N"``); 0 and 1 will do.
    scores : array-like of shape (n_beats,)
        Scores that rise with abnormality, such as reconstruction errors. Those of
        scikit-learn's outlier detectors fall with it: pass ``-score_samples(X)``.
    groups : array-like of shape (n_beats,)
        The patient of each beat.

    Returns
    -------
    AnomalyReport
        Prints well. Patients with beats of one kind only are in its table, and counted.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or miss values; if `y_is_abnormal` is
        not of two kinds, normal and abnormal; if `scores` are not finite.

    Examples
    --------
    >>> from ecgclf.evaluation import anomaly_report
    >>> scores = [0.1, 0.2, 0.3, 0.6, 0.9, 0.8]
    >>> report = anomaly_report([0, 0, 1, 0, 1, 1], scores, list("aaabbb"))
    >>> round(report.auroc, 3), report.mean_patient_auroc
    (0.889, 1.0)
    """
    abnormal = check_beats(y_is_abnormal, "y_is_abnormal")
    if set(abnormal.tolist()) != {False, True}:
        raise ValueError(
            "y_is_abnormal must hold True (or 1) for abnormal and False (or 0) for normal "
            f'beats, and some of each; got {np.unique(abnormal)[:5]}. From labels: y != "N".'
        )
    abnormal = abnormal.astype(bool)
    score, patient = np.asarray(scores), check_groups(groups, len(abnormal))
    if score.ndim != 1 or score.dtype.kind not in "buif" or not np.isfinite(score).all():
        raise ValueError(
            f"scores must be 1-D and finite, one number per beat; got shape {score.shape} and "
            f"dtype {score.dtype}."
        )
    check_same_length(abnormal, "scores", score, "y_is_abnormal")
    per_patient = pd.DataFrame.from_dict(
        {name: _areas(abnormal[rows], score[rows]) for name, rows in _rows_of(patient).items()},
        orient="index",
        columns=["beats", "abnormal", "auroc", "auprc"],
    ).rename_axis(index="group")
    _, _, auroc, auprc = _areas(abnormal, score)
    return AnomalyReport(
        auroc=auroc,
        auprc=auprc,
        prevalence=float(abnormal.mean()),
        mean_patient_auroc=float(per_patient["auroc"].mean()),
        mean_patient_auprc=float(per_patient["auprc"].mean()),
        per_patient=per_patient,
    )


def _rows_of(patient: np.ndarray) -> dict[Any, np.ndarray]:
    names, code = np.unique(patient, return_inverse=True)
    return {name: np.flatnonzero(code == i) for i, name in enumerate(names.tolist())}


def _areas(abnormal: np.ndarray, score: np.ndarray) -> tuple[int, int, float, float]:
    """Return how many beats, how many abnormal ones, AUROC and average precision."""
    found = int(abnormal.sum())
    if found in (0, len(abnormal)):
        return len(abnormal), found, np.nan, np.nan
    auroc, auprc = roc_auc_score(abnormal, score), average_precision_score(abnormal, score)
    return len(abnormal), found, float(auroc), float(auprc)
