"""Spectrograms, scalograms and Fourier transforms of beats."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY
from numbers import Real
from typing import Annotated, ClassVar

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import get_window, spectrogram
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval

from ecgclf._parameters import NotNegativeFloat, PositiveFloat, PositiveInt
from ecgclf.transforms._beat_transformer import BeatTransformer

#: Beats transformed at once, so that they fit into the processor's cache.
_BLOCK = 256


class TimeFrequencyTransformer(BeatTransformer):
    """Base class of `Spectrogram` and `Scalogram`.

    Parameters
    ----------
    low : float, default=0.0
        Lowest frequency in Hz.
    high : float or None, default=None
        Highest frequency in Hz. None is half of `fs`.
    log : bool, default=True
        Whether to return decibels, ``10 * log10(power + floor)``, instead of power.
    floor_db : float, default=-80.0
        Decibels of a power of 0: the `floor` above is ``10 ** (floor_db / 10)``.

    Attributes
    ----------
    frequencies_ : ndarray of shape (n_freqs,)
        Frequencies of one lead in Hz, in ascending order.
    times_ : ndarray of shape (n_frames,)
        Centers of the frames, in seconds from the first sample of the beat.
    """

    fs: PositiveFloat
    _: KW_ONLY
    low: NotNegativeFloat = 0.0
    high: PositiveFloat | None = None
    log: bool = True
    floor_db: Annotated[float, Interval(Real, -np.inf, np.inf, closed="neither")] = -80.0

    _gives_signals: ClassVar[bool] = False
    _min_samples: ClassVar[int] = 2

    @abstractmethod
    def _axes(self, n_samples: int) -> tuple[NDArray, NDArray]:
        """Compute frequencies in Hz and times in s; raise if the parameters do not fit."""

    @abstractmethod
    def _power(self, signals: NDArray) -> NDArray:
        """Compute the power, of shape (n_beats, n_leads, n_freqs, n_frames)."""

    def _learn(self, signals: NDArray) -> None:
        self.frequencies_, self.times_ = self._axes(signals.shape[2])
        super()._learn(signals)

    def _change(self, signals: NDArray) -> NDArray:
        n_beats, n_leads, n_samples = signals.shape
        frequencies, times = self._axes(n_samples)
        shape = (n_beats, n_leads * len(frequencies), len(times))
        pictures = np.empty(shape, dtype=signals.dtype)
        for block in gen_batches(n_beats, _BLOCK):
            power = self._power(signals[block])
            if self.log:
                power += 10 ** (self.floor_db / 10)
                np.log10(power, out=power)
                power *= 10
            pictures[block] = power.reshape(-1, *shape[1:])
        return pictures

    def _highest(self) -> float:
        """Check the range of frequencies and return its upper end in Hz."""
        nyquist = self.fs / 2
        high = nyquist if self.high is None else self.high
        if high > nyquist:
            raise ValueError(
                f"high={high:g} Hz: signals at fs={self.fs:g} Hz contain only frequencies up to "
                f"{nyquist:g} Hz. Lower high, or set fs to the sampling rate of the beats."
            )
        if self.low > high:
            raise ValueError(f"low={self.low:g} Hz is above high={high:g} Hz: exchange them.")
        return high


class Spectrogram(TimeFrequencyTransformer):
    """Short-time Fourier transform: power of each frequency in each frame of a beat.

    Transforms beats into arrays of shape (n_beats, n_freqs, n_frames), the input of
    `ecgclf.ECGSpectrogramClassifier`. Several leads are stacked along the frequency axis: all
    frequencies of the first lead, then all of the second. Frames lie within the beat, without
    padding; samples after the last whole frame are ignored. Power is the density of
    `scipy.signal.spectrogram`, in squared units of the beats per Hz.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    frame : int, default=32
        Number of samples in a frame. Frequencies are ``fs / frame`` apart.
    hop : int, default=4
        Number of samples from one frame to the next.
    window : str, tuple or float, default="hann"
        Window of a frame, as in `scipy.signal.get_window`: a name, or a tuple of a name and
        its parameters, such as ``("tukey", 0.25)``.
    detrend : bool, default=True
        Whether to subtract the mean of each frame.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import Spectrogram
    >>> spectrogram = Spectrogram(fs=120, frame=24, hop=12)
    >>> spectrogram.fit_transform(np.ones((3, 84))).shape, spectrogram.times_.round(2)
    ((3, 13, 6), array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    """

    _: KW_ONLY
    frame: PositiveInt = 32
    hop: PositiveInt = 4
    window: str | Annotated[tuple, tuple] | Annotated[float, Real] = "hann"
    detrend: bool = True

    def _axes(self, n_samples: int) -> tuple[NDArray, NDArray]:
        if self.frame > n_samples:
            raise ValueError(
                f"frame={self.frame} samples is longer than beats of {n_samples}: shorten it, or "
                "cut longer beats."
            )
        if self.hop > self.frame:
            raise ValueError(
                f"hop={self.hop} is larger than frame={self.frame}, which skips samples between "
                "frames: set hop to the frame or less."
            )
        frequencies = np.fft.rfftfreq(self.frame, 1 / self.fs)[self._kept()]
        if not len(frequencies):
            raise ValueError(
                f"no frequency lies between low={self.low:g} and high={self.high:g} Hz, because "
                f"they are {self.fs / self.frame:g} Hz apart: widen the range or the frame."
            )
        n_frames = (n_samples - self.frame) // self.hop + 1
        return frequencies, (np.arange(n_frames) * self.hop + self.frame / 2) / self.fs

    def _power(self, signals: NDArray) -> NDArray:
        _, _, power = spectrogram(
            signals,
            fs=self.fs,
            window=self._window().astype(signals.dtype),
            noverlap=self.frame - self.hop,
            detrend="constant" if self.detrend else False,
            axis=2,
        )
        return power[:, :, self._kept()]

    def _window(self) -> NDArray:
        try:
            return get_window(self.window, self.frame)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"window={self.window!r}: expected a window of scipy.signal.get_window, such as "
                "'hann' or ('tukey', 0.25)."
            ) from error

    def _kept(self) -> slice:
        """Compute the range of the frequencies that are kept."""
        high = self._highest()
        frequencies = np.fft.rfftfreq(self.frame, 1 / self.fs)
        tolerance = 1e-9 * self.fs  # rounding must not exclude the Nyquist frequency
        return slice(
            int(np.searchsorted(frequencies, self.low - tolerance)),
            int(np.searchsorted(frequencies, high + tolerance)),
        )


class Scalogram(TimeFrequencyTransformer):
    """Continuous wavelet transform: power of each frequency at each time of a beat.

    Transforms beats into arrays of shape (n_beats, n_freqs, n_frames), the input of
    `ecgclf.ECGSpectrogramClassifier`. Several leads are stacked along the frequency axis, as
    in `Spectrogram`. Wavelets of high frequencies are short, those of low frequencies long: a
    QRS complex is resolved in time, a T wave in frequency. Power is the squared amplitude of
    the coefficients of `pywt.cwt`, in squared units of the beats. Beats are extended by zeros:
    with the default wavelet this affects about ``1.2 / frequency`` seconds at each end.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    n_freqs : int, default=32
        Number of frequencies, equally spaced on a logarithmic scale.
    wavelet : str, default="cmor1.5-1.0"
        Name of a continuous wavelet of PyWavelets, with its parameters if it has any: here
        bandwidth and center frequency of a complex Morlet wavelet.
    hop : int, default=1
        Number of samples from one frame to the next.
    detrend : bool, default=True
        Whether to subtract the mean of each lead of each beat.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import Scalogram
    >>> scalogram = Scalogram(fs=120, low=5, high=20, n_freqs=3, hop=2)
    >>> scalogram.fit_transform(np.ones((3, 84))).shape, scalogram.frequencies_
    ((3, 3, 42), array([ 5., 10., 20.]))
    """

    low: PositiveFloat = 4.0
    high: PositiveFloat | None = 40.0
    _: KW_ONLY
    n_freqs: PositiveInt = 32
    wavelet: str = "cmor1.5-1.0"
    hop: PositiveInt = 1
    detrend: bool = True

    def _axes(self, n_samples: int) -> tuple[NDArray, NDArray]:
        frequencies = np.geomspace(self.low, self._highest(), self.n_freqs)
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
                f"'mexh' or 'morl', of the families {pywt.wavelist(kind='continuous')}."
            ) from error


class FourierFeatures(BeatTransformer):
    """Discrete Fourier transform of each lead, with real and imaginary parts as leads.

    Transforms beats into arrays of shape (n_beats, 2 * n_leads, n_samples // 2 + 1): the real
    parts of all leads, then their imaginary parts, for frequencies from 0 to half of the
    sampling rate. As in `numpy.fft.rfft`, they are not divided by the number of samples, and a
    large step from the last to the first sample appears at all frequencies. Use it before a
    network for several leads, such as `ecgclf.ECGCNNClassifier`.

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
