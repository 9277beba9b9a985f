"""Random changes of beats, and their composition."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, TypeVar

import torch
from sklearn.utils.metaestimators import _BaseComposition
from torch import Tensor

from ecgclf._docstrings import parameters_from
from ecgclf._parameters import KeywordParameterized, Parameterized
from ecgclf._sklearn import BaseEstimator
from ecgclf.augmentation._draws import (
    check_batch,
    check_not_negative,
    check_positive_range,
    check_rate,
    check_share,
    draw_normal,
    draw_uniform,
)

T = TypeVar("T")


class RandomAugmentation(KeywordParameterized, BaseEstimator, ABC):
    """Base class of the augmentations: changes each beat with some probability.

    A subclass declares its parameters, as in a dataclass, and implements `_change`, which
    changes every beat by its own random numbers and returns new signals of the same shape, as in
    :doc:`/augmentation`. A grid search sets the parameters as ``augment__<name>``.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a beat is changed.
    """

    p: float = 0.5

    def __call__(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Change some of the beats.

        Parameters
        ----------
        signals : Tensor of shape (batch, n_leads, n_samples)
            Beats of floating-point numbers. They are not changed in place.
        generator : torch.Generator
            Only source of random numbers, on the device of the signals.

        Returns
        -------
        Tensor of shape (batch, n_leads, n_samples)

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of its range, or an argument has another type or shape.
        """
        p = check_share("p", self.p)
        check_batch(signals, generator)
        # Change all beats, then select. Selecting first would synchronise with the device.
        changed = self._change(signals, generator)
        chosen = draw_uniform((len(signals), 1, 1), 0.0, 1.0, signals, generator) < p
        return torch.where(chosen, changed, signals)

    @abstractmethod
    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Change every beat."""


class _WithPadding(RandomAugmentation):
    """Base class of the augmentations that leave zero padding unchanged.

    Parameters
    ----------
    keep_padding : bool, default=True
        Whether to leave zero padding at the end of a beat unchanged, and to treat the beat as if
        it ended there. Padding begins after the last sample at which any lead is not 0.
    """

    keep_padding: bool = True

    def _lengths(self, signals: Tensor) -> Tensor:
        """Count the samples before the padding of each beat, of shape (batch, 1, 1)."""
        if not self.keep_padding:
            return torch.full((len(signals), 1, 1), signals.shape[2], device=signals.device)
        used = (signals != 0).any(dim=1, keepdim=True)
        return (used * (_sample_numbers(signals) + 1)).amax(dim=2, keepdim=True)


class GaussianNoise(_WithPadding):
    """Addition of white Gaussian noise.

    Parameters
    ----------
    std : float, default=0.02
        Standard deviation, in the unit of the signals or, if `relative`, as a fraction of the
        range of each lead of each beat.
    relative : bool, default=False
        Whether `std` is a fraction of the range from the lowest to the highest sample.

    Examples
    --------
    >>> noise = GaussianNoise(std=0.1, p=1.0)
    >>> noise(torch.zeros(2, 1, 3), torch.Generator().manual_seed(0))  # all padding
    tensor([[[0., 0., 0.]],
            [[0., 0., 0.]]])
    """

    std: float = 0.02
    relative: bool = False

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        std = check_not_negative("std", self.std)
        inside = _sample_numbers(signals) < self._lengths(signals)
        noise = draw_normal(tuple(signals.shape), signals, generator)
        size = std * _ranges(signals, inside) if self.relative else std
        return torch.where(inside, signals + size * noise, signals)


class AmplitudeScaling(RandomAugmentation):
    """Multiplication of a beat by a random factor, the same for all of its leads.

    The leads keep their proportions, and with them the electrical axis.

    Parameters
    ----------
    factor : tuple of two floats, default=(0.8, 1.25)
        Smallest and largest factor, both positive. Factors are drawn uniformly.

    Examples
    --------
    >>> scaling = AmplitudeScaling(factor=(0.5, 0.5), p=1.0)
    >>> scaling(torch.ones(1, 1, 3), torch.Generator())
    tensor([[[0.5000, 0.5000, 0.5000]]])
    """

    factor: tuple[float, float] = (0.8, 1.25)

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        low, high = check_positive_range("factor", self.factor)
        return signals * draw_uniform((len(signals), 1, 1), low, high, signals, generator)


class BaselineWander(_WithPadding):
    """Addition of a slow sinusoid, as breathing and electrode motion cause.

    All leads of a beat share the frequency and the phase. The amplitude and the sign are drawn
    for each lead, because the leads see the same motion from different directions.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.
    amplitude : float, default=0.1
        Largest amplitude, in the unit of the signals or, if `relative`, as a fraction of the
        range of each lead of each beat. Amplitudes are drawn uniformly from 0 on.
    frequency : tuple of two floats, default=(0.05, 0.5)
        Lowest and highest frequency in Hz, both positive. Frequencies are drawn uniformly.
    relative : bool, default=False
        Whether `amplitude` is a fraction of the range from the lowest to the highest sample.

    Examples
    --------
    >>> wander = BaselineWander(fs=125, amplitude=0.2, p=1.0)
    >>> wander(torch.ones(8, 2, 187), torch.Generator().manual_seed(0)).shape
    torch.Size([8, 2, 187])
    """

    fs: float
    amplitude: float = 0.1
    frequency: tuple[float, float] = (0.05, 0.5)
    relative: bool = False

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        low, high = check_positive_range("frequency", self.frequency)
        amplitude = check_not_negative("amplitude", self.amplitude)
        check_rate(self.fs)
        beats, n_leads = len(signals), signals.shape[1]
        hertz = draw_uniform((beats, 1, 1), low, high, signals, generator)
        phase = draw_uniform((beats, 1, 1), 0.0, 2 * math.pi, signals, generator)
        size = draw_uniform((beats, n_leads, 1), -amplitude, amplitude, signals, generator)
        inside = _sample_numbers(signals) < self._lengths(signals)
        if self.relative:
            size = size * _ranges(signals, inside)
        seconds = _sample_numbers(signals).to(signals.dtype) / self.fs
        wave = size * torch.sin(2 * math.pi * hertz * seconds + phase)
        return torch.where(inside, signals + wave, signals)


class TimeWarp(_WithPadding):
    """Stretching or compression of a beat in time, by linear interpolation.

    The number of samples stays the same: stretched samples beyond the ends are lost, and a
    compressed beat is extended by its first and last sample.

    Parameters
    ----------
    factor : tuple of two floats, default=(0.9, 1.1)
        Smallest and largest factor, both positive. Factors are drawn uniformly; with 2, waves
        last twice as long.
    center : float, default=0.5
        Point that does not move, from 0 for the first sample to 1 for the last. Set it to the
        position of the R peak to keep R peaks in place.

    Examples
    --------
    >>> beat, generator = torch.tensor([[[0.0, 2.0, 4.0, 6.0, 8.0]]]), torch.Generator()
    >>> TimeWarp(factor=(2, 2), p=1.0)(beat, generator)
    tensor([[[2., 3., 4., 5., 6.]]])
    >>> TimeWarp(factor=(0.5, 0.5), center=0, p=1.0)(beat, generator)
    tensor([[[0., 4., 8., 8., 8.]]])
    """

    factor: tuple[float, float] = (0.9, 1.1)
    center: float = 0.5

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        low, high = check_positive_range("factor", self.factor)
        center = check_share("center", self.center)
        length = self._lengths(signals)
        last = (length - 1).clamp(min=0)
        number = _sample_numbers(signals)
        stretch = draw_uniform((len(signals), 1, 1), low, high, signals, generator)
        # Half precision cannot represent every sample number of a long beat.
        exact = torch.promote_types(signals.dtype, torch.float32)
        fixed = center * last.to(exact)
        position = (fixed + (number - fixed) / stretch).clamp(min=0).minimum(last)
        before = position.floor()
        share = (position - before).to(signals.dtype)
        left = before.long()
        right = (left + 1).minimum(last)
        warped = torch.lerp(_take(signals, left), _take(signals, right), share)
        return torch.where(number < length, warped, signals)


class TimeShift(_WithPadding):
    """Shift of a beat to an earlier or later time, the same for all of its leads.

    Samples beyond an end are lost. The first or the last sample fills the other end, so the
    signal has no step.

    Parameters
    ----------
    max_shift : int, default=5
        Largest shift in samples. Shifts from ``-max_shift`` (earlier) to ``max_shift`` (later)
        are equally likely.

    Examples
    --------
    >>> shift = TimeShift(max_shift=1, p=1.0)
    >>> beats = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]).expand(3, 1, 4)
    >>> shift(beats, torch.Generator().manual_seed(0))[:, 0]
    tensor([[1., 1., 2., 3.],
            [2., 3., 4., 4.],
            [1., 1., 2., 3.]])
    """

    max_shift: int = 5

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        most, n_samples = self.max_shift, signals.shape[2]
        if not isinstance(most, Integral) or not 0 <= most < n_samples:
            raise ValueError(
                f"max_shift={most!r}: expected a whole number of samples from 0 to "
                f"{n_samples - 1}, because the beats have {n_samples}."
            )
        size, device = (len(signals), 1, 1), signals.device
        shift = torch.randint(-most, most + 1, size, generator=generator, device=device)
        length = self._lengths(signals)
        number = _sample_numbers(signals)
        source = (number - shift).clamp(min=0).minimum((length - 1).clamp(min=0))
        return torch.where(number < length, _take(signals, source), signals)


class LeadDropout(RandomAugmentation):
    """Zeroing of leads, as if an electrode were off; at least one lead of a beat is kept.

    Parameters
    ----------
    rate : float, default=0.3
        Probability that a lead is set to 0. If the draw would drop all leads of a beat, one of
        them, chosen at random, is kept.

    Examples
    --------
    >>> dropout = LeadDropout(rate=1.0, p=1.0)
    >>> dropout(torch.ones(2, 2, 3), torch.Generator().manual_seed(0)).sum(dim=1)
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """

    rate: float = 0.3

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        rate = check_share("rate", self.rate)
        if signals.shape[1] < 2:
            raise ValueError(
                f"signals of shape {tuple(signals.shape)} have one lead, which cannot be "
                "dropped. Use beats of two leads or more."
            )
        chance = draw_uniform((*signals.shape[:2], 1), 0.0, 1.0, signals, generator)
        kept = (chance >= rate) | (chance == chance.amax(dim=1, keepdim=True))
        return torch.where(kept, signals, 0.0)


class RandomCrop(KeywordParameterized, BaseEstimator):
    """Stretch of each recording at a random place, the same for all of its leads.

    A network with a global pooling trains on the stretches, and predicts whole recordings. An
    epoch then takes less time, and the stretches differ from epoch to epoch. Strodthoff et al.,
    "Deep learning for ECG analysis: benchmarks and insights from PTB-XL", IEEE J Biomed Health
    Inform 25(5), 2021, train on 2.5 of 10 s.

    Parameters
    ----------
    n_samples : int
        Length of the stretches in samples, at most that of the recordings.

    Examples
    --------
    >>> crop = RandomCrop(n_samples=3)
    >>> crop(torch.arange(10.0).expand(2, 1, 10), torch.Generator().manual_seed(0))[:, 0]
    tensor([[4., 5., 6.],
            [7., 8., 9.]])
    """

    n_samples: int

    @parameters_from(RandomAugmentation.__call__)
    def __call__(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Crop each recording.

        Returns
        -------
        Tensor of shape (batch, n_leads, n_samples), with the new `n_samples`

        Raises
        ------
        TypeError, ValueError
            If `n_samples` is not from 1 to the length of the recordings, or an argument has
            another type or shape.
        """
        check_batch(signals, generator)
        n_samples = self.n_samples
        n_beats, n_leads, length = signals.shape
        if not isinstance(n_samples, Integral) or not 1 <= n_samples <= length:
            raise ValueError(
                f"n_samples={n_samples!r} is not an integer from 1 to {length}, the length of "
                "the signals."
            )
        starts, size, device = length - n_samples + 1, (n_beats, 1, 1), signals.device
        start = torch.randint(starts, size, generator=generator, device=device)
        index = start + torch.arange(n_samples, device=device)
        return signals.gather(2, index.expand(-1, n_leads, -1))


class Compose(Parameterized, _BaseComposition):
    """Sequence of augmentations.

    A grid search sets their parameters by position: ``augment__0__std`` is the parameter
    ``std`` of the first one.

    Parameters
    ----------
    augmentations : sequence of callable
        Augmentations to apply in order, all of beats or all of `Stretches` of beats.

    Examples
    --------
    >>> augment = Compose([TimeShift(max_shift=3), GaussianNoise(std=0.05)])
    >>> augment(torch.ones(8, 1, 187), torch.Generator().manual_seed(0)).shape
    torch.Size([8, 1, 187])
    >>> augment.set_params(**{"1__std": 0.1}).augmentations[1]
    GaussianNoise(std=0.1)
    """

    augmentations: Sequence[Callable[[Any, torch.Generator], Any]]

    @parameters_from(RandomAugmentation.__call__)
    def __call__(self, signals: T, generator: torch.Generator) -> T:
        """Apply the augmentations in order.

        Parameters
        ----------
        signals : Tensor of shape (batch, n_leads, n_samples) or Stretches
            Beats or stretches of beats. They are not changed in place.

        Returns
        -------
        Tensor of shape (batch, n_leads, n_samples) or Stretches
        """
        for augment in self.augmentations:
            signals = augment(signals, generator)
        return signals

    @property
    def _named(self) -> list[tuple[str, Callable]]:
        return [(str(place), augment) for place, augment in enumerate(self.augmentations)]

    @_named.setter
    def _named(self, pairs: list[tuple[str, Callable]]) -> None:
        self.augmentations = [augment for _, augment in pairs]

    def get_params(self, deep: bool = True) -> dict:
        """Get the parameters and, if `deep`, those of each augmentation by position."""
        return self._get_params("_named", deep=deep)

    def set_params(self, **params: object) -> Compose:
        """Set parameters, or an augmentation or its parameters by position."""
        self._set_params("_named", **params)
        return self


def _sample_numbers(signals: Tensor) -> Tensor:
    """Count the samples from 0, of shape (n_samples,)."""
    return torch.arange(signals.shape[2], device=signals.device)


def _take(signals: Tensor, index: Tensor) -> Tensor:
    """Gather samples of all leads; `index` has the shape (batch, 1, n_samples)."""
    return signals.gather(2, index.expand_as(signals))


def _ranges(signals: Tensor, inside: Tensor) -> Tensor:
    """Measure from the lowest to the highest sample inside, of shape (batch, n_leads, 1)."""
    highest = signals.masked_fill(~inside, -math.inf).amax(dim=2, keepdim=True)
    lowest = signals.masked_fill(~inside, math.inf).amin(dim=2, keepdim=True)
    return highest - lowest
