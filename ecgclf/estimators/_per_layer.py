"""Types of parameters with a value for each layer of a network."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
from sklearn.utils._param_validation import Interval

from ecgclf._parameters import PositiveInt, Share


class EachLayer(Interval):
    """Constraint on a sequence: every value lies in an interval, and there are enough."""

    def __init__(self, *args: Any, at_least: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at_least = at_least

    def is_satisfied_by(self, val: Any) -> bool:
        """Return whether `val` is a sequence of valid values."""
        return (
            is_sequence(val)
            and len(val) >= self.at_least
            # True is an int in Python, but not a number of filters.
            and not any(isinstance(item, (bool, np.bool_)) for item in val)
            and all(Interval.is_satisfied_by(self, item) for item in val)
        )

    def __str__(self) -> str:
        kind = "a non-empty sequence" if self.at_least else "a sequence"
        return f"{kind} with one value for each layer, each {super().__str__()}"


def is_sequence(value: Any) -> bool:
    """Return whether a value has an entry for each layer; text does not."""
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


#: Numbers of units or filters of any number of layers, or of at least one.
Widths = Annotated[Sequence[int], EachLayer(Integral, 1, None, closed="left")]
WidthsNotEmpty = Annotated[Sequence[int], EachLayer(Integral, 1, None, closed="left", at_least=1)]

#: One value for all layers, or one for each.
IntPerLayer = PositiveInt | Widths
SharePerLayer = Share | Annotated[Sequence[float], EachLayer(Real, 0, 1, closed="left")]
