"""R peak detection in one or several leads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation, maximum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfiltfilt

from ecgclf._validation import to_array
from ecgclf.datasets._qrs import (
    RATE,
    REFRACTORY,
    THRESHOLD,
    THRESHOLD_SEVERAL,
    choose_beats,
    combine_leads,
    find_unclear,
    score_candidates,
)

#: Lowest sampling rate of a signal in Hz.
_MIN_FS = 50.0

#: Length of the stretches that are processed one at a time, and of their overlap on both
#: sides, in s. No feature looks further than the overlap at a heart rate above 25 per minute.
_STRETCH, _OVERLAP = 600.0, 20.0

#: Distance from the detected position within which the R peak is searched, and half the width
#: of the window whose median is the baseline, in s.
_SEARCH, _BASELINE = 0.06, 0.2

#: Shortest flat line that counts as a disconnected lead, in s.
_FLAT = 2.0

#: Shortest gap that is not interpolated, in s.
_GAP = 0.1

#: Share of samples at the limits of the converter above which a second is clipped.
_CLIPPED = 0.15

#: Time before and after a clipped sample that is unreadable too, in s.
_BESIDE_CLIPPED = 0.1

#: Shortest unreadable stretch that is reported, in s.
_REPORTED = 1.0


@overload
def detect_r_peaks(
    signal: ArrayLike, fs: float, *, return_unreadable: Literal[False] = ...
) -> NDArray[np.int64]: ...


@overload
def detect_r_peaks(
    signal: ArrayLike, fs: float, *, return_unreadable: Literal[True]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...


def detect_r_peaks(signal: ArrayLike, fs: float, *, return_unreadable: bool = False) -> Any:
    """Detect the R peaks in one or several leads of an ECG.

    Every local maximum of the signal's energy from 5 to 22 Hz, with a share of that from 1.2
    to 12 Hz, is a candidate. Two logistic regressions give its log-odds of being a beat: the
    first from its height, steepness and surroundings, the second also from its distance to
    and likeness with the beats that the first one found before and after it. With several
    leads, the log-odds are averaged, weighted by how clearly each lead separates beats from
    other waves. Each detected beat is then moved to the largest deflection from the baseline
    within 60 ms, in the first lead that is readable there; in a lead whose QRS complex points
    downwards this is the S or Q wave.

    The coefficients were fitted to the records DS1 of the MIT-BIH Arrhythmia Database and to
    the first 20 records of the MIT-BIH Supraventricular Arrhythmia Database. All features are
    ratios, so the unit and the polarity of the signal do not matter. The time grows linearly
    with the length of the signal, which is processed in stretches of ten minutes.

    Parameters
    ----------
    signal : array-like of shape (n_samples,) or (n_leads, n_samples)
        The ECG in any unit. NaN marks missing samples; gaps of up to 0.1 s are interpolated.
    fs : float
        Sampling rate in Hz, at least 50.
    return_unreadable : bool, default=False
        Also return the stretches in which no lead can be read.

    Returns
    -------
    peaks : ndarray of int64, shape (n_beats,)
        Positions in samples, strictly increasing; empty if there is no QRS complex.
    unreadable : ndarray of int64, shape (n_stretches, 2)
        First sample and end of each unreadable stretch of at least 1 s: samples are missing,
        the line is flat for 2 s or more, the signal is clipped, or beats cannot be told from
        noise. There are no peaks in these stretches. Only with ``return_unreadable=True``.

    Warns
    -----
    UserWarning
        If there are unreadable stretches.

    Raises
    ------
    ValueError
        If `signal` has another shape or more leads than samples, or `fs` is too low.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import detect_r_peaks
    >>> signal = np.zeros(3600)
    >>> signal[180::360] = 1.0
    >>> detect_r_peaks(signal, fs=360)[1:4].tolist()
    [540, 900, 1260]
    """
    leads = check_leads_first(signal)
    peaks, unreadable = detect_in_stretches(
        lambda start, stop: leads[:, start:stop], leads.shape[1], fs
    )
    return (peaks, unreadable) if return_unreadable else peaks


def detect_in_stretches(
    read: Callable[[int, int], NDArray], n_samples: int, fs: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Detect the R peaks of a signal of which ``read(start, stop)`` returns all leads."""
    if not np.isfinite(fs) or fs < _MIN_FS:
        raise ValueError(f"fs={fs!r}: expected a sampling rate of at least {_MIN_FS:g} Hz")
    stretch, overlap = round(_STRETCH * fs), round(_OVERLAP * fs)
    if n_samples < 2 * fs:  # too short to compare beats with anything
        return np.empty(0, dtype=np.int64), np.empty((0, 2), dtype=np.int64)
    # A part of the samples gives the median of a lead well enough.
    step, samples = n_samples // 100_000 + 1, []
    for start in range(0, n_samples, stretch):
        part = read(start, start + stretch)
        extremes = np.fmin.reduce(part, axis=1), np.fmax.reduce(part, axis=1)
        samples.append(np.column_stack([*extremes, part[:, ::step]]))
    limits = [converter_limits(lead) for lead in np.concatenate(samples, axis=1)]
    found, bad = [], []
    for start in range(0, n_samples, stretch):
        stop = min(start + stretch, n_samples)
        if n_samples - stop < overlap:
            stop = n_samples
        low, high = max(start - overlap, 0), min(stop + overlap, n_samples)
        peaks, unreadable = _detect(read(low, high).astype(np.float64), fs, limits)
        peaks, unreadable = peaks + low, unreadable + low
        found.append(peaks[(peaks >= start) & (peaks < stop)])
        bad.append(np.clip(unreadable, start, stop))
        if stop == n_samples:
            break
    peaks = np.concatenate(found)
    # Two stretches may place a beat at their border differently.
    peaks = peaks[np.diff(peaks, prepend=-n_samples) >= REFRACTORY * fs / 2]
    unreadable = _join(np.concatenate(bad), round(_REPORTED * fs))
    if len(unreadable):
        _warn(unreadable, fs)
    return peaks, unreadable


def check_leads_first(signal: ArrayLike) -> NDArray:
    """Bring a signal to the shape (n_leads, n_samples), or raise a ValueError."""
    leads = to_array(signal, "signal")
    if leads.ndim == 1:
        leads = leads[np.newaxis]
    if leads.ndim != 2 or leads.dtype.kind not in "iuf":
        raise ValueError(
            f"signal of shape {leads.shape} and type {leads.dtype}: expected numbers of shape "
            "(n_samples,) or (n_leads, n_samples)"
        )
    if leads.shape[0] > leads.shape[1] > 0:
        raise ValueError(
            f"signal of shape {leads.shape} has more leads than samples; expected (n_leads, "
            "n_samples), so transpose it with signal.T"
        )
    return leads


def converter_limits(lead: NDArray) -> tuple[float, float]:
    """Find the extreme values of a lead, at which it may be clipped.

    NaN replaces an extreme value close to the median, which is the baseline.
    """
    low, high = np.fmin.reduce(lead), np.fmax.reduce(lead)
    median = np.median(lead[np.isfinite(lead)]) if np.isfinite(lead).any() else np.nan
    far = 0.2 * (high - low)
    return low if median - low > far else np.nan, high if high - median > far else np.nan


def _detect(
    leads: NDArray[np.float64], fs: float, limits: Sequence[tuple[float, float]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the beats and the unreadable parts of one stretch, in samples."""
    step = fs / RATE
    scored = []
    for lead, limit in zip(leads, limits):
        slow, bad = prepare(lead, fs, limit)
        at, score, bad = score_candidates(slow, bad)
        scored.append((at, score, bad | find_unclear(at, score, len(slow))))
    at, score, bad = combine_leads(scored)
    threshold = THRESHOLD if len(leads) == 1 else THRESHOLD_SEVERAL
    at = at[choose_beats(at, score, threshold)]
    rough = np.rint(at[~bad[at]] * step).astype(np.int64)
    peaks = np.empty_like(rough)
    todo = np.ones(len(rough), dtype=bool)
    for lead, (_, _, lead_bad) in zip(leads, scored):
        now = todo & ~lead_bad[np.rint(rough / step).astype(np.int64).clip(0, len(bad) - 1)]
        peaks[now] = _move_to_peaks(lead, rough[now], fs)
        todo &= ~now
    edges = np.flatnonzero(np.diff(bad, prepend=False, append=False)).reshape(-1, 2)
    return np.unique(peaks[~todo]), np.rint(edges * step).astype(np.int64).clip(0, leads.shape[1])


def _find_unreadable(
    lead: NDArray[np.floating], fs: float, limit: tuple[float, float]
) -> NDArray[np.bool_]:
    """Mark long gaps, flat lines and clipped seconds."""
    missing = ~np.isfinite(lead)
    bad = _long_runs(missing, _GAP * fs)
    same = np.diff(lead, append=np.nan) == 0
    bad |= _long_runs(same, _FLAT * fs)
    second = max(round(fs), 1)
    at_limit = (lead == limit[0]) | (lead == limit[1])
    clipped = at_limit & (
        uniform_filter1d(at_limit.astype(np.float32), second, mode="constant") > _CLIPPED
    )
    if clipped.any():
        bad |= maximum_filter1d(clipped, 2 * round(_BESIDE_CLIPPED * fs) + 1)
    return bad


def _long_runs(mask: NDArray[np.bool_], length: float) -> NDArray[np.bool_]:
    """Keep the runs of True that are long enough."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).reshape(-1, 2)
    kept = np.zeros(len(mask), dtype=bool)
    for start, stop in edges[edges[:, 1] - edges[:, 0] >= length]:
        kept[start:stop] = True
    return kept


def prepare(
    lead: NDArray[np.floating], fs: float, limit: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Filter a lead and bring it to 125 Hz; unreadable parts become straight lines.

    Also return which samples of the result are unreadable.
    """
    bad = _find_unreadable(lead, fs, limit)
    values: NDArray[np.floating] = lead
    time: NDArray[np.floating] = np.arange(len(lead), dtype=np.float64)
    use = np.isfinite(lead) & ~bad
    n_slow = int((len(lead) - 1) * RATE / fs) + 1
    at = np.arange(n_slow) * (fs / RATE)
    slow_bad = bad[np.rint(at).astype(np.int64)]
    if not use.any():
        return np.zeros(n_slow, dtype=np.float32), np.ones(n_slow, dtype=bool)
    if not use.all():
        values = np.interp(time, time[use], values[use])
        # The filters carry the step at the edge of such a part a little further.
        slow_bad = binary_dilation(slow_bad, iterations=round(0.15 * RATE))
    factor = int(fs // (2 * RATE))
    if factor > 1:
        n_means = len(values) // factor
        values = values[: n_means * factor].reshape(n_means, factor).mean(axis=1)
        time = np.arange(n_means) * factor + (factor - 1) / 2
        fs /= factor
    if fs > 1.1 * RATE:
        values = sosfiltfilt(butter(4, 45.0, fs=fs, output="sos"), values)
    return np.interp(at, time, values).astype(np.float32), slow_bad


def _move_to_peaks(
    lead: NDArray[np.float64], rough: NDArray[np.int64], fs: float
) -> NDArray[np.int64]:
    """Move positions to the largest deflection from the baseline nearby."""
    wide, reach = round(_BASELINE * fs), round(_SEARCH * fs)
    place = (rough[:, np.newaxis] + np.arange(-wide, wide + 1)).clip(0, len(lead) - 1)
    around = lead[place]
    around -= np.nanmedian(around, axis=1, keepdims=True)
    near = np.nan_to_num(np.abs(around[:, wide - reach : wide + reach + 1]), nan=-1.0)
    return (rough - reach + near.argmax(axis=1)).clip(0, len(lead) - 1)


def _join(stretches: NDArray[np.int64], shortest: int) -> NDArray[np.int64]:
    """Join stretches that touch, and drop short ones."""
    joined: list[list[int]] = []
    for start, stop in stretches.tolist():
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], stop)
        elif stop > start:
            joined.append([start, stop])
    kept = [pair for pair in joined if pair[1] - pair[0] >= shortest]
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def _warn(unreadable: NDArray[np.int64], fs: float) -> None:
    """Say how much of the signal cannot be read, and where it begins."""
    seconds = np.sum(unreadable[:, 1] - unreadable[:, 0]) / fs
    first, end = unreadable[0] / fs
    number = len(unreadable)
    warnings.warn(
        f"{seconds:.1f} s of the signal are unreadable, in {number} "
        f"stretch{'es' * (number > 1)} (the first from {first:.1f} to {end:.1f} s), and have no "
        "R peaks; return_unreadable=True returns the stretches",
        UserWarning,
        stacklevel=4,
    )
