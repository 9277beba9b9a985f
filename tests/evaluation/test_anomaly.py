"""Tests of anomaly_report."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgclf.evaluation import anomaly_report


def test_against_sklearn_patient_by_patient():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 6, size=500)
    abnormal = (rng.random(500) < 0.2) & (groups != 4)  # patient 4 has normal beats only
    scores = rng.normal(size=500) + abnormal + groups
    report = anomaly_report(abnormal, scores, groups)
    assert report.auroc == roc_auc_score(abnormal, scores)
    assert report.auprc == average_precision_score(abnormal, scores)
    assert report.prevalence == abnormal.mean()
    areas = {}
    for patient in (0, 1, 2, 3, 5):
        rows = groups == patient
        areas[patient] = roc_auc_score(abnormal[rows], scores[rows])
        assert report.per_patient.loc[patient, "auroc"] == areas[patient]
        assert report.per_patient.loc[patient, "abnormal"] == abnormal[rows].sum()
    assert report.mean_patient_auroc == pytest.approx(np.mean([*areas.values()]))
    assert report.one_kind_only == (4,)
    assert report.per_patient.loc[4, "beats"] == (groups == 4).sum()


def test_within_and_between_patients_can_differ():
    abnormal = np.tile([0, 0, 1, 1], 4)
    groups = np.repeat(list("abcd"), 4)
    level = np.repeat([0, 10, 20, 30], 4)
    within = anomaly_report(abnormal, level + abnormal, groups)
    assert within.mean_patient_auroc == within.mean_patient_auprc == 1
    assert within.auroc == pytest.approx(10 / 16)  # of 16 pairs of patients 10 are in order


def test_only_one_kind_in_every_patient():
    report = anomaly_report([0, 0, 1, 1], [1, 2, 3, 4], list("aabb"))
    assert report.auroc == 1
    assert np.isnan(report.mean_patient_auroc)
    assert report.one_kind_only == ("a", "b")
    text = str(report)
    assert text.splitlines()[0] == "4 beats of 2 patients, 2 abnormal"
    assert "2 patients have normal or abnormal beats only" in text
    assert "nan" not in text.lower() + report._repr_html_().lower()
    assert repr(report).startswith("AnomalyReport(auroc=1.0000")


def test_kinds_may_be_bool_or_numbers():
    given = ([0.1, 0.4, 0.3, 0.9], [1, 1, 2, 2])
    values = {
        anomaly_report(kinds, *given).auroc
        for kinds in ([0, 1, 0, 1], [False, True, False, True], np.array([0.0, 1.0, 0.0, 1.0]))
    }
    assert values == {1.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_is_abnormal": list("NVN")}, 'With labels pass y != "N"'),
        ({"y_is_abnormal": [0, 0, 0]}, "at least one of each"),
        ({"y_is_abnormal": [0, 1, 2]}, "y_is_abnormal must hold True"),
        ({"scores": [1, np.nan, 2]}, "scores contains missing values: the score of 1 of 3"),
        ({"scores": [1, np.inf, 2]}, "scores must hold finite numbers"),
        ({"scores": [[1], [2], [3]]}, r"scores has the shape \(3, 1\), expected \(3,\)"),
        ({"scores": [1, 2]}, r"scores has the shape \(2,\), expected \(3,\)"),
        ({"groups": [1, 2]}, r"groups has the shape \(2,\), expected \(3,\)"),
    ],
)
def test_bad_input(change, message):
    given = {"y_is_abnormal": [0, 1, 0], "scores": [0.1, 0.3, 0.2], "groups": [1, 1, 1]}
    with pytest.raises(ValueError, match=message):
        anomaly_report(**given | change)
