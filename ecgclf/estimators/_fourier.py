"""Convolutions on the Fourier transform of the beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ecgclf.estimators._cnn import ECGCNNClassifier
from ecgclf.modules import Encoder, FourierEncoder


@dataclass(kw_only=True, eq=False, repr=False)
class ECGFourierCNNClassifier(ECGCNNClassifier):
    """Convolutional network on the Fourier transform of heartbeats.

    The real and the imaginary part of each lead's discrete Fourier transform become two leads
    of ``n_samples // 2 + 1`` values each, on which the network of `ECGCNNClassifier` works,
    with its parameters.

    See Also
    --------
    ECGCNNClassifier : all parameters.

    Examples
    --------
    >>> from ecgclf import ECGFourierCNNClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> model = ECGFourierCNNClassifier(batch_size=32, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    _along: ClassVar[str] = "frequencies"

    def _make_encoder(self, n_leads: int, n_samples: int) -> Encoder:
        return FourierEncoder(super()._make_encoder(2 * n_leads, n_samples // 2 + 1))
