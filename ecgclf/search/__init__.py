"""Hyperparameter search with scikit-learn, Optuna and Dask."""

from ecgclf.search._conversions import suggest, to_distributions, to_grid
from ecgclf.search._dask import on_dask
from ecgclf.search._optuna import OptunaSearchCV
from ecgclf.search._space import Choice, FloatRange, IntRange, SearchSpace

__all__ = [
    "Choice",
    "FloatRange",
    "IntRange",
    "OptunaSearchCV",
    "SearchSpace",
    "on_dask",
    "suggest",
    "to_distributions",
    "to_grid",
]
