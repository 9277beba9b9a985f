"""Search spaces as grids, distributions and Optuna suggestions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.stats import loguniform, randint, uniform

from ecgclf._docstrings import parameters_from
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
        If `n_points` is needed and not at least 2.

    Examples
    --------
    >>> from ecgclf.search import Choice, FloatRange, IntRange, SearchSpace
    >>> space = SearchSpace({"lr": FloatRange(1e-4, 1e-2, log=True), "units": Choice([32, 64])})
    >>> to_grid(space, n_points=3)
    {'lr': [0.0001, 0.001, 0.01], 'units': [32, 64]}
    """
    return {name: _grid_values(name, p, n_points) for name, p in space.parameters.items()}


def _grid_values(name: str, parameter: Parameter, n_points: int | None = None) -> list:
    if isinstance(parameter, Choice):
        return list(parameter.options)
    low, high, step = parameter.low, parameter.high, parameter.step
    if isinstance(parameter, IntRange):
        return list(range(parameter.low, parameter.high + 1, parameter.step))
    if step is not None:
        values = [low + i * step for i in range(round((high - low) / step) + 1)]
    elif n_points is None or n_points < 2:
        raise ValueError(
            f"Parameter {name!r}: a grid from {low!r} to {high!r} needs n_points of at least 2 "
            f"or a step, got n_points={n_points!r}."
        )
    else:
        spaced = np.geomspace if parameter.log else np.linspace
        values = spaced(low, high, n_points).tolist()
    # Rounding makes 3 * 0.1 equal to 0.3.
    return [float(f"{value:.12g}") for value in values]


@parameters_from(to_grid)
def to_distributions(space: SearchSpace) -> dict[str, Any]:
    """Return a distribution or list of values for each parameter, for a randomized search.

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
    return {name: _distribution(name, p) for name, p in space.parameters.items()}


def _distribution(name: str, parameter: Parameter) -> Any:
    if isinstance(parameter, IntRange) and parameter.step == 1:
        return randint(parameter.low, parameter.high + 1)
    if isinstance(parameter, FloatRange) and parameter.step is None:
        if parameter.log:
            return loguniform(parameter.low, parameter.high)
        return uniform(parameter.low, parameter.high - parameter.low)
    return _grid_values(name, parameter)


@parameters_from(to_grid)
def suggest(space: SearchSpace, trial: Any) -> dict[str, Any]:
    """Draw the parameters of an Optuna trial.

    Optuna stores scalars only, so sequences are encoded as JSON in the trial.

    Parameters
    ----------
    trial : Trial
        The argument of an Optuna objective function, or a finished trial, such as
        ``study.best_trial``, to read its parameters.

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
            options = [encoded(option) for option in parameter.options]
            suggested[name] = trial.suggest_categorical(name, options)
        elif isinstance(parameter, FloatRange):
            suggested[name] = trial.suggest_float(name, **asdict(parameter))
        else:
            suggested[name] = trial.suggest_int(name, **asdict(parameter))
    return decoded(space, suggested)


def encoded(value: Any) -> Any:
    """Encode a value as Optuna stores it."""
    return json.dumps(value) if isinstance(value, tuple) else value


def decoded(space: SearchSpace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Decode parameters that Optuna stored."""
    values = {}
    for name, value in params.items():
        options = getattr(space.parameters[name], "options", ())
        sequences = {encoded(option): option for option in options if isinstance(option, tuple)}
        values[name] = sequences.get(value, value)
    return values
