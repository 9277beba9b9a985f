"""Two-dimensional convolutions on spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

from sklearn.utils._param_validation import Interval

from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._estimator import EachLayer
from ecgclf.modules import SpectrogramEncoder


@dataclass(kw_only=True, eq=False, repr=False)
class ECGSpectrogramClassifier(BeatClassifier):
    """Two-dimensional convolutional network on spectrograms of heartbeats.

    `X` has the shape (n_beats, n_freqs, n_frames): frequencies stand where other networks have
    leads, and frames where they have samples, so ``n_leads_`` is the number of frequencies. Give
    `n_leads` to pass `X` flattened.

    Parameters
    ----------
    filters : sequence of int, default=(16, 32, 64)
        Filters of each convolution. Batch norm, ReLU and max pooling of 2 by 2 follow each.
    kernel_size : int, default=3
        Height and width of the kernels.

    See Also
    --------
    ecgclf.estimators.BeatClassifier : the parameters shared by all networks.
    ecgclf.transforms.Spectrogram, ecgclf.transforms.Scalogram : what stands before it.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from ecgclf import ECGSpectrogramClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.transforms import Spectrogram
    >>> beats = make_beats(n_beats=200, random_state=0)
    >>> network = ECGSpectrogramClassifier(batch_size=32, random_state=0)
    >>> model = make_pipeline(Spectrogram(beats.fs, frame=24), network)
    >>> model.fit(beats.data, beats.target).predict(beats.data[:3]).shape
    (3,)
    >>> network.n_leads_  # frequencies
    13
    """

    filters: Sequence[int] = (16, 32, 64)
    kernel_size: int = 3

    _parameter_constraints: ClassVar[dict] = {
        **BeatClassifier._parameter_constraints,
        "filters": [EachLayer(Integral, 1, None, closed="left", at_least=1)],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
    }

    def _make_encoder(self, n_leads: int, n_samples: int) -> SpectrogramEncoder:
        return SpectrogramEncoder(self.filters, self.kernel_size)
