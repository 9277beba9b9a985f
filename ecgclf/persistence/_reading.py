"""From what `Writer` wrote back to a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ecgclf.persistence._classes import ESTIMATORS, PARTS, class_named
from ecgclf.persistence._writing import Savable


class Reader:
    """Turn what JSON knows into values.

    A file may have been made by anybody, so nothing of it is looked up, imported or called but
    the classes that are listed in ``_classes.py``. What fits nowhere is an error of some kind
    or other.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The arrays of all models.

    Examples
    --------
    >>> Reader({}).value({"dict": {"filters": {"tuple": [8, 16]}}})
    {'filters': (8, 16)}
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays
        self._models: dict[int, Savable] = {}

    def model(self, plain: dict[str, Any]) -> Savable:
        """Make a fitted model."""
        parameters = {key: self.value(item) for key, item in plain["parameters"].items()}
        model = class_named(plain["class"], ESTIMATORS)(**parameters)
        number = plain["number"]
        owned = [(name.rpartition("/"), array) for name, array in self._arrays.items()]
        model._set_fitted(
            {key: self.value(item) for key, item in plain["fitted"].items()},
            {key: array for (folder, _, key), array in owned if folder == str(number or "")},
        )
        self._models[number] = model
        return model

    def value(self, plain: Any) -> Any:
        """Make a value."""
        match plain:
            case None | bool() | int() | float() | str():
                return plain
            case list():
                return [self.value(item) for item in plain]
            case {"float": ("nan" | "inf" | "-inf") as name}:
                return float(name)
            case {"tuple": list(items)}:
                return tuple(self.value(item) for item in items)
            case {"dict": dict(items)}:
                return {key: self.value(item) for key, item in items.items()}
            case {"pairs": list(pairs)}:
                return {self.value(key): self.value(item) for key, item in pairs}
            case {"array": [str(dtype), list(items)]}:
                return _array(dtype, self.value(items))
            case {"scalar": [str(dtype), item]}:
                return _array(dtype, [self.value(item)])[0]
            case {"path": str(path)}:
                return Path(path)
            case {"object": [str(name), dict(parameters)]}:
                made = {key: self.value(item) for key, item in parameters.items()}
                return class_named(name, PARTS)(**made)
            case {"model": int(number)}:
                return self._models[number]
            case {"model": dict(model)}:
                return self.model(model)
        raise ValueError(f"{plain!r:.80} is no value")


def _array(dtype: str, items: list) -> np.ndarray:
    """Make an array of numbers, of strings, or of such objects."""
    if not re.fullmatch(r"\|O|[|<>][biufU]\d+", dtype):
        raise ValueError(f"{dtype!r} is no type of numbers or strings")
    array = np.empty(len(items), dtype)
    for i, item in enumerate(items):  # at once, lists of lists would give another shape
        array[i] = item
    return array
