"""Random changes of the values of signals: noise, size, baseline, leads.

Pure functions from signals of shape (batch, n_leads, n_samples) and a generator on their
device to new signals of that shape. Every beat is changed in its own way.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ecgclf.transforms._batch import (
    beat_length,
    beat_range,
    check_batch,
    check_not_negative,
    check_positive_range,
    check_share,
    draw_uniform,
    sample_number,
)


def add_noise(
    signals: Tensor,
    generator: torch.Generator,
    *,
    std: float,
    relative: bool = False,
    keep_padding: bool = True,
) -> Tensor:
    """Add white Gaussian noise.

    Parameters
    ----------
    signals : Tensor of shape (batch, n_leads, n_samples)
    generator : torch.Generator
        On the device of the signals.
    std : float
        Standard deviation, in the unit of the signals; or, if `relative`, as a share of the
        range from the lowest to the highest sample of each lead of each beat.
    relative : bool, default=False
    keep_padding : bool, default=True
        Leave zeros at the end of a beat alone. They are the samples after the last one at
        which any lead differs from 0.

    Returns
    -------
    Tensor of shape (batch, n_leads, n_samples)

    Raises
    ------
    ValueError
        If the signals have another shape, or `std` is negative.
    TypeError
        If `signals` is no Tensor of floating-point numbers or `generator` no generator.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> add_noise(torch.ones(64, 1, 187), generator, std=0.1).std().round(decimals=2)
    tensor(0.1000)
    """
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
    """Multiply each beat by a number, the same for all of its leads.

    The leads keep their proportions, and with them the electrical axis. Zeros stay zeros.

    Parameters
    ----------
    signals : Tensor of shape (batch, n_leads, n_samples)
    generator : torch.Generator
        On the device of the signals.
    factor : tuple of two floats
        Smallest and largest factor, positive; drawn uniformly between them.

    Returns
    -------
    Tensor of shape (batch, n_leads, n_samples)

    Raises
    ------
    ValueError
        If the signals have another shape, or `factor` is no range of positive numbers.
    TypeError
        If `signals` is no Tensor of floating-point numbers or `generator` no generator.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> scale_amplitude(torch.ones(1, 1, 3), generator, factor=(2, 2))
    tensor([[[2., 2., 2.]]])
    """
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
    """Add a slow sinusoid, such as breathing and moving electrodes cause.

    Its frequency and phase are common to the leads of a beat; its size and sign are each
    lead's own, as the leads look at the same movement from different sides.

    Parameters
    ----------
    signals : Tensor of shape (batch, n_leads, n_samples)
    generator : torch.Generator
        On the device of the signals.
    fs : float
        Sampling rate in Hz.
    amplitude : float
        Largest amplitude, in the unit of the signals; or, if `relative`, as a share of the
        range from the lowest to the highest sample of each lead of each beat. Drawn
        uniformly between 0 and this.
    frequency : tuple of two floats, default=(0.05, 0.5)
        Lowest and highest frequency in Hz, positive; drawn uniformly between them.
    relative : bool, default=False
    keep_padding : bool, default=True
        Leave zeros at the end of a beat alone; see `add_noise`.

    Returns
    -------
    Tensor of shape (batch, n_leads, n_samples)

    Raises
    ------
    ValueError
        If the signals have another shape, or a parameter is out of its range.
    TypeError
        If `signals` is no Tensor of floating-point numbers or `generator` no generator.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> beats = torch.ones(64, 1, 187)
    >>> wander = add_baseline_wander(beats, generator, fs=125, amplitude=0.3) - beats
    >>> bool(wander.abs().max() <= 0.3)
    True
    """
    check_batch(signals, generator)
    low, high = check_positive_range("frequency", frequency)
    amplitude = check_not_negative("amplitude", amplitude)
    if check_not_negative("fs", fs) == 0:
        raise ValueError("fs=0: give the sampling rate of the signals, in Hz.")
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
    """Set leads to 0, as if their electrode had come off; never all leads of a beat.

    Parameters
    ----------
    signals : Tensor of shape (batch, n_leads, n_samples)
        Of at least two leads.
    generator : torch.Generator
        On the device of the signals.
    rate : float
        Probability that a lead is dropped. Where the draw would drop all leads of a beat,
        one of them, each as likely as any other, is kept.

    Returns
    -------
    Tensor of shape (batch, n_leads, n_samples)

    Raises
    ------
    ValueError
        If the signals have another shape or a single lead, or `rate` is no probability.
    TypeError
        If `signals` is no Tensor of floating-point numbers or `generator` no generator.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> drop_leads(torch.ones(500, 12, 187), generator, rate=1.0).mean() * 12
    tensor(1.)
    """
    check_batch(signals, generator)
    rate = check_share("rate", rate)
    if signals.shape[1] < 2:
        raise ValueError(
            f"signals of shape {tuple(signals.shape)} have one lead, and dropping that would "
            "leave nothing: drop leads of beats with two leads or more."
        )
    chance = draw_uniform((*signals.shape[:2], 1), 0.0, 1.0, signals, generator)
    kept = (chance >= rate) | (chance == chance.amax(dim=1, keepdim=True))
    return torch.where(kept, signals, 0.0)
