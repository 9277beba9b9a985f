"""Run a filter forwards and backwards over beats, with what lies beyond their edges."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfiltfilt
from sklearn.utils import gen_batches

#: Share of its first ringing at which a filter is taken to have come to rest.
_AT_REST = 1e-3

#: Beats that are filtered at once; mirrored, each takes several times its memory.
_BLOCK = 1024


def filter_zero_phase(signals: NDArray, sos: NDArray, n_pad: int | None) -> NDArray:
    """Filter along the last axis, forwards and backwards, so that no wave moves.

    Beyond its ends a beat is taken to go on as its mirror image.

    Parameters
    ----------
    signals : ndarray of shape (n_beats, n_leads, n_samples)
    sos : ndarray of shape (n_sections, 6)
        Second-order sections.
    n_pad : int or None
        Length of the mirror images in samples. None takes as many as the filter needs to
        come to rest, and at most ``n_samples - 1``.

    Returns
    -------
    ndarray of shape (n_beats, n_leads, n_samples)

    Raises
    ------
    ValueError
        If `n_pad` is longer than a mirror image can be.
    """
    longest = signals.shape[-1] - 1
    if n_pad is None:
        n_pad = min(_samples_to_rest(sos), longest)
    elif n_pad > longest:
        raise ValueError(
            f"n_pad={n_pad}: beats of {longest + 1} samples can be mirrored by {longest} at "
            "most; cut longer beats, or set n_pad to that or to None."
        )
    filtered = np.empty_like(signals)
    for block in gen_batches(len(signals), _BLOCK):
        filtered[block] = sosfiltfilt(sos, signals[block], padtype="even", padlen=n_pad)
    return filtered


def _samples_to_rest(sos: NDArray) -> int:
    """Count the samples in which the slowest pole of a filter dies away."""
    slowest = max(np.abs(np.roots(section[3:])).max(initial=0.0) for section in sos)
    return math.ceil(math.log(_AT_REST) / math.log(slowest)) if 0 < slowest < 1 else 0


def check_below_nyquist(name: str, frequency: float, fs: float) -> None:
    """Check that a frequency exists at a sampling rate.

    Raises
    ------
    ValueError
        If it does not lie below half of the rate.
    """
    if frequency >= fs / 2:
        raise ValueError(
            f"{name}={frequency:g} Hz: signals at fs={fs:g} Hz hold frequencies below "
            f"{fs / 2:g} Hz alone; lower {name}, or set fs to the rate of the beats."
        )
