"""Class weights for imbalanced data."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from numbers import Real

import numpy as np

from ecgclf._parameters import KeywordParameterized
from ecgclf._sklearn import BaseEstimator

#: A function from the number of beats of each class to the weight of each class.
ClassWeights = Callable[[np.ndarray], np.ndarray]


class EffectiveNumber(KeywordParameterized, BaseEstimator):
    r"""Class weights by the effective number of beats.

    The beats of a class are similar, so each additional beat adds less information. A class of
    n beats has the effective number :math:`E_n = (1 - \beta^n) / (1 - \beta)` and the weight
    :math:`1 / E_n`. Pass it to a classifier as ``class_weight``; in a grid search its parameter
    is ``class_weight__beta``.

    Parameters
    ----------
    beta : float, default=0.999
        At least 0 and less than 1. With 0 all classes have the same weight; near 1 the weights
        are those of "balanced". The effective number is at most :math:`1 / (1 - \beta)`.

    Notes
    -----
    Equations 2 and 3 of Cui et al., "Class-balanced loss based on effective number of
    samples", CVPR 2019 (arXiv:1901.05555). As in the paper, the weights add up to the number of
    classes that occur. A sample weight of 2 counts as two beats, so the mean of the sample
    weights should be 1.

    Examples
    --------
    >>> EffectiveNumber(beta=0.5)(np.array([1, 2]))  # effective numbers 1 and 1.5
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
            If `beta` is outside of [0, 1).
        """
        if not isinstance(self.beta, Real) or not 0 <= float(self.beta) < 1:
            raise ValueError(f"beta={self.beta!r}: expected a number from 0 to less than 1.")
        totals = np.asarray(totals, dtype=np.float64)
        occurs = totals > 0
        weights = np.zeros(len(totals))
        with np.errstate(divide="ignore"):  # log(0) for beta=0
            # 1 - beta**n, exact also for beta near 1.
            effective = -np.expm1(totals[occurs] * np.log(float(self.beta)))
        weights[occurs] = 1 / effective
        return weights * (np.count_nonzero(occurs) / weights.sum())


def weigh_classes(
    class_weight: Mapping | str | ClassWeights | None,
    weight: np.ndarray,
    codes: np.ndarray,
    classes: np.ndarray,
) -> np.ndarray:
    """Multiply the weights of beats by those of their `classes`, at the positions `codes`."""
    if class_weight is None:
        return weight
    totals = np.bincount(codes, weight, minlength=len(classes))
    balanced = np.divide(1.0, totals, out=np.zeros(len(classes)), where=totals > 0)
    weighed = weight * _factors(class_weight, totals, balanced, classes)[codes]
    if not weighed.any():
        raise ValueError(f"class_weight={class_weight!r} gives every beat the weight 0.")
    return weighed


def weigh_labels(
    class_weight: Mapping | str | ClassWeights | None, weight: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Compute the weight of each beat and label: the beat's, times that of a label it has."""
    weights = np.repeat(weight[:, np.newaxis], y.shape[1], axis=1)
    if class_weight is None:
        return weights
    totals = weight @ y
    balanced = np.divide(weight.sum() - totals, totals, out=np.ones(y.shape[1]), where=totals > 0)
    return weights * np.where(
        y == 1, _factors(class_weight, totals, balanced, np.arange(y.shape[1])), 1.0
    )


def _factors(
    class_weight: Mapping | str | ClassWeights,
    totals: np.ndarray,
    balanced: np.ndarray,
    classes: np.ndarray,
) -> np.ndarray:
    """Compute the weight of each class from the total weights of their beats."""
    if isinstance(class_weight, str):
        return balanced
    if isinstance(class_weight, Mapping):
        return _named_factors(class_weight, classes)
    factors = np.asarray(class_weight(totals), dtype=np.float64)
    if factors.shape != totals.shape or not (np.isfinite(factors) & (factors >= 0)).all():
        raise ValueError(
            f"class_weight={class_weight!r} returned {factors.tolist()} for the class totals "
            f"{totals.tolist()}: expected a finite weight of 0 or more for each class."
        )
    return factors


def _named_factors(class_weight: Mapping, classes: np.ndarray) -> np.ndarray:
    """Look up the weight of each class; the default is 1."""
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
    if others and unnamed:  # a typing error, or a fold that lacks a class
        warnings.warn(
            f"class_weight names {others}, which no beat has, while the classes {unnamed} are "
            "not named and weigh 1.",
            stacklevel=8,  # the caller of fit, outside of its decorators
        )
    return np.array([class_weight.get(label, 1.0) for label in labels])
