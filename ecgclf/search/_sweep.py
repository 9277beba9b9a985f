"""A search space as a sweep of Weights & Biases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sklearn.utils._param_validation import StrOptions, validate_params

from ecgclf.search._grids import to_grid
from ecgclf.search._parameters import FloatRange, IntRange, Parameter
from ecgclf.search._space import SearchSpace, plain


@validate_params(
    {
        "space": [SearchSpace],
        "method": [StrOptions({"bayes", "grid", "random"})],
        "program": [str],
        "arguments": ["array-like"],
        "n_points": [int, None],
    },
    prefer_skip_nested_validation=True,
)
def to_sweep(
    space: SearchSpace,
    *,
    method: Literal["bayes", "grid", "random"],
    program: str,
    arguments: Sequence[str] = (),
    n_points: int | None = None,
) -> dict[str, Any]:
    """Describe a sweep of Weights & Biases.

    It maximizes ``score``, as `run_sweep_trial` logs it.

    Parameters
    ----------
    space : SearchSpace
    method : {"bayes", "grid", "random"}
        "grid" lists the values of each parameter. The others take ranges without a step as
        distributions; a range with a step is a list to them too, so that every value is one
        of the space.
    program : str
        The file that ``wandb agent`` starts.
    arguments : sequence of str, default=()
        What stands on its command line before the parameters.
    n_points : int or None, default=None
        For the grid: how many values to take of a `FloatRange` without a step.

    Returns
    -------
    dict
        The sweep configuration, for `wandb.sweep`, or as YAML for ``wandb sweep``.

    Raises
    ------
    ValueError
        If `n_points` is needed and not given.

    Examples
    --------
    >>> from ecgclf.search import FloatRange, SearchSpace
    >>> space = SearchSpace({"lr": FloatRange(1e-4, 1e-2, log=True)})
    >>> to_sweep(space, method="bayes", program="train.py")["parameters"]
    {'lr': {'distribution': 'log_uniform_values', 'min': 0.0001, 'max': 0.01}}
    """
    if method == "grid":
        grid = to_grid(space, n_points)
        parameters = {name: _listed(values) for name, values in grid.items()}
    else:
        parameters = {name: _searched(parameter) for name, parameter in space.parameters.items()}
    return {
        "program": program,
        "method": method,
        "metric": {"name": "score", "goal": "maximize"},
        "command": ["${env}", "${interpreter}", "${program}", *arguments, "${args}"],
        "parameters": parameters,
    }


def _listed(values: Sequence[Any]) -> dict[str, Any]:
    return {"values": [plain(value) for value in values]}


def _searched(parameter: Parameter) -> dict[str, Any]:
    if isinstance(parameter, IntRange) and parameter.step == 1:
        kind = "int_uniform"
    elif isinstance(parameter, FloatRange) and parameter.step is None:
        kind = "log_uniform_values" if parameter.log else "uniform"
    else:
        return _listed(parameter.values())
    return {"distribution": kind, "min": parameter.low, "max": parameter.high}
