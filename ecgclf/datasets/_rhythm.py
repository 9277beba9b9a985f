"""Rhythm features: what the times of the beats around it say about a beat."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class RhythmFeature(NamedTuple):
    """One column of `rhythm_features`.

    Attributes
    ----------
    name : str
    causal : bool
        Whether it needs no beat later than the beat itself.
    relative : bool
        Whether it compares intervals with each other, and so says nothing of the heart rate.
    description : str
    """

    name: str
    causal: bool
    relative: bool
    description: str


#: The columns of `rhythm_features`, in order.
RHYTHM_FEATURES: tuple[RhythmFeature, ...] = (
    RhythmFeature("rr_prev", True, False, "RR interval that ends at the beat, in s"),
    RhythmFeature("rr_next", False, False, "RR interval that begins at the beat, in s"),
    RhythmFeature("rr_prev_prev", True, False, "RR interval before `rr_prev`, in s"),
    RhythmFeature("rr_prev_over_next", False, True, "`rr_prev` / `rr_next`"),
    RhythmFeature("rr_prev_over_prev_prev", True, True, "`rr_prev` / `rr_prev_prev`"),
    RhythmFeature(
        "rr_prev_over_mean_10", True, True, "`rr_prev` / mean of the last 10 RR intervals"
    ),
    RhythmFeature(
        "rr_next_over_mean_10", False, True, "`rr_next` / mean of the last 10 RR intervals"
    ),
    RhythmFeature(
        "rr_prev_over_mean_32", True, True, "`rr_prev` / mean of the last 32 RR intervals"
    ),
    RhythmFeature(
        "rr_next_over_mean_32", False, True, "`rr_next` / mean of the last 32 RR intervals"
    ),
    RhythmFeature(
        "rr_prev_over_mean_so_far",
        True,
        True,
        "`rr_prev` / mean RR interval of the record so far",
    ),
    RhythmFeature(
        "rr_next_over_mean_so_far",
        False,
        True,
        "`rr_next` / mean RR interval of the record so far",
    ),
    RhythmFeature(
        "rr_prev_over_mean_record",
        False,
        True,
        "`rr_prev` / mean RR interval of the whole record",
    ),
    RhythmFeature(
        "rr_next_over_mean_record",
        False,
        True,
        "`rr_next` / mean RR interval of the whole record",
    ),
    RhythmFeature(
        "rr_prev_prev_over_mean_32",
        True,
        True,
        "`rr_prev_prev` / mean of the last 32 RR intervals",
    ),
)

RHYTHM_NAMES: tuple[str, ...] = tuple(feature.name for feature in RHYTHM_FEATURES)


def rhythm_features(positions: ArrayLike, fs: float) -> NDArray[np.float32]:
    """Describe the rhythm around each beat of one record.

    Parameters
    ----------
    positions : array-like of shape (n_beats,)
        All beats of one record, in samples, in order of time. Beats of two records must
        not be mixed: there is no RR interval between them.
    fs : float
        Sampling rate in Hz that `positions` refer to.

    Returns
    -------
    ndarray of float32, shape (n_beats, 14)
        One column for each entry of `RHYTHM_FEATURES`.

    Raises
    ------
    ValueError
        If `positions` are not one-dimensional and strictly increasing, or `fs` is not
        positive.

    Notes
    -----
    "The last 10 RR intervals" are the ten that end with `rr_prev`, or as many as there are
    since the record's beginning.

    At the edges of a record a missing RR interval is taken to equal the nearest one that
    exists, so that ratios there are near 1. So the first beat, which has no past, borrows
    the interval after it: its causal features are known only with the second beat. A record
    with a single beat has no RR interval at all; its features are NaN.

    Examples
    --------
    >>> from ecgclf.datasets import RHYTHM_FEATURES, rhythm_features
    >>> features = rhythm_features([0, 360, 720, 900], fs=360)
    >>> features[:, 0].tolist()
    [1.0, 1.0, 1.0, 0.5]
    >>> RHYTHM_FEATURES[0].name, RHYTHM_FEATURES[0].causal
    ('rr_prev', True)
    """
    times = _times(positions, fs)
    n_beats = len(times)
    if n_beats < 2:
        return np.full((n_beats, len(RHYTHM_FEATURES)), np.nan, dtype=np.float32)

    # `last` is the beat at which the past intervals of each beat end: the beat itself, but
    # for the first beat the second, whose interval it borrows.
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
    return np.column_stack(columns).astype(np.float32)


def mean_of_last(times: NDArray[np.float64], n_intervals: int) -> NDArray[np.float64]:
    """Mean of the last RR intervals at each beat, of as many as there are at the beginning.

    Parameters
    ----------
    times : ndarray of shape (n_beats,)
        Of at least two beats, in any unit.
    n_intervals : int

    Returns
    -------
    ndarray of shape (n_beats,)
        In the unit of `times`. At the first beat, the interval after it.
    """
    last = np.maximum(np.arange(len(times)), 1)
    first = np.maximum(last - n_intervals, 0)
    return (times[last] - times[first]) / (last - first)


def check_positions(samples: NDArray[np.floating]) -> None:
    """Refuse positions that do not increase from beat to beat."""
    wrong = np.flatnonzero(~(np.diff(samples) > 0))
    if len(wrong):
        at = int(wrong[0])
        raise ValueError(
            f"positions must increase from beat to beat, but beat {at + 1} lies at sample "
            f"{samples[at + 1]:g} after beat {at} at sample {samples[at]:g}: pass the beats "
            "of one record in order of time, each once"
        )


def _times(positions: ArrayLike, fs: float) -> NDArray[np.float64]:
    """Check the positions and give the times of the beats in seconds."""
    samples = np.asarray(positions, dtype=np.float64)
    if samples.ndim != 1:
        raise ValueError(f"positions have shape {samples.shape}; expected (n_beats,)")
    if not fs > 0:
        raise ValueError(f"fs={fs!r}: expected a positive sampling rate in Hz")
    check_positions(samples)
    return samples / fs
