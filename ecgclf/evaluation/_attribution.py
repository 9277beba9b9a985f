"""Which part of a beat a classifier's decision rests on, found by covering it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted


def occlusion(
    estimator: Any,
    X: ArrayLike,
    target: Any = None,
    *,
    width: int = 10,
    stride: int | None = None,
    fill: ArrayLike = 0.0,
) -> np.ndarray:
    """Cover the beat piece by piece, and see how the probability of a class falls.

    A window slides over each lead, and what it covers is replaced [1]_. A sample is credited
    with the mean fall of the probability over all windows that cover it: a positive value
    speaks for the class, a negative one against it.

    Parameters
    ----------
    estimator : object
        Any fitted classifier with ``predict_proba``, such as a `Pipeline`.
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        The beats. With several leads, one lead is covered at a time.
    target : label or array-like of shape (n_beats,), optional
        The class whose probability is watched, one for all beats or one for each. By default
        the most probable class of each beat.
    width : int, default=10
        Length of the window in samples.
    stride : int, optional
        Samples from one window to the next, at most `width`; half of it by default. The last
        window ends with the beat.
    fill : float or array-like, default=0.0
        What stands where the window is: a number, or an array that broadcasts with `X`, such
        as the mean beat.

    Returns
    -------
    ndarray of the shape of `X`, float64
        Fall of the probability, between -1 and 1.

    Raises
    ------
    ValueError
        If `X` has neither two nor three dimensions, a window does not fit in a beat, a target
        is unknown, or `fill` does not broadcast with `X`.

    See Also
    --------
    ecgclf.estimators.integrated_gradients : For networks, by their gradients.
    ecgclf.plots.AttributionDisplay : Draws either over the beats.

    Notes
    -----
    The beats are predicted once for each window and lead. A fill that no beat ever shows, such
    as a long run of zeros, may itself speak for a class; compare with the mean beat.

    References
    ----------
    .. [1] M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks",
       ECCV 2014, arXiv:1311.2901, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from ecgclf.evaluation import occlusion
    >>> X = np.random.default_rng(0).normal(size=(200, 6))
    >>> model = LogisticRegression().fit(X, X[:, 2] > 0)  # only sample 2 matters
    >>> fall = occlusion(model, X[:20], width=1)
    >>> int(np.abs(fall).mean(axis=0).argmax())
    2
    """
    check_is_fitted(estimator)
    beats = np.asarray(X)
    if beats.dtype.kind != "f":
        beats = beats.astype(float)
    if beats.ndim not in (2, 3):
        raise ValueError(
            "X must be of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples); got "
            f"{beats.shape}."
        )
    n_samples = beats.shape[-1]
    stride = max(1, width // 2) if stride is None else stride
    if not 1 <= width <= n_samples or not 1 <= stride <= width:
        raise ValueError(
            f"width={width} and stride={stride}: expected 1 <= stride <= width <= {n_samples}, "
            "the samples of a beat."
        )
    try:
        cover = np.broadcast_to(np.asarray(fill, dtype=beats.dtype), beats.shape)
    except ValueError as error:
        raise ValueError(
            f"fill has the shape {np.shape(fill)}, which does not broadcast with that of X, "
            f"{beats.shape}."
        ) from error

    probability = estimator.predict_proba(beats)
    places = _places(estimator, probability, target)
    before = np.take_along_axis(probability, places, axis=1)[:, 0]
    falls, n_covers = np.zeros(beats.shape), np.zeros(beats.shape[1:])
    starts = [*range(0, n_samples - width, stride), n_samples - width]
    for lead in np.ndindex(beats.shape[1:-1]):  # of one lead, the empty index alone
        for start in starts:
            window = (*lead, slice(start, start + width))
            covered = beats.copy()
            covered[(slice(None), *window)] = cover[(slice(None), *window)]
            after = np.take_along_axis(estimator.predict_proba(covered), places, axis=1)
            falls[(slice(None), *window)] += (before - after[:, 0])[:, None]
            n_covers[window] += 1
    return falls / n_covers


def _places(estimator: Any, probability: np.ndarray, target: Any) -> np.ndarray:
    """Find the column of each beat's target."""
    n_beats, classes = len(probability), np.asarray(estimator.classes_)
    if target is None:
        return probability.argmax(axis=1)[:, None]
    labels = np.asarray(target)
    if labels.shape not in ((), (n_beats,)):
        raise ValueError(
            f"target has the shape {labels.shape}: give one label, or one for each of the "
            f"{n_beats} beats."
        )
    found = np.broadcast_to(labels, n_beats)[:, None] == classes
    if not found.any(axis=1).all():
        raise ValueError(
            f"target holds {np.setdiff1d(labels, classes).tolist()}, which are not among the "
            f"classes {classes.tolist()}."
        )
    return found.argmax(axis=1)[:, None]
