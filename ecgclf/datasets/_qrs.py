"""QRS candidates of a lead and their log-odds of being beats.

All functions work at 125 Hz, on one stretch of a recording.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import (
    maximum_filter1d,
    median_filter,
    minimum_filter1d,
    percentile_filter,
    uniform_filter1d,
)
from scipy.signal import butter, sosfiltfilt

#: Sampling rate of the detection in Hz. The QRS complex has little energy above 25 Hz.
RATE = 125.0

#: Shortest time between two beats in s.
REFRACTORY = 0.2

#: Least log-odds of a beat, with one lead and with several.
THRESHOLD, THRESHOLD_SEVERAL = -0.5, -1.0

#: Least log-odds of the beats that the others are compared with.
_LIKELY = -0.5

#: Log-odds are limited to this range, which is also that of a lead without a candidate.
_MAX_LOG_ODDS = 6.0

#: Least height of a beat over the upper quartile of the heights of 31 likely beats around it.
#: It keeps out the noise in a pause, where nothing higher is near.
_LEAST_HEIGHT = 0.15

#: Candidates of two leads within this time are one beat, in s.
_SAME = 0.065

#: Height of an artefact over the median height of all candidates, and the time before and
#: after it that is unreadable too, in s.
_ARTEFACT, _BESIDE_ARTEFACT = 15.0, 0.5

#: Mean absolute log-odds of the candidates of 10 s below which a stretch is unreadable if it has
#: more candidates per second than this. A QRS complex with a P and a T wave has three.
_UNCLEAR, _BUSY = 2.7, 2.5


def score_candidates(
    slow: NDArray[np.float32], bad: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Find the candidates of a lead outside bad samples, and their log-odds of being beats.

    The returned bad samples include those of artefacts.
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
    """Find the waves that may be beats, four levels of each, and nine features.

    Levels are logarithms of height, energy of the QRS band and of the wide band, and slope.
    Features are differences of logarithms, which do not depend on the unit of the signal.
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
    """Compare every candidate with the likely beats, at least three, in 19 features."""
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
    padded = pd.Series(np.pad(level, 8, constant_values=np.nan))
    medians = padded.rolling(8, min_periods=1).median().to_numpy()[7:]
    earlier, later = medians[before + 1], medians[np.minimum(after + 8, len(medians) - 1)]
    return np.where(np.isnan(earlier), later, earlier), np.where(np.isnan(later), earlier, later)


def combine_leads(
    scored: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Average the log-odds over the leads. A sample is bad if it is bad in all leads."""
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
        close = np.diff(at[chosen]) < REFRACTORY * RATE
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


def find_unclear(
    at: NDArray[np.int64], score: NDArray[np.float64], n_samples: int
) -> NDArray[np.bool_]:
    """Mark where the candidates are neither beats nor clearly something else."""
    if not len(at):
        return np.zeros(n_samples, dtype=bool)
    block = round(RATE)
    n_blocks = -(-n_samples // block)
    count = np.bincount(at // block, minlength=n_blocks).astype(np.float64)
    total = np.bincount(at // block, np.abs(score), minlength=n_blocks)
    # Means over ten seconds, reflected at the ends: no second has most of the weight there.
    count, total = (uniform_filter1d(values, 10) for values in (count, total))
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
