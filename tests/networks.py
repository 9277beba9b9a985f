"""Small networks that train in a fraction of a second."""

from __future__ import annotations

from typing import Any

from ecgclf import ECGCNNClassifier, ECGMLPClassifier

#: Parameters of the training.
QUICK: dict[str, Any] = {"max_epochs": 2, "batch_size": 64, "verbose": 0, "random_state": 0}


def small_cnn(**params: Any) -> ECGCNNClassifier:
    """Make an unfitted convolutional network."""
    return ECGCNNClassifier(**{"filters": (8, 8), "stride": 2, **QUICK, **params})


def small_mlp(**params: Any) -> ECGMLPClassifier:
    """Make an unfitted multilayer perceptron."""
    return ECGMLPClassifier(**{"dense": (8,), **QUICK, **params})
