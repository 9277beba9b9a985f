"""A search space in scikit-learn's terms."""

from __future__ import annotations

from typing import Any

from scipy.stats import loguniform, randint, uniform

from ecgclf.search._parameters import FloatRange, IntRange, Parameter
from ecgclf.search._space import SearchSpace


def to_grid(space: SearchSpace, n_points: int | None = None) -> dict[str, list]:
    """List the values of each parameter, for a grid search.

    Parameters
    ----------
    space : SearchSpace
    n_points : int, optional
        How many values to take of a `FloatRange` without a step.

    Returns
    -------
    dict of str to list
        For `GridSearchCV <sklearn.model_selection.GridSearchCV>` and its halving kind.

    Raises
    ------
    ValueError
        If `n_points` is needed and not given.

    Examples
    --------
    >>> from ecgclf.search import Choice, FloatRange, SearchSpace
    >>> space = SearchSpace({"lr": FloatRange(1e-3, 1e-2), "batch_size": Choice([32, 64])})
    >>> to_grid(space, n_points=2)
    {'lr': [0.001, 0.01], 'batch_size': [32, 64]}
    """
    grid = {}
    for name, parameter in space.parameters.items():
        try:
            grid[name] = parameter.values(n_points)
        except ValueError as error:
            raise ValueError(f"Parameter {name!r}: {error}") from None
    return grid


def to_distributions(space: SearchSpace) -> dict[str, Any]:
    """Give each parameter a distribution, for a randomized search.

    Parameters
    ----------
    space : SearchSpace

    Returns
    -------
    dict
        Distributions of scipy for ranges, lists for choices and ranges with a step. For
        `RandomizedSearchCV <sklearn.model_selection.RandomizedSearchCV>` and its halving kind.

    Examples
    --------
    >>> from ecgclf.search import FloatRange, SearchSpace
    >>> space = SearchSpace({"lr": FloatRange(1e-3, 1e-2, log=True)})
    >>> bool(1e-3 <= to_distributions(space)["lr"].rvs(random_state=0) <= 1e-2)
    True
    """
    return {name: _distribution(parameter) for name, parameter in space.parameters.items()}


def _distribution(parameter: Parameter) -> Any:
    if isinstance(parameter, IntRange) and parameter.step == 1:
        return randint(parameter.low, parameter.high + 1)
    if isinstance(parameter, FloatRange) and parameter.step is None:
        if parameter.log:
            return loguniform(parameter.low, parameter.high)
        return uniform(parameter.low, parameter.high - parameter.low)
    return parameter.values()
