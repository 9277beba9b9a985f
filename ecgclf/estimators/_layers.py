"""Parameters that belong to layers: one value for all, or a sequence with one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval


class EachLayer(Interval):
    """Constraint: a sequence of which every value lies in an interval.

    Parameters
    ----------
    *args, **kwargs
        Parameters of `Interval`.
    at_least : int, default=0
        Smallest number of layers.
    """

    def __init__(self, *args: Any, at_least: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at_least = at_least

    def is_satisfied_by(self, val: Any) -> bool:
        """Look at every value."""
        return (
            _is_sequence(val)
            and len(val) >= self.at_least
            # True is an int to Python, but no number of filters.
            and not any(isinstance(item, (bool, np.bool_)) for item in val)
            and all(Interval.is_satisfied_by(self, item) for item in val)
        )

    def __str__(self) -> str:
        kind = "a non-empty sequence" if self.at_least else "a sequence"
        return f"{kind} with one value for each layer, each {super().__str__()}"


def per_layer(name: str, value: Any, n_layers: int, layers: str) -> list:
    """Spread a parameter over layers: one value for all of them, or one for each.

    Raises
    ------
    ValueError
        If a sequence has another length than there are layers.

    Examples
    --------
    >>> per_layer("stride", 2, 3, "filters")
    [2, 2, 2]
    """
    if not _is_sequence(value):
        return [value] * n_layers
    if len(value) != n_layers:
        raise ValueError(
            f"{name}={value!r} has {len(value)} values for {n_layers} layers: give one value "
            f"for all layers, or one for each of {layers}."
        )
    return list(value)


def _is_sequence(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
