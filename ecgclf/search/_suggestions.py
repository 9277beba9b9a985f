"""A search space in Optuna's terms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ecgclf._extras import import_extra
from ecgclf.search._parameters import Choice, FloatRange, Parameter
from ecgclf.search._space import SearchSpace


def to_optuna(space: SearchSpace) -> dict[str, Any]:
    """Give each parameter a distribution of Optuna.

    Optuna keeps single values only, so a sequence goes there as its JSON text;
    `from_optuna` turns it back. `suggest` does both.

    Parameters
    ----------
    space : SearchSpace

    Returns
    -------
    dict of str to BaseDistribution
        For ``study.ask(...)`` and `optuna.create_trial`.

    Raises
    ------
    ImportError
        If Optuna is not installed.

    Examples
    --------
    >>> from ecgclf.search import FloatRange, SearchSpace
    >>> to_optuna(SearchSpace({"lr": FloatRange(1e-4, 1e-2, log=True)}))
    {'lr': FloatDistribution(high=0.01, log=True, low=0.0001, step=None)}
    """
    return {name: _distribution(parameter) for name, parameter in space.parameters.items()}


def from_optuna(space: SearchSpace, suggested: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what Optuna suggests into parameters of the estimator.

    Parameters
    ----------
    space : SearchSpace
    suggested : mapping
        ``trial.params``.

    Returns
    -------
    dict

    Examples
    --------
    >>> from ecgclf.search import Choice, SearchSpace
    >>> space = SearchSpace({"filters": Choice([(16, 32), (32, 64)])})
    >>> from_optuna(space, {"filters": "[16, 32]"})
    {'filters': (16, 32)}
    """
    return {name: _decoded(space.parameters[name], value) for name, value in suggested.items()}


def suggest(space: SearchSpace, trial: Any) -> dict[str, Any]:
    """Ask a trial of Optuna for parameters of the estimator.

    Parameters
    ----------
    space : SearchSpace
    trial : Trial

    Returns
    -------
    dict

    Raises
    ------
    ImportError
        If Optuna is not installed.

    Examples
    --------
    >>> from optuna.trial import FixedTrial
    >>> from ecgclf.search import Choice, SearchSpace
    >>> space = SearchSpace({"filters": Choice([(16, 32), (32, 64)])})
    >>> suggest(space, FixedTrial({"filters": "[32, 64]"}))
    {'filters': (32, 64)}
    """
    kinds = import_extra("optuna", "suggest").distributions
    suggested = {}
    for name, d in to_optuna(space).items():
        if isinstance(d, kinds.CategoricalDistribution):
            suggested[name] = trial.suggest_categorical(name, d.choices)
        elif isinstance(d, kinds.FloatDistribution):
            suggested[name] = trial.suggest_float(name, d.low, d.high, step=d.step, log=d.log)
        else:
            suggested[name] = trial.suggest_int(name, d.low, d.high, step=d.step)
    return from_optuna(space, suggested)


def encoded_grid(grid: Mapping[str, list]) -> dict[str, list]:
    """Write a grid as Optuna keeps its values."""
    return {name: [_encoded(value) for value in values] for name, values in grid.items()}


def _distribution(parameter: Parameter) -> Any:
    kinds = import_extra("optuna", "to_optuna").distributions
    if isinstance(parameter, Choice):
        return kinds.CategoricalDistribution([_encoded(value) for value in parameter.options])
    if isinstance(parameter, FloatRange):
        return kinds.FloatDistribution(
            parameter.low, parameter.high, log=parameter.log, step=parameter.step
        )
    return kinds.IntDistribution(parameter.low, parameter.high, step=parameter.step)


def _encoded(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, tuple) else value


def _decoded(parameter: Parameter, value: Any) -> Any:
    if not isinstance(parameter, Choice):
        return value
    # 1 and True are equal, but not the same value of a parameter.
    return next(
        option
        for option in parameter.options
        if _encoded(option) == value and type(_encoded(option)) is type(value)
    )
