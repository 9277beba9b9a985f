"""Beat windows: functions on arrays and the classes that loaders take as ``window``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from ecgclf._validation import is_number
from ecgclf.datasets import _descriptions as descriptions
from ecgclf.datasets._rhythm import mean_of_last

#: Values in a row of the Kaggle "heartbeat" set.
KAGGLE_LENGTH = 187

#: The Kaggle set keeps every third sample of the 360 Hz records.
KAGGLE_STEP = 3


#: Above this, a ratio of two sampling rates asks for a filter longer than is sensible.
_MAX_RATIO_TERM = 5_000


def window_samples(window: tuple[float, float], fs: float) -> tuple[int, int]:
    """Turn a window in seconds around the beat into samples.

    Parameters
    ----------
    window : tuple (before, after)
        Seconds before the beat, and from the beat on.
    fs : float
        In Hz.

    Returns
    -------
    before, after : int

    Raises
    ------
    ValueError
        If `window` is not a pair of finite numbers of at least 0, or is empty at `fs`.

    Examples
    --------
    >>> window_samples((0.25, 0.45), 360)
    (90, 162)
    """
    check_window(window)
    before, after = (round(part * fs) for part in window)
    if before + after == 0:
        raise ValueError(f"window={window!r} holds no sample at fs={fs:g} Hz; make it longer")
    return before, after


def check_window(window: object) -> None:
    """Refuse what is no pair of seconds before and after the beat."""
    is_pair = isinstance(window, (tuple, list)) and len(window) == 2
    if not is_pair or not all(is_number(part) and part >= 0 for part in window):  # type: ignore
        raise ValueError(
            f"window={window!r}: expected two numbers of at least 0, the seconds before and "
            "after the beat, such as (0.25, 0.45)"
        )


def resampling_ratio(fs: float, fs_new: float) -> Fraction:
    """Ratio of two sampling rates, in small integers.

    Raises
    ------
    ValueError
        If `fs_new` is not a positive number, or the ratio has no small integers.

    Examples
    --------
    >>> resampling_ratio(360, 250)
    Fraction(25, 36)
    """
    if not is_number(fs_new) or fs_new <= 0:
        raise ValueError(f"fs={fs_new!r}: expected a positive number of Hz, or None")
    ratio = Fraction(fs_new) / Fraction(fs)
    small = ratio.limit_denominator(_MAX_RATIO_TERM)
    if abs(small - ratio) > ratio / 10**9 or small.numerator > _MAX_RATIO_TERM:
        raise ValueError(
            f"cannot change the sampling rate from {fs:g} Hz to fs={fs_new!r}: their ratio is "
            f"no fraction of integers up to {_MAX_RATIO_TERM:,}; choose a rounder rate"
        )
    return small


def resample(signal: NDArray, ratio: Fraction) -> NDArray:
    """Change the sampling rate of a whole record, with an anti-aliasing filter.

    Polyphase filtering by `scipy.signal.resample_poly`; beyond its ends the record is taken
    to go on along the line between its ends, so that an offset makes no step there.

    Parameters
    ----------
    signal : ndarray of float, shape (n_leads, n_samples)
    ratio : Fraction
        New rate over old rate; from `resampling_ratio`.

    Returns
    -------
    ndarray of shape (n_leads, ceil(n_samples * ratio))
    """
    if ratio == 1:
        return signal
    return resample_poly(signal, ratio.numerator, ratio.denominator, axis=1, padtype="line")


def fixed_windows(
    signal: NDArray, positions: NDArray[np.integer], before: int, after: int
) -> NDArray:
    """Cut a window of the same length around each beat.

    Parameters
    ----------
    signal : ndarray of shape (n_leads, n_samples)
    positions : ndarray of int, shape (n_beats,)
        Beats, in samples of `signal`.
    before, after : int
        Samples to take before the beat, and from the beat on: a window is
        ``signal[position - before : position + after]``.

    Returns
    -------
    ndarray of shape (n_beats, n_leads, before + after)
        Of the dtype of `signal`. Where a window reaches beyond the record, the first or
        last value of the record is repeated, so that every beat gets its window.

    Examples
    --------
    >>> import numpy as np
    >>> fixed_windows(np.arange(10)[np.newaxis], np.array([1, 5]), 2, 3)[:, 0]
    array([[0, 0, 1, 2, 3],
           [3, 4, 5, 6, 7]])
    """
    padded = np.pad(signal, ((0, 0), (before, after)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, before + after, axis=1)
    # Lead by lead into place: one pass over the memory, no transposed copy.
    cut = np.empty((len(positions), len(signal), before + after), dtype=signal.dtype)
    for lead, lead_windows in enumerate(windows):
        cut[:, lead] = lead_windows[positions]
    return cut


def kaggle_windows(
    signal: NDArray[np.integer], starts: NDArray[np.integer], lengths: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Cut the rows of the Kaggle "heartbeat" set by its recipe.

    A row is ``signal[start : start + length]``, of which every third sample is kept
    (without an anti-aliasing filter), scaled by ``(w - min) / (max - min)`` over the
    whole window, then cut or padded with zeros to 187 values.

    Parameters
    ----------
    signal : ndarray of int, shape (n_leads, n_samples)
        In ADC units.
    starts : ndarray of int, shape (n_beats,)
    lengths : ndarray of int, shape (n_beats,)
        Of the windows before every third sample is taken; from `kaggle_lengths`.

    Returns
    -------
    ndarray of float32, shape (n_beats, n_leads, 187)
        A window in which the signal does not change at all is zero throughout.
    """
    rows = np.zeros((len(starts), len(signal), KAGGLE_LENGTH), dtype=np.float32)
    for lead, samples in enumerate(signal):
        for phase in range(KAGGLE_STEP):
            # Windows that start at this phase are plain slices of one thinned signal.
            chosen = np.flatnonzero(starts % KAGGLE_STEP == phase)
            if len(chosen):
                rows[chosen, lead] = _scaled_rows(
                    samples[phase::KAGGLE_STEP],
                    starts[chosen] // KAGGLE_STEP,
                    -(-lengths[chosen] // KAGGLE_STEP),
                )
    return rows


def _scaled_rows(
    thinned: NDArray[np.integer], starts: NDArray[np.integer], lengths: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Scale each ``thinned[start : start + length]`` to [0, 1] and bring it to 187 values."""
    # One value more, because reduceat takes no bound at the very end. Its odd results,
    # which lie between the windows, are of no use.
    thinned = np.append(thinned, thinned[-1]).astype(np.float64)
    bounds = np.column_stack([starts, starts + lengths]).ravel()
    low = np.minimum.reduceat(thinned, bounds)[::2, np.newaxis]
    span = np.maximum.reduceat(thinned, bounds)[::2, np.newaxis] - low
    column = np.arange(KAGGLE_LENGTH)
    index = np.minimum(starts[:, np.newaxis] + column, len(thinned) - 1)
    inside = column < lengths[:, np.newaxis]
    rows = np.zeros(index.shape)
    np.divide(thinned[index] - low, span, out=rows, where=inside & (span > 0))
    return rows.astype(np.float32)


def kaggle_lengths(annotations: NDArray[np.integer], n_samples: int) -> NDArray[np.integer]:
    """Window length of the Kaggle "heartbeat" set at each annotation but the last.

    From an annotation a[j] a window reaches to the next annotation and a fifth of the way
    to the one after it: ``int((a[j+1] - a[j]) + 0.2 * (a[j+2] - a[j+1]))``.

    Parameters
    ----------
    annotations : ndarray of int, shape (n_annotations,)
        All annotations of a record, of beats and of anything else.
    n_samples : int
        Length of the record; it stands in for the annotation after the last one.

    Returns
    -------
    ndarray of int, shape (max(n_annotations - 1, 0),)

    Examples
    --------
    >>> import numpy as np
    >>> kaggle_lengths(np.array([0, 300, 650]), 1000)
    array([370, 420])
    """
    to_next = np.diff(annotations, append=n_samples)
    return (to_next[:-1] + 0.2 * to_next[1:]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class AnnotatedSignal:
    """What a `BeatWindow` cuts: a signal and the positions of its beats.

    Parameters
    ----------
    name : str or None
        Of the record, for messages.
    signal : ndarray of shape (n_leads, n_samples)
    fs : float
        Sampling rate of the signal in Hz.
    positions : ndarray of int, shape (n_beats,)
        The beats, in samples, in order of time.
    marks : ndarray of int, shape (n_marks,)
        All annotations, of beats and of anything else; at least the beats.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import FixedWindow, AnnotatedSignal
    >>> beats = np.array([90, 450])
    >>> recording = AnnotatedSignal("own", np.zeros((1, 720)), 360.0, beats, beats)
    >>> FixedWindow(0.25, 0.45).cut(recording).shape
    (2, 1, 252)
    """

    name: str | None
    signal: NDArray
    fs: float
    positions: NDArray[np.integer]
    marks: NDArray[np.integer]

    def at_rate(self, fs: float | None) -> AnnotatedSignal:
        """Bring the whole recording to another rate, before any window has an edge.

        Parameters
        ----------
        fs : float or None
            In Hz; None keeps the rate.

        Returns
        -------
        AnnotatedSignal
            With the positions at the nearest samples.
        """
        if fs is None or fs == self.fs:
            return self
        ratio = resampling_ratio(self.fs, fs)
        positions, marks = (
            np.rint(places * float(ratio)).astype(np.int64)
            for places in (self.positions, self.marks)
        )
        return replace(
            self,
            signal=resample(self.signal, ratio),
            fs=float(fs),
            positions=positions,
            marks=marks,
        )


class BeatWindow(ABC):
    """Base of the ways to cut beats: what loaders and `BeatSegmenter` take as ``window``.

    A subclass says in `cut` how the beats of a recording become rows of one length.
    """

    #: Whether the rows are the same for a signal in mV and in any other unit.
    any_unit: ClassVar[bool] = False

    def rate(self, fs_record: float, fs: float | None) -> float | None:
        """Give the sampling rate of the rows in Hz, None if each row has its own.

        Parameters
        ----------
        fs_record : float
            Of the recording, in Hz.
        fs : float or None
            The rate that is asked for; None is that of the recording.

        Raises
        ------
        ValueError
            If the rate cannot be had, or the window makes no sense at it.
        """
        if fs is None:
            return float(fs_record)
        resampling_ratio(fs_record, fs)
        return float(fs)

    @abstractmethod
    def cut(self, recording: AnnotatedSignal, fs: float | None = None) -> NDArray:
        """Cut the beats.

        Parameters
        ----------
        recording : AnnotatedSignal
        fs : float or None
            As in `rate`.

        Returns
        -------
        ndarray of shape (n_rows, n_leads, n_samples)
            The rows of the first `n_rows` beats: of all, unless the way to cut says otherwise.
        """

    @abstractmethod
    def describe(self, n_samples: int, fs: float | None, fs_record: float) -> str:
        """Say for ``DESCR`` how the rows were cut."""


@dataclass(frozen=True)
class FixedWindow(BeatWindow):
    """The same time around every beat.

    Beyond the ends of a recording its first or last value is repeated, so that every beat has
    its row.

    Parameters
    ----------
    before, after : float, default=0.25, 0.45
        Seconds to take before the beat, and from the beat on.

    Examples
    --------
    >>> from ecgclf.datasets import FixedWindow, fetch_mitbih, load_mitbih
    >>> load_mitbih(fetch_mitbih(), window=FixedWindow(0.1, 0.2))  # doctest: +SKIP
    """

    before: float = 0.25
    after: float = 0.45

    def rate(self, fs_record: float, fs: float | None) -> float | None:
        """As of `BeatWindow`."""
        rate = super().rate(fs_record, fs)
        window_samples((self.before, self.after), rate or fs_record)
        return rate

    def cut(self, recording: AnnotatedSignal, fs: float | None = None) -> NDArray:
        """As of `BeatWindow`."""
        window = (self.before, self.after)
        before, after = window_samples(window, fs or recording.fs)
        at_rate = recording.at_rate(fs)
        if before + after > at_rate.signal.shape[1]:
            raise ValueError(
                f"window={window!r} is longer than {_named(recording)}, which lasts "
                f"{recording.signal.shape[1] / recording.fs:g} s; make it shorter"
            )
        return fixed_windows(at_rate.signal, at_rate.positions, before, after)

    def describe(self, n_samples: int, fs: float | None, fs_record: float) -> str:
        """As of `BeatWindow`."""
        reach = f"{self.before:g} s before to {self.after:g} s after the beat"
        return descriptions.windows(reach, n_samples, fs, fs_record)


@dataclass(frozen=True)
class RRWindow(BeatWindow):
    """A time around every beat that grows and shrinks with the RR interval.

    A row reaches from `before` RR intervals before the beat to `after` RR intervals after it.
    The interval is the mean of the last ten (of as many as there are at the beginning), so
    that it follows the heart rate but not the single early beat, and needs no later beat but
    at the first one. In every row the beat lies at column ``round(n_samples * before /
    (before + after))``. Beyond the ends of a recording its first or last value is repeated.

    Parameters
    ----------
    before, after : float, default=0.3, 0.6
        In RR intervals.
    n_samples : int, default=128
        Length of the rows.
    stretch : bool, default=True
        Bring each window to `n_samples` by linear interpolation, so that beats of all heart
        rates have equal length. False keeps the time as it is: zeros fill the row outside of
        the window, and a window that is longer than the row is cut on both sides.

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
        """As of `BeatWindow`; None if rows are stretched."""
        shares = (self.before, self.after)
        if not all(is_number(share) and share >= 0 for share in shares) or not sum(shares) > 0:
            raise ValueError(
                f"before={self.before!r}, after={self.after!r}: expected two numbers of at least "
                "0, not both 0, in RR intervals, such as 0.3 and 0.6"
            )
        if not isinstance(self.n_samples, Integral) or self.n_samples < 1:
            raise ValueError(f"n_samples={self.n_samples!r}: expected an integer of at least 1")
        rate = super().rate(fs_record, fs)
        return None if self.stretch else rate

    def cut(self, recording: AnnotatedSignal, fs: float | None = None) -> NDArray:
        """As of `BeatWindow`."""
        self.rate(recording.fs, fs)
        at_rate = recording.at_rate(fs)
        if len(at_rate.positions) == 1:
            raise ValueError(
                f"{_named(recording)} has a single beat and so no RR interval, by which "
                "RRWindow goes: leave it out, or cut with FixedWindow"
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

    def describe(self, n_samples: int, fs: float | None, fs_record: float) -> str:
        """As of `BeatWindow`."""
        reach = f"{self.before:g} RR intervals before to {self.after:g} after the beat"
        return descriptions.windows(reach, n_samples, fs, fs_record)


@dataclass(frozen=True)
class KaggleWindow(BeatWindow):
    """The recipe of the Kaggle "heartbeat" set.

    A row starts at the beat and has 187 values in [0, 1] at a third of the recording's rate;
    see `load_kaggle_heartbeat`. The last annotation of a recording gives no row, because
    nothing tells where it would end.

    Examples
    --------
    >>> from ecgclf.datasets import KaggleWindow, make_record
    >>> from ecgclf.transforms import BeatSegmenter
    >>> segmenter = BeatSegmenter(fs=120, window=KaggleWindow())
    >>> signal = np.sin(np.arange(3600) / 20)
    >>> segmenter.segment(signal, [300, 660, 1000], fs_record=360).data.shape
    (2, 187)
    """

    any_unit: ClassVar[bool] = True

    def rate(self, fs_record: float, fs: float | None) -> float | None:
        """As of `BeatWindow`."""
        rate = fs_record / KAGGLE_STEP
        if fs not in (None, rate):
            raise ValueError(
                f'fs={fs!r} does not go with window="kaggle", whose rows are at {rate:g} Hz by '
                "their recipe; leave fs out, or give window in seconds"
            )
        return rate

    def cut(self, recording: AnnotatedSignal, fs: float | None = None) -> NDArray:
        """As of `BeatWindow`."""
        self.rate(recording.fs, fs)
        lengths = kaggle_lengths(recording.marks, recording.signal.shape[1])
        place = np.searchsorted(recording.marks, recording.positions)
        place = place[place < len(lengths)]
        return kaggle_windows(recording.signal, recording.positions[: len(place)], lengths[place])

    def describe(self, n_samples: int, fs: float | None, fs_record: float) -> str:
        """As of `BeatWindow`."""
        return f'by the recipe of the Kaggle "heartbeat" set, {n_samples} values at {fs:g} Hz'


def as_window(window: Any) -> BeatWindow:
    """Bring the `window` parameter of loaders and segmenters to a `BeatWindow`.

    Parameters
    ----------
    window : BeatWindow, tuple (before, after) or "kaggle"

    Raises
    ------
    ValueError
        If it is something else.
    """
    if isinstance(window, BeatWindow):
        return window
    if isinstance(window, str):
        if window == "kaggle":
            return KaggleWindow()
        raise ValueError(
            f'window={window!r}: expected (before, after) in seconds, "kaggle", or a BeatWindow'
        )
    check_window(window)
    return FixedWindow(*window)


def _named(recording: AnnotatedSignal) -> str:
    return "the recording" if recording.name is None else f"record {recording.name}"
