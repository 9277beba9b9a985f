"""Search for parameters: one description of a space, for several libraries."""

from ecgclf.search._dask import on_dask
from ecgclf.search._grids import to_distributions, to_grid
from ecgclf.search._optuna import OptunaSearchCV
from ecgclf.search._parameters import Choice, FloatRange, IntRange
from ecgclf.search._progress import search_progress
from ecgclf.search._space import SearchSpace
from ecgclf.search._suggestions import from_optuna, suggest, to_optuna
from ecgclf.search._sweep import to_sweep
from ecgclf.search._sweep_trial import run_sweep_trial, sweep_params

__all__ = [
    "Choice",
    "FloatRange",
    "IntRange",
    "OptunaSearchCV",
    "SearchSpace",
    "from_optuna",
    "on_dask",
    "run_sweep_trial",
    "search_progress",
    "suggest",
    "sweep_params",
    "to_distributions",
    "to_grid",
    "to_optuna",
    "to_sweep",
]
