"""Augmentation of stretches of consecutive beats: rhythm, P waves, gain and noise."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ecgclf._parameters import KeywordParameterized
from ecgclf._sklearn import BaseEstimator
from ecgclf.augmentation._draws import (
    check_not_negative,
    check_positive_range,
    check_rate,
    check_share,
    draw_normal,
    draw_uniform,
)

#: Start and end of the P wave in seconds before the R peak, and the ramp at both ends.
_P_START, _P_END, _P_RAMP = 0.32, 0.07, 0.05

#: Largest number of beats in a run of premature beats.
_LONGEST_RUN = 8

#: Smallest and largest RR interval in simulated fibrillation, relative to the median.
_SHORTEST, _LONGEST = 0.35, 3.0


@dataclass(frozen=True, eq=False)
class Stretches:
    """Stretches of consecutive beats, each of one lead of one recording.

    Parameters
    ----------
    signals : Tensor of shape (n_stretches, n_beats, n_samples)
        The beats, divided by the height of the median beat of the recording.
    references : Tensor of shape (n_stretches, n_references, n_samples)
        Reference beats of the recording, divided by the same height.
    intervals : Tensor of shape (n_stretches, n_beats + 1)
        RR interval before each beat and after the last beat, divided by the median interval of
        the recording.
    labels : Tensor of shape (n_stretches, n_beats), int64
        Class of each beat, as a position in `classes`.
    classes : ndarray of shape (n_classes,)
        The labels of the classes.

    Examples
    --------
    >>> stretches = Stretches(
    ...     signals=torch.ones(2, 3, 90),
    ...     references=torch.ones(2, 2, 90),
    ...     intervals=torch.ones(2, 4),
    ...     labels=torch.tensor([[0, 0, 1], [0, 0, 0]]),
    ...     classes=np.array(["N", "S"]),
    ... )
    >>> stretches.is_label("S")
    tensor([[False, False,  True],
            [False, False, False]])
    """

    signals: Tensor
    references: Tensor
    intervals: Tensor
    labels: Tensor
    classes: np.ndarray

    def code(self, label: Any) -> int:
        """Find the position of a label in `classes`.

        Parameters
        ----------
        label : object
            A label of ``y``.

        Raises
        ------
        ValueError
            If it is none of the classes.
        """
        found = np.flatnonzero(self.classes == label)
        if not len(found):
            raise ValueError(
                f"the label {label!r} of an augmentation is not among the classes "
                f"{self.classes.tolist()}: give a label that occurs in y."
            )
        return int(found[0])

    def is_label(self, label: Any) -> Tensor:
        """Find the beats of a class.

        Parameters
        ----------
        label : object
            A label of ``y``.

        Returns
        -------
        Tensor of shape (n_stretches, n_beats), bool
        """
        return self.labels == self.code(label)

    def where(self, chosen: Tensor, other: Stretches) -> Stretches:
        """Replace some of the stretches.

        Parameters
        ----------
        chosen : Tensor of shape (n_stretches,), bool
            The stretches to replace.
        other : Stretches
            The stretches to take instead, in the same places.

        Returns
        -------
        Stretches
        """

        def choose(ours: Tensor, theirs: Tensor) -> Tensor:
            return torch.where(chosen.view(-1, *[1] * (ours.ndim - 1)), theirs, ours)

        return replace(
            self,
            signals=choose(self.signals, other.signals),
            references=choose(self.references, other.references),
            intervals=choose(self.intervals, other.intervals),
            labels=choose(self.labels, other.labels),
        )


class StretchAugmentation(KeywordParameterized, BaseEstimator, ABC):
    """Base class of the augmentations of stretches: changes each one with some probability.

    Parameters
    ----------
    p : float, default=0.2
        Probability that a stretch is changed.
    """

    p: float = 0.2

    def __call__(self, stretches: Stretches, generator: torch.Generator) -> Stretches:
        """Change some of the stretches.

        Parameters
        ----------
        stretches : Stretches
            They are not changed in place.
        generator : torch.Generator
            Only source of random numbers, on the device of the stretches.

        Returns
        -------
        Stretches

        Raises
        ------
        ValueError
            If a parameter is out of its range, or a label is not among the classes.
        """
        p = check_share("p", self.p)
        changed = self._change(stretches, generator)
        size = (len(stretches.signals),)
        chosen = draw_uniform(size, 0.0, 1.0, stretches.signals, generator) < p
        return stretches.where(chosen, changed)

    @abstractmethod
    def _change(self, stretches: Stretches, generator: torch.Generator) -> Stretches:
        """Change every stretch; return new ones."""


class _RhythmChange(StretchAugmentation):
    """Base class of the changes of rhythm and P waves.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    r_peak : float
        Time from the start of a beat to its R peak in seconds.
    supraventricular : label, default="S"
        Label of supraventricular beats.
    normal : label, default="N"
        Label of normal beats.
    """

    fs: float
    r_peak: float
    supraventricular: Any = "S"
    normal: Any = "N"

    def _p_wave(self, signals: Tensor) -> tuple[Tensor, Tensor]:
        """Extract the P wave: what exceeds the line from its start to its end, times a window.

        Returns the wave, of the shape of the signals, and the window of shape (n_samples,).
        """
        check_rate(self.fs)
        r_peak = check_not_negative("r_peak", self.r_peak)
        n_samples = signals.shape[2]
        first = min(max(0, round((r_peak - _P_START) * self.fs)), n_samples - 1)
        last = min(max(first + 1, round((r_peak - _P_END) * self.fs)), n_samples - 1)
        number = torch.arange(n_samples, device=signals.device, dtype=signals.dtype)
        share = ((number - first) / max(last - first, 1)).clamp(0, 1)
        line = torch.lerp(signals[..., first, None], signals[..., last, None], share)
        ramp = torch.minimum(number - first, last - number) / (_P_RAMP * self.fs)
        window = 0.5 - 0.5 * torch.cos(math.pi * ramp.clamp(0, 1))
        return (signals - line) * window, window


class PrematureBeats(_RhythmChange):
    """Simulation of supraventricular premature beats.

    In stretches that consist of more than 70 % normal beats and have no supraventricular beat,
    some normal beats are moved to an earlier time, alone or in runs of up to eight. Their label
    becomes `supraventricular`. In a third of the stretches a pause follows. The P wave of moved
    beats is replaced by a smaller, inverted or shifted one, or removed.

    Parameters
    ----------
    share : tuple of two floats, default=(0.02, 0.2)
        Smallest and largest share of beats that begin a run. Each stretch has its own, drawn
        uniformly on a logarithmic scale.
    factor : tuple of two floats, default=(0.5, 0.9)
        Smallest and largest factor of the RR interval before a moved beat.

    Examples
    --------
    >>> from ecgclf.augmentation import PrematureBeats
    >>> PrematureBeats(fs=128, r_peak=0.35, p=0.5)
    PrematureBeats(fs=128, p=0.5, r_peak=0.35)
    """

    share: tuple[float, float] = (0.02, 0.2)
    factor: tuple[float, float] = (0.5, 0.9)

    def _change(self, stretches: Stretches, generator: torch.Generator) -> Stretches:
        low_share, high_share = check_positive_range("share", self.share)
        low, high = check_positive_range("factor", self.factor)
        signals, intervals = stretches.signals, stretches.intervals
        n, n_beats = stretches.labels.shape
        uniform = partial(draw_uniform, like=signals, generator=generator)
        is_normal = stretches.is_label(self.normal)
        has_early = stretches.is_label(self.supraventricular).any(1)
        eligible = (is_normal.float().mean(1) > 0.7) & ~has_early
        density = uniform((n, 1), math.log(low_share), math.log(high_share)).exp()
        # The length of the run that begins at each beat; most runs have one or two beats.
        short, long = uniform((n, n_beats), 1, 3), uniform((n, n_beats), 2, _LONGEST_RUN + 1)
        run = torch.where(uniform((n, n_beats), 0, 1) < 0.8, short, long).long()
        run = torch.where(uniform((n, n_beats), 0, 1) < density, run, 0)
        moved = run > 0
        for k in range(1, min(_LONGEST_RUN, n_beats)):
            moved[:, k:] |= run[:, :-k] > k
        moved &= is_normal & eligible[:, None]
        moved[:, 1:] &= is_normal[:, :-1]  # not after a pause
        moved[:, 0] = False
        moved[:, -1] = False
        # Each stretch has beats of about one coupling interval.
        early = uniform((n, 1), low, high) * uniform((n, n_beats), 0.92, 1.08)
        before = intervals[:, :-1]
        shortened = torch.where(moved, before * early.clamp(low, high), before)
        kind = torch.randint(3, (n, 1), generator=generator, device=signals.device)
        # The first kind is followed by a pause, and the last has no P wave.
        ends_run = moved & ~torch.nn.functional.pad(moved, (0, 1))[:, 1:]
        pause = (before - shortened) * uniform((n, n_beats), 0.3, 1.0) * (ends_run & (kind == 0))
        changed = torch.cat([shortened, intervals[:, -1:]], 1)
        changed[:, 1:] += pause
        wave, window = self._p_wave(signals)
        shift = (uniform((n, 1, 1), -0.06, 0.06) * self.fs).round().long()
        size = uniform((n, 1, 1), -1.0, 1.2) * (kind < 2)[:, :, None]
        number = torch.arange(signals.shape[2], device=signals.device)
        shifted = window * wave.gather(2, ((number - shift) % len(number)).expand_as(wave))
        early_label = stretches.code(self.supraventricular)
        return replace(
            stretches,
            signals=torch.where(moved[:, :, None], signals - wave + size * shifted, signals),
            intervals=changed,
            labels=torch.where(moved, early_label, stretches.labels),
        )


class AtrialFibrillation(_RhythmChange):
    """Simulation of atrial fibrillation, in which beats are irregular but not premature.

    The RR intervals between normal beats are replaced by random ones, the P waves of normal beats
    and of the references are removed, and small waves of 4 to 8 Hz are added. Stretches with
    supraventricular beats stay as they are, so put `PrematureBeats` first in a
    `Compose` to change each stretch in one way only.

    Parameters
    ----------
    spread : tuple of two floats, default=(0.1, 0.3)
        Smallest and largest standard deviation of the logarithm of the intervals.
    amplitude : float, default=0.06
        Largest amplitude of the fibrillatory waves, relative to the height of the median beat.

    Examples
    --------
    >>> from ecgclf.augmentation import AtrialFibrillation
    >>> AtrialFibrillation(fs=128, r_peak=0.35)
    AtrialFibrillation(fs=128, r_peak=0.35)
    """

    spread: tuple[float, float] = (0.1, 0.3)
    amplitude: float = 0.06

    def _change(self, stretches: Stretches, generator: torch.Generator) -> Stretches:
        low, high = check_positive_range("spread", self.spread)
        amplitude = check_not_negative("amplitude", self.amplitude)
        signals, intervals = stretches.signals, stretches.intervals
        n, n_beats, n_samples = signals.shape
        uniform = partial(draw_uniform, like=signals, generator=generator)
        is_normal = stretches.is_label(self.normal)
        irregular = draw_normal(tuple(intervals.shape), signals, generator)
        irregular = (irregular * uniform((n, 1), low, high)).exp().clamp(_SHORTEST, _LONGEST)
        irregular = irregular * intervals.median(dim=1, keepdim=True).values
        # The intervals before and after other beats, such as V, stay.
        padded = torch.nn.functional.pad(is_normal, (1, 1), value=True)
        between = padded[:, 1:] & padded[:, :-1]
        seconds = torch.arange(n_samples, device=signals.device) / self.fs
        angle = 2 * math.pi * uniform((n, 1, 1), 4.0, 8.0) * seconds
        phase = uniform((n, n_beats, 1), 0.0, 2 * math.pi)
        waves = uniform((n, 1, 1), 0.0, amplitude) * torch.sin(angle + phase)
        no_p = torch.where(is_normal[:, :, None], signals - self._p_wave(signals)[0], signals)
        references = stretches.references
        changed = replace(
            stretches,
            signals=no_p + waves,
            references=references - self._p_wave(references)[0],
            intervals=torch.where(between, irregular, intervals),
        )
        return stretches.where(~stretches.is_label(self.supraventricular).any(1), changed)


class StretchScaling(StretchAugmentation):
    """Multiplication of all beats of a stretch and of its references by one random factor.

    Parameters
    ----------
    spread : float, default=0.15
        Standard deviation of the logarithm of the factor.

    Examples
    --------
    >>> from ecgclf.augmentation import StretchScaling
    >>> StretchScaling(p=1.0)
    StretchScaling(p=1.0)
    """

    spread: float = 0.15

    def _change(self, stretches: Stretches, generator: torch.Generator) -> Stretches:
        spread = check_not_negative("spread", self.spread)
        signals = stretches.signals
        gain = (draw_normal((len(signals), 1, 1), signals, generator) * spread).exp()
        references = stretches.references * gain
        return replace(stretches, signals=signals * gain, references=references)


class StretchShift(StretchAugmentation):
    """Shift of the windows of a stretch and of its references in time.

    Annotators and detectors place the R peak differently, by a time that is almost the same for
    all beats of a recording. Beyond its ends the first or last value of a window is repeated.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    seconds : float, default=0.04
        Largest shift of a stretch.
    jitter : float, default=0.004
        Standard deviation of the further shift of each beat in seconds.

    Examples
    --------
    >>> from ecgclf.augmentation import StretchShift
    >>> StretchShift(fs=128, p=1.0)
    StretchShift(fs=128, p=1.0)
    """

    fs: float
    seconds: float = 0.04
    jitter: float = 0.004

    def _change(self, stretches: Stretches, generator: torch.Generator) -> Stretches:
        check_rate(self.fs)
        seconds = check_not_negative("seconds", self.seconds)
        jitter = check_not_negative("jitter", self.jitter)
        signals = stretches.signals
        n, n_beats, _ = signals.shape
        common = draw_uniform((n, 1), -seconds, seconds, signals, generator)
        own = draw_normal((n, n_beats), signals, generator)
        return replace(
            stretches,
            signals=self._move(signals, common + jitter * own),
            references=self._move(stretches.references, common),
        )

    def _move(self, beats: Tensor, seconds: Tensor) -> Tensor:
        """Move the window of each beat to a later time."""
        first = (seconds * self.fs).round().long()[:, :, None]
        place = torch.arange(beats.shape[2], device=beats.device) + first
        return beats.gather(2, place.clamp(0, beats.shape[2] - 1).expand_as(beats))


class StretchNoise(StretchAugmentation):
    """Addition of recorded noise, of one kind and amplitude in a stretch.

    A model file cannot contain the noise: before saving, use
    ``model.set_params(augment_stretches=None)``.

    Parameters
    ----------
    noise : array-like of shape (n_samples,) or (n_channels, n_samples)
        Recordings of noise, such as those of the MIT-BIH Noise Stress Test Database, at the
        sampling rate of the beats. Each channel is divided by its standard deviation.
    amplitude : float, default=0.15
        Largest standard deviation of the added noise, relative to the height of the median beat.

    Examples
    --------
    >>> from ecgclf.augmentation import StretchNoise
    >>> StretchNoise(noise=np.random.default_rng(0).normal(size=10_000), p=0.3).amplitude
    0.15
    """

    noise: ArrayLike
    amplitude: float = 0.15

    def _change(self, stretches: Stretches, generator: torch.Generator) -> Stretches:
        amplitude = check_not_negative("amplitude", self.amplitude)
        signals, device = stretches.signals, stretches.signals.device
        n, n_beats, n_samples = signals.shape
        recorded = torch.as_tensor(np.atleast_2d(self.noise), dtype=signals.dtype, device=device)
        n_starts = recorded.shape[1] - n_samples + 1
        if n_starts < 1:
            raise ValueError(
                f"noise has {recorded.shape[1]} samples, but a beat has {n_samples}: give a "
                "longer recording of noise."
            )
        recorded = recorded / recorded.std(dim=1, keepdim=True).clamp(min=1e-12)
        integers = partial(torch.randint, generator=generator, device=device)
        channel = integers(len(recorded), (n, 1, 1))
        start = integers(n_starts, (n, n_beats, 1))
        parts = recorded[channel, start + torch.arange(n_samples, device=device)]
        size = draw_uniform((n, 1, 1), 0.0, amplitude, signals, generator)
        return replace(stretches, signals=signals + size * parts)
