"""File format of fitted models: arrays and a JSON document in one safetensors file.

Nothing in a file is executed, and a file can only create objects of classes that its reader
lists. The classes of the estimators are passed in, because they are defined above this module.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import safetensors.numpy

from ecgclf._files import replacing
from ecgclf._version import __version__

#: Increased when a file may contain what older versions of ecgclf would misread.
FORMAT = 1

#: The only key in the metadata of the safetensors file. The order of several keys would be
#: random, but equal models should give equal files.
_KEY = "ecgclf"

#: Placeholder for the checksum while it is computed.
_BLANK = b"0" * 64

#: Bytes of an array of labels that a document may ask for.
_LARGEST_ARRAY = 2**26

#: Packages whose versions are stored, because another version may compute something else.
_PACKAGES = ("numpy", "scikit-learn", "skorch", "torch")


class PersistenceError(ValueError):
    """A model cannot be stored in a file, or a file contains no model that can be used.

    A file that does not exist, or that cannot be read or written, is an `OSError`.
    """


class Savable(Protocol):
    """A fitted estimator that can be stored in a file."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters, from which the class creates an equal unfitted estimator."""

    def _get_fitted(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Get what `fit` has set: plain values, and arrays."""

    def _set_fitted(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Become fitted by what `_get_fitted` returned."""


@dataclass
class Classes:
    """The classes that a file may name: estimators and their parts of ecgclf, and of the user."""

    estimators: dict[str, type]
    parts: dict[str, type]
    trusted: Sequence[type] = ()

    def find(self, document: dict[str, Any]) -> type:
        """Look up the class that a document names."""
        name = document["class"]
        if "module" not in document:
            return _listed(name, self.estimators)
        found = [kind for kind in self.trusted if kind.__qualname__ == name]
        if len(found) > 1:  # a class may have moved to another module, but must be unique
            found = [kind for kind in found if kind.__module__ == document["module"]]
        if not found:
            raise PersistenceError(
                f"contains a model of the class {name} (module {document['module']}), which is "
                f"not part of ecgclf. If you trust this class, import it and call "
                f"ecgclf.load(path, trusted=[{name}])."
            )
        return found[0]


def _listed(name: str, classes: Mapping[str, type]) -> type:
    if name not in classes:
        raise ValueError(f"{name!r} is none of {sorted(classes)}")
    return classes[name]


class Writer:
    """Conversion of models and values to JSON.

    Numbers, strings, None and lists are themselves. Everything else is a dict with one entry,
    whose key says what it is: a tuple is ``{"tuple": [8, 16]}``. In `arrays`, those of the first
    model have their own names, those of a model inside it have a number and a slash as a prefix.
    """

    def __init__(self, classes: Classes) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._classes = classes
        self._models: list[Savable] = []

    def model(self, model: Savable, place: str = "") -> dict[str, Any]:
        """Describe a model, and add its arrays to `arrays`."""
        kind = type(model)
        if self._classes.estimators.get(kind.__name__) is kind:
            named = {"class": kind.__name__}
        else:
            named = {"class": kind.__qualname__, "module": kind.__module__}
        number = len(self._models)
        self._models.append(model)
        parameters = {
            key: self.plain(value, f"{place}{key}")
            for key, value in model.get_params(deep=False).items()
        }
        values, arrays = model._get_fitted()
        folder = f"{number}/" if number else ""
        self.arrays |= {f"{folder}{key}": array for key, array in arrays.items()}
        return {
            **named,
            "number": number,
            "parameters": parameters,
            "fitted": {key: self.plain(value, f"{place}{key}") for key, value in values.items()},
        }

    def plain(self, value: Any, place: str) -> Any:
        """Describe a value; an error message names its `place`."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if kind in (list, tuple):
            items = [self.plain(item, f"{place}[{i}]") for i, item in enumerate(value)]
            return items if kind is list else {"tuple": items}
        if kind is dict:
            entries = {key: self.plain(item, f"{place}[{key!r}]") for key, item in value.items()}
            if all(type(key) is str for key in entries):
                return {"dict": entries}
            return {"pairs": [[self.plain(key, place), item] for key, item in entries.items()]}
        if isinstance(value, np.generic) and type(value.item()) in (bool, int, float, str):
            return {"scalar": [value.dtype.str, self.plain(value.item(), place)]}
        if kind is np.ndarray and value.ndim == 1 and value.dtype.kind in "biufUO":
            items = [self.plain(item, f"{place}[{i}]") for i, item in enumerate(value.tolist())]
            return {"array": [value.dtype.str, items]}
        if isinstance(value, Path):
            return {"path": str(value)}
        if self._classes.parts.get(kind.__name__) is kind:
            parameters = value.get_params(deep=False).items()
            entries = {key: self.plain(item, f"{place}.{key}") for key, item in parameters}
            return {"object": [kind.__name__, entries]}
        if hasattr(kind, "_get_fitted"):
            known = [i for i, model in enumerate(self._models) if model is value]
            return {"model": known[0] if known else self.model(value, f"{place}.")}
        raise PersistenceError(
            f"{place}={value!r} cannot be stored without pickle. A file can contain numbers, "
            "strings, sequences of them, and the augmentations and class weights of ecgclf; if "
            "it is only needed for training, remove it before saving, with "
            f"model.set_params({place.split('.')[0].split('[')[0]}=...)."
        )


class Reader:
    """Conversion of what `Writer` has written to models and values.

    A file may come from anyone. Only the listed classes are looked up, and nothing is imported
    or called but these. A document that no `Writer` has written raises an error of any kind.
    """

    def __init__(self, arrays: dict[str, np.ndarray], classes: Classes) -> None:
        self._arrays = arrays
        self._classes = classes
        self._models: dict[int, Savable] = {}

    def model(self, plain: dict[str, Any]) -> Savable:
        """Create a fitted model."""
        kind = self._classes.find(plain)
        model = kind(**{key: self.value(item) for key, item in plain["parameters"].items()})
        number = plain["number"]
        owned = [(name.rpartition("/"), array) for name, array in self._arrays.items()]
        model._set_fitted(
            {key: self.value(item) for key, item in plain["fitted"].items()},
            {key: array for (folder, _, key), array in owned if folder == str(number or "")},
        )
        self._models[number] = model
        return model

    def value(self, plain: Any) -> Any:
        """Create a value."""
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
                return _listed(name, self._classes.parts)(**made)
            case {"model": int(number)}:
                return self._models[number]
            case {"model": dict(model)}:
                return self.model(model)
        raise ValueError(f"{plain!r:.80} is no value")


def _array(dtype: str, items: list) -> np.ndarray:
    """Create an array of numbers, strings, or objects that are numbers or strings."""
    if not re.fullmatch(r"\|O|[|<>][biufU]\d+", dtype):
        raise ValueError(f"{dtype!r} is no type of numbers or strings")
    if np.dtype(dtype).itemsize * len(items) > _LARGEST_ARRAY:
        raise ValueError(f"{len(items)} items of {dtype!r} would need gigabytes")
    array = np.empty(len(items), dtype)
    for i, item in enumerate(items):  # assigned one by one, or lists of lists would be 2-D
        array[i] = item
    return array


def write_model(model: Savable, path: str | os.PathLike[str], classes: Classes) -> None:
    """Write a fitted model to a file, which replaces an existing one atomically."""
    writer = Writer(classes)
    versions = {"ecgclf": __version__, "python": platform.python_version()}
    versions |= {name: version(name) for name in _PACKAGES}
    data = pack({"versions": versions, **writer.model(model)}, writer.arrays)
    with replacing(path) as part:
        part.write_bytes(data)


def read_model(path: str | os.PathLike[str], classes: Classes) -> Savable:
    """Read a fitted model of one of the listed classes from a file."""
    document, arrays = read_file(path)
    try:
        return Reader(arrays, classes).model(document)
    except PersistenceError as error:
        raise PersistenceError(f"{os.fspath(path)!r} {error}") from error
    except Exception as error:  # a made-up document can cause any kind of error
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        versions = document.get("versions")
        saved_by = versions.get("ecgclf") if isinstance(versions, dict) else "unknown"
        raise PersistenceError(
            f"{os.fspath(path)!r} describes no model that this version of ecgclf, {__version__}, "
            f"can create ({reason}). It was saved by version {saved_by}: use that version, or "
            "save the model again."
        ) from error


def read_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read the document and the arrays of a file; errors as in `read_model`."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"There is no file {os.fspath(path)!r} ({path.absolute()}): give the path of a model "
            "that model.save() has written."
        ) from error
    try:
        return unpack(data)
    except PersistenceError as error:
        raise PersistenceError(f"{os.fspath(path)!r} {error}") from error


def pack(document: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """Convert a document and arrays to the bytes of one safetensors file."""
    # The checksum precedes all text that a user has chosen, so its first occurrence in the
    # bytes is the checksum itself.
    sealed = {"format": FORMAT, "sha256": _BLANK.decode(), **document}
    data = safetensors.numpy.save(arrays, {_KEY: json.dumps(sealed, allow_nan=False)})
    return data.replace(_BLANK, _checksum(data), 1)


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Convert the bytes that `pack` has written, exactly, back to a document and arrays."""
    document = read_beginning(data)
    file_format, checksum = document["format"], document["sha256"].encode()
    if file_format > FORMAT:
        raise PersistenceError(
            f"has format {file_format} and this ecgclf knows formats up to {FORMAT}: update "
            "ecgclf."
        )
    if _checksum(data.replace(checksum, _BLANK, 1)) != checksum:
        raise PersistenceError(
            f"is damaged: the checksum of its {len(data)} bytes is wrong, so it is incomplete or "
            "was modified. Copy it again from the original."
        )
    try:
        return document, safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise PersistenceError(f"has no readable arrays: {error}") from error


def read_beginning(data: bytes) -> dict[str, Any]:
    """Read the document from bytes, which can end before the arrays; the checksum is not used."""
    try:
        # A safetensors file begins with the length of its header and the header.
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size].decode())
        document = json.loads(header["__metadata__"][_KEY])
        if type(document["format"]) is not int or type(document["sha256"]) is not str:
            raise TypeError("the format is no number, or the checksum no string")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PersistenceError(
            "is no model that ecgclf has saved, or its beginning is damaged: give a file that "
            "model.save() has written. Files of joblib or pickle are read by these libraries."
        ) from error
    return document


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
