"""Median beats of twelve-lead recordings, at the rate of the Kaggle rows."""

from __future__ import annotations

import warnings

import numpy as np

from benchmarks.common.runs import MEMORY
from ecgclf.datasets import detect_r_peaks, resample, resampling_ratio

#: Rate in Hz and length in samples of a Kaggle row.
FS, ROW = 120.0, 187

#: Samples before and after the R peak of a beat in mV.
BEFORE, AFTER = 36, 60


@MEMORY.cache
def median_beats(signals: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Compute the median beat of each recording in two forms.

    Parameters
    ----------
    signals : ndarray of shape (n_recordings, 12, n_samples)
        Recordings in mV; lead II, the second one, gives the R peaks.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    rows : ndarray of shape (n_recordings, 12, 187)
        From the R peak to 1.2 RR intervals after it, each lead scaled to [0, 1], then zeros.
    beats : ndarray of shape (n_recordings, 12, 96)
        From 0.3 s before the R peak to 0.5 s after it in mV, without the median of the lead.
        A recording with fewer than three beats has zeros in both.
    """
    rows = np.zeros((*signals.shape[:2], ROW), dtype=np.float32)
    beats = np.zeros((*signals.shape[:2], BEFORE + AFTER), dtype=np.float32)
    ratio = resampling_ratio(fs, FS)
    for i, signal in enumerate(signals):
        signal = resample(signal, ratio)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unreadable stretches
            peaks = detect_r_peaks(signal[1], FS)
        if len(peaks) < 3:
            continue
        length = min(int(1.2 * np.median(np.diff(peaks))), ROW)
        row = _median(signal, peaks, 0, length)
        low, high = row.min(axis=1, keepdims=True), row.max(axis=1, keepdims=True)
        rows[i, :, :length] = (row - low) / np.where(high > low, high - low, 1)
        beats[i] = _median(signal, peaks, BEFORE, AFTER) - np.median(signal, axis=1)[:, None]
    return rows, beats


def _median(signal: np.ndarray, peaks: np.ndarray, before: int, after: int) -> np.ndarray:
    inside = peaks[(peaks >= before) & (peaks + after <= signal.shape[1])]
    return np.median([signal[:, peak - before : peak + after] for peak in inside], axis=0)
