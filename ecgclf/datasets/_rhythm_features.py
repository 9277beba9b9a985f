"""Rhythm features of beats: RR intervals and their ratios."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from ecgclf._validation import to_array


class RhythmFeature(NamedTuple):
    """Column of `rhythm_features`."""

    name: str
    causal: bool  #: depends on no later beat
    relative: bool  #: compares intervals with each other, so the heart rate does not matter
    description: str


_LAST_32 = "of the last 32 RR intervals"

#: Name, causal, relative and description of each column.
_FEATURES = (
    ("rr_prev", True, False, "RR interval that ends at the beat, in s"),
    ("rr_next", False, False, "RR interval that begins at the beat, in s"),
    ("rr_prev_prev", True, False, "RR interval before `rr_prev`, in s"),
    ("rr_prev_over_next", False, True, "`rr_prev` / `rr_next`"),
    ("rr_prev_over_prev_prev", True, True, "`rr_prev` / `rr_prev_prev`"),
    ("rr_prev_over_mean_10", True, True, "`rr_prev` / mean of the last 10 RR intervals"),
    ("rr_next_over_mean_10", False, True, "`rr_next` / mean of the last 10 RR intervals"),
    ("rr_prev_over_mean_32", True, True, f"`rr_prev` / mean {_LAST_32}"),
    ("rr_next_over_mean_32", False, True, f"`rr_next` / mean {_LAST_32}"),
    ("rr_prev_over_mean_so_far", True, True, "`rr_prev` / mean RR interval of the record so far"),
    (
        "rr_next_over_mean_so_far",
        False,
        True,
        "`rr_next` / mean RR interval of the record so far",
    ),
    ("rr_prev_over_mean_record", False, True, "`rr_prev` / mean RR interval of the whole record"),
    ("rr_next_over_mean_record", False, True, "`rr_next` / mean RR interval of the whole record"),
    ("rr_prev_prev_over_mean_32", True, True, f"`rr_prev_prev` / mean {_LAST_32}"),
    (
        "rr_prev_z_32",
        True,
        True,
        f"(`rr_prev` - median) / (spread + 2 % of the median) {_LAST_32}",
    ),
    (
        "rr_next_z_32",
        False,
        True,
        f"(`rr_next` - median) / (spread + 2 % of the median) {_LAST_32}",
    ),
    ("rr_change_32", True, True, f"median change from one to the next {_LAST_32} / their median"),
)

#: The columns of `rhythm_features`, in order.
RHYTHM_FEATURES: tuple[RhythmFeature, ...] = tuple(RhythmFeature(*row) for row in _FEATURES)

RHYTHM_NAMES: tuple[str, ...] = tuple(feature.name for feature in RHYTHM_FEATURES)


def rhythm_features(positions: ArrayLike, fs: float) -> NDArray[np.float32]:
    """Compute features of the rhythm around each beat of one record.

    Parameters
    ----------
    positions : array-like of shape (n_beats,)
        Positions of all beats of one record in samples, increasing. Beats of several records
        must not be mixed, because there is no RR interval between them.
    fs : float
        Sampling rate of `positions` in Hz.

    Returns
    -------
    ndarray of float32, shape (n_beats, 17)
        One column for each entry of `RHYTHM_FEATURES`.

    Raises
    ------
    ValueError
        If `positions` are not one-dimensional and strictly increasing, or `fs` is not
        positive.

    Notes
    -----
    "The last 10 RR intervals" are the ten that end with `rr_prev`, or fewer at the start of a
    record. Their spread is the median absolute deviation from their median, and the change is
    absolute as well: in an irregular rhythm, such as atrial fibrillation, a short interval is
    not unusual. The 2 % avoid a division by zero in a rhythm without spread.

    At the ends of a record a missing RR interval is replaced by the nearest one, so that
    ratios are near 1. The first beat, which has no previous interval, uses the one after it,
    so its causal features are known only with the second beat. The features of a single beat
    are NaN.

    Examples
    --------
    >>> from ecgclf.datasets import RHYTHM_FEATURES, rhythm_features
    >>> features = rhythm_features([0, 360, 720, 900], fs=360)
    >>> features[:, 0].tolist()
    [1.0, 1.0, 1.0, 0.5]
    >>> RHYTHM_FEATURES[0].name, RHYTHM_FEATURES[0].causal
    ('rr_prev', True)
    """
    samples = to_array(positions, "positions").astype(np.float64)
    if samples.ndim != 1:
        raise ValueError(f"positions have shape {samples.shape}; expected (n_beats,).")
    if not fs > 0:
        raise ValueError(f"fs={fs!r}: expected a positive sampling rate in Hz.")
    check_positions(samples)
    times = samples / fs
    n_beats = len(times)
    if n_beats < 2:
        return np.full((n_beats, len(RHYTHM_FEATURES)), np.nan, dtype=np.float32)

    # `last` is the beat at which the previous intervals end: the beat itself, or the second
    # beat for the first one.
    last = np.maximum(np.arange(n_beats), 1)
    rr = np.diff(times)
    rr_prev = rr[last - 1]
    rr_next = rr[np.minimum(np.arange(n_beats), n_beats - 2)]
    rr_prev_prev = rr[np.maximum(last - 2, 0)]

    columns = [rr_prev, rr_next, rr_prev_prev, rr_prev / rr_next, rr_prev / rr_prev_prev]
    mean_32 = mean_of_last(times, 32)
    for mean in (mean_of_last(times, 10), mean_32, mean_of_last(times, n_beats), rr.mean()):
        columns += [rr_prev / mean, rr_next / mean]
    columns.append(rr_prev_prev / mean_32)
    median, spread, change = (values[last - 1] for values in _regularity(rr, 32))
    scale = spread + 0.02 * median
    columns += [(rr_prev - median) / scale, (rr_next - median) / scale, change / median]
    return np.column_stack(columns).astype(np.float32)


def mean_of_last(times: NDArray[np.float64], n_intervals: int) -> NDArray[np.float64]:
    """Compute the mean of the last RR intervals at each of at least two beats.

    Near the start there are fewer intervals; the first beat gets the interval after it.
    """
    last = np.maximum(np.arange(len(times)), 1)
    first = np.maximum(last - n_intervals, 0)
    return (times[last] - times[first]) / (last - first)


def _regularity(rr: NDArray[np.float64], n_intervals: int) -> tuple[NDArray[np.float64], ...]:
    """Compute median, median absolute deviation and median change of the last RR intervals."""
    padding = np.full(n_intervals - 1, np.nan)
    windows = sliding_window_view(np.concatenate([padding, rr]), n_intervals)
    median = np.nanmedian(windows, axis=1)
    spread = np.nanmedian(np.abs(windows - median[:, np.newaxis]), axis=1)
    changes = np.abs(np.diff(windows, axis=1))
    changes[0, -1] = 0.0
    return median, spread, np.nanmedian(changes, axis=1)


def check_positions(samples: NDArray[np.floating]) -> None:
    """Raise a ValueError if positions do not increase from beat to beat."""
    wrong = np.flatnonzero(~(np.diff(samples) > 0))
    if len(wrong):
        at = int(wrong[0])
        raise ValueError(
            f"positions must increase from beat to beat, but beat {at + 1} is at sample "
            f"{samples[at + 1]:g} after beat {at} at sample {samples[at]:g}. Pass the beats "
            "of one record in order of time, each once."
        )
