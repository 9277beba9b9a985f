"""Signal perturbations for robustness tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.interpolate import make_interp_spline
from sklearn.metrics import check_scoring
from sklearn.utils import check_array


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
class WanderAtAmplitude:
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
    >>> from ecgclf.evaluation import WanderAtAmplitude
    >>> X = WanderAtAmplitude(fs=360)(np.zeros((2, 3600)), 0.5, np.random.default_rng(0))
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


def robustness_curve(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    disturbance: Disturbance,
    levels: Sequence[float],
    *,
    scoring: str | Callable[..., float] | Sequence[str] | Mapping[str, Any] | None = None,
    n_repeats: int = 1,
    random_state: int | np.random.Generator | None = None,
) -> pd.DataFrame:
    """Score a fitted model on ever more disturbed beats.

    Parameters
    ----------
    estimator : fitted estimator
        Anything scikit-learn can score. If it is a pipeline, the beats are disturbed
        before its first step, as a recorder would disturb them.
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        Test beats, signal alone.
    y : array-like of shape (n_beats,)
        True labels.
    disturbance : callable
        ``disturbance(X, level, rng)`` returns disturbed beats: `NoiseAtSNR`,
        `WanderAtAmplitude`, `LeadInversion`, `RateError` or a function of your own.
    levels : sequence of float
        How strong, in the unit of the disturbance.
    scoring : str, callable, list or dict, optional
        As in :func:`sklearn.model_selection.cross_validate`; by default the estimator's
        own ``score``.
    n_repeats : int, default=1
        How often to draw the disturbance at each level.
    random_state : int or Generator, optional
        Seed. The draws of one repeat are the same at all levels, so that the curve shows
        the level and not the draw.

    Returns
    -------
    DataFrame of n_levels x n_repeats rows
        Indexed by level, in the order given; a column for each score, named ``score`` if
        there is but one without a name.

    Raises
    ------
    ValueError
        If `X` is not finite, `levels` is empty or the disturbance changes the shape of
        the beats or makes them NaN or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.evaluation import NoiseAtSNR, robustness_curve
    >>> X, y = make_beats(n_beats=400, random_state=0, return_X_y=True)
    >>> model = KNeighborsClassifier().fit(X[:200], y[:200])
    >>> curve = robustness_curve(
    ...     model, X[200:], y[200:], NoiseAtSNR(), [np.inf, 10, 0, -10], random_state=0
    ... )
    >>> bool(curve.loc[np.inf, "score"] > curve.loc[-10, "score"])
    True
    """
    beats = check_array(X, allow_nd=True, dtype=[np.float64, np.float32], input_name="X")
    if not len(levels) or n_repeats < 1:
        raise ValueError(
            f"levels is {levels!r} and n_repeats is {n_repeats}; expected at least one of each."
        )
    seed = int(np.random.default_rng(random_state).integers(2**31))
    scorer = check_scoring(estimator, scoring)
    rows = []
    for level in levels:
        for repeat in range(n_repeats):
            disturbed = np.asarray(
                disturbance(beats, level, np.random.default_rng([seed, repeat]))
            )
            if disturbed.shape != beats.shape or not np.isfinite(disturbed).all():
                raise ValueError(
                    f"{disturbance!r} at level {level} returned shape {disturbed.shape}; "
                    f"expected {beats.shape}, without NaN or infinity."
                )
            scores = scorer(estimator, disturbed.astype(beats.dtype, copy=False), y)
            name = scoring if isinstance(scoring, str) else "score"
            rows.append(scores if isinstance(scores, Mapping) else {name: scores})
    index = pd.Index(np.repeat(levels, n_repeats), name="level")
    return pd.DataFrame(rows, index=index)
