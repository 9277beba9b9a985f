"""Removal of baseline wander, with several estimates of the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import butter

from ecgclf._sklearn import BaseEstimator, OneToOneFeatureMixin
from ecgclf._validation import NOT_NEGATIVE_INTEGER, POSITIVE, POSITIVE_INTEGER
from ecgclf.transforms._beat_transformer import BeatTransformer
from ecgclf.transforms._filters import (
    DISCRETE_WAVELET,
    check_below_nyquist,
    decompose,
    filter_zero_phase,
    reconstruct,
)


@dataclass(eq=False, repr=False)
class MedianBaseline(BaseEstimator):
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


@dataclass(eq=False, repr=False)
class HighpassBaseline(BaseEstimator):
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

    cutoff: float = 0.5
    order: int = 2
    n_pad: int | None = None

    _parameter_constraints: ClassVar[dict] = {
        "cutoff": [POSITIVE],
        "order": [POSITIVE_INTEGER],
        "n_pad": [NOT_NEGATIVE_INTEGER, None],
    }

    def __call__(self, signals: NDArray, fs: float) -> NDArray:
        self._validate_params()
        check_below_nyquist("cutoff", self.cutoff, fs)
        sections = butter(self.order, self.cutoff, "highpass", fs=fs, output="sos")
        return signals - filter_zero_phase(signals, sections, self.n_pad)


@dataclass(eq=False, repr=False)
class WaveletBaseline(BaseEstimator):
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

    cutoff: float = 0.5
    wavelet: str = "db4"

    _parameter_constraints: ClassVar[dict] = {
        "cutoff": [POSITIVE],
        "wavelet": [DISCRETE_WAVELET],
    }

    def __call__(self, signals: NDArray, fs: float) -> NDArray:
        self._validate_params()
        check_below_nyquist("cutoff", self.cutoff, fs)
        n_samples = signals.shape[-1]
        # The approximation at level l keeps frequencies below fs / 2 ** (l + 1).
        level = math.ceil(math.log2(fs / self.cutoff)) - 1
        advice = (
            f"cutoff={self.cutoff:g} Hz is too low for signals of {n_samples / fs:.3g} s. Raise "
            "it, use a shorter wavelet such as 'haar', or filter the record before cutting beats"
        )
        approximation, *details = decompose(signals, self.wavelet, level, advice)
        zeros = [np.zeros_like(detail) for detail in details]
        return reconstruct([approximation, *zeros], self.wavelet, n_samples)


@dataclass(eq=False, repr=False)
class BaselineWanderRemover(OneToOneFeatureMixin, BeatTransformer):
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

    fs: float
    _: KW_ONLY
    baseline: Callable[[NDArray, float], NDArray] | None = None

    _parameter_constraints: ClassVar[dict] = {"fs": [POSITIVE], "baseline": [callable, None]}

    _min_samples: ClassVar[int] = 2

    def _change(self, signals: NDArray) -> NDArray:
        estimate = MedianBaseline() if self.baseline is None else self.baseline
        return signals - estimate(signals, self.fs)
