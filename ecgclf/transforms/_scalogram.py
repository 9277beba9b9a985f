"""Scalograms of beats."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np
import pywt
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ecgclf.transforms._time_frequency import (
    POSITIVE,
    TimeFrequencyTransformer,
    check_frequency_range,
)


@dataclass(eq=False, repr=False)
class Scalogram(TimeFrequencyTransformer):
    """Power of each frequency at each time of a beat: the continuous wavelet transform.

    Turns beats into pictures of shape (n_beats, n_freqs, n_frames), as
    `ecgclf.ECGSpectrogramClassifier` takes them. Those of several leads are stacked along the
    axis of frequencies, as in `Spectrogram`. A wavelet of a high frequency is short and one
    of a low frequency long, so a QRS complex is seen sharply in time and a T wave in
    frequency.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    low : float, default=4.0
        Lowest frequency in Hz.
    high : float or None, default=40.0
        Highest frequency in Hz; None goes up to half of `fs`.
    n_freqs : int, default=32
        How many frequencies, each by the same factor above the one before.
    wavelet : str, default="cmor1.5-1.0"
        One of the continuous wavelets of PyWavelets; those with parameters, here bandwidth and
        center frequency of a complex Morlet wavelet, name them.
    hop : int, default=1
        Samples from one frame to the next; 1 keeps all.
    detrend : bool, default=True
        Subtract its mean from each lead of each beat.
    log : bool, default=True
        Give decibels, ``10 * log10(power + floor)``, instead of power.
    floor_db : float, default=-80.0
        What silence comes to in decibels; the `floor` above is ``10 ** (floor_db / 10)``.
        Power is the squared amplitude of the coefficients, in the squared unit of the beats.

    Attributes
    ----------
    frequencies_ : ndarray of shape (n_freqs,)
        Center frequencies of the wavelets in Hz, from low to high.
    times_ : ndarray of shape (n_frames,)
        In seconds from the first sample of the beat.

    See Also
    --------
    Spectrogram : faster, and the same in time at all frequencies.
    pywt.cwt : what computes the coefficients.

    Notes
    -----
    Beyond its ends a beat is taken to be 0. That reaches into it by about
    ``1.2 / frequency`` seconds with the default wavelet: by 0.3 s at 4 Hz and 0.03 s at 40 Hz.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import Scalogram
    >>> beats = np.sin(2 * np.pi * 10 * np.arange(84) / 120)[np.newaxis]
    >>> scalogram = Scalogram(fs=120, low=5, high=20, n_freqs=3, hop=2)
    >>> pictures = scalogram.fit_transform(beats)
    >>> pictures.shape, scalogram.frequencies_
    ((1, 3, 42), array([ 5., 10., 20.]))
    >>> scalogram.frequencies_[pictures[0, :, 20].argmax()].round()
    np.float64(10.0)
    """

    fs: float
    low: float = 4.0
    high: float | None = 40.0
    _: KW_ONLY
    n_freqs: int = 32
    wavelet: str = "cmor1.5-1.0"
    hop: int = 1
    detrend: bool = True
    log: bool = True
    floor_db: float = -80.0

    _parameter_constraints: ClassVar[dict] = {
        **TimeFrequencyTransformer._parameter_constraints,
        "low": [POSITIVE],
        "high": [POSITIVE, None],
        "n_freqs": [Interval(Integral, 1, None, closed="left")],
        "wavelet": [str],
        "hop": [Interval(Integral, 1, None, closed="left")],
        "detrend": ["boolean"],
    }

    _min_samples: ClassVar[int] = 2

    def _axes(self, n_samples: int) -> tuple[NDArray, NDArray]:
        high = check_frequency_range(self.low, self.high, self.fs)
        frequencies = np.geomspace(self.low, high, self.n_freqs)
        return frequencies, np.arange(0, n_samples, self.hop) / self.fs

    def _power(self, signals: NDArray) -> NDArray:
        if self.detrend:
            signals = signals - signals.mean(axis=2, keepdims=True)
        wavelet = self._wavelet()
        frequencies, _ = self._axes(signals.shape[2])
        scales = pywt.central_frequency(wavelet) * self.fs / frequencies
        coefficients, _ = pywt.cwt(signals, scales, wavelet, method="fft", axis=2)
        return np.abs(coefficients[..., :: self.hop].transpose(1, 2, 0, 3)) ** 2

    def _wavelet(self) -> pywt.ContinuousWavelet:
        try:
            return pywt.ContinuousWavelet(self.wavelet)
        except ValueError as error:
            raise ValueError(
                f"wavelet={self.wavelet!r}: expected a continuous wavelet such as 'cmor1.5-1.0', "
                f"'mexh' or 'morl', one of the families {pywt.wavelist(kind='continuous')}."
            ) from error
