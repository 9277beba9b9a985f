"""Signal quality of beats."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.signal import periodogram
from scipy.stats import kurtosis
from sklearn.utils._param_validation import Interval

from ecgclf.transforms._beat_transformer import BeatFeatures

#: Band of the QRS complex, and highest frequency of an ECG, in Hz.
_QRS_LOW, _QRS_HIGH, _ECG_HIGH = 5.0, 15.0, 40.0


class SignalQuality(BeatFeatures):
    """Signal quality indices of beats, or of longer segments of signal.

    =============== =========================================================================
    flat            longest constant run as a fraction of all samples: 1 if a lead is off
    saturated       longest run at the maximum or the minimum as a fraction of all samples:
                    long if the amplifier or the converter was saturated
    kurtosis        fourth moment divided by the squared variance: low for noise (3 if
                    Gaussian), high for an ECG, more than 5 over several beats (kSQI [1]_)
    qrs_power       power from 5 to 15 Hz divided by that from 5 to 40 Hz: low with muscle
                    noise, near 1 with electrode artefacts (pSQI [1]_)
    high_frequency  power above 40 Hz divided by all power: power line and muscles
    =============== =========================================================================

    Powers are those of a periodogram with a Hann window, after removal of the linear trend. The
    last three indices of a constant signal are NaN. The published thresholds are for segments of
    about ten seconds: choose thresholds for single beats, in which the QRS complex takes a larger
    part, by beats of known quality.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz, more than 80 Hz.

    References
    ----------
    .. [1] Li Q, Mark RG, Clifford GD. Robust heart rate estimation from multiple asynchronous
       noisy sources using signal quality indices and a Kalman filter. Physiol Meas 29(1), 2008.

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

    fs: Annotated[float, Interval(Real, 2 * _ECG_HIGH, None, closed="neither")]

    def _measure(self, signals: NDArray) -> NDArray:
        n_samples = signals.shape[2]
        ends = (f(signals, axis=2, keepdims=True) for f in (np.max, np.min))
        runs = [
            _longest(np.diff(signals) == 0) + 1,
            np.max([_longest(signals == end) for end in ends], axis=0),
        ]
        values = np.full((*signals.shape[:2], len(self._names())), np.nan)
        for column, run in enumerate(runs):
            # A run needs two samples.
            values[:, :, column] = np.where((run > 1) | (n_samples == 1), run, 0) / n_samples
        varying = np.ptp(signals, axis=2) > 0
        if varying.any():
            values[varying, len(runs) :] = self._of_shape(signals[varying].astype(np.float64))
        return values

    def _of_shape(self, signals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the indices of varying signals, of shape (n_signals, n_samples)."""
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
    """Compute the length of the longest run of True along the last axis."""
    if not holds.shape[-1]:
        return np.zeros(holds.shape[:-1], dtype=np.intp)
    total = np.cumsum(holds, axis=-1)
    # Count before the start of the current run.
    before = np.maximum.accumulate(np.where(holds, 0, total), axis=-1)
    return (total - before).max(axis=-1)
