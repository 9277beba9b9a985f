"""Weights of classes against imbalance."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

#: From the number of beats of each class to the weight of each class.
ClassWeights = Callable[[np.ndarray], np.ndarray]


@dataclass(kw_only=True, eq=False, repr=False)
class EffectiveNumber(BaseEstimator):
    r"""Weights of classes by their effective number of beats.

    The n beats of a class overlap, so that a further one adds less than the first. They count
    as :math:`E_n = (1 - \beta^n) / (1 - \beta)` beats, and the class weighs :math:`1 / E_n`.
    Give it to a classifier as ``class_weight``; a grid search reaches its parameter as
    ``class_weight__beta``.

    Parameters
    ----------
    beta : float, default=0.999
        From 0, where all classes weigh the same, to less than 1, near which the weights are
        those of "balanced". A class counts as at most :math:`1 / (1 - \beta)` beats.

    Notes
    -----
    Equations 2 and 3 of Cui et al., "Class-balanced loss based on effective number of
    samples", CVPR 2019 (arXiv:1901.05555). The weights add up to the number of classes that
    occur, as in the paper. Sample weights count like repeated beats, so here their scale
    matters: keep their mean at 1.

    Examples
    --------
    >>> EffectiveNumber(beta=0.5)(np.array([1, 2]))  # 1 and 1.5 beats
    array([1.2, 0.8])
    """

    beta: float = 0.999

    def __call__(self, totals: np.ndarray) -> np.ndarray:
        """Compute the weights.

        Parameters
        ----------
        totals : ndarray of shape (n_classes,)
            Number of beats of each class, or the sum of their weights.

        Returns
        -------
        ndarray of shape (n_classes,)
            0 for a class without beats.

        Raises
        ------
        ValueError
            If `beta` is out of its range.
        """
        if not isinstance(self.beta, Real) or not 0 <= float(self.beta) < 1:
            raise ValueError(f"beta={self.beta!r}: expected a number from 0 to less than 1.")
        totals = np.asarray(totals, dtype=np.float64)
        occurs = totals > 0
        weights = np.zeros(len(totals))
        with np.errstate(divide="ignore"):  # the logarithm of 0 is meant
            # 1 - beta ** n without loss of digits where beta is nearly 1.
            effective = -np.expm1(totals[occurs] * np.log(float(self.beta)))
        weights[occurs] = 1 / effective
        return weights * (np.count_nonzero(occurs) / weights.sum())


def weigh_classes(
    class_weight: Mapping | str | ClassWeights | None,
    weight: np.ndarray,
    codes: np.ndarray,
    classes: np.ndarray,
) -> np.ndarray:
    """Multiply the weights of beats by those of their classes.

    Parameters
    ----------
    class_weight : mapping of label to weight, "balanced", callable or None
        "balanced" gives all classes that occur the same weight in total. A callable gets the
        weight of all beats of each class and returns a weight for each.
    weight : ndarray of shape (n_beats,)
    codes : ndarray of shape (n_beats,)
        Position of each beat's label in `classes`.
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_beats,)

    Raises
    ------
    ValueError
        If a weight is no finite number of 0 or more, all are 0, no class is named, or a
        callable returns something else than a weight for each class.

    Warns
    -----
    UserWarning
        If a label is named that is no class, and a class is not: a slip of the pen, or a
        fold that lacks a class.
    """
    if class_weight is None:
        return weight
    totals = np.bincount(codes, weight, minlength=len(classes))
    if callable(class_weight):
        factors = _called_factors(class_weight, totals)
    elif isinstance(class_weight, str):
        factors = np.divide(1.0, totals, out=np.zeros(len(classes)), where=totals > 0)
    else:
        factors = np.array(_given_factors(class_weight, classes))
    weighed = weight * factors[codes]
    if not weighed.any():
        raise ValueError(f"class_weight={class_weight!r} gives every beat the weight 0.")
    return weighed


def _given_factors(class_weight: Mapping, classes: np.ndarray) -> list[float]:
    """Look up the weight of each class; 1 if it is not named."""
    for factor in class_weight.values():
        if not (isinstance(factor, Real) and 0 <= float(factor) < np.inf):
            raise ValueError(
                f"class_weight={class_weight!r}: weights must be finite and 0 or more, got "
                f"{factor!r}."
            )
    labels = classes.tolist()
    others = [label for label in class_weight if label not in labels]
    unnamed = [label for label in labels if label not in class_weight]
    if others and len(unnamed) == len(labels):
        raise ValueError(f"The classes {labels} are not in class_weight={class_weight!r}.")
    if others and unnamed:
        warnings.warn(
            f"class_weight names {others}, which no beat has, while the classes {unnamed} are "
            "not named and weigh 1.",
            stacklevel=6,  # the caller of fit, past its decorators
        )
    return [class_weight.get(label, 1.0) for label in labels]


def _called_factors(class_weight: ClassWeights, totals: np.ndarray) -> np.ndarray:
    """Compute the weight of each class."""
    factors = np.asarray(class_weight(totals), dtype=np.float64)
    if factors.shape != totals.shape or not (np.isfinite(factors) & (factors >= 0)).all():
        raise ValueError(
            f"class_weight={class_weight!r} returned {factors.tolist()} for the class totals "
            f"{totals.tolist()}: expected a finite weight of 0 or more for each class."
        )
    return factors
