"""Which fit a checkpoint belongs to, and whether another one may go on from it."""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ecgclf import training
from ecgclf._version import __version__
from ecgclf.estimators._fingerprint import fingerprint
from ecgclf.persistence import CheckpointFile, PersistenceError
from ecgclf.persistence._classes import ESTIMATORS, belongs
from ecgclf.persistence._writing import Writer

if TYPE_CHECKING:
    from ecgclf.estimators._network import BeatEstimator

#: Parameters that the weights do not depend on. Of the device, the kind is compared.
_MAY_CHANGE = {"callbacks", "checkpoint", "device", "verbose"}

#: What is not compared by its value, in the words of the error.
_DIGESTS = {
    "training_data": "the beats, their labels, weights or groups have changed",
    "validation_data": "the beats that are held out have changed",
    "first_weights": "the network does not begin with the same weights",
}


class FitCheckpoint:
    """The checkpoint of one `fit`.

    Parameters
    ----------
    path : str or path-like

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    PersistenceError
        If there is a file and it is no checkpoint.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = FitCheckpoint(f"{folder}/fit.checkpoint")
    >>> checkpoint.choose_seed(42)
    42
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = CheckpointFile(path)
        self._fit: dict[str, Any] = {}
        #: Seed of the fit; None where it goes on from a trained network, which has its own.
        self._seed: int | None = None

    def choose_seed(self, random_state: int | np.random.RandomState | None) -> int:
        """Choose the seed of a fit from the beginning.

        Where chance would, the fit that was broken off has chosen.
        """
        kept = self._file.fit.get("seed")
        if kept is not None and not isinstance(random_state, Integral):
            self._seed = kept
        else:
            self._seed = training.draw_seed(random_state)
        return self._seed

    def begin(
        self,
        estimator: BeatEstimator,
        rows: training.Rows,
        validation: training.Rows | None,
    ) -> training.RunState | None:
        """Find what the fit goes on from, if it was broken off.

        Parameters
        ----------
        estimator : BeatEstimator
            Its ``net_`` is about to train.
        rows : Rows
        validation : Rows or None

        Returns
        -------
        tuple of a dict of values and a dict of arrays, or None

        Raises
        ------
        PersistenceError
            If the file was left by another fit.
        """
        self._fit = {"seed": self._seed, **_describe(estimator, rows, validation)}
        file = self._file
        if not file.found:
            return None
        differences = _differences(file.fit, self._fit)
        if differences:
            raise PersistenceError(
                f"checkpoint={os.fspath(file.path)!r} was left by another fit: "
                f"{'; '.join(differences)}. Set back what has changed to go on with that fit; to "
                "begin a new one, delete the file or give another path."
            )
        return file.values, file.arrays

    def keep(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Write the state after an epoch."""
        self._file.write(self._fit, values, arrays)

    def remove(self) -> None:
        """Remove the file of a fit that is complete."""
        self._file.remove()


def _describe(
    estimator: BeatEstimator, rows: training.Rows, validation: training.Rows | None
) -> dict[str, Any]:
    """Gather, as JSON knows it, all that decides the weights that a fit ends with."""
    parameters = {
        name: _plain(name, value)
        for name, value in estimator.get_params(deep=False).items()
        if name not in _MAY_CHANGE
    }
    return {
        "class": type(estimator).__name__,
        "parameters": parameters,
        "device": torch.device(estimator.net_.device).type,
        "versions": {"ecgclf": __version__, "torch": version("torch")},
        "training_data": _digest(rows),
        "validation_data": None if validation is None else _digest(validation),
        "first_weights": training.weights_digest(estimator.net_),
    }


def _plain(name: str, value: Any) -> Any:
    """Describe a parameter; what no file can hold, and a source, by what it is called."""
    if belongs(value, ESTIMATORS):  # its weights are among those that the network begins with
        return type(value).__name__
    try:
        return Writer().plain(value, name)
    except PersistenceError:
        named = value if hasattr(value, "__qualname__") else type(value)
        return f"{named.__module__}.{named.__qualname__}"


def _digest(rows: training.Rows) -> str:
    digest = hashlib.sha256(fingerprint(rows.view)["X_sha256"].encode())
    digest.update(rows.y.tobytes())
    digest.update(rows.weight.tobytes())
    return digest.hexdigest()


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say in words how two fits differ."""
    if before["class"] != now["class"]:
        return [f"it was a {before['class']} and is a {now['class']}"]
    found = []
    for group in ("parameters", "versions"):
        first, second = before[group], now[group]
        found += [
            f"{name} was {first.get(name)!r} and is {second.get(name)!r}"
            for name in {**first, **second}
            if first.get(name) != second.get(name)
        ]
    if before["device"] != now["device"]:
        found.append(f"it ran on {before['device']!r} and is to run on {now['device']!r}")
    if found:  # from which other data or weights may follow
        return found
    return [words for name, words in _DIGESTS.items() if before[name] != now[name]]
