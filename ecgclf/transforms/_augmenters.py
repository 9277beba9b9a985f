"""Augmentations to be given to an estimator as ``augment``."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import _BaseComposition
from torch import Tensor

from ecgclf.transforms._batch import check_share, draw_uniform
from ecgclf.transforms._time import shift_time, warp_time
from ecgclf.transforms._values import (
    add_baseline_wander,
    add_noise,
    drop_leads,
    scale_amplitude,
)


@dataclass(kw_only=True, eq=False, repr=False)
class RandomAugmentation(BaseEstimator, metaclass=ABCMeta):
    """Base of the augmentations: change each beat with some probability.

    A subclass states its parameters as fields, and how it changes signals. It has
    ``get_params`` and ``set_params``, so that a grid search reaches its parameters as
    ``augment__<name>``.

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

    def __call__(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Change some of the beats.

        Parameters
        ----------
        signals : Tensor of shape (batch, n_leads, n_samples)
            Left as they are.
        generator : torch.Generator
            On the device of the signals; the only source of randomness.

        Returns
        -------
        Tensor of shape (batch, n_leads, n_samples)

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the signals have another shape.
        TypeError
            If `signals` is no Tensor of floating-point numbers or `generator` no generator.
        """
        p = check_share("p", self.p)
        # All beats are changed and some are taken: to ask which these are would make the
        # device wait.
        changed = self._change(signals, generator)
        chosen = draw_uniform((len(signals), 1, 1), 0.0, 1.0, signals, generator) < p
        return torch.where(chosen, changed, signals)

    @abstractmethod
    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Change every beat, each in its own way; return new signals of the same shape."""


@dataclass(kw_only=True, eq=False, repr=False)
class GaussianNoise(RandomAugmentation):
    """Add white noise to some of the beats: `add_noise`.

    Parameters
    ----------
    std : float, default=0.02
        Standard deviation, in the unit of the signals; or, if `relative`, as a share of the
        range from the lowest to the highest sample of each lead of each beat.
    relative : bool, default=False
    keep_padding : bool, default=True
        Leave zeros at the end of a beat alone.

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

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        return add_noise(
            signals,
            generator,
            std=self.std,
            relative=self.relative,
            keep_padding=self.keep_padding,
        )


@dataclass(kw_only=True, eq=False, repr=False)
class AmplitudeScaling(RandomAugmentation):
    """Make some of the beats larger or smaller: `scale_amplitude`.

    Parameters
    ----------
    factor : tuple of two floats, default=(0.8, 1.25)
        Smallest and largest factor.

    Examples
    --------
    >>> scaling = AmplitudeScaling(factor=(0.5, 0.5), p=1.0)
    >>> scaling(torch.ones(1, 1, 3), torch.Generator())
    tensor([[[0.5000, 0.5000, 0.5000]]])
    """

    factor: tuple[float, float] = (0.8, 1.25)

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        return scale_amplitude(signals, generator, factor=self.factor)


@dataclass(kw_only=True, eq=False, repr=False)
class BaselineWander(RandomAugmentation):
    """Add a slow sinusoid to some of the beats: `add_baseline_wander`.

    Parameters
    ----------
    fs : float
        Sampling rate in Hz.
    amplitude : float, default=0.1
        Largest amplitude, in the unit of the signals; or, if `relative`, as a share of the
        range from the lowest to the highest sample of each lead of each beat.
    frequency : tuple of two floats, default=(0.05, 0.5)
        Lowest and highest frequency in Hz.
    relative : bool, default=False
    keep_padding : bool, default=True
        Leave zeros at the end of a beat alone.

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

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        return add_baseline_wander(
            signals,
            generator,
            fs=self.fs,
            amplitude=self.amplitude,
            frequency=self.frequency,
            relative=self.relative,
            keep_padding=self.keep_padding,
        )


@dataclass(kw_only=True, eq=False, repr=False)
class TimeWarp(RandomAugmentation):
    """Stretch or squeeze some of the beats: `warp_time`.

    Parameters
    ----------
    factor : tuple of two floats, default=(0.9, 1.1)
        Smallest and largest factor; with 2, waves last twice as long.
    center : float, default=0.5
        The point that keeps its place, from 0 for the first sample to 1 for the last.
    keep_padding : bool, default=True
        Take a beat to end where zeros fill up its row, and leave these where they are.

    Examples
    --------
    >>> warp = TimeWarp(factor=(0.5, 0.5), p=1.0)
    >>> warp(torch.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0]]]), torch.Generator())
    tensor([[[1., 1., 3., 5., 5.]]])
    """

    factor: tuple[float, float] = (0.9, 1.1)
    center: float = 0.5
    keep_padding: bool = True

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        return warp_time(
            signals,
            generator,
            factor=self.factor,
            center=self.center,
            keep_padding=self.keep_padding,
        )


@dataclass(kw_only=True, eq=False, repr=False)
class TimeShift(RandomAugmentation):
    """Move some of the beats to an earlier or later time: `shift_time`.

    Parameters
    ----------
    max_shift : int, default=5
        Largest shift in samples, in both directions.
    keep_padding : bool, default=True
        Take a beat to end where zeros fill up its row, and leave these where they are.

    Examples
    --------
    >>> shift = TimeShift(max_shift=2, p=1.0)
    >>> shift(torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]), torch.Generator().manual_seed(1)).shape
    torch.Size([1, 1, 4])
    """

    max_shift: int = 5
    keep_padding: bool = True

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        return shift_time(
            signals, generator, max_shift=self.max_shift, keep_padding=self.keep_padding
        )


@dataclass(kw_only=True, eq=False, repr=False)
class LeadDropout(RandomAugmentation):
    """Set leads of some of the beats to 0, never all of a beat: `drop_leads`.

    Parameters
    ----------
    rate : float, default=0.3
        Probability that a lead of such a beat is dropped.

    Examples
    --------
    >>> dropout = LeadDropout(rate=1.0, p=1.0)
    >>> dropout(torch.ones(4, 2, 1), torch.Generator().manual_seed(0)).sum(dim=1).flatten()
    tensor([1., 1., 1., 1.])
    """

    rate: float = 0.3

    def _change(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        return drop_leads(signals, generator, rate=self.rate)


class Compose(_BaseComposition):
    """Several augmentations, one after another.

    For a grid search they are named by their places: ``augment__0__std`` is the parameter
    ``std`` of the first one.

    Parameters
    ----------
    augmentations : sequence of callables
        Each called with signals and a generator, as `RandomAugmentation` is.

    Examples
    --------
    >>> augment = Compose([TimeShift(max_shift=3), GaussianNoise(std=0.05)])
    >>> augment(torch.ones(8, 1, 187), torch.Generator().manual_seed(0)).shape
    torch.Size([8, 1, 187])
    >>> augment.set_params(**{"1__std": 0.1}).augmentations[1]
    GaussianNoise(std=0.1)
    """

    def __init__(
        self, augmentations: Sequence[Callable[[Tensor, torch.Generator], Tensor]]
    ) -> None:
        self.augmentations = augmentations

    def __call__(self, signals: Tensor, generator: torch.Generator) -> Tensor:
        """Apply the augmentations in order.

        Parameters
        ----------
        signals : Tensor of shape (batch, n_leads, n_samples)
            Left as they are.
        generator : torch.Generator
            On the device of the signals.

        Returns
        -------
        Tensor of shape (batch, n_leads, n_samples)
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
        """Get the parameters; if `deep`, also those of each augmentation by its place."""
        return self._get_params("_named", deep=deep)

    def set_params(self, **params: object) -> Compose:
        """Set parameters, or an augmentation or its parameters by its place."""
        self._set_params("_named", **params)
        return self
