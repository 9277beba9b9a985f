"""Whether a stretch of signal is fit to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import periodogram
from scipy.stats import kurtosis
from sklearn.utils._param_validation import Interval

from ecgclf.transforms._beat_transformer import BeatFeatures

#: The frequencies of the QRS complex, and those up to which an ECG has its power, in Hz.
_QRS_LOW, _QRS_HIGH, _ECG_HIGH = 5.0, 15.0, 40.0


class SignalQuality(BeatFeatures):
    """Indices of signal quality of each beat, or of each longer stretch of signal.

    =============== =========================================================================
    flat            longest stretch in which the signal does not change, as a share of all
                    samples: 1 if a lead is off
    saturated       longest stretch at the highest or the lowest value, as a share: long if
                    the amplifier or the converter was driven to its end
    kurtosis        fourth moment over the squared variance: low for noise (3 if Gaussian)
                    and high for an ECG, more than 5 over several beats (kSQI [1]_)
    qrs_power       power from 5 to 15 Hz over that from 5 to 40 Hz: low with the noise of
                    muscles, near 1 with artefacts of electrodes (pSQI [1]_)
    high_frequency  power above 40 Hz over all power: the mains and muscles
    =============== =========================================================================

    Only these stretches themselves are looked at, so the indices are causal. How like a beat
    is to the others of its record [2]_ tells `TemplateCorrelation`.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz, more than 80.

    Notes
    -----
    The power is that of a periodogram with a Hann window after the line through the signal is
    taken off. A flat signal has neither a shape nor power: its last three indices are NaN.

    The published bounds are for stretches of some ten seconds. The window of a single beat
    has a QRS complex in a larger part of it, and its kurtosis is lower: look at the values of
    beats known to be good before you set a bound.

    References
    ----------
    .. [1] Li Q, Mark RG, Clifford GD. Robust heart rate estimation from multiple asynchronous
       noisy sources using signal quality indices and a Kalman filter. Physiol Meas 29(1), 2008.
    .. [2] Orphanidou C et al. Signal-quality indices for the electrocardiogram and
       photoplethysmogram: derivation and applications to wireless monitoring. IEEE J Biomed
       Health Inform 19(3), 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import SignalQuality
    >>> rng = np.random.default_rng(0)
    >>> X = np.stack([np.zeros(360), rng.normal(size=360)])
    >>> quality = SignalQuality(fs=360).set_output(transform="pandas")
    >>> quality.fit_transform(X).round(1)
       flat  saturated  kurtosis  qrs_power  high_frequency
    0   1.0        1.0       NaN        NaN             NaN
    1   0.0        0.0       3.4        0.4             0.8
    """

    _parameter_constraints: ClassVar[dict] = {
        "fs": [Interval(Real, 2 * _ECG_HIGH, None, closed="neither")]
    }

    def __init__(self, fs: float) -> None:
        self.fs = fs

    def _measure(self, signals: NDArray) -> NDArray:
        n_samples = signals.shape[2]
        ends = (f(signals, axis=2, keepdims=True) for f in (np.max, np.min))
        runs = [
            _longest(np.diff(signals) == 0) + 1,
            np.max([_longest(signals == end) for end in ends], axis=0),
        ]
        values = np.full((*signals.shape[:2], len(self._names())), np.nan)
        for column, run in enumerate(runs):
            # A single sample is no stretch.
            values[:, :, column] = np.where((run > 1) | (n_samples == 1), run, 0) / n_samples
        lively = np.ptp(signals, axis=2) > 0
        if lively.any():
            values[lively, len(runs) :] = self._of_shape(signals[lively].astype(np.float64))
        return values

    def _of_shape(self, signals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute of signals of (n_signals, n_samples) what a flat one does not have."""
        frequency, power = periodogram(signals, self.fs, window="hann", detrend="linear")

        def within(low: float, high: float) -> NDArray[np.float64]:
            return power[:, (frequency >= low) & (frequency <= high)].sum(axis=1)

        def share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray:
            return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)

        return np.column_stack(
            [
                kurtosis(signals, axis=1, fisher=False),
                share(within(_QRS_LOW, _QRS_HIGH), within(_QRS_LOW, _ECG_HIGH)),
                share(power[:, frequency > _ECG_HIGH].sum(axis=1), power.sum(axis=1)),
            ]
        )

    def _names(self) -> Sequence[str]:
        return ["flat", "saturated", "kurtosis", "qrs_power", "high_frequency"]


def _longest(holds: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Length of the longest run of True along the last axis."""
    if not holds.shape[-1]:
        return np.zeros(holds.shape[:-1], dtype=np.intp)
    total = np.cumsum(holds, axis=-1)
    # What had been counted where the current run began.
    before = np.maximum.accumulate(np.where(holds, 0, total), axis=-1)
    return (total - before).max(axis=-1)
