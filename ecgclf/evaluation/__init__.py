"""Evaluation by class and by patient: reports, confidence intervals, splits and audits."""

from ecgclf.evaluation._anomaly import AnomalyReport, anomaly_report
from ecgclf.evaluation._attribution import integrated_gradients, occlusion
from ecgclf.evaluation._audit import SplitAudit, audit_split
from ecgclf.evaluation._beat_report import BeatReport, beat_report
from ecgclf.evaluation._calibration import (
    confidence_of,
    coverage_table,
    error_of_table,
    expected_calibration_error,
    reliability_table,
)
from ecgclf.evaluation._checks import check_beats, in_class_order
from ecgclf.evaluation._comparison import (
    McNemarResult,
    ModelComparison,
    compare_models,
    mcnemar_test,
)
from ecgclf.evaluation._count_metrics import (
    F1,
    Accuracy,
    CountMetric,
    MacroF1,
    PositivePredictivity,
    Sensitivity,
)
from ecgclf.evaluation._ec57 import EC57_METRICS, EC57Report, ec57_report, match_beats
from ecgclf.evaluation._recording_report import RecordingReport, recording_report
from ecgclf.evaluation._resampling import figures_without, patient_intervals
from ecgclf.evaluation._robustness import (
    LeadInversion,
    NoiseAtSNR,
    RateError,
    WanderAtAmplitude,
    robustness_curve,
)
from ecgclf.evaluation._score_metrics import AUPRC, AUROC
from ecgclf.evaluation._splits import InterPatientSplit, PatientAdaptiveSplit

__all__ = [
    "AUPRC",
    "AUROC",
    "EC57_METRICS",
    "F1",
    "Accuracy",
    "BeatReport",
    "EC57Report",
    "InterPatientSplit",
    "LeadInversion",
    "MacroF1",
    "ModelComparison",
    "NoiseAtSNR",
    "PatientAdaptiveSplit",
    "PositivePredictivity",
    "RateError",
    "RecordingReport",
    "Sensitivity",
    "WanderAtAmplitude",
    "anomaly_report",
    "audit_split",
    "beat_report",
    "compare_models",
    "coverage_table",
    "ec57_report",
    "expected_calibration_error",
    "figures_without",
    "integrated_gradients",
    "match_beats",
    "mcnemar_test",
    "occlusion",
    "patient_intervals",
    "recording_report",
    "reliability_table",
    "robustness_curve",
]
