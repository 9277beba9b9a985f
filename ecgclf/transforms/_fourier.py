"""The Fourier transform of beats, as leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from ecgclf.transforms._beat_transformer import BeatTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class FourierFeatures(BeatTransformer):
    """Discrete Fourier transform of each lead: its real and its imaginary part as two leads.

    Turns beats into arrays of shape (n_beats, 2 * n_leads, n_freqs): the real parts of all
    leads, then their imaginary parts, each of ``n_samples // 2 + 1`` frequencies, from 0 to half
    of the sampling rate. They are not divided by the number of samples, as in
    `numpy.fft.rfft`. A convolutional network on the Fourier transform is
    ``make_pipeline(FourierFeatures(), ECGCNNClassifier())``.

    Notes
    -----
    The transform takes a beat to repeat itself for ever. Where its first and last sample differ
    much, the step between them is heard in all frequencies.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import FourierFeatures
    >>> FourierFeatures().fit_transform([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    array([[[ 1.,  1.,  1.],
            [ 0.,  0.,  0.]],
    <BLANKLINE>
           [[ 1.,  0., -1.],
            [ 0., -1.,  0.]]])
    """

    _gives_signals: ClassVar[bool] = False

    def _change(self, signals: NDArray) -> NDArray:
        spectrum = rfft(signals, axis=2)
        return np.concatenate([spectrum.real, spectrum.imag], axis=1)
