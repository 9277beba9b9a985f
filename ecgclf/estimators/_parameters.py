"""Types of parameters, with the constraints that `fit` checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import chain
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf._validation import NOT_NEGATIVE, NOT_NEGATIVE_INTEGER, POSITIVE, POSITIVE_INTEGER


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


PositiveInt = Annotated[int, POSITIVE_INTEGER]
NotNegativeInt = Annotated[int, NOT_NEGATIVE_INTEGER]
PositiveFloat = Annotated[float, POSITIVE]
NotNegativeFloat = Annotated[float, NOT_NEGATIVE]

RandomState = Annotated[int | np.random.RandomState | None, "random_state"]

#: A part of a whole: more than 0 and less than 1.
Fraction = Annotated[float, Interval(Real, 0, 1, closed="neither")]

#: A part that can be absent, such as a dropout rate: 0 or more and less than 1.
Share = Annotated[float, Interval(Real, 0, 1, closed="left")]

#: Numbers of units or filters of any number of layers, or of at least one.
Widths = Annotated[Sequence[int], EachLayer(Integral, 1, None, closed="left")]
WidthsNotEmpty = Annotated[Sequence[int], EachLayer(Integral, 1, None, closed="left", at_least=1)]

#: One value for all layers, or one for each.
IntPerLayer = PositiveInt | Widths
SharePerLayer = Share | Annotated[Sequence[float], EachLayer(Real, 0, 1, closed="left")]


class ConstrainedByHints:
    """Mixin of estimators whose type hints state the constraints of their parameters.

    They are those in ``Annotated``. Options in ``Literal``, booleans, strings, callables and None
    need none. A parameter of another type keeps the constraint of a base class, or has none.
    Constraints in ``_parameter_constraints`` of a class come first.
    """

    _parameter_constraints: ClassVar[dict[str, list]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        try:
            hints = inspect.get_annotations(cls, eval_str=True)
        except Exception:  # such as a NameError: only type checkers import the name
            hints = {}
        found = {name: _constraints(hint) for name, hint in hints.items()}
        cls._parameter_constraints = {
            **getattr(super(cls, cls), "_parameter_constraints", {}),
            **{name: constraints for name, constraints in found.items() if constraints},
            **vars(cls).get("_parameter_constraints", {}),
        }


def _constraints(hint: Any) -> list:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return list(hint.__metadata__)
    if origin is Literal and all(isinstance(option, str) for option in args):
        return [StrOptions(set(args))]
    if origin in (Union, UnionType):
        parts = [_constraints(part) for part in args]
        return [*chain.from_iterable(parts)] if all(parts) else []
    if origin is Callable:
        return [callable]
    plain: dict[Any, list] = {bool: ["boolean"], str: [str], NoneType: [None]}
    return plain.get(hint, [])
