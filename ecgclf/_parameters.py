"""Types of parameters, with the constraints that are checked when they are used."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from numbers import Real
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf._validation import NOT_NEGATIVE, NOT_NEGATIVE_INTEGER, POSITIVE, POSITIVE_INTEGER

PositiveInt = Annotated[int, POSITIVE_INTEGER]
NotNegativeInt = Annotated[int, NOT_NEGATIVE_INTEGER]
PositiveFloat = Annotated[float, POSITIVE]
NotNegativeFloat = Annotated[float, NOT_NEGATIVE]

RandomState = Annotated[int | np.random.RandomState | None, "random_state"]

#: A part of a whole: more than 0 and less than 1.
Fraction = Annotated[float, Interval(Real, 0, 1, closed="neither")]

#: A part that can be absent, such as a dropout rate: 0 or more and less than 1.
Share = Annotated[float, Interval(Real, 0, 1, closed="left")]


class ConstrainedByHints:
    """Mixin of estimators whose type hints state the constraints of their parameters.

    They are those in ``Annotated``. Options in ``Literal``, booleans, strings, callables and None
    need none. A parameter of another type keeps the constraint of a base class, or has none.
    Constraints in ``_parameter_constraints`` of a class come first.
    """

    _parameter_constraints: ClassVar[dict[str, list]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        found = {name: _constraints(hint) for name, hint in _hints(cls)}
        cls._parameter_constraints = {
            **getattr(super(cls, cls), "_parameter_constraints", {}),
            **{name: constraints for name, constraints in found.items() if constraints},
            **vars(cls).get("_parameter_constraints", {}),
        }


def _hints(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the type hints of a class, except those with names that only type checkers import."""
    defined = getattr(sys.modules.get(cls.__module__), "__dict__", {})
    for name, hint in inspect.get_annotations(cls).items():
        try:
            value = eval(hint, defined, dict(vars(cls))) if isinstance(hint, str) else hint
        except NameError:
            continue
        yield name, value


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
