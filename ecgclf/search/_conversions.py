"""Search spaces as grids, distributions and Optuna suggestions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scipy.stats import loguniform, randint, uniform

from ecgclf._extras import import_extra
from ecgclf.search._space import Choice, FloatRange, IntRange, Parameter, SearchSpace


def to_grid(space: SearchSpace, n_points: int | None = None) -> dict[str, list]:
    """List the values of each parameter for a grid search.

    Parameters
    ----------
    space : SearchSpace
        The search space.
    n_points : int, optional
        Number of values of a `FloatRange` without a step.

    Returns
    -------
    dict of str to list
        Grid for `GridSearchCV <sklearn.model_selection.GridSearchCV>` and
        `HalvingGridSearchCV <sklearn.model_selection.HalvingGridSearchCV>`.

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
    """Return a distribution or list of values for each parameter, for a randomized search.

    Parameters
    ----------
    space : SearchSpace
        The search space.

    Returns
    -------
    dict
        Distributions of scipy for ranges, lists for choices and ranges with a step. For
        `RandomizedSearchCV <sklearn.model_selection.RandomizedSearchCV>` and
        `HalvingRandomSearchCV <sklearn.model_selection.HalvingRandomSearchCV>`.

    Examples
    --------
    >>> from ecgclf.search import FloatRange, SearchSpace
    >>> space = SearchSpace({"lr": FloatRange(1e-3, 1e-2, log=True)})
    >>> bool(1e-3 <= to_distributions(space)["lr"].rvs(random_state=0) <= 1e-2)
    True
    """
    return {name: _scipy_distribution(parameter) for name, parameter in space.parameters.items()}


def _scipy_distribution(parameter: Parameter) -> Any:
    if isinstance(parameter, IntRange) and parameter.step == 1:
        return randint(parameter.low, parameter.high + 1)
    if isinstance(parameter, FloatRange) and parameter.step is None:
        if parameter.log:
            return loguniform(parameter.low, parameter.high)
        return uniform(parameter.low, parameter.high - parameter.low)
    return parameter.values()


def to_optuna(space: SearchSpace) -> dict[str, Any]:
    """Return an Optuna distribution for each parameter.

    Optuna stores scalars only, so a sequence is encoded as JSON. `from_optuna` decodes it.

    Parameters
    ----------
    space : SearchSpace
        The search space.

    Returns
    -------
    dict of str to BaseDistribution
        Distributions for ``study.ask(...)`` and `optuna.create_trial`.

    Raises
    ------
    ImportError
        If Optuna is not installed.

    See Also
    --------
    suggest : Draw the parameters of a trial.

    Examples
    --------
    >>> from ecgclf.search import FloatRange, SearchSpace, to_optuna
    >>> to_optuna(SearchSpace({"lr": FloatRange(1e-4, 1e-2, log=True)}))
    {'lr': FloatDistribution(high=0.01, log=True, low=0.0001, step=None)}
    """
    kinds = import_extra("optuna", "to_optuna").distributions

    def distribution(parameter: Parameter) -> Any:
        if isinstance(parameter, Choice):
            return kinds.CategoricalDistribution([_encoded(v) for v in parameter.options])
        if isinstance(parameter, FloatRange):
            return kinds.FloatDistribution(
                parameter.low, parameter.high, log=parameter.log, step=parameter.step
            )
        return kinds.IntDistribution(parameter.low, parameter.high, step=parameter.step)

    return {name: distribution(parameter) for name, parameter in space.parameters.items()}


def from_optuna(space: SearchSpace, suggested: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the parameters of an Optuna trial to those of the estimator.

    Parameters
    ----------
    space : SearchSpace
        The search space.
    suggested : mapping
        ``params`` of a trial, such as ``study.best_params``.

    Returns
    -------
    dict
        Parameters for `set_params` of the estimator.

    Examples
    --------
    >>> from ecgclf.search import Choice, SearchSpace
    >>> space = SearchSpace({"filters": Choice([(16, 32), (32, 64)])})
    >>> from_optuna(space, {"filters": "[16, 32]"})
    {'filters': (16, 32)}
    """
    return {name: _decoded(space.parameters[name], value) for name, value in suggested.items()}


def suggest(space: SearchSpace, trial: Any) -> dict[str, Any]:
    """Draw the parameters of an Optuna trial.

    Parameters
    ----------
    space : SearchSpace
        The search space.
    trial : Trial
        The argument of an Optuna objective function.

    Returns
    -------
    dict
        Parameters for `set_params` of the estimator.

    Examples
    --------
    >>> from optuna.trial import FixedTrial
    >>> from ecgclf.search import Choice, SearchSpace
    >>> space = SearchSpace({"filters": Choice([(16, 32), (32, 64)])})
    >>> suggest(space, FixedTrial({"filters": "[32, 64]"}))
    {'filters': (32, 64)}
    """
    suggested = {}
    for name, parameter in space.parameters.items():
        if isinstance(parameter, Choice):
            options = [_encoded(value) for value in parameter.options]
            suggested[name] = trial.suggest_categorical(name, options)
        elif isinstance(parameter, FloatRange):
            suggested[name] = trial.suggest_float(
                name, parameter.low, parameter.high, step=parameter.step, log=parameter.log
            )
        else:
            suggested[name] = trial.suggest_int(
                name, parameter.low, parameter.high, step=parameter.step
            )
    return from_optuna(space, suggested)


def encoded_grid(space: SearchSpace, n_points: int | None) -> dict[str, list]:
    """Return the grid with values as Optuna stores them."""
    grid = to_grid(space, n_points)
    return {name: [_encoded(value) for value in values] for name, values in grid.items()}


def _encoded(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, tuple) else value


def _decoded(parameter: Parameter, value: Any) -> Any:
    if not isinstance(parameter, Choice):
        return value
    # True == 1, but they are different values of a parameter.
    return next(
        option
        for option in parameter.options
        if _encoded(option) == value and type(_encoded(option)) is type(value)
    )
