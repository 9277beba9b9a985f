"""Detection of R peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgclf.datasets._windows import fixed_windows, resample, resampling_ratio

#: Rate for the detector in Hz. At the 1000 Hz of the PTB records its thresholds find nothing
#: in most leads, at 250 Hz the same beats in all of them.
_DETECTION_FS = 250

#: Largest distance of the R peak from the detected position, in s.
_SEARCH = 0.06

#: Half the width of the window of which the median is the baseline, in s.
_BASELINE = 0.2


def detect_r_peaks(signal: ArrayLike, fs: float) -> NDArray[np.int64]:
    """Detect the R peaks in one lead of an ECG.

    `wfdb.processing.xqrs_detect` finds the QRS complexes in the signal resampled to 250 Hz;
    each position is then moved to the largest deflection from the baseline within 60 ms in
    the original signal. In a lead with negative QRS complexes this is the S or Q wave.

    Parameters
    ----------
    signal : array-like of shape (n_samples,)
        One lead, in mV.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of int64, shape (n_beats,)
        Positions in samples, strictly increasing; empty without QRS complexes.

    Raises
    ------
    ValueError
        If `signal` is not one-dimensional and finite.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import detect_r_peaks
    >>> signal = np.zeros(3600)
    >>> signal[180::360] = 1.0
    >>> detect_r_peaks(signal, fs=360)[1:4].tolist()
    [540, 900, 1260]
    """
    lead = np.asarray(signal, dtype=np.float64)
    if lead.ndim != 1 or not np.isfinite(lead).all():
        raise ValueError(
            f"signal of shape {lead.shape}: expected one lead (n_samples,) without NaN or "
            "infinite values."
        )
    # The detector needs about a second to adapt to the signal.
    if len(lead) < 2 * fs or np.ptp(lead) == 0:
        return np.empty(0, dtype=np.int64)
    ratio = resampling_ratio(fs, _DETECTION_FS)
    slow = resample(lead[np.newaxis], ratio)[0]
    from wfdb import processing

    found = processing.xqrs_detect(slow, fs=_DETECTION_FS, verbose=False)
    rough = np.rint(np.asarray(found, dtype=np.float64) / float(ratio)).astype(np.int64)
    return _move_to_peaks(lead, np.clip(rough, 0, len(lead) - 1), fs)


def _move_to_peaks(
    lead: NDArray[np.float64], rough: NDArray[np.int64], fs: float
) -> NDArray[np.int64]:
    """Move positions to the largest deflection nearby."""
    wide, reach = round(_BASELINE * fs), round(_SEARCH * fs)
    around = fixed_windows(lead[np.newaxis], rough, wide, wide + 1)[:, 0]
    baseline = np.median(around, axis=1, keepdims=True)
    near = np.abs(around[:, wide - reach : wide + reach + 1] - baseline)
    peaks = rough - reach + near.argmax(axis=1)
    return np.unique(np.clip(peaks, 0, len(lead) - 1))
