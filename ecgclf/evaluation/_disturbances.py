"""What may befall the signal between the training set and the clinic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.interpolate import make_interp_spline


class Disturbance(Protocol):
    """A function ``disturbance(X, level, rng)`` that returns disturbed beats.

    `X` is (n_beats, n_samples) or (n_beats, n_leads, n_samples), `level` says how strong,
    `rng` is a :class:`numpy.random.Generator`. The result is new and of the same shape.
    """

    def __call__(self, X: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        """Return disturbed beats."""


@dataclass(frozen=True)
class NoiseAtSNR:
    """White noise; the level is the signal-to-noise ratio in dB, infinity for none.

    The signal's power is the variance within each beat and lead, so that a shifted
    baseline does not count as signal.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import NoiseAtSNR
    >>> X = np.sin(np.linspace(0, 6, 5000))[np.newaxis]
    >>> noisy = NoiseAtSNR()(X, 20.0, np.random.default_rng(0))
    >>> round(float(10 * np.log10(X.var() / (noisy - X).var())))
    20
    """

    def __call__(self, X: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        """Return the beats with noise."""
        size = X.std(axis=-1, keepdims=True) * 10 ** (-level / 20)
        return X + size * rng.standard_normal(X.shape)


@dataclass(frozen=True)
class BaselineWander:
    """A slow sine, as of breathing; the level is its amplitude in the unit of the beats.

    Each beat gets a frequency and a phase of its own, all of its leads the same.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    frequencies : tuple (low, high), default=(0.15, 0.4)
        Range of the frequencies in Hz.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import BaselineWander
    >>> X = BaselineWander(fs=360)(np.zeros((2, 3600)), 0.5, np.random.default_rng(0))
    >>> X.max(axis=1).round(3).tolist()
    [0.5, 0.5]
    """

    fs: float
    frequencies: tuple[float, float] = (0.15, 0.4)

    def __call__(self, X: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        """Return the beats on a wandering baseline."""
        frequency = rng.uniform(*self.frequencies, size=(len(X), 1))
        phase = rng.uniform(0, 2 * np.pi, size=(len(X), 1))
        time = np.arange(X.shape[-1]) / self.fs
        wander = level * np.sin(2 * np.pi * frequency * time + phase)
        return X + (wander[:, np.newaxis] if X.ndim == 3 else wander)


@dataclass(frozen=True)
class LeadInversion:
    """Swapped electrodes turn leads upside down; the level is the share of beats hit.

    Parameters
    ----------
    lead : int, optional
        Position of the lead that is turned; all of them by default.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import LeadInversion
    >>> X = np.ones((1000, 2, 5))
    >>> turned = LeadInversion(lead=1)(X, 0.25, np.random.default_rng(0))
    >>> (turned[:, 0] == 1).all(), (turned[:, 1, 0] == -1).sum()
    (np.True_, np.int64(250))
    """

    lead: int | None = None

    def __call__(self, X: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        """Return the beats, some of them inverted."""
        if not 0 <= level <= 1:
            raise ValueError(f"the level of LeadInversion is {level}; expected a share, 0 to 1.")
        turned = np.array(X)
        hit = rng.permutation(len(X))[: round(level * len(X))]
        if self.lead is None:
            turned[hit] *= -1
        elif X.ndim == 3 and 0 <= self.lead < X.shape[1]:
            turned[hit, self.lead] *= -1
        else:
            raise ValueError(
                f"lead is {self.lead}, but the beats have shape {X.shape}; expected a position "
                "on the second of three axes, or None for beats of one lead."
            )
        return turned


@dataclass(frozen=True)
class RateError:
    """A sampling rate that is not what it says; the level is its relative error.

    At a level of 0.02 the true rate is 2% above the stated one, so that beats look 2%
    longer. They are stretched about `center`, and where that leaves the window empty, at
    negative levels, the outermost sample is repeated.

    Parameters
    ----------
    center : float, default=0.5
        Where in the window time stays put, 0 for its start and 1 for its end; best where
        the R peak is.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import RateError
    >>> X = np.arange(11.0)[np.newaxis]
    >>> RateError()(X, 0.25, np.random.default_rng(0)).round(2)[0, [0, 5, 10]].tolist()
    [1.0, 5.0, 9.0]
    """

    center: float = 0.5

    def __call__(self, X: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        """Return the beats as the wrong rate shows them."""
        if not level > -1:
            raise ValueError(f"the level of RateError is {level}; expected more than -1.")
        last = X.shape[-1] - 1
        middle = self.center * last
        at = middle + (np.arange(last + 1) - middle) / (1 + level)
        return make_interp_spline(np.arange(last + 1), X, k=3, axis=-1)(np.clip(at, 0, last))
