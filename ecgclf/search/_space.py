"""Search spaces of estimator parameters."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from numbers import Integral, Real
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ecgclf._extras import import_extra
from ecgclf._validation import is_number


@dataclass(frozen=True)
class FloatRange:
    """Range of a real parameter, with both bounds included.

    Parameters
    ----------
    low, high : float
        Lower and upper bound.
    log : bool, default=False
        Sample and space values evenly in the logarithm.
    step : float, optional
        Allow only ``low``, ``low + step`` and so on. Cannot be combined with `log`.

    Raises
    ------
    ValueError
        If the bounds are not finite or not in order, `log` is used with a bound that is not
        positive, or `high` is not a multiple of `step` above `low`.

    Examples
    --------
    >>> FloatRange(1e-4, 1e-2, log=True)
    FloatRange(low=0.0001, high=0.01, log=True, step=None)
    """

    low: float
    high: float
    log: bool = field(default=False, kw_only=True)
    step: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _check_bounds(self, Real, "a finite number")
        if not isinstance(self.log, bool):
            raise ValueError(f"log is {self.log!r}, expected true or false.")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low!r}, but with log it must be greater than 0.")
        if self.log and self.step is not None:
            raise ValueError("log and step cannot be combined. Omit one or list the values.")


@dataclass(frozen=True)
class IntRange:
    """Range of an integer parameter, with both bounds included.

    Parameters
    ----------
    low, high : int
        Lower and upper bound.
    step : int, default=1
        Difference between two values.

    Raises
    ------
    ValueError
        If these are not integers, the bounds are not in order, or `high` is not a multiple of
        `step` above `low`.

    Examples
    --------
    >>> IntRange(32, 128, step=32)
    IntRange(low=32, high=128, step=32)
    """

    low: int
    high: int
    step: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        _check_bounds(self, Integral, "an integer")


@dataclass(frozen=True)
class Choice:
    """Unordered set of values of a parameter.

    Parameters
    ----------
    options : sequence
        Numbers, strings, booleans, None, or sequences of these. Sequences become tuples.

    Raises
    ------
    ValueError
        If `options` is empty, has duplicates, or contains values of other types.

    Examples
    --------
    >>> Choice([[16, 32], [32, 64]])
    Choice(options=((16, 32), (32, 64)))
    """

    options: Sequence[Any]

    def __post_init__(self) -> None:
        if isinstance(self.options, str) or not isinstance(self.options, Sequence):
            raise ValueError(f"options is {self.options!r}, expected a list of values.")
        options = tuple(_frozen(option) for option in self.options)
        if not options:
            raise ValueError("the list of values is empty, expected at least one value.")
        # True == 1, but they are different values of a parameter.
        seen = [(type(option), option) for option in options]
        if twice := [option for i, option in enumerate(options) if seen[i] in seen[:i]]:
            raise ValueError(f"{twice[0]!r} is listed twice.")
        object.__setattr__(self, "options", options)


#: Kinds of parameters.
Parameter = FloatRange | IntRange | Choice


@dataclass(frozen=True)
class SearchSpace:
    """Ranges and choices of the parameters of an estimator.

    One space works with scikit-learn's searches (`to_grid`, `to_distributions`), Optuna
    (`OptunaSearchCV`, `suggest`) and other libraries (`as_dict`).

    Parameters
    ----------
    parameters : mapping of str to FloatRange, IntRange or Choice
        Keys are the names that `set_params` of the estimator takes, such as ``"lr"``, or
        ``"cnn__lr"`` in a pipeline.

    Raises
    ------
    ValueError
        If there is no parameter.
    TypeError
        If a name or a parameter has another type.

    Examples
    --------
    >>> space = SearchSpace(
    ...     {"lr": FloatRange(1e-4, 1e-2, log=True), "batch_size": Choice([32, 64, 128])}
    ... )
    >>> list(space.parameters)
    ['lr', 'batch_size']
    """

    parameters: Mapping[str, Parameter]

    def __post_init__(self) -> None:
        if not self.parameters:
            raise ValueError("A search space needs at least one parameter.")
        for name, parameter in self.parameters.items():
            if not (isinstance(name, str) and isinstance(parameter, Parameter)):
                raise TypeError(
                    f"parameters contains {name!r}: {parameter!r}; expected names and "
                    "FloatRange, IntRange or Choice."
                )
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def __reduce__(self) -> tuple:
        # A mapping proxy cannot be pickled or copied, which clone requires.
        return type(self), (dict(self.parameters),)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> SearchSpace:
        r"""Read a space from a YAML file.

        Each entry is a list of values, or a mapping with ``low`` and ``high`` and optionally
        ``step`` or ``log: true``. If all numbers of a mapping are integers, the parameter is an
        `IntRange`.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        SearchSpace

        Raises
        ------
        ValueError
            If the file does not describe a space. The message contains line and parameter.
        ImportError
            If PyYAML is not installed.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "space.yaml"
        ...     _ = path.write_text("lr: {low: 1e-4, high: 1e-2, log: true}\nunits: [32, 64]\n")
        ...     space = SearchSpace.from_file(path)
        >>> space.parameters["units"]
        Choice(options=(32, 64))
        """
        return cls(_read_parameters(Path(path)))

    def as_dict(self) -> dict[str, Any]:
        """Return the space as plain values, in the format of `from_file`.

        Returns
        -------
        dict
            A list or a dict for each parameter.
        """
        return {
            # JSON has no tuples: they become lists.
            name: json.loads(json.dumps(parameter.options))
            if isinstance(parameter, Choice)
            else asdict(parameter)
            for name, parameter in self.parameters.items()
        }


def _frozen(option: Any) -> Any:
    if isinstance(option, (list, tuple)):
        return tuple(_frozen(part) for part in option)
    if option is None or isinstance(option, (bool, int, str)):
        return option
    if isinstance(option, float) and math.isfinite(option):
        return option
    raise ValueError(
        f"{option!r} of type {type(option).__name__} is not allowed; expected finite numbers, "
        "strings, booleans, None, or lists of these."
    )


def _check_bounds(parameter: FloatRange | IntRange, kind: type, expected: str) -> None:
    low, high, step = parameter.low, parameter.high, parameter.step
    for name, value in (("low", low), ("high", high), ("step", step)):
        may_be_omitted = name == "step" and value is None
        if not may_be_omitted and not (is_number(value) and isinstance(value, kind)):
            raise ValueError(f"{name} is {value!r}, expected {expected}.")
    if low >= high:
        raise ValueError(f"low is {low!r} and high is {high!r}, expected low < high.")
    if step is None:
        return
    if step <= 0:
        raise ValueError(f"step is {step!r}, expected a number greater than 0.")
    steps = (high - low) / step
    if not math.isclose(steps, round(steps), rel_tol=1e-9):
        raise ValueError(f"steps of {step!r} from {low!r} do not reach {high!r}.")


# --- files -------------------------------------------------------------------------


def _parameter(value: Any) -> Parameter:
    """Make a parameter from the value of an entry."""
    if isinstance(value, list):
        return Choice(value)
    if not isinstance(value, dict):
        raise ValueError(
            f"{value!r} is neither a list of values nor bounds such as {{low: 1, high: 10}}."
        )
    if unknown := [key for key in value if key not in ("low", "high", "step", "log")]:
        raise ValueError(f"unknown key {unknown[0]!r}; expected low, high, step or log.")
    if missing := [key for key in ("low", "high") if key not in value]:
        raise ValueError(f"{missing[0]} is missing.")
    numbers = [value[key] for key in ("low", "high", "step") if value.get(key) is not None]
    if not all(isinstance(number, int) for number in numbers):
        return FloatRange(**value)
    if value.pop("log", False):
        raise ValueError(
            "log needs floats. Write low and high with a decimal point, or list the integers."
        )
    return IntRange(**value)


def _read_parameters(path: Path) -> dict[str, Parameter]:
    """Read the parameters in a YAML file."""
    yaml = import_extra("yaml", "SearchSpace.from_file")
    safe: Any = yaml.SafeLoader

    class Loader(safe):
        """Loader with the floats of YAML 1.2. PyYAML reads 1e-4 as a string."""

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
        list("-+.0123456789"),
    )

    def check_names(mapping: Any) -> None:
        """Reject duplicates, of which PyYAML keeps the last."""
        seen = set()
        for key, value in mapping.value:
            line = f"{path.name}, line {key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise ValueError(f"{line}: {key.value!r} is not a name. Write it in quotes.")
            if key.value in seen:
                raise ValueError(f"{line}, {key.value!r}: given twice.")
            seen.add(key.value)
            if isinstance(value, yaml.MappingNode):
                check_names(value)

    loader = Loader(path.read_text(encoding="utf-8"))
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode) or not root.value:
            raise ValueError(
                f"{path.name}: contains no parameters; expected lines such as 'lr: {{low: 1e-4, "
                "high: 1e-2, log: true}' or 'batch_size: [32, 64]'."
            )
        check_names(root)
        parameters = {}
        for key, value in root.value:
            try:
                parameters[key.value] = _parameter(loader.construct_object(value, deep=True))
            except ValueError as error:
                place = f"{path.name}, line {key.start_mark.line + 1}, parameter {key.value!r}"
                raise ValueError(f"{place}: {error}") from None
        return parameters
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"{path.name}, line {line}: invalid YAML: {error.problem}.") from error
