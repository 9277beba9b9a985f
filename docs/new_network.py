"""Example of a custom network, included in contributing.rst."""

from __future__ import annotations

from numbers import Integral
from typing import Annotated

from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from ecgclf.estimators import BeatClassifier
from ecgclf.modules import Encoder


class FlatEncoder(Encoder):
    """Dense layer on all samples of all leads."""

    def __init__(self, n_leads: int, n_samples: int, units: int) -> None:
        super().__init__()
        self.out_features = units
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(n_leads * n_samples, units), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Encode beats of shape (batch, n_leads, n_samples) to (batch, units)."""
        return self.layers(x)


class FlatClassifier(BeatClassifier):
    """Multilayer perceptron for heartbeats.

    Parameters
    ----------
    units : int, default=256
        Number of units of the first layer; `dense` adds more layers.
    """

    units: Annotated[int, Interval(Integral, 1, None, closed="left")] = 256

    def _make_encoder(self, n_leads: int, n_samples: int) -> FlatEncoder:
        return FlatEncoder(n_leads, n_samples, self.units)
