"""Classifier of spectrograms."""

from __future__ import annotations

from typing import ClassVar

from ecgclf._parameters import PositiveInt
from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._per_layer import WidthsNotEmpty
from ecgclf.modules import SpectrogramEncoder


class ECGSpectrogramClassifier(BeatClassifier):
    """Two-dimensional convolutional network on spectrograms of heartbeats.

    `X` has the shape (n_beats, n_freqs, n_frames): frequencies take the place of the leads, and
    frames that of the samples, so ``n_leads_`` is the number of frequencies. Set `n_leads` to
    pass `X` flattened. `ecgclf.transforms.Spectrogram` or `ecgclf.transforms.Scalogram` is the
    step before the network.

    Parameters
    ----------
    filters : sequence of int, default=(16, 32, 64)
        Number of filters of each convolution. Each is followed by batch norm, ReLU and max
        pooling of 2 by 2.
    kernel_size : int, default=3
        Height and width of the kernels.

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

    filters: WidthsNotEmpty = (16, 32, 64)
    kernel_size: PositiveInt = 3

    # Spectrograms may have more frequencies than frames.
    _takes_signals: ClassVar[bool] = False

    def _make_encoder(self, n_leads: int, n_samples: int) -> SpectrogramEncoder:
        return SpectrogramEncoder(self.filters, self.kernel_size)
