"""Honest evaluation: figures per class and per patient, and splits by patient."""

from ecgclf.evaluation._beat_report import beat_report
from ecgclf.evaluation._comparison import compare_models, mcnemar_test
from ecgclf.evaluation._count_metrics import (
    F1,
    Accuracy,
    CountMetric,
    MacroF1,
    PositivePredictivity,
    Sensitivity,
)
from ecgclf.evaluation._ec57 import ec57_report
from ecgclf.evaluation._ec57_report import EC57Report
from ecgclf.evaluation._matching import match_beats
from ecgclf.evaluation._report import BeatReport
from ecgclf.evaluation._resampling import patient_intervals
from ecgclf.evaluation._splits import DS1, DS2, InterPatientSplit

__all__ = [
    "DS1",
    "DS2",
    "F1",
    "Accuracy",
    "BeatReport",
    "CountMetric",
    "EC57Report",
    "InterPatientSplit",
    "MacroF1",
    "PositivePredictivity",
    "Sensitivity",
    "beat_report",
    "compare_models",
    "ec57_report",
    "match_beats",
    "mcnemar_test",
    "patient_intervals",
]
