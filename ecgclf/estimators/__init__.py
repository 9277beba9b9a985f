"""Heartbeat classifiers with the scikit-learn API."""

from ecgclf.estimators._autoencoder import ECGAutoencoder
from ecgclf.estimators._class_weight import EffectiveNumber
from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._cnn import ECGCNNClassifier, ECGCRNNClassifier
from ecgclf.estimators._conformal import ConformalClassifier
from ecgclf.estimators._context import ECGContextClassifier
from ecgclf.estimators._estimator import BeatEstimator
from ecgclf.estimators._inception import ECGInceptionClassifier
from ecgclf.estimators._inputs import check_beats
from ecgclf.estimators._mlp import ECGMLPClassifier
from ecgclf.estimators._resnet import ECGResNetClassifier
from ecgclf.estimators._rnn import ECGLSTMClassifier, ECGRNNClassifier
from ecgclf.estimators._saving import CLASSES, input_contract
from ecgclf.estimators._spectrogram import ECGSpectrogramClassifier
from ecgclf.estimators._transfer import ECGTransferClassifier
from ecgclf.estimators._transformer import ECGTransformerClassifier

__all__ = [
    "BeatClassifier",
    "BeatEstimator",
    "ConformalClassifier",
    "ECGAutoencoder",
    "ECGCNNClassifier",
    "ECGCRNNClassifier",
    "ECGContextClassifier",
    "ECGInceptionClassifier",
    "ECGLSTMClassifier",
    "ECGMLPClassifier",
    "ECGRNNClassifier",
    "ECGResNetClassifier",
    "ECGSpectrogramClassifier",
    "ECGTransferClassifier",
    "ECGTransformerClassifier",
    "EffectiveNumber",
]
