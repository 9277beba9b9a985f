"""What beats a network takes, as far as it can be said in numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

from sklearn.base import BaseEstimator


def input_contract(
    estimator: BaseEstimator,
    *,
    fs: float | None,
    unit: str | None,
    window: Sequence[float] | None,
) -> dict[str, Any]:
    """Put together what is known from `fit` and what is stated.

    Parameters
    ----------
    estimator : fitted BeatEstimator
        If it was loaded from a file, what that file said stands where nothing is stated.
    fs : float or None
        Sampling rate in Hz.
    unit : str or None
        Unit of the amplitude.
    window : sequence of two floats or None
        Seconds before and after the R peak.

    Returns
    -------
    dict
        With the keys ``n_leads, n_samples, n_tabular, fs, unit, window``.

    Raises
    ------
    ValueError
        If something stated is not as described.
    """
    if fs is not None and not (_is_finite(fs) and fs > 0):
        raise ValueError(f"fs={fs!r}: give the sampling rate in Hz, a number above 0.")
    if unit is not None and not (isinstance(unit, str) and unit):
        raise ValueError(f"unit={unit!r}: give the unit of the amplitude, such as 'mV'.")
    stated = {
        "fs": None if fs is None else float(fs),
        "unit": unit,
        "window": None if window is None else _check_window(window),
    }
    loaded = getattr(estimator, "input_contract_", {})
    return {
        "n_leads": estimator.n_leads_,
        "n_samples": estimator.n_samples_,
        "n_tabular": estimator.n_tabular,
        **{name: loaded.get(name) if value is None else value for name, value in stated.items()},
    }


def check_contract(
    estimator: BaseEstimator,
    *,
    fs: float | None,
    unit: str | None,
    window: Sequence[float] | None,
) -> None:
    """Refuse beats that are not what a model was trained on, as far as both sides state it.

    Parameters
    ----------
    estimator : fitted BeatEstimator
    fs, unit, window
        Of the beats, as for `input_contract`.

    Raises
    ------
    ValueError
        If the model's contract states something else, or something stated is not as described.
    """
    trained = input_contract(estimator, fs=None, unit=None, window=None)
    given = input_contract(estimator, fs=fs, unit=unit, window=window)
    name = type(estimator).__name__
    if trained["fs"] is not None and given["fs"] != trained["fs"]:
        raise ValueError(
            f"The beats are sampled at {given['fs']:g} Hz, but {name} was trained at "
            f"{trained['fs']:g} Hz: bring them there with ecgclf.transforms.SignalResampler("
            f"{given['fs']:g}, {trained['fs']:g}), or cut them anew with BeatSegmenter."
        )
    if trained["window"] is not None and given["window"] != trained["window"]:
        raise ValueError(
            f"The beats are cut from {given['window'][0]:g} s before to {given['window'][1]:g} s "
            f"after the R peak, but {name} was trained with {trained['window']}: cut them anew "
            f"with ecgclf.transforms.BeatSegmenter(window={trained['window']})."
        )
    if trained["unit"] is not None and given["unit"] != trained["unit"]:
        raise ValueError(
            f"The amplitude of the beats is in {given['unit']!r}, but {name} was trained on "
            f"{trained['unit']!r}: convert it, or scale beats as in training, for example with "
            "ecgclf.transforms.BeatScaler."
        )


def _check_window(window: Sequence[float]) -> tuple[float, float]:
    """Check a window, given as two numbers in a sequence of any kind."""
    try:
        before, after = window
        is_window = _is_finite(before) and _is_finite(after) and before + after > 0
    except (TypeError, ValueError):
        is_window = False
    if not is_window:
        raise ValueError(
            f"window={window!r}: give two numbers, the seconds before and after the R peak, such "
            "as (0.25, 0.45)."
        )
    return float(before), float(after)


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)
