"""Beat windows: functions on arrays, and the classes that loaders take as ``window``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Integral
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.signal import resample_poly

from ecgclf._validation import is_number
from ecgclf.datasets._rhythm_features import mean_of_last

#: Values in a row of the Kaggle "heartbeat" set.
KAGGLE_LENGTH = 187

#: The Kaggle set keeps every third sample of the 360 Hz records.
KAGGLE_STEP = 3

#: Largest numerator and denominator of a ratio of sampling rates. Larger ones need filters
#: that are too long.
_MAX_RATIO_TERM = 5_000

#: Largest denominator of the rate close to one that is no small fraction of the old one.
_NEAR_RATIO_TERM = 100


@dataclass(frozen=True, eq=False)
class AnnotatedSignal:
    """Signal of one recording with the positions of its beats, as a `BeatWindow` takes it.

    Parameters
    ----------
    name : str or None
        Name of the record, for error messages.
    signal : ndarray of shape (n_leads, n_samples)
        The signal of all leads.
    fs : float
        Sampling rate of the signal in Hz.
    positions : ndarray of int, shape (n_beats,)
        Positions of the beats in samples, increasing.
    marks : ndarray of int, shape (n_marks,)
        Positions of all annotations, of beats and others, increasing.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import AnnotatedSignal, FixedWindow
    >>> beats = np.array([90, 450])
    >>> signal = AnnotatedSignal("own", np.zeros((1, 720)), 360.0, beats, beats)
    >>> FixedWindow(0.25, 0.45).cut(signal).shape
    (2, 1, 252)
    """

    name: str | None
    signal: NDArray
    fs: float
    positions: NDArray[np.integer]
    marks: NDArray[np.integer]

    def at_rate(self, fs: float | None) -> AnnotatedSignal:
        """Resample the whole recording, before windows are cut.

        Parameters
        ----------
        fs : float or None
            New sampling rate in Hz; None keeps the rate.

        Returns
        -------
        AnnotatedSignal
            With the positions rounded to the nearest samples.
        """
        if fs is None or fs == self.fs:
            return self
        ratio = resampling_ratio(self.fs, fs)
        return replace(
            self,
            signal=resample(self.signal, ratio),
            fs=float(fs),
            positions=np.rint(self.positions * float(ratio)).astype(np.int64),
            marks=np.rint(self.marks * float(ratio)).astype(np.int64),
        )


class BeatWindow(ABC):
    """Base class of the windows that loaders and `BeatSegmenter` take as ``window``.

    A subclass defines in `cut` how beats become rows of equal length.
    """

    #: Whether the rows do not depend on the unit of the signal.
    any_unit: ClassVar[bool] = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # without the address, for DESCR

    def rate(self, fs_record: float, fs: float | None) -> float | None:
        """Return the sampling rate of the rows in Hz, or None if it differs between rows.

        Parameters
        ----------
        fs_record : float
            Sampling rate of the recording in Hz.
        fs : float or None
            Requested sampling rate in Hz; None keeps that of the recording.

        Returns
        -------
        float or None

        Raises
        ------
        ValueError
            If the rate is not possible, or the window is invalid at this rate.
        """
        if fs is None:
            return float(fs_record)
        resampling_ratio(fs_record, fs)
        return float(fs)

    @abstractmethod
    def cut(self, recording: AnnotatedSignal, fs: float | None = None) -> NDArray:
        """Cut the beats of a recording.

        Parameters
        ----------
        recording : AnnotatedSignal
            The signal and its beats.
        fs : float or None, default=None
            Requested sampling rate in Hz, as in `rate`.

        Returns
        -------
        ndarray of shape (n_rows, n_leads, n_samples)
            Rows of the first `n_rows` beats, which are all beats unless the subclass states
            otherwise.
        """


@dataclass(frozen=True)
class FixedWindow(BeatWindow):
    """Window of fixed duration around each beat.

    Beyond the ends of a recording its first or last value is repeated, so that every beat has
    a row.

    Parameters
    ----------
    before, after : float, default=0.25, 0.45
        Seconds before the beat, and from the beat on.

    Examples
    --------
    >>> from ecgclf.datasets import FixedWindow, fetch_mitbih, load_mitbih
    >>> load_mitbih(fetch_mitbih(), window=FixedWindow(0.1, 0.2))  # doctest: +SKIP
    """

    before: float = 0.25
    after: float = 0.45

    def rate(self, fs_record: float, fs: float | None) -> float | None:
        rate = super().rate(fs_record, fs)
        window_samples((self.before, self.after), rate or fs_record)
        return rate

    def cut(self, recording: AnnotatedSignal, fs: float | None = None) -> NDArray:
        window = (self.before, self.after)
        before, after = window_samples(window, fs or recording.fs)
        at_rate = recording.at_rate(fs)
        if before + after > at_rate.signal.shape[1]:
            raise ValueError(
                f"window={window!r} is longer than {_name_of(recording)}, which lasts "
                f"{recording.signal.shape[1] / recording.fs:g} s. Choose a shorter window."
            )
        return fixed_windows(at_rate.signal, at_rate.positions, before, after)


@dataclass(frozen=True)
class RRWindow(BeatWindow):
    """Window around each beat whose duration is proportional to the RR interval.

    A row extends from `before` RR intervals before the beat to `after` RR intervals after it.
    The interval is the mean of the last ten (or as many as there are at the start of a
    recording), so that it follows the heart rate but not a single premature beat, and does not
    need later beats, except at the first beat. The beat is at column
    ``round(n_samples * before / (before + after))`` of every row. Beyond the ends of a
    recording its first or last value is repeated.

    Parameters
    ----------
    before, after : float, default=0.3, 0.6
        RR intervals before the beat, and from the beat on.
    n_samples : int, default=128
        Length of the rows.
    stretch : bool, default=True
        Stretch each window to `n_samples` by linear interpolation, so that beats of all heart
        rates have the same length. False keeps the time scale: rows are padded with zeros
        outside the window, and windows longer than the row are truncated on both sides.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import RRWindow
    >>> from ecgclf.transforms import BeatSegmenter
    >>> signal = np.zeros(720)
    >>> signal[[200, 300, 400]] = 1.0
    >>> segmenter = BeatSegmenter(fs=100, window=RRWindow(0.5, 0.5, n_samples=50))
    >>> segmenter.segment(signal, [200, 300, 400]).data.argmax(axis=1)
    array([25, 25, 25])
    """

    before: float = 0.3
    after: float = 0.6
    n_samples: int = 128
    stretch: bool = True

    def rate(self, fs_record: float, fs: float | None) -> float | None:
        shares = (self.before, self.after)
        if not all(is_number(share) and share >= 0 for share in shares) or not sum(shares) > 0:
            raise ValueError(
                f"before={self.before!r}, after={self.after!r}: expected two numbers of RR "
                "intervals, at least 0 and not both 0, such as 0.3 and 0.6."
            )
        if not isinstance(self.n_samples, Integral) or self.n_samples < 1:
            raise ValueError(f"n_samples={self.n_samples!r}: expected an integer of at least 1.")
        rate = super().rate(fs_record, fs)
        return None if self.stretch else rate

    def cut(self, recording: AnnotatedSignal, fs: float | None = None) -> NDArray:
        self.rate(recording.fs, fs)
        at_rate = recording.at_rate(fs)
        if len(at_rate.positions) == 1:
            raise ValueError(
                f"{_name_of(recording)} has a single beat, so there is no RR interval for "
                "RRWindow. Leave it out, or use FixedWindow."
            )
        rr = mean_of_last(at_rate.positions.astype(np.float64), 10)[:, np.newaxis]
        span = self.before + self.after
        column = np.arange(self.n_samples) - round(self.n_samples * self.before / span)
        offset = column * (span * rr / self.n_samples if self.stretch else 1.0)
        where = at_rate.positions[:, np.newaxis] + offset
        time = np.arange(at_rate.signal.shape[1])
        rows = np.stack([np.interp(where, time, lead) for lead in at_rate.signal], axis=1)
        if not self.stretch:
            inside = (offset >= -self.before * rr) & (offset < self.after * rr)
            rows *= inside[:, np.newaxis]
        return rows.astype(at_rate.signal.dtype)


@dataclass(frozen=True)
class KaggleWindow(BeatWindow):
    """Window of the Kaggle "heartbeat" set.

    A row starts at the beat and has 187 values in [0, 1] at a third of the sampling rate of the
    recording; see `load_kaggle_heartbeat`. The last annotation of a recording has no row,
    because its window would have no end.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import KaggleWindow
    >>> from ecgclf.transforms import BeatSegmenter
    >>> segmenter = BeatSegmenter(fs=120, window=KaggleWindow())
    >>> signal = np.sin(np.arange(3600) / 20)
    >>> segmenter.segment(signal, [300, 660, 1000], fs_record=360).data.shape
    (2, 187)
    """

    any_unit: ClassVar[bool] = True

    def rate(self, fs_record: float, fs: float | None) -> float | None:
        rate = fs_record / KAGGLE_STEP
        if fs not in (None, rate):
            raise ValueError(
                f'fs={fs!r} cannot be combined with window="kaggle", which gives rows at '
                f"{rate:g} Hz. Leave fs out, or give the window in seconds."
            )
        return rate

    def cut(self, recording: AnnotatedSignal, fs: float | None = None) -> NDArray:
        self.rate(recording.fs, fs)
        lengths = kaggle_lengths(recording.marks, recording.signal.shape[1])
        place = np.searchsorted(recording.marks, recording.positions)
        place = place[place < len(lengths)]
        return kaggle_windows(recording.signal, recording.positions[: len(place)], lengths[place])


#: What loaders take as ``window``.
Window: TypeAlias = tuple[float, float] | Literal["kaggle"] | BeatWindow


def as_window(window: Any) -> BeatWindow:
    """Convert a window in seconds or "kaggle" to a `BeatWindow`."""
    if isinstance(window, BeatWindow):
        return window
    if isinstance(window, str) and window == "kaggle":
        return KaggleWindow()
    _check_window(window)
    return FixedWindow(*window)


def _name_of(recording: AnnotatedSignal) -> str:
    return "the recording" if recording.name is None else f"record {recording.name}"


def describe_rows(window: BeatWindow, n_samples: int, fs: float | None, fs_record: float) -> str:
    """Describe the rows that a window cuts, for ``DESCR``."""
    rate = "stretched to one length" if fs is None else f"at {fs:g} Hz"
    if fs not in (None, fs_record):
        rate += f" of records at {fs_record:g} Hz"
    unit = "" if window.any_unit else ", in mV"
    return f"{window},\n          {n_samples} samples {rate}{unit}"


def window_samples(window: tuple[float, float], fs: float) -> tuple[int, int]:
    """Convert a window in seconds to samples before the beat, and from the beat on."""
    _check_window(window)
    before, after = (round(part * fs) for part in window)
    if before + after == 0:
        raise ValueError(f"window={window!r} contains no sample at fs={fs:g} Hz. Make it longer.")
    return before, after


def _check_window(window: object) -> None:
    is_pair = isinstance(window, (tuple, list)) and len(window) == 2
    if not is_pair or not all(is_number(part) and part >= 0 for part in window):  # type: ignore
        raise ValueError(
            f"window={window!r}: expected two numbers of at least 0, the seconds before and "
            'after the beat, such as (0.25, 0.45); or "kaggle" or a BeatWindow.'
        )


def resampling_ratio(fs: float, fs_new: float) -> Fraction:
    """Compute new divided by old sampling rate, as a small fraction if there is one."""
    if not is_number(fs_new) or fs_new <= 0:
        raise ValueError(f"fs={fs_new!r}: expected a positive number of Hz, or None.")
    ratio = Fraction(fs_new) / Fraction(fs)
    if not 1 / _MAX_RATIO_TERM <= ratio <= _MAX_RATIO_TERM:
        raise ValueError(
            f"Cannot change the sampling rate from {fs:g} Hz to fs={fs_new!r}, by a factor of "
            f"{float(ratio):g}. Choose a rate closer to that of the signal."
        )
    small = ratio.limit_denominator(_MAX_RATIO_TERM)
    is_small = abs(small - ratio) <= ratio / 10**9
    return small if is_small and small.numerator <= _MAX_RATIO_TERM else ratio


def resample(signal: NDArray, ratio: Fraction) -> NDArray:
    """Change the sampling rate of a record by polyphase filtering, which avoids aliasing.

    Beyond its ends the record is extended along the line through its first and last value, so
    that an offset does not give a step there. Of `signal` of shape (n_leads, n_samples),
    ``ceil(n_samples * ratio)`` samples remain. For a ratio that is no small fraction, cubic
    splines are evaluated between the samples at a rate close by.
    """
    if ratio == 1:
        return signal
    if max(ratio.numerator, ratio.denominator) <= _MAX_RATIO_TERM:
        return resample_poly(signal, ratio.numerator, ratio.denominator, axis=1, padtype="line")
    near = ratio.limit_denominator(_NEAR_RATIO_TERM) or Fraction(1, _NEAR_RATIO_TERM)
    close = resample_poly(signal, near.numerator, near.denominator, axis=1, padtype="line")
    n_samples = -(-signal.shape[1] * ratio.numerator // ratio.denominator)
    place = np.arange(n_samples) * float(near / ratio)
    return np.stack(
        [map_coordinates(lead, place[np.newaxis], order=3, mode="nearest") for lead in close]
    ).astype(close.dtype, copy=False)


def fixed_windows(
    signal: NDArray, positions: NDArray[np.integer], before: int, after: int
) -> NDArray:
    """Cut ``signal[:, position - before : position + after]`` around each position.

    Beyond the ends of the record its first or last value is repeated. The result has the shape
    (n_beats, n_leads, before + after).
    """
    padded = np.pad(signal, ((0, 0), (before, after)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, before + after, axis=1)
    # Writing lead by lead avoids a transposed copy.
    cut = np.empty((len(positions), len(signal), before + after), dtype=signal.dtype)
    for lead, lead_windows in enumerate(windows):
        cut[:, lead] = lead_windows[positions]
    return cut


def kaggle_windows(
    signal: NDArray[np.integer], starts: NDArray[np.integer], lengths: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Cut the rows of the Kaggle "heartbeat" set.

    Of ``w = signal[:, start : start + length]`` every third sample is kept, without an
    anti-aliasing filter, scaled by ``(w - min) / (max - min)``, and truncated or padded with
    zeros to 187 values. The row of a constant window is zero. The result has the shape
    (n_beats, n_leads, 187).
    """
    rows = np.zeros((len(starts), len(signal), KAGGLE_LENGTH), dtype=np.float32)
    for lead, samples in enumerate(signal):
        for phase in range(KAGGLE_STEP):
            # Windows that start at this phase are slices of one decimated signal.
            chosen = np.flatnonzero(starts % KAGGLE_STEP == phase)
            if len(chosen):
                rows[chosen, lead] = _scaled_rows(
                    samples[phase::KAGGLE_STEP],
                    starts[chosen] // KAGGLE_STEP,
                    -(-lengths[chosen] // KAGGLE_STEP),
                )
    return rows


def _scaled_rows(
    samples: NDArray[np.integer], starts: NDArray[np.integer], lengths: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Scale each ``samples[start : start + length]`` to [0, 1], as a row of 187 values."""
    # One more value, because reduceat takes no bound at the very end. Every second of its
    # results is of the stretch between two windows and is dropped.
    samples = np.append(samples, samples[-1]).astype(np.float64)
    bounds = np.column_stack([starts, starts + lengths]).ravel()
    low = np.minimum.reduceat(samples, bounds)[::2, np.newaxis]
    span = np.maximum.reduceat(samples, bounds)[::2, np.newaxis] - low
    column = np.arange(KAGGLE_LENGTH)
    index = np.minimum(starts[:, np.newaxis] + column, len(samples) - 1)
    inside = column < lengths[:, np.newaxis]
    rows = np.zeros(index.shape)
    np.divide(samples[index] - low, span, out=rows, where=inside & (span > 0))
    return rows.astype(np.float32)


def kaggle_lengths(annotations: NDArray[np.integer], n_samples: int) -> NDArray[np.integer]:
    """Compute the window length of the Kaggle set at each annotation except the last.

    From an annotation a[j] a window extends to the next annotation and a fifth of the way
    to the one after it: ``int((a[j+1] - a[j]) + 0.2 * (a[j+2] - a[j+1]))``. The length of the
    record serves as the annotation after the last one.
    """
    to_next = np.diff(annotations, append=n_samples)
    return (to_next[:-1] + 0.2 * to_next[1:]).astype(np.int64)
