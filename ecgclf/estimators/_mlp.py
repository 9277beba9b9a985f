"""Multilayer perceptron."""

from __future__ import annotations

from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._per_layer import Widths
from ecgclf.modules import FlatEncoder


class ECGMLPClassifier(BeatClassifier):
    """Multilayer perceptron for heartbeats: dense layers on all samples of all leads.

    Examples
    --------
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> ECGMLPClassifier(batch_size=32, random_state=0).fit(X, y).predict(X[:3]).shape
    (3,)
    """

    dense: Widths = (256,)

    def _make_encoder(self, n_leads: int, n_samples: int) -> FlatEncoder:
        return FlatEncoder(n_leads, n_samples)
