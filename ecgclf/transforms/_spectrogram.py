"""Spectrograms of beats."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window, spectrogram
from sklearn.utils._param_validation import Interval

from ecgclf.transforms._time_frequency import (
    POSITIVE,
    TimeFrequencyTransformer,
    check_frequency_range,
)


@dataclass(eq=False, repr=False)
class Spectrogram(TimeFrequencyTransformer):
    """Power of each frequency in each frame of a beat: the short-time Fourier transform.

    Turns beats into pictures of shape (n_beats, n_freqs, n_frames), as
    `ecgclf.ECGSpectrogramClassifier` takes them. Those of several leads are stacked along the
    axis of frequencies, so that axis has ``n_leads * n_freqs`` rows: all of the first lead, then
    all of the second. The frames lie within the beat; nothing is added beyond its ends, and
    samples after the last whole frame are not seen.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    frame : int, default=32
        Samples in a frame. Frequencies are ``fs / frame`` apart.
    hop : int, default=4
        Samples from one frame to the next.
    window : str, tuple or float, default="hann"
        What each frame is multiplied with: a name of `scipy.signal.get_window`, or a tuple of
        a name and its parameters, such as ``("tukey", 0.25)``.
    detrend : bool, default=True
        Subtract its mean from each frame, so that an offset leaves no trace.
    low : float, default=0.0
        Lowest frequency to keep, in Hz.
    high : float or None, default=None
        Highest frequency to keep, in Hz; None keeps all.
    log : bool, default=True
        Give decibels, ``10 * log10(power + floor)``, instead of power.
    floor_db : float, default=-80.0
        What silence comes to in decibels; the `floor` above is ``10 ** (floor_db / 10)``.
        Power is a density: the square of the unit of the beats, in a Hz.

    Attributes
    ----------
    frequencies_ : ndarray of shape (n_freqs,)
        Frequencies of one lead in Hz, from low to high.
    times_ : ndarray of shape (n_frames,)
        Middles of the frames, in seconds from the first sample of the beat.

    See Also
    --------
    Scalogram : finer in time where frequencies are high.
    scipy.signal.spectrogram : what computes the power.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import Spectrogram
    >>> beats = np.sin(2 * np.pi * 20 * np.arange(84) / 120)[np.newaxis]
    >>> spectrogram = Spectrogram(fs=120, frame=24, hop=12)
    >>> pictures = spectrogram.fit_transform(beats)
    >>> pictures.shape, spectrogram.times_.round(2)
    ((1, 13, 6), array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    >>> spectrogram.frequencies_[pictures[0, :, 0].argmax()]
    np.float64(20.0)
    """

    fs: float
    _: KW_ONLY
    frame: int = 32
    hop: int = 4
    window: str | tuple | float = "hann"
    detrend: bool = True
    low: float = 0.0
    high: float | None = None
    log: bool = True
    floor_db: float = -80.0

    _parameter_constraints: ClassVar[dict] = {
        **TimeFrequencyTransformer._parameter_constraints,
        "frame": [Interval(Integral, 1, None, closed="left")],
        "hop": [Interval(Integral, 1, None, closed="left")],
        "window": [str, tuple, Real],
        "detrend": ["boolean"],
        "low": [Interval(Real, 0, np.inf, closed="left")],
        "high": [POSITIVE, None],
    }

    _min_samples: ClassVar[int] = 2

    def _axes(self, n_samples: int) -> tuple[NDArray, NDArray]:
        if self.frame > n_samples:
            raise ValueError(
                f"frame={self.frame} samples is longer than beats of {n_samples}: shorten it, or "
                "cut longer beats."
            )
        if self.hop > self.frame:
            raise ValueError(
                f"hop={self.hop} is larger than frame={self.frame}, so samples between frames "
                "would be lost: set hop to that or less."
            )
        frequencies = self._all_frequencies()
        chosen = frequencies[self._chosen()]
        if not len(chosen):
            raise ValueError(
                f"no frequency lies between low={self.low:g} and high={self.high:g} Hz, as they "
                f"are {self.fs / self.frame:g} Hz apart: widen the range, or lengthen frame."
            )
        n_frames = (n_samples - self.frame) // self.hop + 1
        return chosen, (np.arange(n_frames) * self.hop + self.frame / 2) / self.fs

    def _power(self, signals: NDArray) -> NDArray:
        _, _, power = spectrogram(
            signals,
            fs=self.fs,
            window=self._window().astype(signals.dtype),
            noverlap=self.frame - self.hop,
            detrend="constant" if self.detrend else False,
            axis=2,
        )
        return power[:, :, self._chosen()]

    def _window(self) -> NDArray:
        try:
            return get_window(self.window, self.frame)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"window={self.window!r}: expected one of scipy.signal.get_window, such as "
                "'hann' or ('tukey', 0.25)."
            ) from error

    def _all_frequencies(self) -> NDArray:
        return np.fft.rfftfreq(self.frame, 1 / self.fs)

    def _chosen(self) -> slice:
        """Tell which frequencies are kept."""
        high = check_frequency_range(self.low, self.high, self.fs)
        frequencies = self._all_frequencies()
        rounding = 1e-9 * self.fs  # else half of the rate could lie above half of the rate
        return slice(
            int(np.searchsorted(frequencies, self.low - rounding)),
            int(np.searchsorted(frequencies, high + rounding)),
        )
