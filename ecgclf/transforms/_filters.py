"""Filters that let some frequencies pass."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, iirnotch, tf2sos
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils._param_validation import Interval

from ecgclf.transforms._transformer import BeatTransformer
from ecgclf.transforms._zero_phase import check_below_nyquist, filter_zero_phase

_POSITIVE = Interval(Real, 0, np.inf, closed="neither")
_N_PAD = [Interval(Integral, 0, None, closed="left"), None]


@dataclass(eq=False, repr=False)
class BandpassFilter(OneToOneFeatureMixin, BeatTransformer):
    """Keep the frequencies between two, by a Butterworth filter without delay.

    The filter runs over each lead forwards and backwards, so no wave moves. It attenuates
    twice: by 6 dB at `low` and `high`, and beyond them as a filter of twice the order.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    low : float or None, default=0.5
        Lowest frequency to pass, in Hz; None passes all below `high`.
    high : float or None, default=40.0
        Highest frequency to pass, in Hz; None passes all above `low`.
    order : int, default=2
        Order of the Butterworth filter, at each of its two edges.
    n_pad : int or None, default=None
        Beyond its ends a beat is taken to go on as its mirror image, for that many samples.
        None takes as many as the filter needs to come to rest, and at most one less than the
        beat has.

    Notes
    -----
    What lies beyond the ends of a beat is a guess, and frequencies that do not fit into a
    beat cannot be told from its offset. Where there is the whole record, it is better
    filtered before it is cut; as a row of `X` it is filtered like any beat.

    See Also
    --------
    scipy.signal.sosfiltfilt : what filters.
    BaselineWanderRemover : other ways to take away what is slow.

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
        "fs": [_POSITIVE],
        "low": [_POSITIVE, None],
        "high": [_POSITIVE, None],
        "order": [Interval(Integral, 1, None, closed="left")],
        "n_pad": _N_PAD,
    }

    def _change(self, signals: NDArray) -> NDArray:
        return filter_zero_phase(signals, self._design(), self.n_pad)

    def _design(self) -> NDArray:
        """Design the second-order sections."""
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                check_below_nyquist(name, getattr(self, name), self.fs)
        if self.low is None or self.high is None:
            if self.low == self.high:
                raise ValueError("low=None and high=None pass everything: give one of them.")
            kind, edge = ("lowpass", self.high) if self.low is None else ("highpass", self.low)
            return butter(self.order, edge, kind, fs=self.fs, output="sos")
        if self.low >= self.high:
            raise ValueError(
                f"low={self.low:g} Hz is not below high={self.high:g} Hz, so nothing would "
                "pass: exchange them, or set one to None."
            )
        return butter(self.order, [self.low, self.high], "bandpass", fs=self.fs, output="sos")


@dataclass(eq=False, repr=False)
class NotchFilter(OneToOneFeatureMixin, BeatTransformer):
    """Take out one frequency, such as the hum of the mains, without delay.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    frequency : float, default=50.0
        In Hz: 50 in most of the world, 60 in North America, where the MIT-BIH records were
        made.
    quality : float, default=30.0
        The filter takes out a band of ``frequency / quality``, at whose edges it attenuates by
        6 dB. The narrower the band, the longer the filter rings.
    n_pad : int or None, default=None
        As in `BandpassFilter`.

    See Also
    --------
    scipy.signal.iirnotch : what designs the filter.

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
        "fs": [_POSITIVE],
        "frequency": [_POSITIVE],
        "quality": [_POSITIVE],
        "n_pad": _N_PAD,
    }

    def _change(self, signals: NDArray) -> NDArray:
        check_below_nyquist("frequency", self.frequency, self.fs)
        sections = tf2sos(*iirnotch(self.frequency, self.quality, fs=self.fs))
        return filter_zero_phase(signals, sections, self.n_pad)
