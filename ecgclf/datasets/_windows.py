"""Cut beat windows out of a signal: pure functions on arrays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from ecgclf._validation import is_number

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
