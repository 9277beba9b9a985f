"""Which samples of a beat a network's decision rests on."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ecgclf import training
from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._inputs import check_beats

#: Rows that go through the network at once.
_BATCH = 1024

#: The sum of the attributions may be off by so much, in logits and as a share.
_TOLERANCE = (0.1, 0.05)


def integrated_gradients(
    estimator: BeatClassifier,
    X: ArrayLike,
    target: Any = None,
    *,
    baseline: ArrayLike = 0.0,
    n_steps: int = 64,
) -> np.ndarray:
    r"""Attribute the logit of a class to the samples of each beat.

    With :math:`F` the logit of a class, :math:`x` a beat and :math:`x'` the baseline, sample
    :math:`i` is credited with [1]_

    .. math:: a_i = (x_i - x'_i) \int_0^1
              \frac{\partial F(x' + \alpha (x - x'))}{\partial x_i} \, d\alpha,
              \qquad \sum_i a_i = F(x) - F(x').

    A positive value speaks for the class, a negative one against it.

    Parameters
    ----------
    estimator : BeatClassifier
        Any fitted classifier of ecgclf that is a network.
    X : array-like, of one beat's shape as in `fit`
        The beats.
    target : label or array-like of shape (n_beats,), optional
        The class whose logit is attributed, one for all beats or one for each. By default the
        class predicted for each beat.
    baseline : float or array-like, default=0.0
        The beat that stands for "no signal": a number for all samples, or an array of the
        shape of one beat, such as the mean beat, or of `X`.
    n_steps : int, default=64
        Points at which the integrand is taken, by Gauss-Legendre quadrature.

    Returns
    -------
    ndarray of the shape of `X`, float32
        In logits. Per-beat features (`n_tabular`) are credited like samples.

    Warns
    -----
    ConvergenceWarning
        If the attributions of a beat do not add up to the difference of the logits: by more
        than 0.1 and 5 %.

    Raises
    ------
    TypeError
        If `estimator` is none of ours.
    ValueError
        If `X`, `target` or `baseline` do not fit the estimator, or `n_steps` is less than 1.

    See Also
    --------
    ecgclf.evaluation.occlusion : For any classifier, without gradients.
    ecgclf.plots.AttributionDisplay : Draws them over the beats.

    Notes
    -----
    A recurrent network that masks the zeros after a beat takes the beat's length from them.
    On the way to a baseline of zeros the length jumps at the very end, which no gradient sees,
    and the sum misses what the jump does. Take a baseline that is not quite zero, such as 1e-6
    where the beat has samples and 0 after it: ``baseline=1e-6 * (X != 0)``.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep networks",
       ICML 2017, arXiv:1703.01365, equation 1 and proposition 1.

    Examples
    --------
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.estimators import integrated_gradients
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=3, random_state=0).fit(X, y)
    >>> credit = integrated_gradients(model, X[:4], target="V")
    >>> credit.shape == X[:4].shape
    True
    >>> logit = model.decision_function([X[0], 0 * X[0]])[:, list(model.classes_).index("V")]
    >>> bool(abs(credit[0].sum() - (logit[0] - logit[1])) < 0.1)
    True
    """
    if not isinstance(estimator, BeatClassifier):
        raise TypeError(
            f"integrated_gradients needs a network of ecgclf; got {type(estimator).__name__}. "
            "Of a Pipeline pass the last step, pipeline[-1], with what the others give, "
            "pipeline[:-1].transform(X); any other classifier has occlusion."
        )
    if n_steps < 1:
        raise ValueError(f"n_steps={n_steps}: at least 1 is required.")
    check_is_fitted(estimator)
    rows = np.asarray(check_beats(estimator, X, reset=False))
    origin = _baseline_rows(baseline, rows)
    codes = _codes(estimator, target, rows)

    nodes, node_weights = np.polynomial.legendre.leggauss(n_steps)
    places, shares = (nodes + 1) / 2, node_weights / 2  # from [-1, 1] to [0, 1]
    credit = np.empty_like(rows)
    n_at_once = max(1, _BATCH // n_steps)
    with training.torch_threads(estimator.n_jobs):
        for start in range(0, len(rows), n_at_once):
            part = slice(start, start + n_at_once)
            way = rows[part] - origin[part]
            points = origin[part, None] + places[:, None] * way[:, None]
            slopes = _gradients(estimator.net_.module_, points, codes[part])
            credit[part] = way * np.einsum("bsc,s->bc", slopes, shares)
    _check_sums(estimator, rows, origin, codes, credit)
    return credit.reshape(np.shape(X))


def _baseline_rows(baseline: ArrayLike, rows: np.ndarray) -> np.ndarray:
    """Lay out the baseline as one row for each beat."""
    values = np.asarray(baseline, dtype=np.float32)
    if not np.isfinite(values).all():
        raise ValueError("baseline holds NaN or infinity: give finite values.")
    for shape in ((1, 1), (1, rows.shape[1]), rows.shape):
        if values.size == np.prod(shape):
            return np.broadcast_to(values.reshape(shape), rows.shape)
    raise ValueError(
        f"baseline has the shape {values.shape}: give a number, one beat of {rows.shape[1]} "
        f"values, or one such beat for each of the {len(rows)} of X."
    )


def _codes(estimator: BeatClassifier, target: Any, rows: np.ndarray) -> np.ndarray:
    """Find the place in ``classes_`` of each beat's target."""
    classes, n_beats = estimator.classes_, len(rows)
    labels = estimator.predict(rows) if target is None else np.asarray(target)
    if labels.shape not in ((), (n_beats,)):
        raise ValueError(
            f"target has the shape {labels.shape}: give one label, or one for each of the "
            f"{n_beats} beats."
        )
    if not np.isin(labels, classes).all():
        raise ValueError(
            f"target holds {np.setdiff1d(labels, classes).tolist()}, which are not among the "
            f"classes {classes.tolist()}."
        )
    return np.broadcast_to(np.searchsorted(classes, labels), (n_beats,))


def _gradients(module: nn.Module, points: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Compute the gradient of a logit at points of shape (n_beats, n_steps, n_columns)."""
    n_beats, n_steps, n_columns = points.shape
    device = next(module.parameters()).device
    x = torch.as_tensor(points.reshape(-1, n_columns), dtype=torch.float32, device=device)
    wanted = torch.as_tensor(np.repeat(codes, n_steps), device=device)
    module.eval()
    # cuDNN has no backward pass for recurrent layers that are not in training.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        logits = module(x.requires_grad_())
        chosen = logits.gather(1, wanted[:, None]).sum()
        (slopes,) = torch.autograd.grad(chosen, x)
    return slopes.cpu().numpy().reshape(n_beats, n_steps, n_columns)


def _check_sums(
    estimator: BeatClassifier,
    rows: np.ndarray,
    origin: np.ndarray,
    codes: np.ndarray,
    credit: np.ndarray,
) -> None:
    """Warn where attributions do not add up to the difference of the logits."""
    beats = np.arange(len(rows))
    at_beat, at_origin = (estimator._logits(x)[beats, codes] for x in (rows, origin))
    difference = at_beat - at_origin
    error = np.abs(credit.sum(axis=1) - difference)
    absolute, share = _TOLERANCE
    off = error > np.maximum(absolute, share * np.abs(difference))
    if off.any():
        worst = int(error.argmax())
        warnings.warn(
            f"The attributions of {off.sum()} of {len(rows)} beats do not add up; those of the "
            f"beat at position {worst} give {credit[worst].sum():.3g} in place of "
            f"{difference[worst]:.3g}. Raise n_steps, or "
            "choose another baseline.",
            ConvergenceWarning,
            stacklevel=3,
        )
