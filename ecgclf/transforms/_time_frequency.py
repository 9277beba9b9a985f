"""What pictures of time and frequency share: their axes, decibels, and blocks of beats."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval

from ecgclf.transforms._beat_transformer import BeatTransformer

#: Beats that are worked on at once: as many as the caches of a processor can hold.
_BLOCK = 256

POSITIVE = Interval(Real, 0, np.inf, closed="neither")


class TimeFrequencyTransformer(BeatTransformer):
    """Base of `Spectrogram` and `Scalogram`.

    A subclass has the parameters ``fs``, ``log`` and ``floor_db``, and says in `_axes` and
    `_power` which frequencies and times there are, and with what power.
    """

    fs: float
    log: bool
    floor_db: float
    frequencies_: NDArray
    times_: NDArray

    _parameter_constraints: ClassVar[dict] = {
        "fs": [POSITIVE],
        "log": ["boolean"],
        "floor_db": [Interval(Real, -np.inf, np.inf, closed="neither")],
    }

    _gives_signals: ClassVar[bool] = False

    @abstractmethod
    def _axes(self, n_samples: int) -> tuple[NDArray, NDArray]:
        """Frequencies in Hz and times in s; raise if the parameters do not fit the beats."""

    @abstractmethod
    def _power(self, signals: NDArray) -> NDArray:
        """Power of shape (n_beats, n_leads, n_freqs, n_frames)."""

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


def check_frequency_range(low: float, high: float | None, fs: float) -> float:
    """Check a range of frequencies in Hz; return its upper end.

    Raises
    ------
    ValueError
        If it ends above half of the rate, or below its begin.
    """
    nyquist = fs / 2
    high = nyquist if high is None else high
    if high > nyquist:
        raise ValueError(
            f"high={high:g} Hz: signals at fs={fs:g} Hz hold frequencies up to {nyquist:g} Hz "
            "alone; lower high, or set fs to the rate of the beats."
        )
    if low > high:
        raise ValueError(f"low={low:g} Hz lies above high={high:g} Hz: exchange them.")
    return high
