"""R peak detection in one or several leads."""

from __future__ import annotations

import json
import warnings
from functools import cache
from importlib.resources import files
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import (
    binary_dilation,
    maximum_filter1d,
    median_filter,
    minimum_filter1d,
    percentile_filter,
    uniform_filter1d,
)
from scipy.signal import butter, sosfiltfilt

#: Sampling rate of the detection in Hz. The QRS complex has little energy above 25 Hz.
RATE = 125.0

#: Lowest sampling rate of a signal in Hz.
_MIN_FS = 50.0

#: Length of the stretches that are processed one at a time, and of their overlap on both
#: sides, in s. No feature looks further than the overlap at a heart rate above 25 per minute.
_STRETCH, _OVERLAP = 600.0, 20.0

#: Shortest time between two beats in s.
_REFRACTORY = 0.2

#: Least log-odds of a beat, with one lead and with several.
_THRESHOLD, _THRESHOLD_SEVERAL = -0.5, -1.0

#: Least log-odds of the beats that the others are compared with.
_LIKELY = -0.5

#: Log-odds are limited to this range, which is also that of a lead without a candidate.
_MAX_LOG_ODDS = 6.0

#: Least height of a beat over the upper quartile of the heights of 31 likely beats around it.
#: It keeps out the noise in a pause, where nothing higher is near.
_LEAST_HEIGHT = 0.15

#: Candidates of two leads within this time are one beat, in s.
_SAME = 0.065

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

#: Height of an artefact over the median height of all candidates, and the time before and
#: after it that is unreadable too, in s.
_ARTEFACT, _BESIDE_ARTEFACT = 15.0, 0.5

#: Mean absolute log-odds of the candidates of 10 s below which a stretch is unreadable if it has
#: more candidates per second than this. A QRS complex with a P and a T wave has three.
_UNCLEAR, _BUSY = 2.7, 2.5

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
    leads = _check_signal(signal, fs)
    n_samples = leads.shape[1]
    limits = [converter_limits(lead) for lead in leads]
    stretch, overlap = round(_STRETCH * fs), round(_OVERLAP * fs)
    found, bad = [np.empty(0, dtype=np.int64)], [np.empty((0, 2), dtype=np.int64)]
    # A signal shorter than 2 s gives the features nothing to compare with.
    for start in range(0, n_samples if n_samples >= 2 * fs else 0, stretch):
        stop = min(start + stretch, n_samples)
        if n_samples - stop < overlap:
            stop = n_samples
        low, high = max(start - overlap, 0), min(stop + overlap, n_samples)
        peaks, unreadable = _detect(leads[:, low:high].astype(np.float64), fs, limits)
        peaks, unreadable = peaks + low, unreadable + low
        found.append(peaks[(peaks >= start) & (peaks < stop)])
        bad.append(np.clip(unreadable, start, stop))
        if stop == n_samples:
            break
    peaks = np.concatenate(found)
    # Two stretches may place a beat at their border differently.
    peaks = peaks[np.diff(peaks, prepend=-n_samples) >= _REFRACTORY * fs / 2]
    unreadable = _join(np.concatenate(bad), round(_REPORTED * fs))
    if len(unreadable):
        _warn(unreadable, fs)
    return (peaks, unreadable) if return_unreadable else peaks


def _check_signal(signal: ArrayLike, fs: float) -> NDArray:
    """Bring the signal to the shape (n_leads, n_samples)."""
    leads = np.asarray(signal)
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
    if not np.isfinite(fs) or fs < _MIN_FS:
        raise ValueError(f"fs={fs!r}: expected a sampling rate of at least {_MIN_FS:g} Hz")
    return leads


def converter_limits(lead: NDArray) -> tuple[float, float]:
    """Find the extreme values of a lead, at which it may be clipped.

    Parameters
    ----------
    lead : ndarray of shape (n_samples,)
        The lead, with NaN where samples are missing.

    Returns
    -------
    low, high : float
        NaN instead of an extreme value close to the median, which is the baseline.
    """
    finite = lead[np.isfinite(lead)]
    if not len(finite):
        return np.nan, np.nan
    low, high = finite.min(), finite.max()
    # A part of the samples gives the median of a long lead well enough.
    median = np.median(finite[:: len(finite) // 100_000 + 1])
    far = 0.2 * (high - low)
    return low if median - low > far else np.nan, high if high - median > far else np.nan


def _detect(
    leads: NDArray[np.float64], fs: float, limits: list[tuple[float, float]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the beats and the unreadable parts of one stretch, in samples."""
    step = fs / RATE
    scored = []
    for lead, limit in zip(leads, limits):
        slow, bad = prepare(lead, fs, limit)
        at, score, bad = score_candidates(slow, bad)
        scored.append((at, score, bad | _find_unclear(at, score, len(slow))))
    at, score, bad = combine_leads(scored)
    threshold = _THRESHOLD if len(leads) == 1 else _THRESHOLD_SEVERAL
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
    lead: NDArray[np.float64], fs: float, limit: tuple[float, float]
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
    lead: NDArray[np.float64], fs: float, limit: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bring a lead to the rate of the detection; unreadable parts become straight lines.

    Parameters
    ----------
    lead : ndarray of shape (n_samples,)
        The lead, with NaN where samples are missing.
    fs : float
        Its sampling rate in Hz.
    limit : tuple of two floats
        The values at which the lead may be clipped.

    Returns
    -------
    slow : ndarray of shape (n_slow,)
        The lead at 125 Hz, low-pass filtered at 45 Hz.
    bad : ndarray of bool, shape (n_slow,)
        The unreadable samples.
    """
    bad = _find_unreadable(lead, fs, limit)
    time = np.arange(len(lead), dtype=np.float64)
    use = np.isfinite(lead) & ~bad
    n_slow = int((len(lead) - 1) * RATE / fs) + 1
    at = np.arange(n_slow) * (fs / RATE)
    slow_bad = bad[np.rint(at).astype(np.int64)]
    if not use.any():
        return np.zeros(n_slow, dtype=np.float32), np.ones(n_slow, dtype=bool)
    if not use.all():
        lead = np.asarray(np.interp(time, time[use], lead[use]))
        # The filters carry the step at the edge of such a part a little further.
        slow_bad = binary_dilation(slow_bad, iterations=round(0.15 * RATE))
    factor = int(fs // (2 * RATE))
    if factor > 1:
        n_means = len(lead) // factor
        lead = lead[: n_means * factor].reshape(n_means, factor).mean(axis=1)
        time = np.arange(n_means) * factor + (factor - 1) / 2
        fs /= factor
    if fs > 1.1 * RATE:
        lead = sosfiltfilt(butter(4, 45.0, fs=fs, output="sos"), lead)
    return np.interp(at, time, lead).astype(np.float32), slow_bad


def score_candidates(
    slow: NDArray[np.float32], bad: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Find the candidates of one lead and their log-odds of being beats.

    Parameters
    ----------
    slow : ndarray of shape (n_samples,)
        The lead at 125 Hz.
    bad : ndarray of bool, shape (n_samples,)
        Samples without candidates.

    Returns
    -------
    at : ndarray of int, shape (n_candidates,)
        Their positions in samples of `slow`.
    score : ndarray of shape (n_candidates,)
        Log-odds from -6 to 6.
    bad : ndarray of bool, shape (n_samples,)
        The samples without candidates, with those of artefacts.
    """
    at, levels, features = find_candidates(slow, bad)
    if not len(at):
        return at, np.empty(0), bad
    high = levels[0] - np.median(levels[0]) > np.log(_ARTEFACT)
    if high.any():
        artefact = np.zeros(len(slow), dtype=bool)
        artefact[at[high]] = True
        bad = bad | maximum_filter1d(artefact, 2 * round(_BESIDE_ARTEFACT * RATE) + 1)
        kept = ~bad[at]
        at, levels, features = at[kept], levels[:, kept], features[kept]
    score = log_odds(_coefficients()["alone"], features)
    beats = choose_likely(at, score, levels[0])
    if len(beats) >= 3:
        context = describe_context(at, score, levels, beats)
        features = np.concatenate([features, context], axis=1)
        score = log_odds(_coefficients()["in_context"], features)
        score[levels[0] < _least_heights(at, levels[0], beats)] = -_MAX_LOG_ODDS
    return at, score, bad


def find_candidates(
    slow: NDArray[np.float32], bad: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Find the waves of one lead that may be beats, and describe each of them.

    Parameters
    ----------
    slow, bad : ndarray of shape (n_samples,)
        As of `score_candidates`.

    Returns
    -------
    at : ndarray of int, shape (n_candidates,)
    levels : ndarray of shape (4, n_candidates)
        Logarithms of height, energy of the QRS band and of the wide band, and slope.
    features : ndarray of shape (n_candidates, 9)
        Differences of logarithms, which do not depend on the unit of the signal.
    """
    qrs, wide = _band_pass(slow, 5.0, 22.0), _band_pass(slow, 1.2, 12.0)
    energy, wide_energy = _envelope(qrs, 0.09), _envelope(wide, 0.13)
    height = uniform_filter1d(energy + 0.35 * wide_energy, 5)
    # Below this there is only rounding noise.
    usual = 0.0 if bad.all() else float(np.quantile(height[~bad], 0.9))
    tiny = max(1e-4 * usual, float(np.finfo(np.float32).tiny))
    apart = round(0.09 * RATE)
    is_peak = (height == maximum_filter1d(height, 2 * apart + 1)) & (height > tiny) & ~bad
    is_peak &= height > 0.05 * maximum_filter1d(height, round(3 * RATE))
    at = np.flatnonzero(is_peak)
    at = at[np.diff(at, prepend=-len(slow)) > apart]

    def log(values: NDArray) -> NDArray[np.float64]:
        return np.log(np.maximum(values, tiny), dtype=np.float64)

    def highest(low: float, high: float, of: NDArray = height) -> NDArray[np.float64]:
        """Logarithm of the maximum in a window around each candidate, in s."""
        first, last = round(low * RATE), round(high * RATE)
        size = last - first + 1
        filtered = maximum_filter1d(of, size)
        # The window of an even size reaches one sample further back.
        return log(filtered[np.clip(at + first + size // 2, 0, len(of) - 1)])

    two_seconds = round(2 * RATE)
    floor = minimum_filter1d(uniform_filter1d(height, 5), round(0.5 * RATE))
    steep = highest(-0.064, 0.064, np.abs(np.gradient(qrs)))
    high, strong, broad = log(height[at]), log(energy[at]), log(wide_energy[at])
    features = [
        high - highest(-0.6, -0.1),
        high - highest(0.1, 0.6),
        high - highest(-0.32, -0.1),
        high - highest(0.1, 0.32),
        high - highest(-1.5, 1.5),
        high - log(uniform_filter1d(height, two_seconds)[at]),
        high - log(uniform_filter1d(floor, two_seconds)[at]),
        strong - broad,
        steep - strong,
    ]
    return at, np.stack([high, strong, broad, steep]), np.stack(features, axis=1)


def choose_likely(
    at: NDArray[np.int64], score: NDArray[np.float64], height: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Choose the candidates that the others are compared with."""
    beats = choose_beats(at, score, _LIKELY)
    if len(beats):
        beats = beats[height[beats] >= _least_heights(at, height, beats)[beats]]
    return beats


def _least_heights(
    at: NDArray[np.int64], height: NDArray[np.float64], beats: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Logarithm of the least height of a beat at the place of every candidate."""
    usual = percentile_filter(height[beats], 75, min(31, len(beats)), mode="nearest")
    return np.interp(at, at[beats], usual) + np.log(_LEAST_HEIGHT)


def describe_context(
    at: NDArray[np.int64],
    score: NDArray[np.float64],
    levels: NDArray[np.float64],
    beats: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Compare every candidate with the likely beats before and after it.

    Parameters
    ----------
    at, levels : ndarray
        As from `find_candidates`.
    score : ndarray of shape (n_candidates,)
        Log-odds of each candidate taken alone.
    beats : ndarray of int, shape (n_beats,)
        The candidates that are likely beats, at least three.

    Returns
    -------
    ndarray of shape (n_candidates, 19)
    """
    time = at / RATE
    beat_time = time[beats]
    rr = np.diff(beat_time)
    usual = median_filter(rr, 17, mode="nearest")
    usual = np.concatenate([usual[:1], usual])
    # A beat is not compared with itself.
    before = np.searchsorted(beat_time, time - 0.12) - 1
    after = np.searchsorted(beat_time, time + 0.12)
    usual = usual[np.maximum(before, 0)]
    since = np.where(before >= 0, time - beat_time[np.maximum(before, 0)], 2 * usual)
    last = len(beats) - 1
    until = np.where(after <= last, beat_time[np.minimum(after, last)] - time, 2 * usual)
    columns = [
        score,
        *(np.minimum(values, 3.0) for values in (since / usual, until / usual)),
        *(np.minimum(values, 3.0) for values in (since, until, usual)),
        np.minimum((since + until) / usual, 3.0),
    ]
    for level in levels:
        earlier, later = _medians_of_eight(level[beats], before, after)
        columns += [level - earlier, level - later]
    for values, short in ((since, 0.4), (until, 0.4), (since / usual, 0.7), (until / usual, 0.7)):
        columns.append(np.maximum(short - values, 0.0))
    return np.stack(columns, axis=1)


def _medians_of_eight(
    level: NDArray[np.float64], before: NDArray[np.int64], after: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Medians over the eight beats up to `before` and the eight from `after` on."""
    padded = np.pad(level, 8, constant_values=np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        windows = np.lib.stride_tricks.sliding_window_view(padded, 8)
        medians = np.nanmedian(windows, axis=1)
    earlier, later = medians[before + 1], medians[np.minimum(after + 8, len(medians) - 1)]
    return np.where(np.isnan(earlier), later, earlier), np.where(np.isnan(later), earlier, later)


def combine_leads(
    scored: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Average the log-odds of the candidates over the leads.

    Parameters
    ----------
    scored : list of tuples (at, score, bad)
        Of each lead, as from `score_candidates`, and its unreadable samples.

    Returns
    -------
    at, score, bad : ndarray
        The same for all leads together: a sample is bad if it is in all leads.
    """
    if len(scored) == 1:
        return scored[0]
    same = round(_SAME * RATE)
    at = scored[0][0]
    for other, _, _ in scored[1:]:
        nearest = np.full(len(other), same + 1)
        if len(at):
            place = np.searchsorted(at, other)
            left, right = at[np.maximum(place - 1, 0)], at[np.minimum(place, len(at) - 1)]
            nearest = np.minimum(np.abs(other - left), np.abs(right - other))
        at = np.sort(np.concatenate([at, other[nearest > same]]))
    total, weights = np.zeros(len(at)), np.zeros(len(at))
    for own, score, bad in scored:
        if not len(own):
            continue
        first, end = np.searchsorted(own, at - same), np.searchsorted(own, at + same, "right")
        best = np.full(len(at), -_MAX_LOG_ODDS)
        # Candidates of one lead are further apart than 90 ms, so a window holds two at most.
        for place in (first, first + 1):
            inside = place < end
            best[inside] = np.maximum(best[inside], score[place[inside]])
        clarity = np.interp(at, own, uniform_filter1d(np.abs(score), 15))
        weight = np.where(bad[at], 0.0, clarity**3 + 1e-9)
        total += weight * best
        weights += weight
    score = np.divide(total, weights, out=np.full(len(at), -_MAX_LOG_ODDS), where=weights > 0)
    return at, score, np.logical_and.reduce([bad for _, _, bad in scored])


def choose_beats(
    at: NDArray[np.int64], score: NDArray[np.float64], threshold: float
) -> NDArray[np.int64]:
    """Choose the candidates above a threshold, the better one of two that are too close."""
    chosen = np.flatnonzero(score > threshold)
    while True:
        close = np.diff(at[chosen]) < _REFRACTORY * RATE
        if not close.any():
            return chosen
        own = score[chosen]
        left = np.concatenate([[-np.inf], np.where(close, own[:-1], -np.inf)])
        right = np.concatenate([np.where(close, own[1:], -np.inf), [-np.inf]])
        is_best = (own >= left) & (own > right)
        beaten = np.zeros(len(chosen), dtype=bool)
        beaten[1:] |= close & is_best[:-1]
        beaten[:-1] |= close & is_best[1:]
        chosen = chosen[~beaten | is_best]


def _find_unclear(
    at: NDArray[np.int64], score: NDArray[np.float64], n_samples: int
) -> NDArray[np.bool_]:
    """Mark where the candidates are neither beats nor clearly something else."""
    if not len(at):
        return np.zeros(n_samples, dtype=bool)
    block = round(RATE)
    n_blocks = -(-n_samples // block)
    count = np.bincount(at // block, minlength=n_blocks).astype(np.float64)
    total = np.bincount(at // block, np.abs(score), minlength=n_blocks)
    # Means over ten seconds.
    count, total = (uniform_filter1d(values, 10, mode="nearest") for values in (count, total))
    unclear = (total < _UNCLEAR * count) & (count > _BUSY)
    return np.repeat(unclear, block)[:n_samples]


def _band_pass(signal: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    sos = butter(2, (low, high), "bandpass", fs=RATE, output="sos")
    return sosfiltfilt(sos, signal).astype(np.float32)


def _envelope(signal: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Root mean square of a moving window in s."""
    return np.sqrt(np.maximum(uniform_filter1d(signal**2, round(width * RATE)), 0.0))


def log_odds(coefficients: dict[str, Any], features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of a logistic regression on standardized features."""
    standard = standardize(features, coefficients["centre"], coefficients["scale"])
    odds = standard @ np.asarray(coefficients["weight"]) + coefficients["intercept"]
    return odds.clip(-_MAX_LOG_ODDS, _MAX_LOG_ODDS)


def standardize(
    features: NDArray[np.float64], centre: ArrayLike, scale: ArrayLike
) -> NDArray[np.float64]:
    """Standardize features and limit them to four standard deviations."""
    return ((features - np.asarray(centre)) / np.asarray(scale)).clip(-4.0, 4.0)


@cache
def _coefficients() -> dict[str, dict[str, Any]]:
    """Read the coefficients of both regressions."""
    text = files("ecgclf.datasets").joinpath("r_peaks.json").read_text(encoding="utf-8")
    return json.loads(text)


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
        stacklevel=3,
    )
