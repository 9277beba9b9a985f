"""What one parameter may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np


@dataclass(frozen=True)
class FloatRange:
    """A real parameter between two bounds, both included.

    Parameters
    ----------
    low, high : float
    log : bool, default=False
        Search evenly in the logarithm.
    step : float, optional
        Take only ``low``, ``low + step`` and so on. Not together with `log`.

    Raises
    ------
    ValueError
        If the bounds are no finite numbers or not in order, `log` meets a bound that is not
        above 0, or `step` does not lead from `low` to `high`.

    Examples
    --------
    >>> FloatRange(1e-4, 1e-2, log=True).values(n_points=3)
    [0.0001, 0.001, 0.01]
    >>> FloatRange(0.0, 0.4, step=0.2).values()
    [0.0, 0.2, 0.4]
    """

    low: float
    high: float
    log: bool = field(default=False, kw_only=True)
    step: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _check_numbers(self, Real, "a finite number")
        if not isinstance(self.log, bool):
            raise ValueError(f"log is {self.log!r}, expected true or false.")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low!r}, but with log it must be above 0.")
        if self.log and self.step is not None:
            raise ValueError("log and step exclude each other: drop one, or list the values.")
        _check_step(self)

    def values(self, n_points: int | None = None) -> list[float]:
        """List the values of a grid.

        Parameters
        ----------
        n_points : int, optional
            How many to take where there is no `step`.

        Returns
        -------
        list of float

        Raises
        ------
        ValueError
            If there is neither `step` nor a number of points, or that is below 2.
        """
        if self.step is not None:
            n_steps = round((self.high - self.low) / self.step)
            # As many digits as the file has, so that 3 * 0.1 is 0.3.
            return [float(f"{self.low + i * self.step:.12g}") for i in range(n_steps + 1)]
        if n_points is None or n_points < 2:
            raise ValueError(
                f"a grid has no end of values between {self.low!r} and {self.high!r} and was "
                f"given n_points={n_points!r}: give n_points of 2 or more, or a step."
            )
        spread = np.geomspace if self.log else np.linspace
        return [float(f"{value:.12g}") for value in spread(self.low, self.high, n_points)]


@dataclass(frozen=True)
class IntRange:
    """An integer parameter between two bounds, both included.

    Parameters
    ----------
    low, high : int
    step : int, default=1

    Raises
    ------
    ValueError
        If these are no integers, the bounds are not in order, or `step` does not lead from
        `low` to `high`.

    Examples
    --------
    >>> IntRange(32, 128, step=32).values()
    [32, 64, 96, 128]
    """

    low: int
    high: int
    step: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        _check_numbers(self, Integral, "an integer")
        _check_step(self)

    def values(self, n_points: int | None = None) -> list[int]:
        """List the values of a grid.

        Parameters
        ----------
        n_points : int, optional
            Without meaning here, where each value is one of the grid.

        Returns
        -------
        list of int
        """
        return list(range(self.low, self.high + 1, self.step))


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of some values, without order.

    Parameters
    ----------
    options : sequence
        Numbers, strings, booleans, None, or sequences of these, which become tuples.

    Raises
    ------
    ValueError
        If there is none, one occurs twice, or one is something else.

    Examples
    --------
    >>> Choice([[16, 32], [32, 64]]).values()
    [(16, 32), (32, 64)]
    """

    options: Sequence[Any]

    def __post_init__(self) -> None:
        if isinstance(self.options, str) or not isinstance(self.options, Sequence):
            raise ValueError(f"the values are {self.options!r}, expected a list of them.")
        options = tuple(_frozen(option) for option in self.options)
        if not options:
            raise ValueError("the list of values is empty; expected at least one.")
        # True is 1 for Python, but not for a parameter.
        seen = [(type(option), option) for option in options]
        if twice := [option for i, option in enumerate(options) if seen[i] in seen[:i]]:
            raise ValueError(f"{twice[0]!r} is listed twice.")
        object.__setattr__(self, "options", options)

    def values(self, n_points: int | None = None) -> list[Any]:
        """List the values of a grid.

        Parameters
        ----------
        n_points : int, optional
            Without meaning here, where each value is one of the grid.

        Returns
        -------
        list
        """
        return list(self.options)


#: What one parameter may be.
Parameter = FloatRange | IntRange | Choice


def _check_numbers(parameter: FloatRange | IntRange, kind: type, expected: str) -> None:
    for name in ("low", "high", "step"):
        value: Any = getattr(parameter, name)
        if name == "step" and value is None:
            continue
        # A bool is an Integral too.
        if isinstance(value, bool) or not _is_finite(value, kind):
            raise ValueError(f"{name} is {value!r}, expected {expected}.")
    if parameter.low >= parameter.high:
        raise ValueError(
            f"low is {parameter.low!r} and high {parameter.high!r}, expected low below high."
        )


def _is_finite(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and isinstance(value, Real) and math.isfinite(value)


def _check_step(parameter: FloatRange | IntRange) -> None:
    if parameter.step is None:
        return
    if parameter.step <= 0:
        raise ValueError(f"step is {parameter.step!r}, expected a number above 0.")
    steps = (parameter.high - parameter.low) / parameter.step
    if not math.isclose(steps, round(steps), rel_tol=1e-9):
        raise ValueError(
            f"steps of {parameter.step!r} from {parameter.low!r} do not meet {parameter.high!r}."
        )


def _frozen(option: Any) -> Any:
    if isinstance(option, (list, tuple)):
        return tuple(_frozen(part) for part in option)
    if option is None or isinstance(option, (bool, int, str)):
        return option
    if isinstance(option, float) and math.isfinite(option):
        return option
    raise ValueError(
        f"{option!r} of {type(option).__name__} is no value of a parameter; expected finite "
        "numbers, strings, booleans, None, or lists of these."
    )
