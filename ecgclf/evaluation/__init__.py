"""Honest evaluation: figures per class and per patient, and splits by patient."""

from ecgclf.evaluation._beat_report import beat_report
from ecgclf.evaluation._calibration import expected_calibration_error, reliability_table
from ecgclf.evaluation._occlusion import occlusion
from ecgclf.evaluation._report import BeatReport
from ecgclf.evaluation._splits import DS1, DS2, InterPatientSplit

__all__ = [
    "DS1",
    "DS2",
    "BeatReport",
    "InterPatientSplit",
    "beat_report",
    "expected_calibration_error",
    "occlusion",
    "reliability_table",
]
