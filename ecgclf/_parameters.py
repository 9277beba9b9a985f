"""Types of parameters, with the constraints that are checked when they are used."""

from __future__ import annotations

import inspect
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf._docstrings import InheritedParameterDocs
from ecgclf._validation import NOT_NEGATIVE, NOT_NEGATIVE_INTEGER, POSITIVE, POSITIVE_INTEGER

PositiveInt = Annotated[int, POSITIVE_INTEGER]
NotNegativeInt = Annotated[int, NOT_NEGATIVE_INTEGER]
PositiveFloat = Annotated[float, POSITIVE]
NotNegativeFloat = Annotated[float, NOT_NEGATIVE]

RandomState = Annotated[int | np.random.RandomState | None, "random_state"]

#: Column of `X`: a name, or a position.
Column = Annotated[str | int, str, Integral]

#: A part of a whole: more than 0 and less than 1.
Fraction = Annotated[float, Interval(Real, 0, 1, closed="neither")]

#: A part that can be absent, such as a dropout rate: 0 or more and less than 1.
Share = Annotated[float, Interval(Real, 0, 1, closed="left")]


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


@dataclass_transform(eq_default=False)
class Parameterized(InheritedParameterDocs):
    """Mixin whose subclasses are dataclasses: their fields are the parameters.

    Type hints state the constraints of the parameters, in ``Annotated``. Options in ``Literal``,
    booleans, strings, callables and None need none. A parameter of another type keeps the
    constraint of a base class, or has none. Constraints in ``_parameter_constraints`` of a class
    come first.
    """

    _parameter_constraints: ClassVar[dict[str, list]]

    #: Whether parameters are given by keyword only.
    _keywords_only: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        make = partial(dataclass, cls, eq=False, repr=False)
        try:
            make(kw_only=cls._keywords_only)
        except TypeError:
            # A parameter without a default follows one with a default, as kw_only=True of a
            # decorator allows, which is applied later.
            make(kw_only=True)
        by_hand = vars(cls).get("_parameter_constraints", {})
        by_hint = {name: _constraints(hint) for name, hint in _hints(cls)}
        by_hint = {name: constraints for name, constraints in by_hint.items() if constraints}
        inherited = [vars(base).get("_parameter_constraints", {}) for base in cls.__mro__[1:]]
        accepted = inspect.signature(cls).parameters
        cls._parameter_constraints = {
            name: constraints
            for name, constraints in ChainMap(by_hand, by_hint, *inherited).items()
            if name in accepted
        }
        super().__init_subclass__(**kwargs)


@dataclass_transform(kw_only_default=True, eq_default=False)
class KeywordParameterized(Parameterized):
    """Mixin like `Parameterized`, whose parameters are given by keyword only."""

    _keywords_only = True
