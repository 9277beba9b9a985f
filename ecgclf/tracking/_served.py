"""A fitted model in a file of its own, and back from there for MLflow."""

from __future__ import annotations

import copy
import os
from typing import Any

from ecgclf import persistence


def save_without_callbacks(estimator: Any, path: str | os.PathLike[str], **stated: Any) -> None:
    """Save a fitted model; its callbacks, which no file can hold, are not needed to predict.

    Parameters
    ----------
    estimator : fitted estimator of ecgclf
    path : str or path-like
    **stated : dict
        ``fs``, ``unit`` and ``window``, as for its `save`.

    Raises
    ------
    TypeError
        If it has no `save`.
    """
    if not hasattr(estimator, "save"):
        raise TypeError(
            f"log_model takes a network of ecgclf, got a {type(estimator).__name__}: give the "
            "network itself, or log a file that joblib.dump has written."
        )
    alone = copy.copy(estimator)
    alone.callbacks = None
    alone.save(path, **stated)


def _load_pyfunc(path: str) -> Any:
    """Load a model for `mlflow.pyfunc.load_model`, which knows this function by its name."""
    return persistence.load(path)
