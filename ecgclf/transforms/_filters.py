"""Filters of beats: band-pass, notch, wavelet denoising and removal of the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY
from numbers import Real
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import butter, iirnotch, sosfiltfilt, tf2sos
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import StrOptions

from ecgclf._docstrings import parameters_from
from ecgclf._parameters import (
    NotNegativeFloat,
    NotNegativeInt,
    Parameterized,
    PositiveFloat,
    PositiveInt,
)
from ecgclf._sklearn import BaseEstimator
from ecgclf.transforms._beat_transformer import SignalTransformer

DiscreteWavelet = Annotated[str, StrOptions(set(pywt.wavelist(kind="discrete")))]

#: Median of the absolute value of a standard normal variable.
_MEDIAN_OF_NORMAL = 0.6745

#: Part of the initial ringing below which a filter counts as settled.
_SETTLED = 1e-3

#: Beats filtered at once, because the padded beats take several times their memory.
_BLOCK = 1024


class BandpassFilter(SignalTransformer):
    """Zero-phase Butterworth filter that keeps the frequencies between two edges.

    The filter runs forwards and backwards over each lead, as in `scipy.signal.sosfiltfilt`, so
    waves are not delayed. The attenuation doubles: it is 6 dB at `low` and `high`, and beyond
    them that of a filter of twice the order. If the whole record is available, filter it before
    beats are cut: see :doc:`/signals`.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    low : float or None, default=0.5
        Lower edge of the pass band in Hz. None makes a low-pass filter.
    high : float or None, default=40.0
        Upper edge of the pass band in Hz. None makes a high-pass filter.
    order : int, default=2
        Order of the Butterworth filter at each edge.
    n_pad : int or None, default=None
        Number of samples by which each beat is extended at both ends, as a mirror image. None
        takes as many as the filter needs to settle, at most ``n_samples - 1``.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import BandpassFilter
    >>> seconds = np.arange(720) / 360
    >>> slow, fast = (np.sin(2 * np.pi * f * seconds) for f in (10, 100))
    >>> BandpassFilter(fs=360).fit_transform([slow, fast]).std(axis=1).round(2)
    array([0.71, 0.01])
    """

    fs: PositiveFloat
    low: PositiveFloat | None = 0.5
    high: PositiveFloat | None = 40.0
    order: PositiveInt = 2
    _: KW_ONLY
    n_pad: NotNegativeInt | None = None

    def _change(self, signals: NDArray) -> NDArray:
        return _filter_zero_phase(signals, self._design(), self.n_pad)

    def _design(self) -> NDArray:
        """Design the second-order sections."""
        for name, edge in (("low", self.low), ("high", self.high)):
            if edge is not None:
                _check_below_nyquist(name, edge, self.fs)
        if self.low is None or self.high is None:
            if self.low == self.high:
                raise ValueError("low=None and high=None filter nothing: give one of them.")
            kind, edge = ("lowpass", self.high) if self.low is None else ("highpass", self.low)
            return butter(self.order, edge, kind, fs=self.fs, output="sos")
        if self.low >= self.high:
            raise ValueError(
                f"low={self.low:g} Hz is not below high={self.high:g} Hz: exchange them, or set "
                "one to None."
            )
        return butter(self.order, [self.low, self.high], "bandpass", fs=self.fs, output="sos")


class NotchFilter(SignalTransformer):
    """Zero-phase filter that removes one frequency, such as power-line interference.

    Its design is that of `scipy.signal.iirnotch`.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    frequency : float, default=50.0
        Frequency to remove in Hz. The power line has 50 Hz in most of the world and 60 Hz in
        North America, where the MIT-BIH records were made.
    quality : float, default=30.0
        Quality factor. The filter removes a band of ``frequency / quality``, at the edges of
        which the attenuation is 6 dB. A narrower band makes the filter ring longer.
    n_pad : int or None, default=None
        Number of samples by which each beat is extended at both ends, as in `BandpassFilter`.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import NotchFilter
    >>> hum = np.cos(2 * np.pi * 60 * np.arange(720) / 360)
    >>> NotchFilter(fs=360, frequency=60).fit_transform([1 + hum])[0, 200:203].round(2)
    array([1., 1., 1.])
    """

    fs: PositiveFloat
    frequency: PositiveFloat = 50.0
    _: KW_ONLY
    quality: PositiveFloat = 30.0
    n_pad: NotNegativeInt | None = None

    def _change(self, signals: NDArray) -> NDArray:
        _check_below_nyquist("frequency", self.frequency, self.fs)
        sections = tf2sos(*iirnotch(self.frequency, self.quality, fs=self.fs))
        return _filter_zero_phase(signals, sections, self.n_pad)


class WaveletDenoiser(SignalTransformer):
    r"""Wavelet denoiser for white noise, with the universal threshold [1]_.

    The wavelet coefficients of each lead of a beat are thresholded at

    .. math:: \lambda = c \, \hat\sigma \sqrt{2 \ln n},
       \qquad \hat\sigma = \operatorname{median}(|d_1|) / 0.6745,

    where :math:`n` is the number of samples and :math:`d_1` are the finest details, which
    contain little but noise. The approximation at the last level is not changed. Beats are
    extended as mirror images that repeat the last sample. Denoise beats before padding them,
    because zeros make the estimated noise too small.

    Parameters
    ----------
    wavelet : str, default="sym4"
        Name of a discrete wavelet of PyWavelets.
    level : int or None, default=None
        Number of decomposition levels. None takes the largest number that the length of the
        beats allows.
    threshold : {"soft", "hard"}, default="soft"
        Treatment of coefficients above the threshold: "soft" shrinks them by the threshold,
        "hard" keeps them.
    factor : float, default=1.0
        Factor c of the threshold. With 0 nothing is removed.

    References
    ----------
    .. [1] Donoho DL, Johnstone IM. Ideal spatial adaptation by wavelet shrinkage. Biometrika
       81(3), 1994.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import WaveletDenoiser
    >>> noise = np.random.default_rng(0).normal(size=(1, 256))
    >>> bool(WaveletDenoiser().fit_transform(noise).std() < 0.2 * noise.std())
    True
    """

    _: KW_ONLY
    wavelet: DiscreteWavelet = "sym4"
    level: PositiveInt | None = None
    threshold: Literal["soft", "hard"] = "soft"
    factor: NotNegativeFloat = 1.0

    _min_samples: ClassVar[int] = 2

    def _change(self, signals: NDArray) -> NDArray:
        n_samples = signals.shape[2]
        level = self.level or max(_max_level(n_samples, self.wavelet), 1)
        advice = "lower level, use a shorter wavelet such as 'haar', or cut longer beats"
        approximation, *details = _decompose(signals, self.wavelet, level, advice)
        noise = np.median(np.abs(details[-1]), axis=-1, keepdims=True) / _MEDIAN_OF_NORMAL
        limit = self.factor * noise * math.sqrt(2 * math.log(n_samples))
        # PyWavelets returns NaN for a coefficient of 0 and a threshold of 0.
        kept = [np.where(d == 0, 0, pywt.threshold(d, limit, self.threshold)) for d in details]
        return _reconstruct([approximation, *kept], self.wavelet, n_samples)


class MedianBaseline(Parameterized, BaseEstimator):
    """Baseline by median filters, one after another.

    A median filter removes waves narrower than half of its window: the first filter removes P
    waves and QRS complexes, the second T waves [1]_. Beats are extended as mirror images that
    repeat the last sample.

    Parameters
    ----------
    windows : tuple of float, default=(0.2, 0.6)
        Windows of the filters in seconds, each rounded to an odd number of samples.

    References
    ----------
    .. [1] de Chazal P, O'Dwyer M, Reilly RB. Automatic classification of heartbeats using
       ECG morphology and heartbeat interval features. IEEE Trans Biomed Eng 51(7), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import MedianBaseline
    >>> spike = np.full((1, 1, 360), 0.5)
    >>> spike[..., 90] += 1
    >>> np.unique(MedianBaseline()(spike, fs=360))
    array([0.5])
    """

    windows: tuple[float, ...] = (0.2, 0.6)

    def __call__(self, signals: NDArray, fs: float) -> NDArray:
        """Estimate the baseline.

        Parameters
        ----------
        signals : ndarray of shape (n_beats, n_leads, n_samples)
            Beats.
        fs : float
            Sampling rate in Hz.

        Returns
        -------
        ndarray of shape (n_beats, n_leads, n_samples)

        Raises
        ------
        ValueError
            If a parameter is out of its range or does not fit the beats or `fs`.
        """
        windows = self.windows if isinstance(self.windows, (tuple, list)) else ()
        if not windows or not all(isinstance(w, Real) and 0 < w < math.inf for w in windows):
            raise ValueError(
                f"windows={self.windows!r}: expected positive numbers of seconds, such as "
                "(0.2, 0.6)."
            )
        for window in windows:
            signals = _median_filter(signals, 2 * round(window * fs / 2) + 1)
        return signals


def _median_filter(signals: NDArray, size: int) -> NDArray:
    """Filter all beats and leads at once, as one long signal of mirrored beats."""
    n_samples, half = signals.shape[-1], size // 2
    if half > n_samples:
        raise ValueError(
            f"a median over {size} samples needs {half} samples beyond each end of a beat, but "
            f"beats of {n_samples} samples can be mirrored by {n_samples} at most. Shorten the "
            "windows, cut longer beats, or set fs to the sampling rate of the beats."
        )
    padded = np.pad(signals, ((0, 0), (0, 0), (half, half)), mode="symmetric")
    filtered = median_filter(padded.reshape(-1), size=size).reshape(padded.shape)
    return filtered[..., half : half + n_samples]


class HighpassBaseline(Parameterized, BaseEstimator):
    """Baseline of low frequencies, which a zero-phase Butterworth high-pass filter removes.

    Parameters
    ----------
    cutoff : float, default=0.5
        Cutoff frequency in Hz, at which the filter attenuates by 6 dB.
    order : int, default=2
        Order of the Butterworth filter.
    n_pad : int or None, default=None
        Number of samples by which each beat is extended at both ends, as in `BandpassFilter`.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import HighpassBaseline
    >>> HighpassBaseline()(np.full((1, 1, 360), 0.5), fs=360)[0, 0, :3].round(6)
    array([0.5, 0.5, 0.5])
    """

    cutoff: PositiveFloat = 0.5
    order: PositiveInt = 2
    n_pad: NotNegativeInt | None = None

    @parameters_from(MedianBaseline.__call__)
    def __call__(self, signals: NDArray, fs: float) -> NDArray:
        """Estimate the baseline.

        Returns
        -------
        ndarray of shape (n_beats, n_leads, n_samples)

        Raises
        ------
        ValueError
            If a parameter is out of its range or does not fit the beats or `fs`.
        """
        self._validate_params()
        _check_below_nyquist("cutoff", self.cutoff, fs)
        sections = butter(self.order, self.cutoff, "highpass", fs=fs, output="sos")
        return signals - _filter_zero_phase(signals, sections, self.n_pad)


class WaveletBaseline(Parameterized, BaseEstimator):
    """Baseline by the discrete wavelet transform: the approximation without details.

    Each level of the transform halves the range of frequencies. The baseline is the
    approximation at the first level without frequencies above `cutoff`.

    Parameters
    ----------
    cutoff : float, default=0.5
        Highest frequency of the baseline in Hz. A low cutoff needs long signals: 0.5 Hz at
        360 Hz with ``"db4"`` needs about ten seconds.
    wavelet : str, default="db4"
        Name of a discrete wavelet of PyWavelets.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import WaveletBaseline
    >>> WaveletBaseline()(np.full((1, 1, 3600), 0.5), fs=360)[0, 0, :3].round(6)
    array([0.5, 0.5, 0.5])
    """

    cutoff: PositiveFloat = 0.5
    wavelet: DiscreteWavelet = "db4"

    @parameters_from(MedianBaseline.__call__)
    def __call__(self, signals: NDArray, fs: float) -> NDArray:
        """Estimate the baseline.

        Returns
        -------
        ndarray of shape (n_beats, n_leads, n_samples)

        Raises
        ------
        ValueError
            If a parameter is out of its range or does not fit the beats or `fs`.
        """
        self._validate_params()
        _check_below_nyquist("cutoff", self.cutoff, fs)
        n_samples = signals.shape[-1]
        # The approximation at level l keeps frequencies below fs / 2 ** (l + 1).
        level = math.ceil(math.log2(fs / self.cutoff)) - 1
        advice = (
            f"cutoff={self.cutoff:g} Hz is too low for signals of {n_samples / fs:.3g} s. Raise "
            "it, use a shorter wavelet such as 'haar', or filter the record before cutting beats"
        )
        approximation, *details = _decompose(signals, self.wavelet, level, advice)
        zeros = [np.zeros_like(detail) for detail in details]
        return _reconstruct([approximation, *zeros], self.wavelet, n_samples)


class BaselineWanderRemover(SignalTransformer):
    """Remover of baseline wander, which breathing and electrode motion cause.

    The window of a beat is shorter than a wave of the baseline, so little more than the offset
    and the slope of a beat can be removed: :doc:`/signals` compares with whole records.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    baseline : callable or None, default=None
        Estimate of the baseline: `MedianBaseline`, `HighpassBaseline`, `WaveletBaseline`, or
        any function from signals of shape (n_beats, n_leads, n_samples) and `fs` to baselines
        of that shape. None is ``MedianBaseline()``.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import BaselineWanderRemover
    >>> beats = np.full((2, 360), 0.5)
    >>> beats[:, 90] += 1
    >>> BaselineWanderRemover(fs=360).fit_transform(beats)[0, 88:92]
    array([0., 0., 1., 0.])
    """

    fs: PositiveFloat
    _: KW_ONLY
    baseline: Callable[[NDArray, float], NDArray] | None = None

    _min_samples: ClassVar[int] = 2

    def _change(self, signals: NDArray) -> NDArray:
        estimate = MedianBaseline() if self.baseline is None else self.baseline
        return signals - estimate(signals, self.fs)


def _filter_zero_phase(signals: NDArray, sos: NDArray, n_pad: NotNegativeInt | None) -> NDArray:
    """Filter 3-D beats with second-order sections, forwards and backwards."""
    longest = signals.shape[-1] - 1
    if n_pad is None:
        n_pad = min(_samples_to_settle(sos), longest)
    elif n_pad > longest:
        raise ValueError(
            f"n_pad={n_pad}: beats of {longest + 1} samples can be mirrored by {longest} at "
            "most. Cut longer beats, or set n_pad to None."
        )
    filtered = np.empty_like(signals)
    for block in gen_batches(len(signals), _BLOCK):
        filtered[block] = sosfiltfilt(sos, signals[block], padtype="even", padlen=n_pad)
    return filtered


def _samples_to_settle(sos: NDArray) -> int:
    """Count the samples until the response of the slowest pole has decayed."""
    slowest = max(np.abs(np.roots(section[3:])).max(initial=0.0) for section in sos)
    return math.ceil(math.log(_SETTLED) / math.log(slowest)) if 0 < slowest < 1 else 0


def _check_below_nyquist(name: str, frequency: float, fs: float) -> None:
    """Raise a ValueError unless a frequency lies below half of the sampling rate."""
    if frequency >= fs / 2:
        raise ValueError(
            f"{name}={frequency:g} Hz: signals at fs={fs:g} Hz contain only frequencies below "
            f"{fs / 2:g} Hz. Lower {name}, or set fs to the sampling rate of the beats."
        )


def _max_level(n_samples: int, wavelet: str) -> int:
    """Count the levels at which some coefficient does not depend on the edges."""
    return pywt.dwt_max_level(n_samples, pywt.Wavelet(wavelet).dec_len)


def _decompose(signals: Any, wavelet: str, level: int, advice: str) -> list[Any]:
    """Compute the wavelet coefficients along the last axis; errors end with `advice`."""
    n_samples = signals.shape[-1]
    deepest = _max_level(n_samples, wavelet)
    if not 1 <= level <= deepest:
        raise ValueError(
            f"beats of {n_samples} samples can be decomposed with {wavelet!r} to level "
            f"{deepest}, not {level}: {advice}."
        )
    return pywt.wavedec(signals, wavelet, mode="symmetric", level=level, axis=-1)


def _reconstruct(coefficients: list[Any], wavelet: str, n_samples: int) -> Any:
    """Compute the signals of wavelet coefficients."""
    signals = pywt.waverec(coefficients, wavelet, mode="symmetric", axis=-1)
    return signals[..., :n_samples]  # one sample too many if n_samples is odd
