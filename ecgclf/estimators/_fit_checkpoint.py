"""Checkpoints of unfinished fits."""

from __future__ import annotations

import hashlib
import os
import uuid
from importlib.metadata import version
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgclf import training
from ecgclf._files import check_writable, replacing
from ecgclf._model_file import (
    PersistenceError,
    Reader,
    Writer,
    pack,
    read_beginning,
    unpack,
)
from ecgclf._version import __version__
from ecgclf.estimators._inputs import fingerprint
from ecgclf.estimators._saving import CLASSES, SavableEstimator

#: Parameters that do not affect the weights. Of the device, only the type is compared.
_MAY_CHANGE = {"callbacks", "checkpoint", "device", "verbose"}

#: Error messages for differences that are found by digests.
_DIGESTS = {
    "training_data": "the beats, their labels, weights or groups have changed",
    "validation_data": "the beats that are held out have changed",
    "first_weights": "the network does not begin with the same weights",
}


class FitCheckpoint:
    """File with the state of an unfinished `fit`, replaced after every epoch.

    If the file exists, an unfinished fit has left its `state`, and in `fit` its seed, parameters,
    versions and digests of its data.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.fit: dict[str, Any] = {}
        self.state: training.RunState | None = None
        #: Name of the state that this object has read or written last.
        self._newest: str | None = None
        #: Seed of the present fit; None if it continues a trained network, which has a seed.
        self._seed: int | None = None
        if self.path.is_dir():
            raise PersistenceError(
                f"checkpoint={os.fspath(path)!r} is a folder: give the path of a file."
            )
        check_writable(self.path)
        if self.path.exists():
            self._read()

    def choose_seed(self, random_state: int | np.random.RandomState | None) -> int:
        """Choose the seed of a new fit: a random seed is that of the unfinished fit."""
        kept = self.fit.get("seed")
        if kept is not None and not isinstance(random_state, Integral):
            self._seed = kept
        else:
            self._seed = training.draw_seed(random_state)
        return self._seed

    def begin(
        self,
        estimator: SavableEstimator,
        rows: training.Rows,
        validation: training.Rows | None,
    ) -> training.RunState | None:
        """Find the state to resume from; None if there is no unfinished fit.

        `estimator` is about to train on `rows`, with `validation` held out. If another fit has
        written the file, this is an error.
        """
        fit = {"seed": self._seed, **_describe(estimator, rows, validation)}
        differences = _differences(self.fit, fit) if self.state else []
        self.fit = fit
        if differences:
            raise PersistenceError(
                f"checkpoint={os.fspath(self.path)!r} was written by another fit: "
                f"{'; '.join(differences)}. Undo the changes to resume that fit; to start a new "
                "one, delete the file or give another path."
            )
        return self.state

    def keep(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the file by the state after an epoch, atomically.

        If something else has written the file since this object did, this is an error.
        """
        name = uuid.uuid4().hex
        state = {key: Writer(CLASSES).plain(value, key) for key, value in values.items()}
        data = pack({"checkpoint": name, "fit": self.fit, "state": state}, arrays)
        with replacing(self.path) as part:
            if self.path.exists() and self._name_in_place() != self._newest:
                raise PersistenceError(
                    f"The checkpoint {os.fspath(self.path)!r} was written by something else "
                    "while this fit was running: give every fit its own checkpoint."
                )
            part.write_bytes(data)
        self._newest = name

    def remove(self) -> None:
        """Remove the file after a complete fit, unless something else has written it."""
        if self.path.exists() and self._name_in_place() == self._newest:
            self.path.unlink()

    def _read(self) -> None:
        try:
            document, arrays = unpack(self.path.read_bytes())
            if "checkpoint" not in document:
                raise PersistenceError("is a saved model.")
            self._newest, self.fit = document["checkpoint"], document["fit"]
            reader = Reader({}, CLASSES)
            values = {key: reader.value(item) for key, item in document["state"].items()}
            self.state = values, arrays
            _differences(self.fit, self.fit)
            if not all(row["train_loss"] > -np.inf for row in values["history"]):
                raise PersistenceError("has losses that are no numbers.")
        except OSError:
            raise
        except Exception as error:  # a made-up document can cause any
            raise PersistenceError(
                f"checkpoint={os.fspath(self.path)!r} is a file without an unfinished fit: it "
                f"{error} If it is a damaged checkpoint, delete it to start the fit again; "
                "otherwise give another path."
            ) from error

    def _name_in_place(self) -> str | None:
        """Read the name of the state that the file contains now, without its arrays."""
        with open(self.path, "rb") as file:
            size = file.read(8)
            beginning = size + file.read(int.from_bytes(size, "little"))
        try:
            return read_beginning(beginning).get("checkpoint")
        except PersistenceError:
            return None


def _describe(
    estimator: SavableEstimator, rows: training.Rows, validation: training.Rows | None
) -> dict[str, Any]:
    """Collect, as JSON, everything that determines the final weights."""
    return {
        "class": type(estimator).__name__,
        "parameters": {
            name: _plain(name, value)
            for name, value in estimator.get_params(deep=False).items()
            if name not in _MAY_CHANGE
        },
        "device": torch.device(estimator.net_.device).type,
        "versions": {"ecgclf": __version__, "torch": version("torch")},
        "training_data": _digest(rows),
        "validation_data": None if validation is None else _digest(validation),
        "first_weights": training.weights_digest(estimator.net_),
    }


def _plain(name: str, value: Any) -> Any:
    """Describe a parameter; one that a file cannot contain, and a source, by its name."""
    if isinstance(value, SavableEstimator):  # its weights are part of the first weights
        return type(value).__name__
    try:
        return Writer(CLASSES).plain(value, name)
    except PersistenceError:
        named = value if hasattr(value, "__qualname__") else type(value)
        return f"{named.__module__}.{named.__qualname__}"


def _digest(rows: training.Rows) -> str:
    digest = hashlib.sha256(fingerprint(rows.view)["X_sha256"].encode())
    for array in (rows.y, rows.weight, rows.record, rows.position):
        digest.update(b"" if array is None else array.tobytes())
    return digest.hexdigest()


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """List the differences between two fits in words."""
    if before["class"] != now["class"]:
        return [f"it was a {before['class']} and is a {now['class']}"]
    first, second = (
        {**fit["parameters"], **fit["versions"], "device": fit["device"]} for fit in (before, now)
    )
    found = [
        f"{name} was {first.get(name)!r} and is {second.get(name)!r}"
        for name in {**first, **second}
        if first.get(name) != second.get(name)
    ]
    # Other data or weights may be a consequence.
    return found or [words for name, words in _DIGESTS.items() if before[name] != now[name]]
