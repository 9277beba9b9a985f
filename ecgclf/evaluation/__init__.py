"""Honest evaluation: figures per class and per patient, intervals, splits and audits."""

from ecgclf.evaluation._adaptive_split import PatientAdaptiveSplit
from ecgclf.evaluation._anomaly import AnomalyReport, anomaly_report
from ecgclf.evaluation._audit import audit_split
from ecgclf.evaluation._audit_report import SplitAudit
from ecgclf.evaluation._beat_report import beat_report
from ecgclf.evaluation._calibration import expected_calibration_error, reliability_table
from ecgclf.evaluation._comparison import McNemarResult, compare_models, mcnemar_test
from ecgclf.evaluation._count_metrics import (
    F1,
    Accuracy,
    CountMetric,
    MacroF1,
    PositivePredictivity,
    Sensitivity,
)
from ecgclf.evaluation._coverage import coverage_table
from ecgclf.evaluation._disturbances import (
    BaselineWander,
    LeadInversion,
    NoiseAtSNR,
    RateError,
)
from ecgclf.evaluation._ec57 import ec57_report
from ecgclf.evaluation._ec57_report import EC57Report
from ecgclf.evaluation._influence import figures_without
from ecgclf.evaluation._matching import match_beats
from ecgclf.evaluation._occlusion import occlusion
from ecgclf.evaluation._report import BeatReport
from ecgclf.evaluation._resampling import patient_intervals
from ecgclf.evaluation._robustness import robustness_curve
from ecgclf.evaluation._splits import DS1, DS2, InterPatientSplit

__all__ = [
    "DS1",
    "DS2",
    "F1",
    "Accuracy",
    "AnomalyReport",
    "BaselineWander",
    "BeatReport",
    "CountMetric",
    "EC57Report",
    "InterPatientSplit",
    "LeadInversion",
    "MacroF1",
    "McNemarResult",
    "NoiseAtSNR",
    "PatientAdaptiveSplit",
    "PositivePredictivity",
    "RateError",
    "Sensitivity",
    "SplitAudit",
    "anomaly_report",
    "audit_split",
    "beat_report",
    "compare_models",
    "coverage_table",
    "ec57_report",
    "expected_calibration_error",
    "figures_without",
    "match_beats",
    "mcnemar_test",
    "occlusion",
    "patient_intervals",
    "reliability_table",
    "robustness_curve",
]
