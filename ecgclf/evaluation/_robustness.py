"""How a fitted model bears disturbed signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import check_scoring
from sklearn.utils import check_array

from ecgclf.evaluation._disturbances import Disturbance


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
        `BaselineWander`, `LeadInversion`, `RateError` or a function of your own.
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
