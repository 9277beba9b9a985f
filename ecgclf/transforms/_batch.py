"""What all augmentations need: check a batch, find the ends of its beats, draw numbers.

Beats of several lengths are often brought to one length by zeros at the end. Where these are
to be kept, an augmentation acts on each beat as if it ended where its zeros begin.
"""

from __future__ import annotations

import math
from numbers import Real

import torch
from torch import Tensor


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
    if not isinstance(generator, torch.Generator):
        raise TypeError(
            f"generator={generator!r}: give a torch.Generator on the device of the signals. The "
            "global generator of torch is not used."
        )


def sample_number(signals: Tensor) -> Tensor:
    """Count the samples from 0, of shape (n_samples,)."""
    return torch.arange(signals.shape[2], device=signals.device)


def beat_length(signals: Tensor, keep_padding: bool) -> Tensor:
    """Count the samples before the padding of each beat, of shape (batch, 1, 1)."""
    if not keep_padding:
        return torch.full((len(signals), 1, 1), signals.shape[2], device=signals.device)
    used = (signals != 0).any(dim=1, keepdim=True)
    return (used * (sample_number(signals) + 1)).amax(dim=2, keepdim=True)


def beat_range(signals: Tensor, inside: Tensor) -> Tensor:
    """Measure from the lowest to the highest sample inside, of shape (batch, n_leads, 1)."""
    highest = signals.masked_fill(~inside, -math.inf).amax(dim=2, keepdim=True)
    lowest = signals.masked_fill(~inside, math.inf).amin(dim=2, keepdim=True)
    return highest - lowest


def draw_uniform(
    shape: tuple[int, ...], low: float, high: float, like: Tensor, generator: torch.Generator
) -> Tensor:
    """Draw uniformly, of the type and on the device of `like`."""
    unit = torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)
    return low + (high - low) * unit


def check_not_negative(name: str, value: float) -> float:
    """Check a finite number of 0 or more."""
    if not isinstance(value, Real) or not 0 <= float(value) < math.inf:
        raise ValueError(f"{name}={value!r}: expected a finite number of 0 or more.")
    return float(value)


def check_share(name: str, value: float) -> float:
    """Check a probability or a share."""
    if not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name}={value!r}: expected a number from 0 to 1.")
    return float(value)


def check_positive_range(name: str, value: tuple[float, float]) -> tuple[float, float]:
    """Check a range of positive numbers, given as a pair."""
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
