"""Signal perturbations for robustness tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.interpolate import make_interp_spline
from sklearn.metrics import check_scoring
from sklearn.utils import check_array

from ecgclf.evaluation._checks import RandomState, draw_seed

#: Function ``perturbation(X, level, rng)`` that returns perturbed beats, a new array of the
#: same shape: (n_beats, n_samples) or (n_beats, n_leads, n_samples).
Perturbation = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class NoiseAtSNR:
    """White noise; the level is the signal-to-noise ratio in dB, infinity for no noise.

    The power of the signal is the variance within each beat and lead.

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
        size = X.std(axis=-1, keepdims=True) * 10 ** (-level / 20)
        return X + size * rng.standard_normal(X.shape)


@dataclass(frozen=True)
class WanderAtAmplitude:
    """Baseline wander; the level is its amplitude in the unit of the beats.

    A slow sine wave, equal for all leads of a beat, of random frequency and phase.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    frequencies : tuple (low, high), default=(0.15, 0.4)
        Range of the frequencies in Hz.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import WanderAtAmplitude
    >>> X = WanderAtAmplitude(fs=360)(np.zeros((2, 3600)), 0.5, np.random.default_rng(0))
    >>> X.max(axis=1).round(3).tolist()
    [0.5, 0.5]
    """

    fs: float
    frequencies: tuple[float, float] = (0.15, 0.4)

    def __call__(self, X: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        frequency = rng.uniform(*self.frequencies, size=(len(X), 1))
        phase = rng.uniform(0, 2 * np.pi, size=(len(X), 1))
        time = np.arange(X.shape[-1]) / self.fs
        wander = level * np.sin(2 * np.pi * frequency * time + phase)
        return X + (wander[:, np.newaxis] if X.ndim == 3 else wander)


@dataclass(frozen=True)
class LeadInversion:
    """Inverted leads, as after a swap of electrodes; the level is the fraction of beats.

    Parameters
    ----------
    lead : int, optional
        Position of the lead to invert; all leads by default.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import LeadInversion
    >>> X = np.ones((1000, 2, 5))
    >>> inverted = LeadInversion(lead=1)(X, 0.25, np.random.default_rng(0))
    >>> print((inverted[:, 0] == 1).all(), (inverted[:, 1, 0] == -1).sum())
    True 250
    """

    lead: int | None = None

    def __call__(self, X: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        if not 0 <= level <= 1:
            raise ValueError(f"the level of LeadInversion is {level}; expected 0 to 1.")
        inverted = np.array(X)
        chosen = rng.permutation(len(X))[: round(level * len(X))]
        if self.lead is None:
            inverted[chosen] *= -1
        elif X.ndim == 3 and 0 <= self.lead < X.shape[1]:
            inverted[chosen, self.lead] *= -1
        else:
            raise ValueError(
                f"lead is {self.lead}, but the beats have shape {X.shape}; expected a position "
                "on the second of three axes, or None for beats of one lead."
            )
        return inverted


@dataclass(frozen=True)
class RateError:
    """Wrong sampling rate; the level is the relative error.

    At a level of 0.02 the true rate is 2% above the stated one, and beats appear 2% longer.
    Where the window has no data, at negative levels, the outermost sample is repeated.

    Parameters
    ----------
    center : float, default=0.5
        Fixed point of the stretch in the window, 0 for its start and 1 for its end; best the
        position of the R peak.

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
        if not level > -1:
            raise ValueError(f"the level of RateError is {level}; expected more than -1.")
        last = X.shape[-1] - 1
        middle = self.center * last
        at = middle + (np.arange(last + 1) - middle) / (1 + level)
        return make_interp_spline(np.arange(last + 1), X, k=3, axis=-1)(np.clip(at, 0, last))


def robustness_curve(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    perturbation: Perturbation,
    levels: Sequence[float],
    *,
    scoring: str | Callable[..., float] | Sequence[str] | Mapping[str, Any] | None = None,
    n_repeats: int = 1,
    random_state: RandomState = None,
) -> pd.DataFrame:
    """Score a fitted model on beats with perturbations of several levels.

    Parameters
    ----------
    estimator : fitted estimator
        Any estimator that scikit-learn can score. Beats are perturbed before the first step of
        a pipeline.
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        Test beats, without per-beat features.
    y : array-like of shape (n_beats,)
        True labels.
    perturbation : callable
        ``perturbation(X, level, rng)`` returns perturbed beats: `NoiseAtSNR`,
        `WanderAtAmplitude`, `LeadInversion`, `RateError` or your own function.
    levels : sequence of float
        Strengths of the perturbation, in its unit.
    scoring : str, callable, list or dict, optional
        As in :func:`sklearn.model_selection.cross_validate`.
    n_repeats : int, default=1
        Number of random perturbations at each level.
    random_state : int, RandomState, Generator or None, default=None
        Seed. The random numbers of a repeat are the same at all levels.

    Returns
    -------
    DataFrame of n_levels x n_repeats rows
        Indexed by level; one column per score, named ``score`` for a single one without a name.

    Raises
    ------
    ValueError
        If `X` is not finite, `levels` is empty, or the perturbation changes the shape of the
        beats or makes them NaN or infinite.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.evaluation import NoiseAtSNR, robustness_curve
    >>> X, y = make_beats(n_beats=400, random_state=0, return_X_y=True)
    >>> model = KNeighborsClassifier().fit(X[:200], y[:200])
    >>> curve = robustness_curve(model, X[200:], y[200:], NoiseAtSNR(), [10, -10], random_state=0)
    >>> bool(curve.loc[10, "score"] > curve.loc[-10, "score"])
    True
    """
    beats = check_array(X, allow_nd=True, dtype=[np.float64, np.float32], input_name="X")
    if not len(levels) or n_repeats < 1:
        raise ValueError(
            f"levels is {levels!r} and n_repeats is {n_repeats}; expected at least one of each."
        )
    seed = draw_seed(random_state)
    scorer = check_scoring(estimator, scoring)
    rows = []
    for level in levels:
        for repeat in range(n_repeats):
            perturbed = np.asarray(
                perturbation(beats, level, np.random.default_rng([seed, repeat]))
            )
            if perturbed.shape != beats.shape or not np.isfinite(perturbed).all():
                raise ValueError(
                    f"{perturbation!r} at level {level} returned shape {perturbed.shape}; "
                    f"expected {beats.shape}, without NaN or infinity."
                )
            scores = scorer(estimator, perturbed.astype(beats.dtype, copy=False), y)
            name = scoring if isinstance(scoring, str) else "score"
            rows.append(scores if isinstance(scores, Mapping) else {name: scores})
    index = pd.Index(np.repeat(levels, n_repeats), name="level")
    return pd.DataFrame(rows, index=index)
