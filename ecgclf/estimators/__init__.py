"""Heartbeat classifiers with the scikit-learn API."""

from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._cnn import ECGCNNClassifier
from ecgclf.estimators._network import BeatEstimator

__all__ = ["BeatClassifier", "BeatEstimator", "ECGCNNClassifier"]
