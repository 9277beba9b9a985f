"""Pure functions behind the augmentations.

Each takes signals of shape (batch, n_leads, n_samples) and a generator on their device, draws
new random numbers for every beat and returns new signals of that shape. The classes in
`ecgclf.augmentation` describe the parameters.

Beats of different lengths are often padded with zeros at the end. With ``keep_padding`` a
function treats each beat as if it ended where its padding begins.
"""

from __future__ import annotations

import math
from numbers import Integral, Real

import torch
from torch import Tensor

from ecgclf._validation import check_axes


def add_noise(
    signals: Tensor,
    generator: torch.Generator,
    *,
    std: float,
    relative: bool = False,
    keep_padding: bool = True,
) -> Tensor:
    """Add white Gaussian noise: see `GaussianNoise`."""
    check_batch(signals, generator)
    std = check_not_negative("std", std)
    inside = sample_number(signals) < beat_length(signals, keep_padding)
    noise = torch.randn(
        signals.shape, generator=generator, device=signals.device, dtype=signals.dtype
    )
    size = std * beat_range(signals, inside) if relative else std
    return torch.where(inside, signals + size * noise, signals)


def scale_amplitude(
    signals: Tensor, generator: torch.Generator, *, factor: tuple[float, float]
) -> Tensor:
    """Multiply each beat by a number: see `AmplitudeScaling`."""
    check_batch(signals, generator)
    low, high = check_positive_range("factor", factor)
    return signals * draw_uniform((len(signals), 1, 1), low, high, signals, generator)


def add_baseline_wander(
    signals: Tensor,
    generator: torch.Generator,
    *,
    fs: float,
    amplitude: float,
    frequency: tuple[float, float] = (0.05, 0.5),
    relative: bool = False,
    keep_padding: bool = True,
) -> Tensor:
    """Add a slow sinusoid: see `BaselineWander`."""
    check_batch(signals, generator)
    low, high = check_positive_range("frequency", frequency)
    amplitude = check_not_negative("amplitude", amplitude)
    if check_not_negative("fs", fs) == 0:
        raise ValueError("fs=0: expected the sampling rate of the signals in Hz.")
    beats, n_leads = len(signals), signals.shape[1]
    hertz = draw_uniform((beats, 1, 1), low, high, signals, generator)
    phase = draw_uniform((beats, 1, 1), 0.0, 2 * math.pi, signals, generator)
    size = draw_uniform((beats, n_leads, 1), -amplitude, amplitude, signals, generator)
    inside = sample_number(signals) < beat_length(signals, keep_padding)
    if relative:
        size = size * beat_range(signals, inside)
    seconds = sample_number(signals).to(signals.dtype) / fs
    wave = size * torch.sin(2 * math.pi * hertz * seconds + phase)
    return torch.where(inside, signals + wave, signals)


def drop_leads(signals: Tensor, generator: torch.Generator, *, rate: float) -> Tensor:
    """Set leads to 0, but never all leads of a beat: see `LeadDropout`."""
    check_batch(signals, generator)
    rate = check_share("rate", rate)
    if signals.shape[1] < 2:
        raise ValueError(
            f"signals of shape {tuple(signals.shape)} have one lead, which cannot be dropped. "
            "Use beats of two leads or more."
        )
    chance = draw_uniform((*signals.shape[:2], 1), 0.0, 1.0, signals, generator)
    kept = (chance >= rate) | (chance == chance.amax(dim=1, keepdim=True))
    return torch.where(kept, signals, 0.0)


def warp_time(
    signals: Tensor,
    generator: torch.Generator,
    *,
    factor: tuple[float, float],
    center: float = 0.5,
    keep_padding: bool = True,
) -> Tensor:
    """Stretch or compress each beat by linear interpolation: see `TimeWarp`."""
    check_batch(signals, generator)
    low, high = check_positive_range("factor", factor)
    center = check_share("center", center)
    length = beat_length(signals, keep_padding)
    last = (length - 1).clamp(min=0)
    stretch = draw_uniform((len(signals), 1, 1), low, high, signals, generator)
    # Half precision cannot represent every sample number of a long beat.
    exact = torch.promote_types(signals.dtype, torch.float32)
    fixed = center * last.to(exact)
    position = (fixed + (sample_number(signals) - fixed) / stretch).clamp(min=0).minimum(last)
    before = position.floor()
    share = (position - before).to(signals.dtype)
    left = before.long()
    right = (left + 1).minimum(last)
    warped = torch.lerp(take_samples(signals, left), take_samples(signals, right), share)
    return torch.where(sample_number(signals) < length, warped, signals)


def shift_time(
    signals: Tensor, generator: torch.Generator, *, max_shift: int, keep_padding: bool = True
) -> Tensor:
    """Move each beat to an earlier or later time: see `TimeShift`."""
    check_batch(signals, generator)
    n_samples = signals.shape[2]
    if not isinstance(max_shift, Integral) or not 0 <= max_shift < n_samples:
        raise ValueError(
            f"max_shift={max_shift!r}: expected a whole number of samples from 0 to "
            f"{n_samples - 1}, because the beats have {n_samples}."
        )
    size = (len(signals), 1, 1)
    shift = torch.randint(
        -max_shift, max_shift + 1, size, generator=generator, device=signals.device
    )
    length = beat_length(signals, keep_padding)
    source = (sample_number(signals) - shift).clamp(min=0).minimum((length - 1).clamp(min=0))
    return torch.where(sample_number(signals) < length, take_samples(signals, source), signals)


def crop_randomly(signals: Tensor, generator: torch.Generator, *, n_samples: int) -> Tensor:
    """Take a stretch of each recording: see `RandomCrop`."""
    check_batch(signals, generator)
    n_beats, n_leads, length = signals.shape
    if not isinstance(n_samples, Integral) or not 1 <= n_samples <= length:
        raise ValueError(
            f"n_samples={n_samples!r} is not an integer from 1 to {length}, the length of the "
            "signals."
        )
    start = torch.randint(
        length - n_samples + 1, (n_beats, 1, 1), generator=generator, device=signals.device
    )
    index = start + torch.arange(n_samples, device=signals.device)
    return signals.gather(2, index.expand(-1, n_leads, -1))


def sample_number(signals: Tensor) -> Tensor:
    """Count the samples from 0, of shape (n_samples,)."""
    return torch.arange(signals.shape[2], device=signals.device)


def take_samples(signals: Tensor, index: Tensor) -> Tensor:
    """Gather samples of all leads; `index` has the shape (batch, 1, n_samples)."""
    return signals.gather(2, index.expand_as(signals))


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
    """Draw uniform numbers of the type and on the device of `like`."""
    unit = torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)
    return low + (high - low) * unit


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
