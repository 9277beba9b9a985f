"""Heartbeat classifiers with the scikit-learn API."""

from ecgclf.estimators._classifier import BeatClassifier, NetworkClassifier
from ecgclf.estimators._cnn import ECGCNNClassifier
from ecgclf.estimators._network import BeatEstimator
from ecgclf.estimators._transfer import ECGTransferClassifier

__all__ = [
    "BeatClassifier",
    "BeatEstimator",
    "ECGCNNClassifier",
    "ECGTransferClassifier",
    "NetworkClassifier",
]
