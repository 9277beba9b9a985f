"""Filters of beats: band-pass, notch and wavelet denoising."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy.signal import butter, iirnotch, sosfiltfilt, tf2sos
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import StrOptions

from ecgclf._sklearn import OneToOneFeatureMixin
from ecgclf._validation import NOT_NEGATIVE, NOT_NEGATIVE_INTEGER, POSITIVE, POSITIVE_INTEGER
from ecgclf.transforms._beat_transformer import BeatTransformer

#: Constraint of a parameter that names a discrete wavelet.
DISCRETE_WAVELET = StrOptions(set(pywt.wavelist(kind="discrete")))

#: Median of the absolute value of a standard normal variable.
_MEDIAN_OF_NORMAL = 0.6745

#: Part of the initial ringing below which a filter counts as settled.
_SETTLED = 1e-3

#: Beats filtered at once, because the padded beats take several times their memory.
_BLOCK = 1024


@dataclass(eq=False, repr=False)
class BandpassFilter(OneToOneFeatureMixin, BeatTransformer):
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
    >>> filtered = BandpassFilter(fs=360).fit_transform([slow, fast])
    >>> filtered.std(axis=1).round(2)
    array([0.71, 0.01])
    """

    fs: float
    low: float | None = 0.5
    high: float | None = 40.0
    order: int = 2
    _: KW_ONLY
    n_pad: int | None = None

    _parameter_constraints: ClassVar[dict] = {
        "fs": [POSITIVE],
        "low": [POSITIVE, None],
        "high": [POSITIVE, None],
        "order": [POSITIVE_INTEGER],
        "n_pad": [NOT_NEGATIVE_INTEGER, None],
    }

    def _change(self, signals: NDArray) -> NDArray:
        return filter_zero_phase(signals, self._design(), self.n_pad)

    def _design(self) -> NDArray:
        """Design the second-order sections."""
        for name, edge in (("low", self.low), ("high", self.high)):
            if edge is not None:
                check_below_nyquist(name, edge, self.fs)
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


@dataclass(eq=False, repr=False)
class NotchFilter(OneToOneFeatureMixin, BeatTransformer):
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
    >>> seconds = np.arange(720) / 360
    >>> hum = np.cos(2 * np.pi * 60 * seconds)
    >>> filtered = NotchFilter(fs=360, frequency=60).fit_transform([1 + hum])
    >>> filtered[0, 200:203].round(2)
    array([1., 1., 1.])
    """

    fs: float
    frequency: float = 50.0
    _: KW_ONLY
    quality: float = 30.0
    n_pad: int | None = None

    _parameter_constraints: ClassVar[dict] = {
        "fs": [POSITIVE],
        "frequency": [POSITIVE],
        "quality": [POSITIVE],
        "n_pad": [NOT_NEGATIVE_INTEGER, None],
    }

    def _change(self, signals: NDArray) -> NDArray:
        check_below_nyquist("frequency", self.frequency, self.fs)
        sections = tf2sos(*iirnotch(self.frequency, self.quality, fs=self.fs))
        return filter_zero_phase(signals, sections, self.n_pad)


@dataclass(kw_only=True, eq=False, repr=False)
class WaveletDenoiser(OneToOneFeatureMixin, BeatTransformer):
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
    >>> bump = 10 * np.hanning(256)
    >>> denoised = WaveletDenoiser().fit_transform(bump + noise)
    >>> bool(np.abs(denoised - bump).std() < 0.5 * noise.std())
    True
    """

    wavelet: str = "sym4"
    level: int | None = None
    threshold: str = "soft"
    factor: float = 1.0

    _parameter_constraints: ClassVar[dict] = {
        "wavelet": [DISCRETE_WAVELET],
        "level": [POSITIVE_INTEGER, None],
        "threshold": [StrOptions({"soft", "hard"})],
        "factor": [NOT_NEGATIVE],
    }

    _min_samples: ClassVar[int] = 2

    def _change(self, signals: NDArray) -> NDArray:
        n_samples = signals.shape[2]
        level = self.level or max(_max_level(n_samples, self.wavelet), 1)
        advice = "lower level, use a shorter wavelet such as 'haar', or cut longer beats"
        approximation, *details = decompose(signals, self.wavelet, level, advice)
        noise = np.median(np.abs(details[-1]), axis=-1, keepdims=True) / _MEDIAN_OF_NORMAL
        limit = self.factor * noise * math.sqrt(2 * math.log(n_samples))
        # PyWavelets returns NaN for a coefficient of 0 and a threshold of 0.
        kept = [np.where(d == 0, 0, pywt.threshold(d, limit, self.threshold)) for d in details]
        return reconstruct([approximation, *kept], self.wavelet, n_samples)


def filter_zero_phase(signals: NDArray, sos: NDArray, n_pad: int | None) -> NDArray:
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


def check_below_nyquist(name: str, frequency: float, fs: float) -> None:
    """Raise a ValueError unless a frequency lies below half of the sampling rate."""
    if frequency >= fs / 2:
        raise ValueError(
            f"{name}={frequency:g} Hz: signals at fs={fs:g} Hz contain only frequencies below "
            f"{fs / 2:g} Hz. Lower {name}, or set fs to the sampling rate of the beats."
        )


def _max_level(n_samples: int, wavelet: str) -> int:
    """Count the levels at which some coefficient does not depend on the edges."""
    return pywt.dwt_max_level(n_samples, pywt.Wavelet(wavelet).dec_len)


def decompose(signals: Any, wavelet: str, level: int, advice: str) -> list[Any]:
    """Compute the wavelet coefficients along the last axis; errors end with `advice`."""
    n_samples = signals.shape[-1]
    deepest = _max_level(n_samples, wavelet)
    if not 1 <= level <= deepest:
        raise ValueError(
            f"beats of {n_samples} samples can be decomposed with {wavelet!r} to level "
            f"{deepest}, not {level}: {advice}."
        )
    return pywt.wavedec(signals, wavelet, mode="symmetric", level=level, axis=-1)


def reconstruct(coefficients: list[Any], wavelet: str, n_samples: int) -> Any:
    """Compute the signals of wavelet coefficients."""
    signals = pywt.waverec(coefficients, wavelet, mode="symmetric", axis=-1)
    return signals[..., :n_samples]  # one sample too many if n_samples is odd
