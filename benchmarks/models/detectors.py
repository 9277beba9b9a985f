"""Anomaly detectors trained on normal beats, and their input representations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest

from ecgclf import ECGAutoencoder

#: Function of the beats and the record name of each beat.
View = Callable[[np.ndarray, np.ndarray], np.ndarray]


class PCAReconstruction(PCA):
    """Principal components that score beats by their reconstruction error."""

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Compute the negative mean squared error of each beat."""
        return -np.mean((X - self.inverse_transform(self.transform(X))) ** 2, axis=1)


class DistanceFromMedian(BaseEstimator):
    """Mean squared distance from the median beat.

    A baseline without training: the median is that of the beats passed to `fit`.
    """

    def fit(self, X: np.ndarray, y: None = None) -> DistanceFromMedian:
        """Compute the median beat."""
        self.median_ = np.median(X, axis=0)
        return self

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Compute the negative mean squared distance of each beat."""
        return -np.mean((X - self.median_) ** 2, axis=1)


def autoencoder(kind: str, **parameters: object) -> ECGAutoencoder:
    """Make an autoencoder with eight codes."""
    return ECGAutoencoder(
        kind=kind, n_codes=8, max_epochs=8, batch_size=64, n_jobs=1, verbose=0, **parameters
    )


#: Detectors, fitted on N beats of the training patients.
DETECTORS: dict[str, BaseEstimator] = {
    "autoencoder, dense": autoencoder("dense", dense=(64,)),
    "autoencoder, convolutional": autoencoder("conv", filters=(8, 16, 32)),
    "autoencoder, recurrent": autoencoder("recurrent", units=(32,)),
    "PCA": PCAReconstruction(n_components=8),
    "isolation forest": IsolationForest(n_estimators=50),
    "distance from the median beat": DistanceFromMedian(),
}


def over_baseline(beats: np.ndarray, record: np.ndarray) -> np.ndarray:
    """Subtract its median from each beat, in mV."""
    return beats - np.median(beats, axis=1, keepdims=True)


def over_height(beats: np.ndarray, record: np.ndarray) -> np.ndarray:
    """Divide by the height of the median beat of the record."""
    beats = over_baseline(beats, record)
    return _by_record(beats, record, lambda own, usual: own / np.ptp(usual))


def minus_median(beats: np.ndarray, record: np.ndarray) -> np.ndarray:
    """Subtract the median beat of the record and divide by its height."""
    beats = over_baseline(beats, record)
    return _by_record(beats, record, lambda own, usual: (own - usual) / np.ptp(usual))


def unchanged(beats: np.ndarray, record: np.ndarray) -> np.ndarray:
    """Return rows of the Kaggle set, which are scaled already."""
    return beats


#: Input representations. The last two use the whole record, but no label.
VIEWS: dict[str, View] = {
    "minus own median": over_baseline,
    "divided by the record's height": over_height,
    "minus the record's median beat": minus_median,
}


def _by_record(
    beats: np.ndarray,
    record: np.ndarray,
    change: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    result = np.empty_like(beats, dtype=np.float32)
    for name in np.unique(record):
        rows = record == name
        result[rows] = change(beats[rows], np.median(beats[rows], axis=0))
    return result
