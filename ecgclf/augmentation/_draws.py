"""Random numbers of the augmentations, and checks of their parameters and input."""

from __future__ import annotations

import math
from numbers import Real

import torch
from torch import Tensor

from ecgclf._validation import check_axes


def draw_uniform(
    shape: tuple[int, ...], low: float, high: float, like: Tensor, generator: torch.Generator
) -> Tensor:
    """Draw uniform numbers of the type and on the device of `like`."""
    unit = torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)
    return low + (high - low) * unit


def draw_normal(shape: tuple[int, ...], like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw standard normal numbers of the type and on the device of `like`."""
    return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)


def check_batch(signals: Tensor, generator: torch.Generator) -> None:
    """Check that these are signals and a generator."""
    if not isinstance(signals, Tensor) or not signals.is_floating_point():
        found = signals.dtype if isinstance(signals, Tensor) else type(signals).__name__
        raise TypeError(f"signals are {found}, expected a Tensor of floating-point numbers.")
    if signals.ndim != 3:
        raise ValueError(
            f"signals have the shape {tuple(signals.shape)}, expected (batch, n_leads, "
            "n_samples)."
        )
    shape = tuple(signals.shape)
    check_axes(shape, name="signals", how="signals.transpose(1, 2)", warn=False)
    if not isinstance(generator, torch.Generator):
        raise TypeError(
            f"generator={generator!r}: expected a torch.Generator on the device of the signals. "
            "The global generator of torch is not used."
        )


def check_not_negative(name: str, value: float) -> float:
    """Check a finite number of 0 or more."""
    if not isinstance(value, Real) or not 0 <= float(value) < math.inf:
        raise ValueError(f"{name}={value!r}: expected a finite number of 0 or more.")
    return float(value)


def check_rate(fs: float) -> None:
    """Check a sampling rate in Hz."""
    if check_not_negative("fs", fs) == 0:
        raise ValueError("fs=0: expected the sampling rate of the beats in Hz.")


def check_share(name: str, value: float) -> float:
    """Check a probability or a share."""
    if not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name}={value!r}: expected a number from 0 to 1.")
    return float(value)


def check_positive_range(name: str, value: tuple[float, float]) -> tuple[float, float]:
    """Check a pair of positive numbers, the smaller one first."""
    try:
        low, high = value
        ordered = 0 < low <= high < math.inf
    except (TypeError, ValueError):
        ordered = False
    if not ordered:
        raise ValueError(
            f"{name}={value!r}: expected two positive numbers, the smallest and the largest, "
            "such as (0.5, 2.0)."
        )
    return float(low), float(high)
