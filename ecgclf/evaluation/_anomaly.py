"""Report on anomaly scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf._validation import check_groups
from ecgclf.evaluation._checks import check_beats
from ecgclf.evaluation._reports import DASH, Part, PrintedReport
from ecgclf.evaluation._score_metrics import compute_areas


@dataclass(frozen=True, eq=False, repr=False)
class AnomalyReport(PrintedReport):
    """Report returned by `anomaly_report`.

    Attributes
    ----------
    auroc, auprc : float
        Area under the ROC curve and average precision over all beats.
    prevalence : float
        Fraction of abnormal beats: the average precision of random scores.
    mean_patient_auroc, mean_patient_auprc : float
        Means over the patients with beats of both kinds.
    per_patient : DataFrame
        Indexed by group, with the columns ``beats`` and ``abnormal`` (numbers of beats),
        ``auroc`` and ``auprc``, NaN for patients with beats of one kind only.
    """

    auroc: float
    auprc: float
    prevalence: float
    mean_patient_auroc: float
    mean_patient_auprc: float
    per_patient: pd.DataFrame

    @property
    def one_kind_only(self) -> tuple[Any, ...]:
        """Patients with beats of one kind only, who are not part of the means."""
        return tuple(self.per_patient.index[self.per_patient["auroc"].isna()].tolist())

    def _parts(self) -> list[Part]:
        beats, abnormal = self.per_patient["beats"].sum(), self.per_patient["abnormal"].sum()
        figures = {
            "AUROC, all beats": self.auroc,
            "AUPRC, all beats": self.auprc,
            "AUPRC of random scores": self.prevalence,
            "AUROC, mean of patients": self.mean_patient_auroc,
            "AUPRC, mean of patients": self.mean_patient_auprc,
        }
        parts: list[Part] = [
            f"{beats:,} beats of {len(self.per_patient)} patients, {abnormal:,} abnormal",
            pd.Series(figures),
            self.per_patient,
        ]
        if alone := self.one_kind_only:
            parts.append(
                f"{DASH} undefined: {len(alone)} patients have normal or abnormal beats only and "
                "are not part of the means"
            )
        return parts


def anomaly_report(
    y_is_abnormal: ArrayLike, scores: ArrayLike, groups: ArrayLike
) -> AnomalyReport:
    """Report how well scores separate abnormal beats from normal ones.

    The areas over all beats measure whether one threshold serves all patients. The areas within
    patients measure whether the abnormal beats of a patient score higher than the normal beats
    of the same patient.

    Parameters
    ----------
    y_is_abnormal : array-like of bool of shape (n_beats,)
        Whether each beat is abnormal, such as ``y != "N"``. 0 and 1 are accepted.
    scores : array-like of shape (n_beats,)
        Scores that increase with abnormality, such as reconstruction errors, or
        ``-score_samples(X)`` of scikit-learn's outlier detectors.
    groups : array-like of shape (n_beats,)
        Patient of each beat.

    Returns
    -------
    AnomalyReport
        Areas over all beats and within patients.

    Raises
    ------
    ValueError
        If the inputs are empty, differ in length or have missing values; if `y_is_abnormal`
        does not hold both kinds; if `scores` are not finite.

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
            "y_is_abnormal must hold True (or 1) for abnormal and False (or 0) for normal beats, "
            f'at least one of each; got {np.unique(abnormal)[:5]}. With labels pass y != "N".'
        )
    abnormal = abnormal.astype(bool)
    score = check_groups(scores, len(abnormal), name="scores", of="score")
    if score.dtype.kind not in "buif" or not np.isfinite(score).all():
        raise ValueError(f"scores must hold finite numbers; got dtype {score.dtype}.")
    patient = check_groups(groups, len(abnormal))
    rows = {}
    for name in np.unique(patient):
        beats = abnormal[patient == name]
        rows[name] = (len(beats), beats.sum(), *compute_areas(beats, score[patient == name]))
    columns = ["beats", "abnormal", "auroc", "auprc"]
    per_patient = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    auroc, auprc = compute_areas(abnormal, score)
    return AnomalyReport(
        auroc=auroc,
        auprc=auprc,
        prevalence=float(abnormal.mean()),
        mean_patient_auroc=float(per_patient["auroc"].mean()),
        mean_patient_auprc=float(per_patient["auprc"].mean()),
        per_patient=per_patient.rename_axis("group"),
    )
