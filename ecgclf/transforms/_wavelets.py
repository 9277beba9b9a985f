"""What transformers by wavelets share: names, and how deep a beat can be taken apart."""

from __future__ import annotations

from typing import Any

import pywt
from sklearn.utils._param_validation import StrOptions

#: Constraint of a parameter that names a discrete wavelet.
DISCRETE_WAVELET = StrOptions(set(pywt.wavelist(kind="discrete")))


def deepest_level(n_samples: int, wavelet: str) -> int:
    """Count the levels at which some coefficient still sees no edge of the beat."""
    return pywt.dwt_max_level(n_samples, pywt.Wavelet(wavelet).dec_len)


def check_level(level: int, n_samples: int, wavelet: str, advice: str) -> None:
    """Check that beats are long enough to be taken apart to a level.

    Raises
    ------
    ValueError
        If they are not; it ends with `advice`.
    """
    deepest = deepest_level(n_samples, wavelet)
    if not 1 <= level <= deepest:
        raise ValueError(
            f"beats of {n_samples} samples can be taken apart by {wavelet!r} to level {deepest}, "
            f"not {level}: {advice}."
        )


def take_apart(signals: Any, wavelet: str, level: int) -> list[Any]:
    """Take signals apart along the last axis; beyond its ends a signal is mirrored."""
    return pywt.wavedec(signals, wavelet, mode="symmetric", level=level, axis=-1)


def put_together(coefficients: list[Any], wavelet: str, n_samples: int) -> Any:
    """Undo `take_apart`."""
    signals = pywt.waverec(coefficients, wavelet, mode="symmetric", axis=-1)
    return signals[..., :n_samples]  # of an odd number of samples there comes one more
