"""The one description of a search space."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ecgclf.search._parameters import Choice, FloatRange, IntRange, Parameter
from ecgclf.search._reading import Entry, read_entries

#: What an entry of a file may say.
_KEYS = {"low", "high", "step", "log"}


@dataclass(frozen=True)
class SearchSpace:
    """Parameters of an estimator, and what each of them may be.

    One description for scikit-learn's searches, Optuna and Weights & Biases: see
    `to_grid`, `to_distributions`, `to_optuna` and `to_sweep`.

    Parameters
    ----------
    parameters : mapping of str to FloatRange, IntRange or Choice
        By the names that `set_params` of the estimator takes, such as ``"lr"``, or in a
        pipeline ``"cnn__lr"``.

    Raises
    ------
    ValueError
        If there is no parameter.
    TypeError
        If a name or a parameter is of another type.

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
                    f"parameters holds {name!r}: {parameter!r}; expected names and FloatRange, "
                    "IntRange or Choice."
                )
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def __reduce__(self) -> tuple:
        # A view of a dict cannot be pickled or copied, which clone does.
        return type(self), (dict(self.parameters),)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> SearchSpace:
        r"""Read a space from a YAML file.

        Each parameter has a line: a list of values, or bounds with ``low`` and ``high``, and,
        where wanted, ``step`` or ``log: true``. Bounds without a point or an exponent are
        integers.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        SearchSpace

        Raises
        ------
        ValueError
            If the file does not describe a space; the message names line and parameter.
        ImportError
            If PyYAML is not installed.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "space.yaml"
        ...     _ = path.write_text(
        ...         "lr: {low: 1e-4, high: 1e-2, log: true}\n"
        ...         "batch_size: [32, 64, 128]\n"
        ...         "n_iter_no_change: {low: 2, high: 10, step: 2}\n"
        ...     )
        ...     space = SearchSpace.from_file(path)
        >>> space.parameters["n_iter_no_change"]
        IntRange(low=2, high=10, step=2)
        """
        parameters = {}
        for entry in read_entries(Path(path)):
            try:
                parameters[entry.name] = _parameter(entry)
            except ValueError as error:
                raise ValueError(f"{entry.place}: {error}") from None
        return cls(parameters)

    def as_dict(self) -> dict[str, Any]:
        """Say the same with plain values, as a file does.

        Returns
        -------
        dict

        Examples
        --------
        >>> SearchSpace({"max_epochs": IntRange(5, 20)}).as_dict()
        {'max_epochs': {'low': 5, 'high': 20, 'step': 1}}
        """
        return {
            name: plain(parameter.options) if isinstance(parameter, Choice) else asdict(parameter)
            for name, parameter in self.parameters.items()
        }


def plain(value: Any) -> Any:
    """Turn tuples into lists, which is what files hold."""
    return [plain(part) for part in value] if isinstance(value, tuple) else value


def _parameter(entry: Entry) -> Parameter:
    said = entry.value
    if isinstance(said, list):
        return Choice(said)
    if not isinstance(said, dict):
        raise ValueError(
            f"{said!r} is neither a list of values nor bounds such as {{low: 1, high: 10}}."
        )
    if unknown := [key for key in said if key not in _KEYS]:
        raise ValueError(f"unknown {unknown[0]!r}; expected low, high, step or log.")
    if missing := [key for key in ("low", "high") if key not in said]:
        raise ValueError(f"{missing[0]} is missing.")
    numbers = [said[key] for key in ("low", "high", "step") if said.get(key) is not None]
    if not all(isinstance(number, int) for number in numbers):
        return FloatRange(**said)
    if said.pop("log", False):
        raise ValueError(
            "log goes with floats: write low and high with a point, or list the integers."
        )
    return IntRange(**said)
