"""Remove the wandering baseline, estimated in one of several ways."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import butter
from sklearn.base import BaseEstimator, OneToOneFeatureMixin
from sklearn.utils._param_validation import Interval

from ecgclf.transforms._transformer import BeatTransformer
from ecgclf.transforms._wavelets import DISCRETE_WAVELET, check_level, put_together, take_apart
from ecgclf.transforms._zero_phase import check_below_nyquist, filter_zero_phase

_POSITIVE = Interval(Real, 0, np.inf, closed="neither")


@dataclass(eq=False, repr=False)
class MedianBaseline(BaseEstimator):
    """Baseline by median filters: what is left when narrow waves are gone.

    A median filter removes whatever is narrower than half its window: the first one P waves
    and QRS complexes, the second T waves (de Chazal et al. 2004 [1]_).

    Parameters
    ----------
    windows : tuple of float, default=(0.2, 0.6)
        Windows of the filters in seconds, one after another, each brought to an odd number of
        samples. Beyond its ends a beat is mirrored, with its last sample seen twice.

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
        fs : float
            In Hz.

        Returns
        -------
        ndarray of shape (n_beats, n_leads, n_samples)

        Raises
        ------
        ValueError
            If `windows` are no positive numbers, or half of one is longer than a beat.
        """
        baseline = signals
        for size in self._sizes(fs):
            baseline = _median_filter(baseline, size)
        return baseline

    def _sizes(self, fs: float) -> list[int]:
        """Windows in samples, odd so that they have a middle."""
        windows = self.windows if isinstance(self.windows, (tuple, list)) else ()
        if not windows or not all(isinstance(w, Real) and 0 < w < math.inf for w in windows):
            raise ValueError(
                f"windows={self.windows!r}: expected positive numbers of seconds, such as "
                "(0.2, 0.6)."
            )
        return [2 * round(window * fs / 2) + 1 for window in windows]


def _median_filter(signals: NDArray, size: int) -> NDArray:
    """Filter all beats and leads at once, as one long signal of mirrored beats."""
    n_samples, half = signals.shape[-1], size // 2
    if half > n_samples:
        raise ValueError(
            f"a median over {size} samples asks for {half} samples beyond each end of a beat, "
            f"but beats of {n_samples} samples can be mirrored by {n_samples} at most: "
            "shorten the windows, cut longer beats, or set fs to the rate of the beats."
        )
    padded = np.pad(signals, ((0, 0), (0, 0), (half, half)), mode="symmetric")
    filtered = median_filter(padded.reshape(-1), size=size).reshape(padded.shape)
    return filtered[..., half : half + n_samples]


@dataclass(eq=False, repr=False)
class HighpassBaseline(BaseEstimator):
    """Baseline by a Butterworth filter: what is slower than a frequency.

    What remains of the signal is high-pass filtered, forwards and backwards.

    Parameters
    ----------
    cutoff : float, default=0.5
        Frequency in Hz at which the filter attenuates by 6 dB.
    order : int, default=2
    n_pad : int or None, default=None
        As in `BandpassFilter`.

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
        "cutoff": [_POSITIVE],
        "order": [Interval(Integral, 1, None, closed="left")],
        "n_pad": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __call__(self, signals: NDArray, fs: float) -> NDArray:
        """Estimate the baseline.

        Parameters
        ----------
        signals : ndarray of shape (n_beats, n_leads, n_samples)
        fs : float
            In Hz.

        Returns
        -------
        ndarray of shape (n_beats, n_leads, n_samples)

        Raises
        ------
        ValueError
            If `cutoff` is not below half of `fs`, or `n_pad` does not fit the beats.
        """
        self._validate_params()
        check_below_nyquist("cutoff", self.cutoff, fs)
        sections = butter(self.order, self.cutoff, "highpass", fs=fs, output="sos")
        return signals - filter_zero_phase(signals, sections, self.n_pad)


@dataclass(eq=False, repr=False)
class WaveletBaseline(BaseEstimator):
    """Baseline by a discrete wavelet transform: its approximation without all details.

    Each level of the transform halves the frequencies that are left. The baseline is the
    approximation at the first level that keeps nothing above `cutoff`.

    Parameters
    ----------
    cutoff : float, default=0.5
        Highest frequency of the baseline in Hz. It takes signals of several seconds to tell
        so slow a wave: at 360 Hz and with ``"db4"`` about ten.
    wavelet : str, default="db4"
        One of the discrete wavelets of PyWavelets.

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
        "cutoff": [_POSITIVE],
        "wavelet": [DISCRETE_WAVELET],
    }

    def __call__(self, signals: NDArray, fs: float) -> NDArray:
        """Estimate the baseline.

        Parameters
        ----------
        signals : ndarray of shape (n_beats, n_leads, n_samples)
        fs : float
            In Hz.

        Returns
        -------
        ndarray of shape (n_beats, n_leads, n_samples)

        Raises
        ------
        ValueError
            If `cutoff` is not below half of `fs`, or too low for signals of this length.
        """
        self._validate_params()
        check_below_nyquist("cutoff", self.cutoff, fs)
        n_samples = signals.shape[-1]
        # At level l there is left what lies below fs / 2 ** (l + 1).
        level = math.ceil(math.log2(fs / self.cutoff)) - 1
        check_level(
            level,
            n_samples,
            self.wavelet,
            f"cutoff={self.cutoff:g} Hz is too low for signals of {n_samples / fs:.3g} s; raise "
            "it, take a shorter wavelet such as 'haar', or remove the baseline of the whole "
            "record before it is cut",
        )
        approximation, *details = take_apart(signals, self.wavelet, level)
        nothing = [np.zeros_like(detail) for detail in details]
        return put_together([approximation, *nothing], self.wavelet, n_samples)


@dataclass(eq=False, repr=False)
class BaselineWanderRemover(OneToOneFeatureMixin, BeatTransformer):
    """Subtract the baseline, which breathing and moving electrodes let wander.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    baseline : callable or None, default=None
        What estimates the baseline: `MedianBaseline`, `HighpassBaseline`, `WaveletBaseline`,
        or any function from signals of shape (n_beats, n_leads, n_samples) and `fs` to
        baselines of that shape. None is ``MedianBaseline()``.

    Notes
    -----
    A window of one beat is shorter than one wave of the baseline. What is removed of a beat
    is then little more than its offset and slope; `MedianBaseline` comes nearest to what it
    finds in the whole record. Where there is the record, it is better treated before it is
    cut.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import BaselineWanderRemover, HighpassBaseline
    >>> beats = np.full((2, 360), 0.5)
    >>> beats[:, 90] += 1
    >>> BaselineWanderRemover(fs=360).fit_transform(beats)[0, 88:92]
    array([0., 0., 1., 0.])
    >>> highpass = BaselineWanderRemover(fs=360, baseline=HighpassBaseline(cutoff=1.0))
    >>> highpass.set_params(baseline__cutoff=0.5).fit_transform(beats).shape
    (2, 360)
    """

    fs: float
    _: KW_ONLY
    baseline: Callable[[NDArray, float], NDArray] | None = None

    _parameter_constraints: ClassVar[dict] = {"fs": [_POSITIVE], "baseline": [callable, None]}

    _min_samples: ClassVar[int] = 2

    def _change(self, signals: NDArray) -> NDArray:
        estimate = MedianBaseline() if self.baseline is None else self.baseline
        return signals - estimate(signals, self.fs)
