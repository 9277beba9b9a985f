"""From a model to what JSON knows, and arrays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ecgclf.persistence._classes import ESTIMATORS, PARTS, belongs
from ecgclf.persistence._errors import PersistenceError


class Savable(Protocol):
    """A fitted estimator that can be kept in a file."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters, from which the class makes an unfitted equal."""

    def _get_fitted(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Get what `fit` has set: plain values, and arrays."""

    def _set_fitted(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Become fitted by what `_get_fitted` gave."""


class Writer:
    """Turn values into what JSON knows.

    Numbers, strings, None and lists are themselves. Everything else is a dict with one entry,
    whose key says what it is.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays of all models. Those of the first one have their own names, those of a
        model inside it begin with a number and a slash.

    Examples
    --------
    >>> Writer().plain({"filters": (8, 16)}, "a parameter")
    {'dict': {'filters': {'tuple': [8, 16]}}}
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._models: list[Savable] = []

    def model(self, model: Savable, place: str = "") -> dict[str, Any]:
        """Describe a model.

        Raises
        ------
        PersistenceError
            If its class is not ours, or it holds what no file can hold.
        """
        name = type(model).__name__
        if not belongs(model, ESTIMATORS):
            raise PersistenceError(
                f"{name} is no estimator of ecgclf, so ecgclf.load could not make one: keep "
                "net_.module_.state_dict() with safetensors.torch.save_file, or the whole model "
                "with joblib.dump."
            )
        number = len(self._models)
        self._models.append(model)
        parameters = {
            key: self.plain(value, f"{place}{key}")
            for key, value in model.get_params(deep=False).items()
        }
        values, arrays = model._get_fitted()
        folder = f"{number}/" if number else ""
        self.arrays |= {f"{folder}{key}": array for key, array in arrays.items()}
        fitted = {key: self.plain(value, f"{place}{key}") for key, value in values.items()}
        return {"class": name, "number": number, "parameters": parameters, "fitted": fitted}

    def plain(self, value: Any, place: str) -> Any:
        """Describe a value.

        Parameters
        ----------
        value : object
        place : str
            Where it was found, for the error.

        Raises
        ------
        PersistenceError
            If it is none that a file can hold.
        """
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if kind in (list, tuple):
            items = [self.plain(item, f"{place}[{i}]") for i, item in enumerate(value)]
            return items if kind is list else {"tuple": items}
        if kind is dict:
            return self._plain_dict(value, place)
        if isinstance(value, np.generic) and type(value.item()) in (bool, int, float, str):
            return {"scalar": [value.dtype.str, self.plain(value.item(), place)]}
        if kind is np.ndarray and value.ndim == 1 and value.dtype.kind in "biufUO":
            items = [self.plain(item, f"{place}[{i}]") for i, item in enumerate(value.tolist())]
            return {"array": [value.dtype.str, items]}
        if isinstance(value, Path):
            return {"path": str(value)}
        if belongs(value, PARTS):
            parameters = value.get_params(deep=False).items()
            return {
                "object": [
                    kind.__name__,
                    {key: self.plain(item, f"{place}.{key}") for key, item in parameters},
                ]
            }
        if belongs(value, ESTIMATORS):
            known = [i for i, model in enumerate(self._models) if model is value]
            return {"model": known[0] if known else self.model(value, f"{place}.")}
        raise PersistenceError(
            f"{place}={value!r} cannot be kept in a file without pickle, which holds numbers, "
            "strings, sequences of them, and the augmentations and class weights of ecgclf. If "
            "it is only needed to train, save the model without it, as in "
            f"model.set_params({place.split('.')[0].split('[')[0]}=...), and set it again "
            "before another fit."
        )

    def _plain_dict(self, value: dict, place: str) -> dict[str, Any]:
        items = {key: self.plain(item, f"{place}[{key!r}]") for key, item in value.items()}
        if all(type(key) is str for key in items):
            return {"dict": items}
        return {"pairs": [[self.plain(key, place), item] for key, item in items.items()]}
