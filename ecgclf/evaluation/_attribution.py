"""Attribution of a classifier's decision to the samples of a beat."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from ecgclf._docstrings import parameters_from
from ecgclf._extras import import_extra

#: Rows that pass through the network at once.
_BATCH = 1024

#: Largest error of the sum of the attributions, in logits and as a share.
_TOLERANCE = (0.1, 0.05)


def occlusion(
    estimator: Any,
    X: ArrayLike,
    target: Any = None,
    *,
    width: int = 10,
    stride: int | None = None,
    fill: ArrayLike = 0.0,
) -> np.ndarray:
    """Attribute the probability of a class to the samples of each beat, by covering them.

    A window slides over each lead and replaces the samples it covers [1]_. The attribution of a
    sample is the mean decrease in probability over all windows that cover it. Positive values
    are evidence for the class, negative values evidence against it. The beats are predicted once
    for each window and lead.

    Parameters
    ----------
    estimator : object
        Any fitted classifier with ``predict_proba``, such as a `Pipeline`.
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        The beats. With several leads, one lead is covered at a time.
    target : label or array-like of shape (n_beats,), optional
        The class to explain, one for all beats or one for each. By default the most probable
        class of each beat.
    width : int, default=10
        Length of the window in samples.
    stride : int, optional
        Distance between windows in samples, at most `width`; half of it by default. The last
        window ends with the beat.
    fill : float or array-like, default=0.0
        Replacement for the covered samples: a number, or an array that broadcasts with `X`.
        What does not occur in beats, such as a long run of zeros, may itself be evidence for a
        class; compare with the mean beat.

    Returns
    -------
    ndarray of the shape of `X`, float64
        Decrease in probability, between -1 and 1.

    Raises
    ------
    ValueError
        If `X` is neither 2-D nor 3-D, the window is longer than a beat, a target is unknown, or
        `fill` does not broadcast with `X`.

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
    >>> attributions = occlusion(model, X[:20], width=1)
    >>> int(np.abs(attributions).mean(axis=0).argmax())
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
            f"width={width} and stride={stride}; expected 1 <= stride <= width <= {n_samples}, "
            "the number of samples of a beat."
        )
    try:
        cover = np.broadcast_to(np.asarray(fill, dtype=beats.dtype), beats.shape)
    except ValueError as error:
        raise ValueError(
            f"fill has shape {np.shape(fill)}, which does not broadcast with that of X, "
            f"{beats.shape}."
        ) from error

    probability = estimator.predict_proba(beats)
    if target is None:
        target = estimator.classes_[probability.argmax(axis=1)]
    places = _target_codes(estimator, target, len(beats))[:, None]
    before = np.take_along_axis(probability, places, axis=1)[:, 0]
    falls, n_covers = np.zeros(beats.shape), np.zeros(beats.shape)
    starts = [*range(0, n_samples - width, stride), n_samples - width]
    for lead in np.ndindex(beats.shape[1:-1]):  # for 2-D beats only the empty index
        for start in starts:
            window = (slice(None), *lead, slice(start, start + width))
            covered = beats.copy()
            covered[window] = cover[window]
            after = np.take_along_axis(estimator.predict_proba(covered), places, axis=1)
            falls[window] += (before - after[:, 0])[:, None]
            n_covers[window] += 1
    return falls / n_covers


@parameters_from(occlusion)
def integrated_gradients(
    estimator: Any,
    X: ArrayLike,
    target: Any = None,
    *,
    baseline: ArrayLike = 0.0,
    n_steps: int = 64,
) -> np.ndarray:
    r"""Attribute the logit of a class to the samples of each beat, by its gradients.

    With :math:`F` the logit of a class, :math:`x` a beat and :math:`x'` the baseline, the
    attribution of sample :math:`i` is [1]_

    .. math:: a_i = (x_i - x'_i) \int_0^1
              \frac{\partial F(x' + \alpha (x - x'))}{\partial x_i} \, d\alpha,
              \qquad \sum_i a_i = F(x) - F(x').

    Positive values are evidence for the class, negative values evidence against it. Needs
    Captum: ``pip install 'ecgclf[attribution]'``.

    Parameters
    ----------
    estimator : BeatClassifier
        Any fitted classifier of ecgclf that is a network.
    X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
        The beats, in the shape that the estimator was fitted on.
    baseline : float or array-like, default=0.0
        Beat that represents the absence of a signal: a number for all samples, or an array of
        the shape of one beat, such as the mean beat, or of `X`. A recurrent network with
        ``mask_zeros=True`` takes the length of a beat from the zeros after it, which changes
        abruptly on the way to zeros: use ``1e-6 * (X != 0)``.
    n_steps : int, default=64
        Number of points at which the gradient is computed, for Gauss-Legendre quadrature.

    Returns
    -------
    ndarray of the shape of `X`, float32
        Attributions in logits, also for per-beat features (`n_tabular`).

    Warns
    -----
    ConvergenceWarning
        If the attributions of a beat do not add up to the difference of the logits within 0.1
        and within 5 %.

    Raises
    ------
    TypeError, ValueError
        If `estimator` is not a network of ecgclf for single beats, `X`, `target` or `baseline`
        do not fit it, or `n_steps` is less than 1.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep networks",
       ICML 2017, arXiv:1703.01365, equation 1 and proposition 1.

    Examples
    --------
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.evaluation import integrated_gradients
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=3, random_state=0).fit(X, y)
    >>> attributions = integrated_gradients(model, X[:4], target="V")
    >>> logit = model.decision_function([X[0], 0 * X[0]])[:, list(model.classes_).index("V")]
    >>> bool(abs(attributions[0].sum() - (logit[0] - logit[1])) < 0.1)
    True
    """
    captum = import_extra("captum.attr", "integrated_gradients")
    import torch

    from ecgclf.estimators import BeatClassifier, check_beats
    from ecgclf.training import torch_threads

    if not isinstance(estimator, BeatClassifier):
        raise TypeError(
            f"integrated_gradients needs a network of ecgclf; got {type(estimator).__name__}. "
            "For a Pipeline pass its last step, pipeline[-1], and pipeline[:-1].transform(X); "
            "for any other classifier use occlusion."
        )
    if not estimator._takes_rows:
        raise TypeError(
            f"{type(estimator).__name__} classifies a beat by its neighbours too, so its input "
            "is not a row of X. Use occlusion."
        )
    if n_steps < 1:
        raise ValueError(f"n_steps={n_steps}; expected at least 1.")
    check_is_fitted(estimator)
    rows = np.asarray(check_beats(estimator, X, reset=False))
    origin = _baseline_rows(baseline, rows)
    if target is None:
        target = estimator.classes_[estimator.predict_proba(rows).argmax(axis=1)]
    codes = _target_codes(estimator, target, len(rows))
    module = estimator.net_.module_.eval()
    device = next(module.parameters()).device
    gradients = captum.IntegratedGradients(module)
    attributions, errors = np.empty_like(rows), np.empty(len(rows))
    n_at_once = max(1, _BATCH // n_steps)
    # cuDNN has no backward pass for recurrent layers that are not in training.
    with torch_threads(estimator.n_jobs), torch.backends.cudnn.flags(enabled=False):
        for start in range(0, len(rows), n_at_once):
            part = slice(start, start + n_at_once)
            found, delta = gradients.attribute(
                torch.tensor(rows[part], device=device),
                torch.tensor(origin[part], device=device),
                target=torch.tensor(codes[part], device=device),
                n_steps=n_steps,
                return_convergence_delta=True,
            )
            attributions[part], errors[part] = found.detach().cpu(), delta.detach().cpu()
    _check_sums(attributions.sum(axis=1), errors)
    return attributions.reshape(np.shape(X))


def _target_codes(estimator: Any, target: Any, n_beats: int) -> np.ndarray:
    """Find the position in ``classes_`` of the target of each beat."""
    labels, classes = np.asarray(target), np.asarray(estimator.classes_)
    if labels.shape not in ((), (n_beats,)):
        raise ValueError(
            f"target has shape {labels.shape}; expected one label, or one for each of the "
            f"{n_beats} beats."
        )
    matches = np.broadcast_to(labels, n_beats)[:, None] == classes
    if not matches.any(axis=1).all():
        raise ValueError(
            f"target holds {np.setdiff1d(labels, classes).tolist()}, which are not among the "
            f"classes {classes.tolist()}."
        )
    return matches.argmax(axis=1)


def _baseline_rows(baseline: ArrayLike, rows: np.ndarray) -> np.ndarray:
    """Arrange the baseline as one row per beat."""
    values = np.asarray(baseline, dtype=np.float32)
    if not np.isfinite(values).all():
        raise ValueError("baseline holds NaN or infinity; expected finite values.")
    for shape in ((1, 1), (1, rows.shape[1]), rows.shape):
        if values.size == np.prod(shape):
            return np.broadcast_to(values.reshape(shape), rows.shape)
    raise ValueError(
        f"baseline has shape {values.shape}; expected a number, one beat of {rows.shape[1]} "
        f"values, or one such beat for each of the {len(rows)} beats of X."
    )


def _check_sums(sums: np.ndarray, errors: np.ndarray) -> None:
    """Warn if attributions do not add up to the difference of the logits."""
    differences = sums - errors
    absolute, share = _TOLERANCE
    off = np.abs(errors) > np.maximum(absolute, share * np.abs(differences))
    if off.any():
        worst = int(np.abs(errors).argmax())
        warnings.warn(
            f"the attributions of {off.sum()} of {len(sums)} beats do not add up; those of the "
            f"beat at position {worst} sum to {sums[worst]:.3g} instead of "
            f"{differences[worst]:.3g}. Increase n_steps or choose another baseline.",
            ConvergenceWarning,
            stacklevel=3,
        )
