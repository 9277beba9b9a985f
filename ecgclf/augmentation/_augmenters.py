"""Augmentation classes: parameters of the pure functions, with a probability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

import torch
from sklearn.utils.metaestimators import _BaseComposition
from torch import Tensor

from ecgclf._docstrings import InheritedParameterDocs
from ecgclf._sklearn import BaseEstimator
from ecgclf.augmentation._functions import (
    add_baseline_wander,
    add_noise,
    check_share,
    crop_randomly,
    draw_uniform,
    drop_leads,
    scale_amplitude,
    shift_time,
    warp_time,
)

T = TypeVar("T")


@dataclass(kw_only=True, eq=False, repr=False)
class RandomAugmentation(InheritedParameterDocs, BaseEstimator):
    """Base class of the augmentations: changes each beat with some probability.

    A subclass declares its parameters as dataclass fields and implements `_change`. A grid
    search sets them as ``augment__<name>``.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a beat is changed.

    Examples
    --------
    >>> class Negation(RandomAugmentation):
    ...     def _change(self, signals, generator):
    ...         return -signals
    >>> Negation(p=1.0)(torch.ones(1, 1, 3), torch.Generator())
    tensor([[[-1., -1., -1.]]])
    """

    p: float = 0.5

    #: Pure function of signals, a generator and the parameters other than `p`.
    _function: ClassVar[Callable[..., Tensor]]

    def __call__(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Change some of the beats.

        Parameters
        ----------
        signals : Tensor of shape (batch, n_leads, n_samples)
            Beats. They are not changed in place.
        generator : torch.Generator
            Only source of random numbers, on the device of the signals.

        Returns
        -------
        Tensor of shape (batch, n_leads, n_samples)

        Raises
        ------
        ValueError
            If a parameter is out of its range or the signals have another shape.
        TypeError
            If `signals` is not a floating-point Tensor or `generator` not a
            `torch.Generator`.
        """
        p = check_share("p", self.p)
        # Change all beats, then select. Selecting first would synchronise with the device.
        changed = self._change(signals, generator)
        chosen = draw_uniform((len(signals), 1, 1), 0.0, 1.0, signals, generator) < p
        return torch.where(chosen, changed, signals)

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Change every beat by its own random numbers; return new signals of the same shape."""
        params = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "p"}
        return self._function(signals, generator, **params)


@dataclass(kw_only=True, eq=False, repr=False)
class GaussianNoise(RandomAugmentation):
    """Addition of white Gaussian noise.

    Parameters
    ----------
    std : float, default=0.02
        Standard deviation, in the unit of the signals or, if `relative`, as a fraction of the
        range of each lead of each beat.
    relative : bool, default=False
        Whether `std` is a fraction of the range from the lowest to the highest sample.
    keep_padding : bool, default=True
        Whether to leave zero padding at the end of a beat unchanged. Padding begins after the
        last sample at which any lead is not 0.

    Examples
    --------
    >>> noise = GaussianNoise(std=0.1, p=1.0)
    >>> noise(torch.zeros(2, 1, 3), torch.Generator().manual_seed(0))  # all padding
    tensor([[[0., 0., 0.]],
            [[0., 0., 0.]]])
    """

    std: float = 0.02
    relative: bool = False
    keep_padding: bool = True

    _function = staticmethod(add_noise)


@dataclass(kw_only=True, eq=False, repr=False)
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

    _function = staticmethod(scale_amplitude)


@dataclass(kw_only=True, eq=False, repr=False)
class BaselineWander(RandomAugmentation):
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
    keep_padding : bool, default=True
        Whether to leave zero padding at the end of a beat unchanged.

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
    keep_padding: bool = True

    _function = staticmethod(add_baseline_wander)


@dataclass(kw_only=True, eq=False, repr=False)
class TimeWarp(RandomAugmentation):
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
    keep_padding : bool, default=True
        Whether to leave zero padding at the end of a beat unchanged.

    Examples
    --------
    >>> beat, generator = torch.tensor([[[0.0, 2.0, 4.0, 6.0, 8.0]]]), torch.Generator()
    >>> TimeWarp(factor=(2, 2), p=1.0)(beat, generator)
    tensor([[[2., 3., 4., 5., 6.]]])
    >>> TimeWarp(factor=(0.5, 0.5), p=1.0)(beat, generator)
    tensor([[[0., 0., 4., 8., 8.]]])
    >>> TimeWarp(factor=(0.5, 0.5), center=0, p=1.0)(beat, generator)
    tensor([[[0., 4., 8., 8., 8.]]])
    """

    factor: tuple[float, float] = (0.9, 1.1)
    center: float = 0.5
    keep_padding: bool = True

    _function = staticmethod(warp_time)


@dataclass(kw_only=True, eq=False, repr=False)
class TimeShift(RandomAugmentation):
    """Shift of a beat to an earlier or later time, the same for all of its leads.

    Samples beyond an end are lost. The first or the last sample fills the other end, so the
    signal has no step.

    Parameters
    ----------
    max_shift : int, default=5
        Largest shift in samples. Shifts from ``-max_shift`` (earlier) to ``max_shift`` (later)
        are equally likely.
    keep_padding : bool, default=True
        Whether to leave zero padding at the end of a beat in place.

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
    keep_padding: bool = True

    _function = staticmethod(shift_time)


@dataclass(kw_only=True, eq=False, repr=False)
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

    _function = staticmethod(drop_leads)


@dataclass(kw_only=True, eq=False, repr=False)
class RandomCrop(InheritedParameterDocs, BaseEstimator):
    """Stretch of each recording at a random place, the same for all of its leads.

    A network with a global pooling trains on the stretches, and predicts whole recordings. An
    epoch then takes less time, and the stretches differ from epoch to epoch.

    Parameters
    ----------
    n_samples : int
        Length of the stretches in samples, at most that of the recordings.

    Notes
    -----
    Strodthoff et al., "Deep learning for ECG analysis: benchmarks and insights from PTB-XL", IEEE
    J Biomed Health Inform 25(5), 2021, train on 2.5 of 10 s.

    Examples
    --------
    >>> crop = RandomCrop(n_samples=3)
    >>> crop(torch.arange(10.0).expand(2, 1, 10), torch.Generator().manual_seed(0))[:, 0]
    tensor([[4., 5., 6.],
            [7., 8., 9.]])
    """

    n_samples: int

    def __call__(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Crop each recording.

        Parameters
        ----------
        signals : Tensor of shape (batch, n_leads, n_samples)
            Recordings.
        generator : torch.Generator
            Only source of random numbers, on the device of the signals.

        Returns
        -------
        Tensor of shape (batch, n_leads, n_samples), with the new `n_samples`

        Raises
        ------
        ValueError
            If `n_samples` is not from 1 to the length of the recordings.
        TypeError
            As in the other augmentations.
        """
        return crop_randomly(signals, generator, n_samples=self.n_samples)


class Compose(_BaseComposition):
    """Sequence of augmentations.

    A grid search sets their parameters by position: ``augment__0__std`` is the parameter
    ``std`` of the first one.

    Parameters
    ----------
    augmentations : sequence of callable
        Augmentations to apply in order, of beats (`RandomAugmentation`) or of stretches of
        beats (`StretchAugmentation`).

    Examples
    --------
    >>> augment = Compose([TimeShift(max_shift=3), GaussianNoise(std=0.05)])
    >>> augment(torch.ones(8, 1, 187), torch.Generator().manual_seed(0)).shape
    torch.Size([8, 1, 187])
    >>> augment.set_params(**{"1__std": 0.1}).augmentations[1]
    GaussianNoise(std=0.1)
    """

    def __init__(self, augmentations: Sequence[Callable[[Any, torch.Generator], Any]]) -> None:
        self.augmentations = augmentations

    def __call__(self, signals: T, generator: torch.Generator) -> T:
        """Apply the augmentations in order.

        Parameters
        ----------
        signals : Tensor of shape (batch, n_leads, n_samples) or Stretches
            Beats or stretches of beats. They are not changed in place.
        generator : torch.Generator
            Source of random numbers, on the device of the signals.

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
